"""Matrix products of the standard with their derivatives."""

from __future__ import annotations

import math
from typing import Any

from ....backend import Array
from ....backend.errors import ShapeError
from ....kernels.cuda.matmul import MATMUL_CUPY
from ..tape import conjugated
from .manipulation import expand_dims, matrix_transpose, permute_dims, reshape
from .reduction import sum
from .standard import standard

matmul = standard("matmul", "x1", "x2")


def _dmatmul_left(dy: Array, x1: Array, x2: Array) -> Array:
    """dy x2^T; vectors count as matrices with one row or one column."""
    if x2.ndim == 1:
        dx = expand_dims(dy, axis=-1) * x2
        return dx if x1.ndim > 1 else reshape(dx, x1.shape)
    if x1.ndim == 1:
        products = matmul(expand_dims(dy, axis=-2), matrix_transpose(x2))
        return products[..., 0, :]
    return matmul(dy, matrix_transpose(x2))


def _dmatmul_right(dy: Array, x1: Array, x2: Array) -> Array:
    """x1^T dy; leading axes that only x1 has are rows of one tall matrix."""
    if x1.ndim == 1:
        dx = expand_dims(x1, axis=-1) * expand_dims(dy, axis=-2) if x2.ndim > 1 else x1 * dy
        return dx
    if x2.ndim == 1:
        return sum(x1 * expand_dims(dy, axis=-1), axis=tuple(range(x1.ndim - 1)))
    if x2.ndim == 2 and x1.ndim > 2:
        x1, dy = reshape(x1, (-1, x1.shape[-1])), reshape(dy, (-1, dy.shape[-1]))
    return matmul(matrix_transpose(x1), dy)


matmul.derivative.add({"x1": _dmatmul_left, "x2": _dmatmul_right})
matmul.fused_by(cupy=MATMUL_CUPY)


vecdot = standard("vecdot", "x1", "x2", axis=-1)


def _dvecdot_left(dy: Array, x2: Array, axis: int) -> Array:
    """dy x2 for the conjugate of x1, with which the product is formed."""
    return conjugated(expand_dims(dy, axis=axis) * x2)


def _dvecdot_right(dy: Array, x1: Array, axis: int) -> Array:
    return expand_dims(dy, axis=axis) * conjugated(x1)


vecdot.derivative.add({"x1": _dvecdot_left, "x2": _dvecdot_right})


def tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    """Sums of products over pairs of axes, as in the standard: one matrix product."""
    ours, theirs = _paired_axes(x1, x2, axes)
    kept1 = [i for i in range(x1.ndim) if i not in ours]
    kept2 = [i for i in range(x2.ndim) if i not in theirs]
    shape1, shape2 = [x1.shape[i] for i in kept1], [x2.shape[i] for i in kept2]
    n_summed = math.prod(x1.shape[i] for i in ours)
    left = reshape(permute_dims(x1, (*kept1, *ours)), (math.prod(shape1), n_summed))
    right = reshape(permute_dims(x2, (*theirs, *kept2)), (n_summed, math.prod(shape2)))
    return reshape(matmul(left, right), (*shape1, *shape2))


def _paired_axes(x1: Array, x2: Array, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of each that are summed. Raises ShapeError unless the lengths of a pair agree."""
    if isinstance(axes, int):
        axes = range(x1.ndim - axes, x1.ndim), range(axes)
    ours = [range(x1.ndim)[i] for i in axes[0]]
    theirs = [range(x2.ndim)[i] for i in axes[1]]
    if [x1.shape[i] for i in ours] != [x2.shape[i] for i in theirs]:
        raise ShapeError(
            f"tensordot: summed axes must have equal lengths, got axes {ours} of "
            f"{tuple(x1.shape)} and {theirs} of {tuple(x2.shape)}"
        )
    return ours, theirs
