"""A network that learns to read handwritten digits: the training that the demo shows."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import nn, no_grad, random, synchronize, to_numpy
from ..backend import Array

# Chosen by validation accuracy over eight other splits of the images that are not for the test.
# 32 x 64 x 128 is also the largest product that OpenBLAS leaves to one thread: two would wait for
# each other, milliseconds a step wherever another process wants a core.
EPOCHS = 40
BATCH_SIZE = 32
HIDDEN = 128
DROPOUT = 0.1
LABEL_SMOOTHING = 0.1
LEARNING_RATE = 3e-3
VALIDATION_FRACTION = 0.15  # of what the test leaves


class Part(NamedTuple):
    """Images (n, 64), from -1 (paper) to 1 (ink), and their labels (n,)."""

    images: Array
    labels: Array


class Split(NamedTuple):
    """What the network learns from, what its settings were chosen by, and what neither has seen."""

    training: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Epoch:
    """What is known after one pass over the training images, all of it in evaluation mode."""

    training_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Reading:
    """Images (n, 64), labels (n,) and the probabilities (n, 10) the network gives; NumPy arrays."""

    images: Any
    labels: Any
    probabilities: Any

    @property
    def answers(self) -> Any:
        """The class of the largest probability."""
        return self.probabilities.argmax(axis=1)

    @property
    def wrong(self) -> Any:
        """Places of the images that were misread."""
        return (self.answers != self.labels).nonzero()[0]

    @property
    def accuracy(self) -> float:
        return 1.0 - len(self.wrong) / len(self.labels)


@dataclass(frozen=True)
class Outcome:
    """What a training ends with: the same for the same seed, but for seconds_a_step."""

    epochs: tuple[Epoch, ...]
    test: Reading
    seconds_a_step: float


def split_digits() -> Split:
    """The digits on the current device, always in the same three parts."""
    digits = nn.load_digits()
    x, x_validation, y, y_validation = nn.train_test_split(
        digits.train.images, digits.train.labels, test_fraction=VALIDATION_FRACTION
    )
    parts = ((x, y), (x_validation, y_validation), digits.test)
    return Split(*(Part(2.0 * images - 1.0, labels) for images, labels in parts))


def network() -> nn.Module:
    """64 pixels -> hidden units -> 10 scores, initialized by the default random generator."""
    return nn.Sequential(
        nn.Linear(64, HIDDEN, activation="relu"), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 10)
    )


def train(
    split: Split,
    n_epochs: int,
    seed: int,
    *,
    on_step: Callable[[], object] = lambda: None,
    on_epoch: Callable[[Epoch], object] = lambda epoch: None,
) -> Outcome:
    """A network trained for so many passes over split.training, and how it did.

    seed: decides the initial weights, the order of the images and what dropout leaves out.
    on_step, on_epoch: called after each.
    """
    random.seed(seed)
    model = network()
    optimizer = nn.Adam(model.parameters(), lr=LEARNING_RATE)
    batches = nn.DataLoader(split.training, batch_size=BATCH_SIZE, shuffle=True, seed=seed)
    epochs, seconds = [], []
    for _ in range(n_epochs):
        seconds.append(_train_epoch(model, optimizer, batches, on_step) / len(batches))
        epochs.append(_evaluate(model, split))
        on_epoch(epochs[-1])
    step = statistics.median(seconds[1:] or seconds)  # the first epoch also warms up
    return Outcome(tuple(epochs), read(model, split.test), step)


def n_steps(n_epochs: int, part: Part) -> int:
    """How many steps so many passes over a part take."""
    return n_epochs * math.ceil(part.labels.shape[0] / BATCH_SIZE)


def read(model: nn.Module, part: Part) -> Reading:
    """How the model reads the images of a part."""
    model.eval()
    with no_grad():
        probabilities = nn.softmax(model(part.images))
    return Reading(to_numpy(part.images), to_numpy(part.labels), to_numpy(probabilities))


def _train_epoch(
    model: nn.Module,
    optimizer: nn.Optimizer,
    batches: nn.DataLoader,
    on_step: Callable[[], object],
) -> float:
    """Seconds that one pass over the training images took."""
    model.train()
    synchronize()
    started = time.perf_counter()
    for images, labels in batches:
        loss = nn.cross_entropy(model(images), labels, label_smoothing=LABEL_SMOOTHING)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        on_step()
    synchronize()
    return time.perf_counter() - started


def _evaluate(model: nn.Module, split: Split) -> Epoch:
    """Losses and accuracy of the model as it is now."""
    model.eval()
    with no_grad():
        training_loss = nn.cross_entropy(model(split.training.images), split.training.labels)
        scores = model(split.validation.images)
        validation_loss = nn.cross_entropy(scores, split.validation.labels)
    accuracy = nn.accuracy(scores, split.validation.labels)
    return Epoch(float(training_loss), float(validation_loss), accuracy)
