"""Methods of Tensor whose arguments are not those of NumPy's function of that name."""

from __future__ import annotations

from typing import Any

from ....backend import to_numpy
from ..ops import elementwise
from ..tensor import Tensor, innermost
from . import elementwise as numpy_elementwise
from . import picking, shapes


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


def conj(x: Tensor) -> Tensor:
    """The complex conjugate."""
    return numpy_elementwise.conjugate(x)
