"""Matrix products of the standard with their derivatives."""

from __future__ import annotations

from typing import Any

from ...backend import Array
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


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """Inner products along an axis, as in the standard (real dtypes)."""
    return sum(x1 * x2, axis=axis)


def tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    """Sums of products over pairs of axes, as in the standard: one matrix product."""
    ours, theirs = _paired_axes(x1, x2, axes)
    kept1 = [i for i in range(x1.ndim) if i not in ours]
    kept2 = [i for i in range(x2.ndim) if i not in theirs]
    n_summed = 1
    for i in ours:
        n_summed *= x1.shape[i]
    left = reshape(permute_dims(x1, (*kept1, *ours)), (-1, n_summed))
    right = reshape(permute_dims(x2, (*theirs, *kept2)), (n_summed, -1))
    shape = [x1.shape[i] for i in kept1] + [x2.shape[i] for i in kept2]
    return reshape(matmul(left, right), tuple(shape))


def _paired_axes(x1: Array, x2: Array, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, int):
        return list(range(x1.ndim - axes, x1.ndim)), list(range(axes))
    return [i % x1.ndim for i in axes[0]], [i % x2.ndim for i in axes[1]]
