"""Reductions of the standard with their derivatives. Names shadow builtins here."""

from __future__ import annotations

import math
from typing import Any

from ....backend import Array
from ....kernels.cuda.reduction import MEAN_CUPY, SUM_CUPY
from ..tape import conjugated
from .creation import astype, ones_like, zeros_like
from .manipulation import broadcast_to, concat, flip, permute_dims, reshape
from .scans import cumulative_prod
from .selection import maximum, off_zero, where
from .standard import ConstantOp, StandardOp, standard
from .zero_safe import divided, scaled


def _reduction(name: str, rule: Any, **options: Any) -> StandardOp:
    op: StandardOp = standard(name, "x", axis=None, **options, keepdims=False)
    op.derivative.add({"x": rule})
    return op


def _constant(name: str, **options: Any) -> StandardOp:
    op: StandardOp = standard(name, "x", kind=ConstantOp, axis=None, **options, keepdims=False)
    return op


def _spread(dy: Array, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Array:
    """A reduction's cotangent, repeated along the axes that it reduced."""
    return broadcast_to(_with_axes(dy, shape, axis, keepdims), shape)


def _with_axes(dy: Array, shape: tuple[int, ...], axis: Any, keepdims: bool) -> Array:
    """dy with the reduced axes back, of length one."""
    if keepdims or axis is None:  # 0-d broadcasts as it is
        return dy
    reduced = axes(axis, len(shape))
    return reshape(dy, tuple(1 if i in reduced else n for i, n in enumerate(shape)))


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that axis=None, an int or a tuple means, none negative."""
    if axis is None:
        return tuple(range(ndim))
    listed = axis if isinstance(axis, tuple) else (axis,)
    return tuple(i % ndim if ndim else i for i in listed)


def count(shape: tuple[int, ...], axis: Any) -> int:
    """How many elements of an array of that shape are reduced to one."""
    return math.prod(shape[i] for i in axes(axis, len(shape)))


def _over(numerator: float, n: float) -> float:
    """numerator / n; nan for n = 0, as the mean of nothing is."""
    return numerator / n if n else math.nan


sum = _reduction(
    "sum",
    lambda dy, x_shape, axis, keepdims: _spread(dy, x_shape, axis, keepdims),
    dtype=None,
)
mean = _reduction(
    "mean",
    lambda dy, x_shape, axis, keepdims: _spread(
        dy * _over(1.0, count(x_shape, axis)), x_shape, axis, keepdims
    ),
)
sum.fused_by(cupy=SUM_CUPY)
mean.fused_by(cupy=MEAN_CUPY)


def _dextremum(dy: Array, x: Array, axis: Any, keepdims: bool, y: Array) -> Array:
    """dy shared equally among the elements that attain the extremum; nan attains nothing."""
    attained = astype(x == _with_axes(y, x.shape, axis, keepdims), x.dtype)
    n_attained = maximum(sum(attained, axis=axis, keepdims=True), 1.0)
    return _with_axes(dy, x.shape, axis, keepdims) * (attained / n_attained)


max = _reduction("max", _dextremum)
min = _reduction("min", _dextremum)


def _dprod(dy: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """The product of the other elements: products of those before and those after it.

    No division, so that zeros in x are no trouble.
    """
    reduced = axes(axis, x.ndim)
    kept = tuple(i for i in range(x.ndim) if i not in reduced)
    order = kept + reduced
    flat = reshape(permute_dims(x, order), (*(x.shape[i] for i in kept), -1))
    others = _others(flat)
    moved = reshape(others, tuple(x.shape[i] for i in order))
    inverse = tuple(order.index(i) for i in range(x.ndim))
    return _with_axes(dy, x.shape, axis, keepdims) * permute_dims(moved, inverse)


def _others(x: Array) -> Array:
    """Along the last axis: the product of all elements but this one."""
    if x.shape[-1] == 0:
        return x
    ones = ones_like(x[..., :1])
    before = cumulative_prod(concat([ones, x[..., :-1]], axis=-1), axis=-1)
    reversed_tail = flip(concat([x[..., 1:], ones], axis=-1), axis=-1)
    return before * flip(cumulative_prod(reversed_tail, axis=-1), axis=-1)


prod = _reduction("prod", _dprod, dtype=None)


def _dvar(dy: Array, x: Array, axis: Any, correction: float, keepdims: bool) -> Array:
    """2 conj(x - mean) / (n - correction)."""
    deviation = conjugated(x - mean(x, axis=axis, keepdims=True))
    slope = deviation * _over(2.0, count(x.shape, axis) - correction)
    return scaled(_with_axes(dy, x.shape, axis, keepdims), slope)


def _dstd(dy: Array, x: Array, axis: Any, correction: float, keepdims: bool, y: Array) -> Array:
    """(x - mean) / ((n - correction) std); zero where all elements are equal."""
    dvar = where(y == 0, zeros_like(dy), divided(0.5 * dy, off_zero(y)))
    return _dvar(dvar, x, axis, correction, keepdims)


var = _reduction("var", _dvar, correction=0.0)
std = _reduction("std", _dstd, correction=0.0)

all = _constant("all")
any = _constant("any")
argmax = _constant("argmax")
argmin = _constant("argmin")
count_nonzero = _constant("count_nonzero")
