"""flatten: several axes as one, and its layer."""

from __future__ import annotations

import math

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
