"""`isograd parity`: one model on two devices, step by step and op by op."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Iterator, Sequence

import numpy as np

from ... import Device, random
from ...backend import find_device, is_array
from ...backend.comparison import compare, on_host
from ...backend.dtypes import Tolerance
from ...backend.errors import ConfigurationError, IsogradError, NonFiniteError
from ...nn.autograd import tree
from .checks import (
    BACKWARD,
    UPDATE,
    Finding,
    backward_findings,
    first_apart,
    forward_findings,
    total_finding,
    update_finding,
)
from .models import MODELS, Maker, ModelError, maker
from .outcome import Outcome
from .report import record, text
from .side import Heard, Side


def main(
    models: Sequence[str],
    devices: str,
    *,
    n_steps: int = 3,
    dtype: str = "float32",
    seed: int = 0,
    factor: float = 1.0,
    as_json: bool = False,
) -> int:
    """The exit status: 0 where the devices agree, 1 where something differs beyond tolerance.

    models: built-in names or the user's module:function; all built-in ones where there are none.
    devices: two names as use() takes them, with a comma between; the first is what the second is
    measured against. factor: widens the tolerance. as_json: print one JSON document.
    Raises ModelError, also for what a model raises; ConfigurationError, UnknownDeviceError and
    DeviceUnavailableError; NonFiniteError for a model that ends in NaN or infinity on both.
    """
    pair = two_devices(devices)
    outcomes = []
    for model in models or MODELS:
        try:
            outcomes.append(parity(model, pair, n_steps, dtype, seed, factor))
        except IsogradError:
            raise
        except Exception as error:  # status 1 would say that the devices differ
            traceback.print_exception(error)
            raise ModelError(f"{model}: it raised {type(error).__name__}, see above") from None
        if not as_json:
            print(text(outcomes[-1]) + "\n", flush=True)
    if as_json:
        print(json.dumps([record(outcome) for outcome in outcomes], indent=1))
    for outcome in outcomes:
        if outcome.not_finite:
            raise NonFiniteError(outcome.not_finite)
    return 0 if all(outcome.agrees for outcome in outcomes) else 1


def two_devices(words: str) -> tuple[Device, Device]:
    """The devices that "cpu,cuda" names. Raises ConfigurationError unless they are two."""
    names = [word.strip() for word in words.split(",")]
    if len(names) != 2:
        raise ConfigurationError(f"--devices: must name two, e.g. cpu,cuda, got {words!r}")
    return find_device(names[0]), find_device(names[1])


def parity(
    model: str,
    devices: tuple[Device, Device],
    n_steps: int = 3,
    dtype: str = "float32",
    seed: int = 0,
    factor: float = 1.0,
) -> Outcome:
    """What n_steps of training a model shows on two devices, from the same seed.

    A third copy, on the second device, gets the first one's state and gradients before each update.
    The default random generator is left as it was. Raises ModelError.
    """
    make, state = maker(model), random.default_generator().state
    try:
        with np.errstate(all="ignore"):  # what overflows is found, and told with its op
            return _trained(model, make, devices, n_steps, dtype, seed, factor)
    finally:
        random.default_generator().state = state


def _trained(
    model: str,
    make: Maker,
    devices: tuple[Device, Device],
    n_steps: int,
    dtype: str,
    seed: int,
    factor: float,
) -> Outcome:
    """As parity(); the default random generator is seeded."""
    first, second, twin = (
        Side(model, make, device, dtype, seed) for device in (devices[0], *2 * devices[1:])
    )
    _check_same_start(first, second)
    names = devices[0].name, devices[1].name
    outcome = Outcome(model, names, dtype, seed, factor, first.layers())
    for step in range(n_steps):
        _step(outcome, step, first, second, twin)
        if outcome.apart or outcome.not_finite:
            break
    return outcome


def _check_same_start(first: Side, second: Side) -> None:
    """Raises ModelError unless both sides start from the same numbers."""
    for path, expected in first.start().items():
        actual = second.start().get(path)
        exact = Tolerance(0.0, 0.0)
        if actual is None or tuple(actual.shape) != tuple(expected.shape):
            raise ModelError(f"{first.name}: must be built alike on both devices, but not {path}")
        if compare(actual, expected, exact).n_different:
            raise ModelError(
                f"{first.name}: must start from the same numbers each time it is called, but "
                f"{path} differs; draw them with isograd.random or a Generator of a fixed seed"
            )


def _step(outcome: Outcome, step: int, first: Side, second: Side, twin: Side) -> None:
    """Add what one step of training shows."""
    ours, theirs = first.forward(step), second.forward(step)
    outcome.losses.append((first.backward(), second.backward()))
    n_common = first_apart(ours, theirs)
    if n_common is not None:
        outcome.apart = _apart(outcome, step, ours[n_common:], theirs[n_common:])
        ours, theirs = ours[:n_common], theirs[:n_common]
    if not any(map(math.isfinite, outcome.losses[-1])):
        outcome.not_finite = _not_finite(outcome, step, ours)
    outcome.findings += forward_findings(step, ours, theirs, outcome.factor)
    if outcome.apart or outcome.not_finite:
        return
    outcome.findings += backward_findings(step, ours, theirs, outcome.factor)
    gradients = first.gradients(), second.gradients()
    outcome.findings += _totals(outcome, step, BACKWARD, first, *gradients)
    twin.take_over(first)
    for side in (first, second, twin):
        side.update()
    after = twin.updated()
    for path, expected in first.updated().items():
        about = (step, UPDATE, first.layer_of(path), path, None)
        outcome.findings.append(update_finding(about, after[path], expected, outcome.factor))
    outcome.findings += _totals(outcome, step, UPDATE, first, first.arrays(), second.arrays())


def _totals(
    outcome: Outcome, step: int, phase: str, side: Side, first: dict, second: dict
) -> Iterator[Finding]:
    """One finding for each array of the model."""
    for path, expected in first.items():
        about = (step, phase, side.layer_of(path), path, None)
        yield total_finding(about, second.get(path), expected, outcome.factor)


def _apart(outcome: Outcome, step: int, first: Sequence[Heard], second: Sequence[Heard]) -> str:
    """What the devices do where they begin to differ; first, second: their calls from there on."""
    told = [
        f"{device} applies " + (f"{rest[0].call.op} in {rest[0].layer}" if rest else "no more ops")
        for device, rest in zip(outcome.devices, (first, second), strict=True)
    ]
    return f"step {step + 1}: {', '.join(told)}"


def _not_finite(outcome: Outcome, step: int, heard: Sequence[Heard]) -> str:
    """Which op of the first side is the first with NaN, or with an infinite result."""
    where = "in the loss itself"
    for is_bad in (np.isinf, np.isnan):
        for number, (call, layer) in reversed(list(enumerate(heard))):
            if any(is_bad(on_host(y)).any() for y in tree.leaves(call.y) if is_array(y)):
                where = f"first in {layer}, {call.op} (op {number})"
    return (
        f"{outcome.model}: numbers must stay finite to be compared, but on both devices the loss "
        f"of step {step + 1} is not, {where}; check the inputs, or lower the learning rate"
    )
