"""Functions of the standard that rearrange elements: their derivatives rearrange them back."""

from __future__ import annotations

import math
from typing import Any

from ....backend import Array, array_namespace
from ....backend.errors import ShapeError
from ....kernels.cuda.concat import CONCAT_CUPY, STACK_CUPY
from ..differentiable import differentiable
from ..tape import sum_to_shape
from .creation import duplicate
from .standard import ReadOnlyViewOp, ReshapeOp, ViewOp, standard

Shapes = tuple[tuple[int, ...], ...]

reshape = standard("reshape", "x", "shape=", kind=ReshapeOp, copy=None)
reshape.derivative.add({"x": lambda dy, x_shape: reshape(dy, x_shape)})


def _dpermute(dy: Array, axes: tuple[int, ...]) -> Array:
    n = len(axes)
    positions = [axis % n for axis in axes]
    return permute_dims(dy, tuple(positions.index(i) for i in range(n)))


permute_dims = standard("permute_dims", "x", "axes=", kind=ViewOp)
permute_dims.derivative.add({"x": _dpermute})

matrix_transpose = standard("matrix_transpose", "x", kind=ViewOp)
matrix_transpose.derivative.add({"x": lambda dy: matrix_transpose(dy)})

moveaxis = standard("moveaxis", "x", "source", "destination", kind=ViewOp)
moveaxis.derivative.add({"x": lambda dy, source, destination: moveaxis(dy, destination, source)})

expand_dims = standard("expand_dims", "x", "axis=", kind=ViewOp)
expand_dims.derivative.add({"x": lambda dy, x_shape: reshape(dy, x_shape)})

squeeze = standard("squeeze", "x", "axis=", kind=ViewOp)
squeeze.derivative.add({"x": lambda dy, x_shape: reshape(dy, x_shape)})

broadcast_to = standard("broadcast_to", "x", "shape=", kind=ReadOnlyViewOp)
broadcast_to.derivative.add({"x": lambda dy: dy})  # the engine sums it back

flip = standard("flip", "x", kind=ViewOp, axis=None)
flip.derivative.add({"x": lambda dy, axis: flip(dy, axis=axis)})


def _opposite(shift: Any) -> Any:
    return tuple(-n for n in shift) if isinstance(shift, tuple) else -shift


roll = standard("roll", "x", "shift=", axis=None)
roll.derivative.add({"x": lambda dy, shift, axis: roll(dy, _opposite(shift), axis=axis)})


def _dtile(dy: Array, x_shape: tuple[int, ...], repetitions: tuple[int, ...]) -> Array:
    """dy summed over the copies: each axis is split in (copies, length)."""
    n = max(len(repetitions), len(x_shape))
    repetitions = (1,) * (n - len(repetitions)) + tuple(repetitions)
    shape = (1,) * (n - len(x_shape)) + tuple(x_shape)
    split = [m for pair in zip(repetitions, shape, strict=True) for m in pair]
    ones = [m for length in shape for m in (1, length)]
    return reshape(sum_to_shape(reshape(dy, tuple(split)), tuple(ones), "tile"), x_shape)


tile = standard("tile", "x", "repetitions")
tile.derivative.add({"x": _dtile})


@differentiable
def _concat(*arrays: Array, axis: int | None = 0) -> Array:
    return array_namespace(*arrays).concat(list(arrays), axis=axis)


@_concat.backward
def _dconcat(dy: Array, arrays_shape: Shapes, axis: int | None) -> list[Array]:
    """dy, cut where the arrays were joined."""
    parts, start = [], 0
    for shape in arrays_shape:
        n = math.prod(shape) if axis is None else shape[axis]
        before = () if axis is None else (slice(None),) * (axis % dy.ndim)
        parts.append(reshape(dy[(*before, slice(start, start + n), ...)], shape))
        start += n
    return parts


_concat.fused_by(cupy=CONCAT_CUPY)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Array:
    """The arrays joined along an existing axis (None: flattened first), as in the standard."""
    return _concat(*arrays, axis=axis)


@differentiable
def _stack(*arrays: Array, axis: int = 0) -> Array:
    return array_namespace(*arrays).stack(list(arrays), axis=axis)


@_stack.backward
def _dstack(dy: Array, arrays_shape: Shapes, axis: int) -> list[Array]:
    before = (slice(None),) * (axis % dy.ndim)
    return [dy[(*before, i, ...)] for i in range(len(arrays_shape))]


_stack.fused_by(cupy=STACK_CUPY)


def stack(arrays: Any, /, *, axis: int = 0) -> Array:
    """The arrays joined along a new axis, as in the standard."""
    return _stack(*arrays, axis=axis)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices of x along an axis, as in the standard."""
    before = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*before, i, ...)] for i in range(x.shape[axis]))


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to, as in the standard.

    Raises ShapeError unless all lengths along an axis that are not 1 are the same.
    """
    result = [1] * max((len(shape) for shape in shapes), default=0)
    for shape in shapes:
        for i, n in enumerate(reversed(shape), start=1):
            if n not in (1, result[-i]):
                if result[-i] != 1:
                    raise ShapeError(
                        f"broadcast: lengths along an axis must be equal or 1, got {shapes}"
                    )
                result[-i] = n
    return tuple(result)


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """The arrays, each broadcast to the common shape, as in the standard."""
    shape = broadcast_shapes(*(x.shape for x in arrays))
    return tuple(broadcast_to(x, shape) for x in arrays)


def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """Coordinates of all points of a grid from those along its axes, as in the standard.

    arrays: (n_0,), (n_1,), ... -> each (n_0, n_1, ...), with indexing "xy" (n_1, n_0, ...).
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: indexing must be "xy" or "ij", got {indexing!r}')
    places = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        places[:2] = 1, 0
    spread = [
        reshape(x, tuple(-1 if i == place else 1 for i in range(len(arrays))))
        for x, place in zip(arrays, places, strict=True)
    ]
    return tuple(duplicate(x) for x in broadcast_arrays(*spread))


tril = standard("tril", "x", k=0)
tril.derivative.add({"x": lambda dy, k: tril(dy, k=k)})

triu = standard("triu", "x", k=0)
triu.derivative.add({"x": lambda dy, k: triu(dy, k=k)})
