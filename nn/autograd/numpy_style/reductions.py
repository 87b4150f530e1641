"""NumPy's reductions, scans and sorting, with its names and arguments.

Names shadow builtins here, as they do in NumPy. Arguments that NumPy has behind the ones that are
left out here (out, where, initial) go by keyword only.
"""

from __future__ import annotations

from typing import Any

from ....backend import Array, array_namespace, is_array
from ....backend.dtypes import is_boolean
from ....backend.errors import ShapeError
from ..ops import indexing, reduction, scans, sets
from ..ops.manipulation import concat, reshape, stack
from ..ops.reduction import axes
from .arguments import floating, own_dtype, part

Axis = int | tuple[int, ...] | None


# -- reductions ---------------------------------------------------------------------------------


def sum(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Array:
    """The sum along axes; of booleans the number of those that hold."""
    if is_boolean(a):
        xp = array_namespace(a)
        a = xp.astype(a, xp.int64)
    return reduction.sum(a, axis=axis, dtype=own_dtype(a, dtype), keepdims=keepdims)


def prod(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Array:
    """The product along axes."""
    return reduction.prod(a, axis=axis, dtype=own_dtype(a, dtype), keepdims=keepdims)


def mean(a: Array, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False) -> Array:
    """The arithmetic mean along axes; of integers and booleans in float64."""
    return reduction.mean(floating(a, dtype), axis=axis, keepdims=keepdims)


def max(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The largest element along axes."""
    return reduction.max(a, axis=axis, keepdims=keepdims)


def min(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The smallest element along axes."""
    return reduction.min(a, axis=axis, keepdims=keepdims)


def ptp(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The largest element less the smallest along axes."""
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)


def var(
    a: Array,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Array:
    """The mean square distance from the mean along axes; n - ddof divides the sum."""
    less = ddof if correction is None else correction
    a = floating(a, dtype)
    return reduction.var(a, axis=axis, correction=less, keepdims=keepdims)


def std(
    a: Array,
    axis: Axis = None,
    dtype: Any = None,
    *,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float | None = None,
) -> Array:
    """The square root of var."""
    less = ddof if correction is None else correction
    a = floating(a, dtype)
    return reduction.std(a, axis=axis, correction=less, keepdims=keepdims)


def all(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Whether all elements along axes are not zero."""
    return reduction.all(a, axis=axis, keepdims=keepdims)


def any(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Whether an element along axes is not zero."""
    return reduction.any(a, axis=axis, keepdims=keepdims)


def argmax(a: Array, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The index of the first largest element."""
    return reduction.argmax(a, axis=axis, keepdims=keepdims)


def argmin(a: Array, axis: int | None = None, *, keepdims: bool = False) -> Array:
    """The index of the first smallest element."""
    return reduction.argmin(a, axis=axis, keepdims=keepdims)


def count_nonzero(a: Array, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """How many elements are not zero."""
    return reduction.count_nonzero(a, axis=axis, keepdims=keepdims)


# -- scans --------------------------------------------------------------------------------------


def cumsum(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The sums of the elements up to each; of all elements in a row without an axis."""
    a, axis = (reshape(a, (-1,)), 0) if axis is None else (a, axis)
    return scans.cumulative_sum(a, axis=axis, dtype=own_dtype(a, dtype))


def cumprod(a: Array, axis: int | None = None, dtype: Any = None) -> Array:
    """The products of the elements up to each; of all elements in a row without an axis."""
    a, axis = (reshape(a, (-1,)), 0) if axis is None else (a, axis)
    return scans.cumulative_prod(a, axis=axis, dtype=own_dtype(a, dtype))


def cumulative_sum(
    x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """The standard's cumulative_sum."""
    options = {"axis": axis, "dtype": own_dtype(x, dtype), "include_initial": include_initial}
    return scans.cumulative_sum(x, **options)


def cumulative_prod(
    x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Array:
    """The standard's cumulative_prod."""
    options = {"axis": axis, "dtype": own_dtype(x, dtype), "include_initial": include_initial}
    return scans.cumulative_prod(x, **options)


def diff(a: Array, n: int = 1, axis: int = -1) -> Array:
    """The differences of neighbours, n times."""
    for _ in range(n):
        a = part(a, axis, 1, None) - part(a, axis, None, -1)
    return a


def gradient(f: Array, *varargs: float, axis: Axis = None) -> Any:
    """Central differences, one-sided ones at the ends; varargs: the spacing, or one for each axis.

    One array for one axis, else a list, as in NumPy.
    """
    along = axes(axis, f.ndim)
    spacings = varargs * len(along) if len(varargs) == 1 else varargs or (1.0,) * len(along)
    slopes = [_slope(f, i, h) for i, h in zip(along, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _slope(f: Array, axis: int, spacing: Any) -> Array:
    if getattr(spacing, "ndim", 0):
        raise ShapeError("gradient: the spacing must be one number for an axis, got an array")
    if f.shape[axis] < 2:
        raise ShapeError(f"gradient: axis {axis} must have two elements, got shape {f.shape}")
    first = part(f, axis, 1, 2) - part(f, axis, 0, 1)
    inner = (part(f, axis, 2, None) - part(f, axis, None, -2)) / 2.0
    last = part(f, axis, -1, None) - part(f, axis, -2, -1)
    return concat([first, inner, last], axis=axis) / spacing


def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """The integral of y by the trapezoidal rule, at the places x or at equal distances dx."""
    heights = (part(y, axis, 1, None) + part(y, axis, None, -1)) / 2.0
    if x is None:
        return sum(heights * dx, axis)
    xp = array_namespace(y, x) if is_array(x) else array_namespace(y)
    x = x if is_array(x) else xp.asarray(x)
    if x.ndim == 1:
        shape = [1] * y.ndim
        shape[axis] = x.shape[0]
        x = reshape(x, tuple(shape))
    return sum(heights * diff(x, axis=axis), axis)


# -- sorting ------------------------------------------------------------------------------------


def sort(a: Array, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Array:
    """The elements in ascending order along an axis; of all of them without one."""
    a, axis = (reshape(a, (-1,)), -1) if axis is None else (a, axis)
    return indexing.sort(a, axis=axis)


def partition(a: Array, kth: Any, axis: int | None = -1, kind: Any = None) -> Array:
    """The elements in ascending order, which is more than NumPy's partition promises."""
    return sort(a, axis)


def argsort(a: Array, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Array:
    """The indices that sort along an axis."""
    a, axis = (reshape(a, (-1,)), -1) if axis is None else (a, axis)
    return indexing.argsort(a, axis=axis)


def searchsorted(a: Array, v: Any, side: str = "left", sorter: Any = None) -> Array:
    """The indices at which the values v keep a sorted."""
    return indexing.searchsorted(a, v, side=side, sorter=sorter)


def nonzero(a: Array) -> tuple[Array, ...]:
    """The indices of what is not zero, one array for each axis."""
    return indexing.nonzero(a)


def flatnonzero(a: Array) -> Array:
    """The indices of what is not zero among all elements in a row."""
    return indexing.nonzero(reshape(a, (-1,)))[0]


def argwhere(a: Array) -> Array:
    """The indices of what is not zero, one row for each element."""
    return stack(list(indexing.nonzero(a)), axis=-1)


def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False
) -> Array:
    """Where an element is one of the test elements."""
    xp = array_namespace(*(x for x in (element, test_elements) if is_array(x)))
    element, test_elements = (x if is_array(x) else xp.asarray(x) for x in (element, test_elements))
    return sets.isin(element, test_elements, invert=invert)
