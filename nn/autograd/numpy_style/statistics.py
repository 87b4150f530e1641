"""NumPy's statistics, and its reductions that pass over NaN, with its names and arguments."""

from __future__ import annotations

from typing import Any

from ....backend import Array, array_namespace, is_array
from ..ops import indexing
from ..ops.creation import zeros_like
from ..ops.elementwise import isnan, sqrt, where
from ..ops.linear_algebra import matmul
from ..ops.manipulation import (
    broadcast_to,
    concat,
    expand_dims,
    matrix_transpose,
    permute_dims,
    reshape,
)
from ..ops.reduction import axes, count
from .arguments import floating
from .elementwise import conjugate
from .reductions import Axis, all, max, mean, min, prod, sum

# -- statistics ---------------------------------------------------------------------------------


def average(a: Array, axis: Axis = None, weights: Any = None, *, keepdims: bool = False) -> Array:
    """The mean along axes, each element counted as much as its weight says."""
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    xp = array_namespace(*(x for x in (a, weights) if is_array(x)))
    weights = weights if is_array(weights) else xp.asarray(weights)
    if weights.shape != a.shape:
        along = axes(axis, a.ndim)
        weights = reshape(weights, tuple(n if i in along else 1 for i, n in enumerate(a.shape)))
        weights = broadcast_to(weights, a.shape)
    total = sum(weights, axis, keepdims=keepdims)
    return sum(a * weights, axis, keepdims=keepdims) / total


def median(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The middle of the sorted elements along axes, or the mean of the middle two."""
    return quantile(a, 0.5, axis, keepdims=keepdims)


def percentile(a: Array, q: Any, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """quantile at q percent."""
    q = [p / 100.0 for p in q] if isinstance(q, list | tuple) else q / 100.0
    return quantile(a, q, axis, keepdims=keepdims)


def quantile(a: Array, q: Any, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The value below which the share q of the elements along axes lies, interpolated linearly."""
    if getattr(q, "ndim", 0) or isinstance(q, list | tuple):
        return array_namespace(a).stack([quantile(a, float(p), axis, keepdims=keepdims) for p in q])
    along = axes(axis, a.ndim)
    kept = tuple(i for i in range(a.ndim) if i not in along)
    rows = permute_dims(floating(a), (*kept, *along))
    rows = indexing.sort(reshape(rows, (*(a.shape[i] for i in kept), -1)), axis=-1)
    place = float(q) * (count(a.shape, axis) - 1)
    low = int(place)
    high = low + (place > low)
    y = rows[..., low] + (rows[..., high] - rows[..., low]) * (place - low)
    if not keepdims:
        return y
    return reshape(y, tuple(1 if i in along else n for i, n in enumerate(a.shape)))


def cov(
    m: Array, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None
) -> Array:
    """The covariances of the rows of m (of the columns unless rowvar), divided by n - 1."""
    rows = [x if x.ndim > 1 else expand_dims(x, axis=0) for x in (m, y) if x is not None]
    if not rowvar:
        rows = [x.T if x.shape[0] != 1 else x for x in rows]
    x = concat(rows, axis=0) if len(rows) > 1 else rows[0]
    x = x - mean(x, 1, keepdims=True)
    less = (0 if bias else 1) if ddof is None else ddof
    products = matmul(x, matrix_transpose(conjugate(x))) / (x.shape[1] - less)
    return reshape(products, ()) if x.shape[0] == 1 else products


# -- without NaN --------------------------------------------------------------------------------


def _masked(a: Array, value: float) -> Array:
    return where(isnan(a), array_namespace(a).full_like(a, value), a)


def nansum(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The sum of what is no NaN."""
    return sum(_masked(a, 0.0), axis, keepdims=keepdims)


def nanprod(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The product of what is no NaN."""
    return prod(_masked(a, 1.0), axis, keepdims=keepdims)


def nanmean(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The mean of what is no NaN."""
    n = sum(~isnan(a), axis, keepdims=keepdims)
    return nansum(a, axis, keepdims=keepdims) / array_namespace(a).astype(n, a.dtype)


def nanvar(a: Array, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """The variance of what is no NaN."""
    n = array_namespace(a).astype(sum(~isnan(a), axis, keepdims=keepdims), a.dtype)
    distance = _masked(a, 0.0) - nanmean(a, axis, keepdims=True)
    distance = where(isnan(a), zeros_like(distance), distance)
    return sum(distance * distance, axis, keepdims=keepdims) / (n - ddof)


def nanstd(a: Array, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Array:
    """The standard deviation of what is no NaN."""
    return sqrt(nanvar(a, axis, ddof=ddof, keepdims=keepdims))


def nanmax(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The largest element that is no NaN."""
    return _nan_extremum(a, max, float("-inf"), axis, keepdims)


def nanmin(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The smallest element that is no NaN."""
    return _nan_extremum(a, min, float("inf"), axis, keepdims)


def _nan_extremum(a: Array, extremum: Any, filler: float, axis: Axis, keepdims: bool) -> Array:
    y = extremum(_masked(a, filler), axis, keepdims=keepdims)
    nothing = all(isnan(a), axis, keepdims=keepdims)
    return where(nothing, array_namespace(a).full_like(y, float("nan")), y)
