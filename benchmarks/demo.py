"""`isograd demo`: a network learns to read handwritten digits, on the best device at hand."""

from __future__ import annotations

import logging
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import nn, no_grad, random, synchronize, to_numpy, using
from ..backend import Array, Device, array_namespace, settings
from ..backend.libraries import CUPY
from .bring_cupy import bring_cupy
from .pictures import Reading, draw_training
from .progress import progress

EPOCHS = 40
BATCH_SIZE = 64
HIDDEN = 256
DROPOUT = 0.3
LEARNING_RATE = 1e-3
VALIDATION_FRACTION = 0.15  # of what the test leaves


@dataclass(frozen=True)
class Epoch:
    """What is known after one pass over the training images, all in evaluation mode."""

    training_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Outcome:
    """What a training run ends with; the same for the same seed except the seconds."""

    epochs: tuple[Epoch, ...]
    test: Reading
    seconds_a_step: float


def main(
    device: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    output: Path = Path("isograd-demo.png"),
    started_again: bool = False,
) -> None:
    """Train, test, draw, and say so in lines that a person reads.

    device: as use() takes it; when None that of ISOGRAD_DEVICE, else "auto". started_again: whether
    bring_cupy has started this process.
    Raises UnknownDeviceError, DeviceUnavailableError, ConfigurationError.
    """
    asked = device or settings().device or "auto"
    n_epochs = EPOCHS if epochs is None else epochs
    if not started_again and asked.partition(":")[0] in ("auto", "cuda", "cupy"):
        bring_cupy(["--device", asked, "--epochs", str(n_epochs), "--seed", str(seed)], output)
    logging.getLogger("isograd").addHandler(logging.NullHandler())  # the first line says it all
    with using(asked) as chosen:
        _say("device", f"{chosen}{_why_not_a_gpu(asked, chosen)}")
        outcome = train(n_epochs, seed)
    _say_outcome(outcome)
    _say("picture", draw_training(output, outcome.epochs, outcome.test, _title(outcome)))


def train(n_epochs: int, seed: int) -> Outcome:
    """A network trained on the current device for so many epochs, and how it did.

    The split into training, validation and test is always the same; the seed decides the initial
    weights, the order of the images and what dropout drops.
    """
    training, validation, test = split_digits()
    random.seed(seed)
    model = network()
    optimizer = nn.Adam(model.parameters(), lr=LEARNING_RATE)
    batches = nn.DataLoader(training, batch_size=BATCH_SIZE, shuffle=True, seed=seed)
    _say_plan(training, validation, test, model, seed)
    history, seconds = [], []
    with progress(n_epochs * len(batches)) as bar:
        for number in range(1, n_epochs + 1):
            seconds.append(_train_epoch(model, optimizer, batches, bar.advance) / len(batches))
            history.append(_evaluate(model, training, validation))
            bar.say(_line(number, n_epochs, history[-1]))
    # The first epoch also warms up.
    return Outcome(tuple(history), _read(model, *test), statistics.median(seconds[1:] or seconds))


def network() -> nn.Module:
    """64 pixels -> hidden units -> 10 scores."""
    return nn.Sequential(
        nn.Linear(64, HIDDEN, activation="relu"), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, 10)
    )


def split_digits() -> tuple[tuple[Array, Array], tuple[Array, Array], tuple[Array, Array]]:
    """(images, labels) to train on, to validate with and to test with, on the current device."""
    digits = nn.load_digits()
    x, x_validation, y, y_validation = nn.train_test_split(
        digits.train.images, digits.train.labels, test_fraction=VALIDATION_FRACTION
    )
    return (x, y), (x_validation, y_validation), tuple(digits.test)


def _train_epoch(
    model: nn.Module,
    optimizer: nn.Adam,
    batches: nn.DataLoader,
    advance: Callable[[], object],
) -> float:
    """Seconds that one pass over the training images takes."""
    model.train()
    synchronize()
    started = time.perf_counter()
    for images, labels in batches:
        loss = nn.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        advance()
    synchronize()
    return time.perf_counter() - started


def _evaluate(
    model: nn.Module, training: tuple[Array, Array], validation: tuple[Array, Array]
) -> Epoch:
    """Losses and accuracy of the model as it is now."""
    model.eval()
    with no_grad():
        training_loss = nn.cross_entropy(model(training[0]), training[1])
        scores = model(validation[0])
        validation_loss = nn.cross_entropy(scores, validation[1])
    accuracy = nn.accuracy(scores, validation[1])
    return Epoch(float(training_loss), float(validation_loss), accuracy)


def _read(model: nn.Module, images: Array, labels: Array) -> Reading:
    """The images with their labels and the probabilities that the model gives to each class."""
    model.eval()
    with no_grad():
        probabilities = nn.softmax(model(images))
    probabilities = getattr(probabilities, "data", probabilities)
    return Reading(*(to_numpy(x) for x in (images, labels, probabilities)))


def _say_plan(training, validation, test, model, seed) -> None:
    sizes = [len(part[1]) for part in (training, validation, test)]
