"""Two sides of a parity run, op by op: what each op does by itself, and what has added up by then.

By itself: the other side's op is given the first side's inputs. Its result may be as far away as
the dtype's tolerance, in units of the largest element, or as far as the result moves when every
input moves by that many units in the last place: no algorithm does better than that.
Added up: each side has gone on with its own numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import Device, device_of, to_device, using
from ...backend import Array, array_namespace, is_array, is_complex, is_floating, settings_override
from ...backend.comparison import Comparison, compare, counted, on_host, spacing
from ...backend.dtypes import Tolerance, dtype_name, tolerance
from ...backend.random import Generator
from ...nn.autograd.direct import gradients_of
from ...nn.autograd.listening import Call
from ...nn.autograd.tree import leaves, rebuilt
from .side import Heard

FORWARD, BACKWARD, UPDATE = PHASES = ("forward", "backward", "update")
OWN, TOTAL = "own", "total"
About = tuple[int, str, str, str, int | None]  # the first fields of a Finding
LIBRARY_ERRORS = (TypeError, ValueError, RuntimeError, AttributeError)


@dataclass(frozen=True)
class Finding:
    """How far one array of the second side is from the first side's.

    what: the op, or the path of the array; number: of the op in the step, from 0, None for arrays.
    kind: OWN, by itself, or TOTAL, what has added up.
    beyond: whether the distance is more than rounding explains. note: what else is known of it.
    """

    step: int
    phase: str
    layer: str
    what: str
    number: int | None
    kind: str
    comparison: Comparison
    beyond: bool
    note: str = ""

    @property
    def bit_equal(self) -> bool:
        return self.comparison.n_different == 0


def first_apart(first: Sequence[Heard], second: Sequence[Heard]) -> int | None:
    """The number of the first call that the other side does not make too; None if there is none."""
    for i, (a, b) in enumerate(zip(first, second, strict=False)):
        if _place(a) != _place(b):
            return i
    return None if len(first) == len(second) else min(len(first), len(second))


def _place(heard: Heard) -> tuple[str, str]:
    """By name: each side may have made the op anew."""
    return str(heard.call.op), heard.layer


def forward_findings(
    step: int, first: Sequence[Heard], second: Sequence[Heard], factor: float
) -> Iterator[Finding]:
    """Own and total of every call's result."""
    for number, (a, b) in enumerate(zip(first, second, strict=True)):
        about = (step, FORWARD, a.layer, str(a.call.op), number)
        for expected, actual in zip(leaves(a.call.y), leaves(b.call.y), strict=True):
            if is_array(expected):
                yield total_finding(about, actual, expected, factor)
        yield from _own_findings(about, a.call, b.call, factor, _forward)


def backward_findings(
    step: int, first: Sequence[Heard], second: Sequence[Heard], factor: float
) -> Iterator[Finding]:
    """Own and total of every call's gradients, the last call first."""
    for number, (a, b) in reversed(list(enumerate(zip(first, second, strict=True)))):
        about = (step, BACKWARD, a.layer, str(a.call.op), number)
        for expected, actual in zip(a.call.dys, b.call.dys, strict=True):
            if expected is not None and actual is not None:
                yield total_finding(about, actual, expected, factor)
        yield from _own_findings(about, a.call, b.call, factor, _backward)


def total_finding(about: About, actual: Array, expected: Array, factor: float) -> Finding:
    """By the dtype's tolerance, the absolute one in units of the largest element above one."""
    found, note = _compared(actual, expected, _allowed(expected, factor, at_least=1.0))
    return Finding(*about, TOTAL, found, found.n_beyond > 0, note)


def update_finding(about: About, actual: Array, expected: Array, factor: float) -> Finding:
    """Of a parameter that both sides have updated by the same gradient, from the same state."""
    found, note = _compared(actual, expected, _allowed(expected, factor))
    return Finding(*about, OWN, found, found.n_beyond > 0, note)


# -- what an op does by itself


@dataclass(frozen=True)
class _Run:
    """A computation of a call: its results with their names, and how to make it of other inputs."""

    ys: list[Any]
    names: list[str]
    inputs: Any
    again: Callable[[Any], list[Any]]


# (the first side's call, its twin on the second side) -> the first side's run, and its results on
# the second side with the first side's inputs; None where there is nothing to run.
_Experiment = Callable[[Call, Call], tuple[_Run, list[Any]] | None]


def _forward(a: Call, b: Call) -> tuple[_Run, list[Any]] | None:
    device = _device(b)
    if device is None:
        return None
    ys = leaves(a.y)
    names = [f", output {i}" for i in range(len(ys))] if len(ys) > 1 else [""]
    run = _Run(ys, names, a.args, lambda args: leaves(a.op(*args, **a.kwargs)))
    with using(device):
        args, kwargs = _on_device((a.args, a.kwargs), (b.args, b.kwargs), device)
        return run, leaves(b.op(*args, **kwargs))


def _backward(a: Call, b: Call) -> tuple[_Run, list[Any]] | None:
    device, home = _device(b), _device(a)
    if device is None or home is None or not a.followed or all(dy is None for dy in a.dys):
        return None
    dys = tuple(
        array_namespace(y).zeros_like(y) if dy is None else dy
        for dy, y in zip(a.dys, leaves(a.y), strict=True)
    )
    dy = dys[0] if is_array(a.y) else dys

    def again(inputs: Any) -> list[Any]:
        with using(home):
            return leaves(gradients_of(a.op, inputs[0], inputs[1:], a.kwargs, a.followed))

    dxs = again((dy, *a.args))
    names = [f", d{a.op.names[min(i, len(a.op.names) - 1)]}" for i in a.followed]
    run = _Run(dxs, names if len(names) == len(dxs) else [""] * len(dxs), (dy, *a.args), again)
    with using(device):
        there, args, kwargs = _on_device((dy, a.args, a.kwargs), (b.y, b.args, b.kwargs), device)
        return run, leaves(gradients_of(b.op, there, args, kwargs, b.followed))


def _own_findings(
    about: About, a: Call, b: Call, factor: float, experiment: _Experiment
) -> Iterator[Finding]:
    """One finding for each result; where one is beyond, the part of the op that it comes from."""
    made = experiment(a, b)
    if made is None:
        return
    run, found = made
    step, phase, layer, op, number = about
    for i, (actual, expected) in enumerate(zip(found, run.ys, strict=True)):
        if not is_array(expected):
            continue
        what = op + run.names[i]
        comparison, note = _compared(actual, expected, _allowed(expected, factor))
        if comparison.n_beyond == 0 or (not note and _moves_as_far(run, i, actual, factor)):
            yield Finding(step, phase, layer, what, number, OWN, comparison, False)
            continue
        what = " > ".join([what, *_parts_beyond(a, b, factor, experiment)])
        note = note or _judged(run, i, actual)
        yield Finding(step, phase, layer, what, number, OWN, comparison, True, note)


def _parts_beyond(a: Call, b: Call, factor: float, experiment: _Experiment) -> list[str]:
    """The name of the first part that is beyond, and of its parts, where both sides have them."""
    if [str(part.op) for part in a.parts] != [str(part.op) for part in b.parts]:
        return []
    for x, y in zip(a.parts, b.parts, strict=True):
        about = (0, "", "", str(x.op), 0)
        for finding in _own_findings(about, x, y, factor, experiment):
            if finding.beyond:
                return [finding.what]
    return []


def _moves_as_far(run: _Run, i: int, actual: Array, factor: float) -> bool:
    """Whether changes of the inputs within their tolerance move result i as far as actual is."""
    expected = run.ys[i]
    if not _is_rounded(expected):
        return False
    n_units = tolerance(expected).rtol / spacing(1.0, expected.dtype)
    generator = Generator(0)
    moved = [_moved(x, n_units, generator) for x in leaves(run.inputs)]
    with np.errstate(all="ignore"):
        far = on_host(run.again(rebuilt(run.inputs, moved))[i]).astype("complex128")
        apart = abs(far - on_host(expected).astype("complex128"))
    room = factor * float(apart[np.isfinite(apart)].max(initial=0.0))
    usual = _allowed(expected, factor)
    return compare(actual, expected, Tolerance(usual.rtol, usual.atol + room)).n_beyond == 0


def _moved(x: Any, n_units: float, generator: Generator) -> Any:
    """A floating array with every element moved by so many units, up or down by chance."""
    if not (is_array(x) and is_floating(x)):
        return x
    signs = generator.bernoulli(0.5, tuple(x.shape), device=device_of(x))
    xp = array_namespace(x)
    return x * (1.0 + n_units * spacing(1.0, x.dtype) * (2.0 * xp.astype(signs, x.dtype) - 1.0))


def _judged(run: _Run, i: int, actual: Array) -> str:
    """How far both are from the definition's result in float64, as text; "" if that has none."""
    expected = run.ys[i]
    wide = [
        on_host(x).astype("float64") if is_array(x) and is_floating(x) else _host(x)
        for x in leaves(run.inputs)
    ]
    try:
        with np.errstate(all="ignore"), using("cpu"), settings_override(disable_kernels=True):
            y = run.again(rebuilt(run.inputs, wide))[i]
    except LIBRARY_ERRORS:  # options that only the first side's library knows, such as its dtypes
        return ""
    if dtype_name(y.dtype) != "float64" or dtype_name(expected.dtype) == "float64":
        return ""
    unit = spacing(float(abs(y[np.isfinite(y)]).max(initial=0.0)), expected.dtype)
    errors = (
        float(np.nan_to_num(abs(on_host(x).astype("float64") - y), nan=np.inf).max(initial=0.0))
        for x in (expected, actual)
    )
    first, second = (counted(error / unit) for error in errors)
    homes = device_of(expected).name, device_of(actual).name
    return f"from the result in float64: {homes[0]} {first}, {homes[1]} {second}"


# -- what both have in common


def _compared(actual: Any, expected: Array, allowed: Tolerance) -> tuple[Comparison, str]:
    """The comparison, and what forbids one: two shapes or dtypes, all of which is beyond then."""
    kinds = [
        (tuple(x.shape), dtype_name(x.dtype)) if is_array(x) else type(x).__name__
        for x in (expected, actual)
    ]
    if kinds[0] == kinds[1]:
        return compare(actual, expected, allowed), ""
    n = int(on_host(expected).size)
    nothing = Comparison(n, n, max(n, 1), float("inf"), None, None)
    return nothing, f"shape and dtype must be {kinds[0]}, got {kinds[1]}"


def _allowed(expected: Array, factor: float, at_least: float = 0.0) -> Tolerance:
    """The dtype's tolerance, the absolute one in units of the largest element."""
    usual = tolerance(expected, factor)
    if not _is_rounded(expected):
        return usual
    sizes = abs(on_host(expected).astype("complex128"))
    largest = float(sizes[np.isfinite(sizes)].max(initial=0.0))
    return Tolerance(usual.rtol, usual.atol * max(largest, at_least))


def _is_rounded(x: Array) -> bool:
    return is_floating(x) or is_complex(x)


def _on_device(tree: Any, like: Any, device: Device) -> Any:
    """like, a tree with arrays of the device, with the values of the arrays in tree."""
    moved = [
        to_device(x, device) if is_array(y) and is_array(x) else y
        for x, y in zip(leaves(tree), leaves(like), strict=True)
    ]
    return rebuilt(like, moved)


def _host(x: Any) -> Any:
    return on_host(x) if is_array(x) else x


def _device(call: Call) -> Device | None:
    """Where a call computes; None for one without an array."""
    arrays = [x for x in leaves((call.args, call.kwargs, call.y)) if is_array(x)]
    return device_of(arrays[0]) if arrays else None
