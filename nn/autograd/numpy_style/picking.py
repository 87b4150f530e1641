"""NumPy's functions that repeat, pick, border and copy elements, with its names and arguments."""

from __future__ import annotations

from typing import Any

from array_api_compat import device

from ....backend import Array, array_namespace, is_array
from ....backend.errors import NotDifferentiableError
from ..ops import creation, manipulation
from ..ops.elementwise import positive
from ..ops.indexing import put
from ..ops.manipulation import concat
from .arguments import floating, own_dtype
from .shapes import ravel, reshape, swapaxes

# -- repeating, turning, bordering --------------------------------------------------------------


def tile(A: Array, reps: Any) -> Array:
    """A repeated so many times along each axis."""
    return manipulation.tile(A, (reps,) if isinstance(reps, int) else tuple(reps))


def repeat(a: Array, repeats: Any, axis: int | None = None) -> Array:
    """Every element so many times, along an axis or all in a row."""
    a, axis = (ravel(a), 0) if axis is None else (a, axis)
    n = a.shape[axis]
    times = [int(r) for r in repeats] if hasattr(repeats, "__len__") else [int(repeats)]
    times = times * n if len(times) == 1 else times
    return take(a, [i for i, r in zip(range(n), times, strict=True) for _ in range(r)], axis)


def roll(a: Array, shift: Any, axis: Any = None) -> Array:
    """The elements moved on; what leaves at the end comes in at the start."""
    return manipulation.roll(a, shift, axis=axis)


def flip(m: Array, axis: Any = None) -> Array:
    """The elements in reversed order along axes."""
    return manipulation.flip(m, axis=axis)


def flipud(m: Array) -> Array:
    """The rows in reversed order."""
    return flip(m, 0)


def fliplr(m: Array) -> Array:
    """The columns in reversed order."""
    return flip(m, 1)


def rot90(m: Array, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """m turned by k right angles in the plane of two axes."""
    for _ in range(k % 4):
        m = flip(swapaxes(m, *axes), axes[0])
    return m


def pad(array: Array, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Array:
    """array with a border: of a constant, or mode="edge", "reflect", "symmetric", "wrap"."""
    for axis, (before, after) in enumerate(_widths(pad_width, array.ndim)):
        n = array.shape[axis]
        if mode == "constant":
            array = _bordered(array, axis, before, after, constant_values)
        elif mode in _SOURCES:
            array = take(array, [_SOURCES[mode](i, n) for i in range(-before, n + after)], axis)
        else:
            modes = ", ".join(["constant", *_SOURCES])
            raise NotDifferentiableError(f"numpy.pad: mode must be one of {modes}, got {mode!r}")
    return array


def _reflected(i: int, n: int) -> int:
    period = max(2 * (n - 1), 1)
    return min(i % period, period - i % period) if n > 1 else 0


def _symmetric(i: int, n: int) -> int:
    return min(i % (2 * n), 2 * n - 1 - i % (2 * n))


_SOURCES = {  # where the element at i outside of 0..n-1 comes from
    "edge": lambda i, n: max(0, min(i, n - 1)),
    "reflect": _reflected,
    "symmetric": _symmetric,
    "wrap": lambda i, n: i % n,
}


def _bordered(x: Array, axis: int, before: int, after: int, value: Any) -> Array:
    xp = array_namespace(x)
    borders = []
    for n in (before, after):
        shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
        borders.append(xp.full(shape, value, dtype=x.dtype, device=device(x)))
    return concat([borders[0], x, borders[1]], axis=axis)


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis, from the forms that NumPy allows."""
    if isinstance(pad_width, dict):
        given = {axis % ndim: width for axis, width in pad_width.items()}
        return [_pair(given.get(axis, 0)) for axis in range(ndim)]
    if isinstance(pad_width, int) or not hasattr(pad_width[0], "__len__"):
        return [_pair(pad_width)] * ndim
    pairs = [_pair(width) for width in pad_width]
    return pairs * ndim if len(pairs) == 1 else pairs


def _pair(width: Any) -> tuple[int, int]:
    """(before, after) of one number, or of one or two in a sequence."""
    listed = width if hasattr(width, "__len__") else (width,)
    return int(listed[0]), int(listed[-1])


# -- picking ------------------------------------------------------------------------------------


def take(a: Array, indices: Any, axis: int | None = None) -> Array:
    """The elements at these indices along an axis, or of all in a row."""
    xp = array_namespace(a)
    a, axis = (ravel(a), 0) if axis is None else (a, axis)
    if not is_array(indices):
        indices = xp.asarray(indices, dtype=xp.int64, device=device(a))
    flat = xp.take(a, xp.reshape(indices, (-1,)), axis=axis)
    shape = (*a.shape[: axis % a.ndim], *indices.shape, *a.shape[axis % a.ndim + 1 :])
    return reshape(flat, shape)


def take_along_axis(arr: Array, indices: Array, axis: int | None = -1) -> Array:
    """The elements at indices that each line along an axis has of its own."""
    arr, axis = (ravel(arr), 0) if axis is None else (arr, axis)
    return array_namespace(arr).take_along_axis(arr, indices, axis=axis)


def compress(condition: Any, a: Array, axis: int | None = None) -> Array:
    """The elements along an axis where condition holds."""
    return take(a, [i for i, holds in enumerate(condition) if holds], axis)


def diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements whose index along axis2 is that along axis1 plus offset, on a last axis."""
    a = manipulation.moveaxis(a, (axis1, axis2), (-2, -1))
    n = max(min(a.shape[-2] + min(offset, 0), a.shape[-1] - max(offset, 0)), 0)
    xp = array_namespace(a)
    steps = xp.arange(n, device=device(a)) * (a.shape[-1] + 1)
    start = offset if offset >= 0 else -offset * a.shape[-1]
    return take(reshape(a, (*a.shape[:-2], -1)), steps + start, axis=-1)


def trace(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The sum along a diagonal."""
    return array_namespace(a).sum(diagonal(a, offset, axis1, axis2), axis=-1)


def diag(v: Array, k: int = 0) -> Array:
    """The diagonal of a matrix, or the matrix that has a vector on its diagonal."""
    if v.ndim > 1:
        return diagonal(v, k)
    xp = array_namespace(v)
    n = v.shape[0] + abs(k)
    rows = xp.arange(v.shape[0], device=device(v)) + max(-k, 0)
    return put(v, (rows, rows + k), (n, n))


def diagflat(v: Array, k: int = 0) -> Array:
    """The matrix that has all elements of v on its diagonal."""
    return diag(ravel(v), k)


def tril(m: Array, k: int = 0) -> Array:
    """m with zeros above a diagonal."""
    return manipulation.tril(m, k=k)


def triu(m: Array, k: int = 0) -> Array:
    """m with zeros below a diagonal."""
    return manipulation.triu(m, k=k)


# -- making -------------------------------------------------------------------------------------


def copy(a: Array, order: str = "K", subok: bool = True) -> Array:
    """The same numbers; as Tensors never share what changes, positive(a)."""
    return positive(a)


def astype(x: Array, dtype: Any, /, *, copy: bool = True) -> Array:
    """x in another dtype."""
    return creation.astype(x, own_dtype(x, dtype), copy=copy)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, dtype: Any = None
) -> Array:
    """num numbers from start to stop at equal distances, along a new first axis."""
    like = start if is_array(start) else stop
    xp = array_namespace(like)
    start, stop = (x if is_array(x) else xp.full_like(floating(like), x) for x in (start, stop))
    steps = max(num - 1 if endpoint else num, 1)
    span = stop - start
    shares = xp.astype(xp.arange(num, device=device(span)), span.dtype) / steps
    y = start + reshape(shares, (num,) + (1,) * span.ndim) * span
    return y if dtype is None else astype(y, dtype)


def zeros_like(a: Array, dtype: Any = None) -> Array:
    """Zeros in the shape of a."""
    return creation.zeros_like(a, dtype=own_dtype(a, dtype))


def ones_like(a: Array, dtype: Any = None) -> Array:
    """Ones in the shape of a."""
    return creation.ones_like(a, dtype=own_dtype(a, dtype))


def empty_like(prototype: Array, dtype: Any = None) -> Array:
    """Any numbers in the shape of prototype."""
    return creation.empty_like(prototype, dtype=own_dtype(prototype, dtype))


def full_like(a: Array, fill_value: Any, dtype: Any = None) -> Array:
    """One number in the shape of a."""
    return creation.full_like(a, fill_value, dtype=own_dtype(a, dtype))
