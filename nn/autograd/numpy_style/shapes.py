"""NumPy's functions that shape, join and split arrays, with its names and arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ....backend import Array, array_namespace
from ....backend.errors import NotDifferentiableError, ShapeError
from ..ops import manipulation
from ..ops.creation import astype as cast
from ..ops.manipulation import concat, permute_dims
from .arguments import alike, own_dtype, part

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


def shape(a: Array) -> tuple[int, ...]:
    """The lengths of the axes."""
    return tuple(a.shape)


def ndim(a: Array) -> int:
    """The number of axes."""
    return len(a.shape)


def size(a: Array, axis: int | None = None) -> int:
    """The number of elements, or the length of an axis."""
    return math.prod(a.shape) if axis is None else a.shape[axis]


# -- joining and splitting ----------------------------------------------------------------------


def concatenate(arrays: Any, axis: int | None = 0, *, dtype: Any = None) -> Array:
    """The arrays joined along an axis."""
    y = concat(alike(arrays), axis=axis)
    return y if dtype is None else cast(y, own_dtype(y, dtype))


def stack(arrays: Any, axis: int = 0, *, dtype: Any = None) -> Array:
    """The arrays joined along a new axis."""
    y = manipulation.stack(alike(arrays), axis=axis)
    return y if dtype is None else cast(y, own_dtype(y, dtype))


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
