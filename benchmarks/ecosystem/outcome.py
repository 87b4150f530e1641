"""What became of a case: differentiable, a value only, refused, or wrong."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import Tensor, check_gradients, to_numpy, vjp, wrap_namespace
from ...backend import Array, array_namespace
from ...backend.errors import GradientCheckError, IsogradError
from .case import Case

DIFFERENTIABLE = "differentiable"  # right values, right derivatives
CONSTANT = "constant"  # right values, whose derivative is zero wherever it exists
VALUE_ONLY = "value only"  # right values; raises when a gradient is wanted
REFUSED = "refused"  # raises an error
WRONG = "wrong"  # a value or a gradient that is not right: worse than an error
STATES = (DIFFERENTIABLE, CONSTANT, VALUE_ONLY, REFUSED, WRONG)

RTOL = 1e-9  # of values: another order of operations, not another formula
ATOL = 1e-12
MOST_ENTRIES = 6  # of each input, whose derivatives are compared with central differences
LONGEST_REASON = 200
PLACES = re.compile(r" from '[^']*'| at 0x[0-9a-f]+")  # of one machine, in an error's text
MOVE = 1e-4  # of an input, to see which results depend on it


@dataclass(frozen=True)
class Outcome:
    """The state, its reason where it is not a good one, and how far gradients were checked."""

    state: str
    reason: str = ""
    order: int = 0

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}" if self.reason else self.state


def outcome(case: Case, library: str, max_order: int = 2) -> Outcome:
    """What becomes of a case over an array library, beside NumPy's own arrays in the same call.

    library: "numpy" or "array_api_strict".
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            expected = case.results(case.arrays())
        except Exception as error:  # another version of the package than the case was written for
            return Outcome(REFUSED, _reason(error, case, "numpy"))
        constants = [Tensor(x) for x in _arrays(case, library)]
        try:
            values = case.results(constants)
        except Exception as error:
            return Outcome(REFUSED, _reason(error, case, library))
        difference = _difference(values, expected)
        if difference:
            return Outcome(WRONG, difference)
        try:
            return _differentiated(case, library, expected, min(case.order, max_order))
        except GradientCheckError as error:
            return Outcome(WRONG, _reason(error))
        except Exception as error:
            return Outcome(VALUE_ONLY, _reason(error))


def _differentiated(case: Case, library: str, expected: list[Any], order: int) -> Outcome:
    """What becomes of a case whose values are right when its inputs are recorded."""
    varied = _varied(case, expected)
    if not any(varied):
        return Outcome(CONSTANT)
    arrays, chosen = _arrays(case, library), case.differentiated()
    recorded = _recorded_results(case, arrays, chosen)
    difference = _difference(recorded, expected)
    if difference:
        return Outcome(WRONG, f"when recorded, {difference}")
    for value, moves in zip(recorded, varied, strict=True):
        if moves and type(value) in (float, complex):
            return Outcome(VALUE_ONLY, "returns a Python number, which no recording can follow")
    check_gradients(
        _compared(case, arrays, chosen),
        *(arrays[i] for i in chosen),
        order=order,
        max_entries=MOST_ENTRIES,
    )
    return Outcome(DIFFERENTIABLE, "", order)


def _recorded_results(case: Case, arrays: list[Array], chosen: list[int]) -> list[Any]:
    """What the function returns within a transform."""
    results: list[Any] = []

    def seen(*inputs: Array) -> Array:
        results.extend(case.results(_with(arrays, chosen, inputs)))
        return inputs[0]

    vjp(seen, *(arrays[i] for i in chosen))
    return results


def _with(arrays: list[Array], chosen: list[int], inputs: tuple[Array, ...]) -> list[Array]:
    """The arrays with the inputs at the chosen positions, all of them Tensors if those are."""
    given = list(arrays)
    for i, x in zip(chosen, inputs, strict=True):
        given[i] = x
    if any(isinstance(x, Tensor) for x in given):
        return [x if isinstance(x, Tensor) else Tensor(x) for x in given]
    return given


def _varied(case: Case, expected: list[Any]) -> list[bool]:
    """Which floating results of the bare library are others where the inputs are a little moved."""
    random = np.random.RandomState(0)
    chosen = case.differentiated()
    moved = [
        x + MOVE * random.uniform(-1.0, 1.0, x.shape) if i in chosen else x
        for i, x in enumerate(case.arrays())
    ]
    pairs = zip(expected, case.results(moved), strict=True)
    return [_is_inexact(y) and not _is_equal(y, z) for y, z in pairs]


def _is_equal(y: Any, z: Any) -> bool:
    """Whether two results differ in no more than rounding."""
    y, z = np.asarray(y), np.asarray(z)
    return y.shape == z.shape and np.allclose(y, z, rtol=1e-10, atol=1e-14, equal_nan=True)


def _compared(case: Case, arrays: list[Array], chosen: list[int]) -> Callable[..., list[Array]]:
    """A function of the chosen inputs: the case on Tensors, and on plain arrays by way of NumPy.

    So the central differences are those of the bare library.
    """

    def compared(*inputs: Array) -> list[Array]:
        given = _with(arrays, chosen, inputs)
        if any(isinstance(x, Tensor) for x in given):
            return _real_parts(case.results(given))
        xp = array_namespace(given[0])
        plain = _real_parts(case.results([np.array(to_numpy(x)) for x in given]))
        return [xp.asarray(np.array(y)) for y in plain]

    compared.__name__ = case.name
    return compared


def _arrays(case: Case, library: str) -> list[Array]:
    xp = wrap_namespace(importlib.import_module(library)).wrapped
    return [xp.asarray(x) for x in case.arrays()]


def _is_inexact(value: Any) -> bool:
    return isinstance(value, float | complex) or _kind(value) in ("float", "complex")


def _kind(value: Any) -> str:
    return str(getattr(value, "dtype", "")).rpartition(".")[2].rstrip("0123456789")


def _real_parts(values: list[Any]) -> list[Array]:
    """Floating arrays as they are, complex ones as two, others left out."""
    parts = []
    for value in values:
        if _kind(value) == "complex":
            xp = array_namespace(value)
            parts += [xp.real(value), xp.imag(value)]
        elif _is_inexact(value):
            parts.append(value)
    return parts


def _difference(values: list[Any], expected: list[Any]) -> str:
    """What is not equal, "" where all is."""
    if len(values) != len(expected):
        return f"{len(values)} results instead of {len(expected)}"
    for value, right in zip(values, expected, strict=True):
        got, wanted = np.asarray(_plain(value)), np.asarray(right)
        if got.shape != wanted.shape:
            return f"a result of shape {got.shape} instead of {wanted.shape}"
        if not np.allclose(got, wanted, rtol=RTOL, atol=ATOL, equal_nan=True):
            return f"a value off by {np.max(np.abs(got - wanted)):.2g}"
    return ""


def _plain(value: Any) -> Any:
    return to_numpy(value.detach()) if isinstance(value, Tensor) else value


def _reason(error: Exception, case: Case | None = None, library: str = "") -> str:
    """The first line of an error, with its class where it is not one of ours.

    With a case: whether the array library's own arrays meet an error too.
    """
    text = PLACES.sub("", next(iter(str(error).splitlines()), ""))
    if not isinstance(error, IsogradError) or not text:
        text = f"{type(error).__name__}: {text}"
    if case is not None and _is_refused(case, library):
        text = f"as {library}'s own arrays: {text}"
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 1] + "…"


def _is_refused(case: Case, library: str) -> bool:
    """Whether the function does not take the bare library's arrays either."""
    try:
        case.results(_arrays(case, library))
    except Exception:
        return True
    return False
