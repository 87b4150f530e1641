"""Reductions and scans of the standard with their derivatives. Names shadow builtins here."""

from __future__ import annotations

from typing import Any

from ...backend import Array
from .creation import astype, zeros_like
from .elementwise import where
from .manipulation import broadcast_to, concat, flip, permute_dims, reshape
from .standard import ConstantOp, StandardOp, standard


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
    n = 1
    for i in axes(axis, len(shape)):
        n *= shape[i]
    return n


sum = _reduction(
    "sum",
    lambda dy, x_shape, axis, keepdims: _spread(dy, x_shape, axis, keepdims),
    dtype=None,
)
mean = _reduction(
    "mean",
    lambda dy, x_shape, axis, keepdims: _spread(
        dy * (1.0 / count(x_shape, axis)), x_shape, axis, keepdims
    ),
)


def _dextremum(dy: Array, x: Array, axis: Any, keepdims: bool, y: Array) -> Array:
    """dy shared equally among the elements that attain the extremum."""
    attained = astype(x == _with_axes(y, x.shape, axis, keepdims), x.dtype)
    n_attained = sum(attained, axis=axis, keepdims=True)
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
    ones = x[..., :1] * 0.0 + 1.0
    before = cumulative_prod(concat([ones, x[..., :-1]], axis=-1), axis=-1)
    reversed_tail = flip(concat([x[..., 1:], ones], axis=-1), axis=-1)
    return before * flip(cumulative_prod(reversed_tail, axis=-1), axis=-1)


prod = _reduction("prod", _dprod, dtype=None)


def _dvar(dy: Array, x: Array, axis: Any, correction: float, keepdims: bool) -> Array:
    """2 (x - mean) / (n - correction)."""
    deviation = x - mean(x, axis=axis, keepdims=True)
    n = float(count(x.shape, axis)) - correction
    return _with_axes(dy, x.shape, axis, keepdims) * (deviation * (2.0 / n))


def _dstd(dy: Array, x: Array, axis: Any, correction: float, keepdims: bool, y: Array) -> Array:
    """(x - mean) / ((n - correction) std); zero where all elements are equal."""
    steady = where(y == 0, zeros_like(y) + 1.0, y)
    return _dvar(where(y == 0, zeros_like(dy), dy / (2.0 * steady)), x, axis, correction, keepdims)


var = _reduction("var", _dvar, correction=0.0)
std = _reduction("std", _dstd, correction=0.0)

cumulative_sum = standard(
    "cumulative_sum", "x", axis=None, dtype=None, include_initial=False
)


def _dcumulative_sum(dy: Array, axis: Any, include_initial: bool) -> Array:
    """The sum of the cotangents from here to the end."""
    axis = 0 if axis is None else axis
    if include_initial:
        dy = dy[(*(slice(None),) * (axis % dy.ndim), slice(1, None), ...)]
    return flip(cumulative_sum(flip(dy, axis=axis), axis=axis), axis=axis)


cumulative_sum.derivative.add({"x": _dcumulative_sum})

cumulative_prod = standard(
    "cumulative_prod", "x", axis=None, dtype=None, include_initial=False
)


def _dcumulative_prod(
    dy: Array, x: Array, axis: Any, include_initial: bool, y: Array
) -> Array:
    """sum over j >= i of dy_j y_j / x_i, for x without zeros."""
    axis = 0 if axis is None else axis
    if include_initial:
        later = (*(slice(None),) * (axis % dy.ndim), slice(1, None), ...)
        dy, y = dy[later], y[later]
    return flip(cumulative_sum(flip(dy * y, axis=axis), axis=axis), axis=axis) / x


cumulative_prod.derivative.add({"x": _dcumulative_prod})

all = _constant("all")
any = _constant("any")
argmax = _constant("argmax")
argmin = _constant("argmin")
count_nonzero = _constant("count_nonzero")
