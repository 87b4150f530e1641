"""NumPy's functions that join, split, repeat, pick and rearrange, with its names and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, is_array
from ...backend.errors import NotDifferentiableError, ShapeError
from . import manipulation
from .creation import astype as cast
from .elementwise import positive
from .indexing import put
from .manipulation import concat, permute_dims
from .numpy_reductions import part

# -- shapes -------------------------------------------------------------------------------------


def reshape(a: Array, shape: Any, order: str = "C", *, copy: bool | None = None) -> Array:
    """a in another shape, row by row."""
    if order not in ("C", "A"):
        raise NotDifferentiableError(f'numpy.reshape: order must be "C" for Tensors, got {order!r}')
    shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    return manipulation.reshape(a, shape, copy=copy)


def ravel(a: Array, order: str = "C") -> Array:
    """All elements in a row."""
    return reshape(a, (-1,), order)


def transpose(a: Array, axes: Sequence[int] | None = None) -> Array:
    """a with its axes in this order, or in reversed order."""
    n = a.ndim
    order = tuple(reversed(range(n))) if axes is None else tuple(i % n for i in axes)
    return permute_dims(a, order)


def matrix_transpose(x: Array, /) -> Array:
    """x with its last two axes exchanged."""
    return manipulation.matrix_transpose(x)


def swapaxes(a: Array, axis1: int, axis2: int) -> Array:
    """a with two axes exchanged."""
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return permute_dims(a, tuple(order))


def moveaxis(a: Array, source: Any, destination: Any) -> Array:
    """a with axes moved to other places."""
    return manipulation.moveaxis(a, source, destination)


def rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    """a with one axis moved to lie before another."""
    axis, start = axis % a.ndim, start + a.ndim if start < 0 else start
    return manipulation.moveaxis(a, axis, start - 1 if axis < start else start)


def squeeze(a: Array, axis: Any = None) -> Array:
    """a without its axes of length one."""
    if axis is None:
        axis = tuple(i for i, n in enumerate(a.shape) if n == 1)
    return manipulation.squeeze(a, axis=axis)


def expand_dims(a: Array, axis: Any) -> Array:
    """a with new axes of length one, at these places of the result."""
    places = axis if isinstance(axis, tuple) else (axis,)
    n = a.ndim + len(places)
    places = tuple(i % n for i in places)
    lengths = iter(a.shape)
    return manipulation.reshape(a, tuple(1 if i in places else next(lengths) for i in range(n)))


def atleast_1d(*arys: Array) -> Any:
    """Arrays of one axis at least."""
    return _each(arys, lambda x: reshape(x, (1,)) if x.ndim == 0 else x)


def atleast_2d(*arys: Array) -> Any:
    """Arrays of two axes at least; a vector becomes a row."""
    return _each(arys, lambda x: reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x)


def atleast_3d(*arys: Array) -> Any:
    """Arrays of three axes at least; a vector gets an axis on both sides, a matrix one behind."""
    return _each(arys, lambda x: expand_dims(atleast_2d(x), -1) if x.ndim < 3 else x)


def _each(arys: Sequence[Any], function: Any) -> Any:
    results = tuple(function(x) for x in alike(arys))
    return results[0] if len(results) == 1 else results


def broadcast_to(array: Array, shape: Any) -> Array:
    """array repeated along the axes that shape has more or longer."""
    return manipulation.broadcast_to(array, (shape,) if isinstance(shape, int) else tuple(shape))


def broadcast_arrays(*args: Array) -> tuple[Array, ...]:
    """The arrays in their common shape."""
    return manipulation.broadcast_arrays(*alike(args))


# -- joining and splitting ----------------------------------------------------------------------


def alike(arrays: Any) -> list[Array]:
    """Lists and numbers among the arrays as arrays of their library."""
    arrays = list(arrays)
    xp = array_namespace(*(x for x in arrays if is_array(x)))
    return [x if is_array(x) else xp.asarray(x) for x in arrays]


def concatenate(arrays: Any, axis: int | None = 0, *, dtype: Any = None) -> Array:
    """The arrays joined along an axis."""
    y = concat(alike(arrays), axis=axis)
    return y if dtype is None else cast(y, dtype)


def stack(arrays: Any, axis: int = 0, *, dtype: Any = None) -> Array:
    """The arrays joined along a new axis."""
    y = manipulation.stack(alike(arrays), axis=axis)
    return y if dtype is None else cast(y, dtype)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices along an axis."""
    return manipulation.unstack(x, axis=axis)


def vstack(tup: Any, *, dtype: Any = None) -> Array:
    """The arrays one below the other; vectors are rows."""
    return concatenate([atleast_2d(x) for x in alike(tup)], 0, dtype=dtype)


def hstack(tup: Any, *, dtype: Any = None) -> Array:
    """The arrays side by side; vectors one after the other."""
    arrays = [atleast_1d(x) for x in alike(tup)]
    return concatenate(arrays, 0 if arrays[0].ndim == 1 else 1, dtype=dtype)


def dstack(tup: Any) -> Array:
    """The arrays one behind the other, along a third axis."""
    return concatenate([atleast_3d(x) for x in alike(tup)], 2)


def column_stack(tup: Any) -> Array:
    """The arrays side by side; vectors are columns."""
    arrays = alike(tup)
    return concatenate([x if x.ndim > 1 else expand_dims(atleast_1d(x), 1) for x in arrays], 1)


def block(arrays: Any) -> Array:
    """The array that nested lists of arrays make up: the innermost lists are joined along -1."""
    return _joined(arrays, _depth(arrays))


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _joined(arrays: Any, depth: int) -> Array:
    if not isinstance(arrays, list):
        return arrays
    parts = alike(_joined(x, depth - 1) for x in arrays)
    n = max([depth, *(x.ndim for x in parts)])
    return concat([reshape(x, (1,) * (n - x.ndim) + x.shape) for x in parts], axis=-depth)


def append(arr: Array, values: Any, axis: int | None = None) -> Array:
    """values behind arr, all elements in a row without an axis."""
    parts = alike([arr, values])
    return concat(parts if axis is not None else [ravel(x) for x in parts], axis=axis or 0)


def split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Parts along an axis: so many of one length, or cut at these indices."""
    n = ary.shape[axis]
    if isinstance(indices_or_sections, int) and n % indices_or_sections:
        raise ShapeError(f"split: {indices_or_sections} parts must divide the {n} elements")
    return array_split(ary, indices_or_sections, axis)


def array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """Parts along an axis; the first ones are longer by one where the lengths do not come out."""
    n = ary.shape[axis]
    if isinstance(indices_or_sections, int):
        length, longer = divmod(n, indices_or_sections)
        cuts = [i * length + min(i, longer) for i in range(1, indices_or_sections)]
    else:
        cuts = [int(i) for i in indices_or_sections]
    return [part(ary, axis, i, j) for i, j in zip([0, *cuts], [*cuts, None], strict=True)]


def vsplit(ary: Array, indices_or_sections: Any) -> list[Array]:
    """Parts along the first axis."""
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Array, indices_or_sections: Any) -> list[Array]:
    """Parts along the second axis, of a vector along its only one."""
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


def dsplit(ary: Array, indices_or_sections: Any) -> list[Array]:
    """Parts along the third axis."""
    return split(ary, indices_or_sections, 2)


def meshgrid(*xi: Array, indexing: str = "xy") -> tuple[Array, ...]:
    """The coordinates of a grid, one array for each direction."""
    xs = alike(xi)
    return array_namespace(*xs).meshgrid(*xs, indexing=indexing)


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
        pairs = [pad_width.get(i, pad_width.get(i - ndim, (0, 0))) for i in range(ndim)]
        return [(p, p) if isinstance(p, int) else tuple(p) for p in pairs]
    if isinstance(pad_width, int):
        return [(pad_width, pad_width)] * ndim
    listed = [tuple(p) if hasattr(p, "__len__") else p for p in pad_width]
    if all(isinstance(p, tuple) for p in listed):
        pairs = [(p[0], p[-1]) for p in listed]
    else:
        pairs = [(listed[0], listed[-1])]
    return pairs * ndim if len(pairs) == 1 else pairs


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


# -- copies -------------------------------------------------------------------------------------


def copy(a: Array, order: str = "K", subok: bool = True) -> Array:
    """The same numbers; as Tensors never share what changes, positive(a)."""
    return positive(a)


def astype(x: Array, dtype: Any, /, *, copy: bool = True) -> Array:
    """x in another dtype."""
    return cast(x, dtype, copy=copy)


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, dtype: Any = None
) -> Array:
    """num numbers from start to stop at equal distances, along a new first axis."""
    start, stop = alike([start, stop])
    xp = array_namespace(start, stop)
    steps = max(num - 1 if endpoint else num, 1)
    span = stop - start
    shares = xp.arange(num, device=device(span)) / steps
    y = start + reshape(xp.astype(shares, span.dtype), (num,) + (1,) * span.ndim) * span
    return y if dtype is None else cast(y, dtype)
