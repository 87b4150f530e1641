"""flatten: several axes as one; unflatten: one axis as several; their layers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..backend import Array, array_namespace
from ..backend.errors import ShapeError
from .module import Module


def flatten(x: Array, *, start_axis: int = 1, end_axis: int = -1) -> Array:
    """x with the axes start_axis to end_axis, both included, as one: (batch, ...) -> (batch, n).

    A view where the library can give one. Raises ShapeError unless x has these axes, in this order.
    """
    shape = tuple(x.shape)
    first, last = (axis + len(shape) if axis < 0 else axis for axis in (start_axis, end_axis))
    if not 0 <= first <= last < len(shape):
        raise ShapeError(
            f"flatten: x must have the axes {start_axis} to {end_axis}, got x of shape {shape}"
        )
    joined = math.prod(shape[first : last + 1])  # not -1: a batch may be empty
    new_shape = (*shape[:first], joined, *shape[last + 1 :])
    return array_namespace(x).reshape(x, new_shape)


def unflatten(x: Array, axis: int, unflattened_size: Sequence[int]) -> Array:
    """x with one axis as several, of the lengths unflattened_size, one of which may be -1.

    A view where the library can give one. Raises ShapeError unless the lengths multiply to that of
    the axis.
    """
    shape, sizes = tuple(x.shape), list(unflattened_size)
    place = axis + len(shape) if axis < 0 else axis
    known = math.prod(n for n in sizes if n != -1)
    if 0 <= place < len(shape) and sizes.count(-1) == 1 and known > 0:
        sizes[sizes.index(-1)] = shape[place] // known
    if not 0 <= place < len(shape) or -1 in sizes or math.prod(sizes) != shape[place]:
        raise ShapeError(
            f"unflatten: the lengths {tuple(unflattened_size)} must multiply to that of axis "
            f"{axis} of x, got x of shape {shape}"
        )
    return array_namespace(x).reshape(x, (*shape[:place], *sizes, *shape[place + 1 :]))


class Flatten(Module):
    """flatten(x): all axes but the batch as one, unless told otherwise."""

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        self.start_axis = start_axis
        self.end_axis = end_axis

    def forward(self, x: Array) -> Array:
        return flatten(x, start_axis=self.start_axis, end_axis=self.end_axis)

    def extra_repr(self) -> str:
        default = (self.start_axis, self.end_axis) == (1, -1)
        return "" if default else f"start_axis={self.start_axis}, end_axis={self.end_axis}"


class Unflatten(Module):
    """unflatten(x, axis, unflattened_size): one axis as several."""

    def __init__(self, axis: int, unflattened_size: Sequence[int]) -> None:
        self.axis = axis
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Array) -> Array:
        return unflatten(x, self.axis, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"axis={self.axis}, unflattened_size={self.unflattened_size}"
