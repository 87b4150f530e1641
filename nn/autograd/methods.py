"""The methods of Tensor that people know from NumPy's arrays: x.sum(axis=0), x.reshape(2, 3), ...

Each runs the function of that name with x for its first argument; all but the table's last part
are recorded. Where torch means something else by a name, NumPy's meaning holds: x.max(axis) is the
values alone, x.std() divides by n, x.transpose(1, 0) permutes, x.repeat(2) repeats elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backend import to_numpy
from . import elementwise, numpy_elementwise, numpy_linalg
from . import numpy_picking as picking
from . import numpy_reductions as reductions
from . import numpy_shapes as shapes
from .tensor import Tensor, innermost


def reshape(x: Tensor, *shape: Any, order: str = "C") -> Tensor:
    """x in another shape: reshape(2, 3) or reshape((2, 3)); one length may be -1."""
    return shapes.reshape(x, _unpacked(shape), order)


def transpose(x: Tensor, *axes: Any) -> Tensor:
    """x with its axes in this order, transpose(1, 0) or transpose((1, 0)), or reversed."""
    order = _unpacked(axes)
    return shapes.transpose(x, None if order in ((), None) else order)


def flatten(x: Tensor, order: str = "C") -> Tensor:
    """A copy of all elements in a row."""
    return elementwise.positive(shapes.ravel(x, order))


def clip(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """x within the bounds."""
    return numpy_elementwise.clip(x, min, max)


def compress(x: Tensor, condition: Any, axis: int | None = None) -> Tensor:
    """The elements along an axis where condition holds."""
    return picking.compress(condition, x, axis)


def astype(x: Tensor, dtype: Any, *, copy: bool = True) -> Tensor:
    """x in another dtype."""
    return picking.astype(x, dtype, copy=copy)


def tolist(x: Tensor) -> Any:
    """The elements as Python numbers in nested lists; the recording does not follow them."""
    return to_numpy(innermost(x)).tolist()


def _unpacked(numbers: tuple) -> Any:
    """(2, 3) of f(2, 3) and of f((2, 3))."""
    return numbers[0] if len(numbers) == 1 and not isinstance(numbers[0], int) else numbers


METHODS: dict[str, Callable[..., Any]] = {
    # reductions and scans
    "sum": reductions.sum,
    "prod": reductions.prod,
    "mean": reductions.mean,
    "var": reductions.var,
    "std": reductions.std,
    "max": reductions.max,
    "min": reductions.min,
    "cumsum": reductions.cumsum,
    "cumprod": reductions.cumprod,
    "trace": picking.trace,
    # shapes
    "reshape": reshape,
    "ravel": shapes.ravel,
    "flatten": flatten,
    "transpose": transpose,
    "swapaxes": shapes.swapaxes,
    "squeeze": shapes.squeeze,
    "repeat": picking.repeat,
    # elements
    "take": picking.take,
    "compress": compress,
    "diagonal": picking.diagonal,
    "clip": clip,
    "conj": numpy_elementwise.conjugate,
    "conjugate": numpy_elementwise.conjugate,
    "dot": numpy_linalg.dot,
    "astype": astype,
    "copy": picking.copy,
    # constants
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "argsort": reductions.argsort,
    "searchsorted": reductions.searchsorted,
    "nonzero": reductions.nonzero,
    "round": numpy_elementwise.round,
    "tolist": tolist,
}

PROPERTIES = {"real": numpy_elementwise.real, "imag": numpy_elementwise.imag}


def install() -> None:
    """Give Tensor its methods. Called once, when the package's ops are defined."""
    for name, function in METHODS.items():
        setattr(Tensor, name, function)
    for name, function in PROPERTIES.items():
        setattr(Tensor, name, property(function))
