"""`isograd demo`: a network learns to read handwritten digits, on the best device at hand."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from .. import Device, devices, using
from ..backend import settings
from . import digits
from .bring_cupy import bring_cupy
from .digits import Epoch, Outcome, Split
from .pictures import draw_training, why_no_picture
from .progress import progress

MAY_NEED_CUPY = ("auto", "cuda", "cupy")


def main(
    device: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    output: Path = Path("isograd-demo.png"),
    started_again: bool = False,
) -> None:
    """Train, test and draw, and say so in lines that a person reads.

    device: as use() takes it; when None that of ISOGRAD_DEVICE, else "auto". started_again: whether
    bring_cupy() has started this process.
    Raises UnknownDeviceError, DeviceUnavailableError, ConfigurationError.
    """
    asked = device or settings().device or "auto"
    n_epochs = digits.EPOCHS if epochs is None else epochs
    if not started_again and asked.partition(":")[0] in MAY_NEED_CUPY:
        words = ["--device", asked, "--epochs", str(n_epochs), "--seed", str(seed)]
        bring_cupy(["demo", *words, "--output", str(output)])
    logging.getLogger("isograd").addHandler(logging.NullHandler())  # the first line says it all
    with using(asked) as chosen:
        _say("device", f"{chosen}{_why_not_a_gpu(asked, chosen)}")
        split = digits.split_digits()
        outcome = _train(split, n_epochs, seed)
    _say("picture", why_no_picture() or str(draw_training(output, outcome, seed)))


def _train(split: Split, n_epochs: int, seed: int) -> Outcome:
    """The outcome, with a line about the data, one for each epoch and some about the result."""
    _say_split(split)
    width = len(str(n_epochs))
    started = time.perf_counter()
    with progress(digits.n_steps(n_epochs, split.training)) as bar:
        lines = iter(range(1, n_epochs + 1))

        def on_epoch(epoch: Epoch) -> None:
            bar.say(f"epoch {next(lines):>{width}}/{n_epochs}  {_figures(epoch)}")

        outcome = digits.train(split, n_epochs, seed, on_step=bar.advance, on_epoch=on_epoch)
    seconds = time.perf_counter() - started
    _say_outcome(outcome, seed)
    _say("speed", f"{outcome.seconds_a_step * 1e3:.2f} ms a step of {digits.BATCH_SIZE} images; "
         f"{seconds:.1f} s for {digits.n_steps(n_epochs, split.training)} steps and validation")
    return outcome
