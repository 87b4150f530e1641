"""`isograd demo`: a network learns to read handwritten digits, on the best device at hand."""

from __future__ import annotations

import itertools
import logging
import time
from pathlib import Path

from .. import Device, current_device, using
from ..backend import settings
from ..backend.libraries import CUPY
from . import digits
from .bring_cupy import bring_cupy
from .digits import Epoch, Outcome, Split
from .pictures import draw_training, why_no_picture
from .progress import progress

OUTPUT = Path("isograd-demo.png")
MAY_NEED_CUPY = ("auto", "cuda", "cupy")


def main(
    device: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    output: Path = OUTPUT,
    started_again: bool = False,
) -> None:
    """Train, test and draw, and say so in lines for a person.

    device: as use() takes it; when None that of ISOGRAD_DEVICE, else "auto". started_again: whether
    bring_cupy() has started this process.
    Raises UnknownDeviceError, DeviceUnavailableError, ConfigurationError.
    """
    asked = device if device is not None else settings().device or "auto"
    n_epochs = digits.EPOCHS if epochs is None else epochs
    if not started_again and asked.partition(":")[0] in MAY_NEED_CUPY:
        words = ["--device", asked, "--epochs", str(n_epochs), "--seed", str(seed)]
        bring_cupy(["demo", *words, "--output", str(output)])
    logging.getLogger("isograd").addHandler(logging.NullHandler())  # the first line says it all
    from_variable = device is None and settings().device is not None
    with using(current_device() if from_variable else asked) as chosen:  # errors name the variable
        _say("device", f"{chosen}{_why_not_a_gpu(asked, chosen)}")
        split = digits.split_digits()
        _say("data", _sizes(split))
        outcome = _train(split, n_epochs, seed)
    _say("test", _result(outcome))
    _say("picture", why_no_picture() or str(draw_training(output, outcome, seed)))


def _train(split: Split, n_epochs: int, seed: int) -> Outcome:
    """The outcome, with a line for each epoch and one about the speed."""
    n_steps = digits.n_steps(n_epochs, split.training)
    number = itertools.count(1)
    started = time.perf_counter()
    with progress(n_steps) as bar:

        def on_epoch(epoch: Epoch) -> None:
            bar.say(f"epoch {next(number):{len(str(n_epochs))}}/{n_epochs}  {_figures(epoch)}")

        outcome = digits.train(split, n_epochs, seed, on_step=bar.advance, on_epoch=on_epoch)
    seconds = time.perf_counter() - started
    step = f"{outcome.seconds_a_step * 1e3:.2f} ms a step of {digits.BATCH_SIZE} images"
    _say("speed", f"{step}, {seconds:.2f} s for {n_steps:,} steps and the validation")
    return outcome


def _say(topic: str, text: str) -> None:
    print(f"{topic:<7}  {text}", flush=True)


def _why_not_a_gpu(asked: str, chosen: Device) -> str:
    """What "auto" misses, and how to get it; "" where nothing is missed."""
    if asked != "auto" or chosen.library is CUPY:
        return ""
    reason = CUPY.why_unavailable()
    if not reason:
        return " (no GPU takes an array: they are full or held by other processes)"
    return f" (no GPU: {reason}; {CUPY.remedy()})"


def _sizes(split: Split) -> str:
    learn, validate, test = (part.labels.shape[0] for part in split)
    total = learn + validate + test
    parts = f"{learn:,} to learn from, {validate:,} to validate, {test:,} to test"
    return f"{total:,} handwritten digits: {parts}"


def _figures(epoch: Epoch) -> str:
    accuracy = f"accuracy {100 * epoch.validation_accuracy:5.1f} %"
    validation = f"validation loss {epoch.validation_loss:.4f}, {accuracy}"
    return f"training loss {epoch.training_loss:.4f}  {validation}"


def _result(outcome: Outcome) -> str:
    n, n_wrong = len(outcome.test.labels), len(outcome.test.wrong)
    share = f"accuracy {100 * outcome.test.accuracy:.2f} %"
    return f"{share}: read {n - n_wrong} of {n} digits right that it had never seen"
