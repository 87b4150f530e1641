"""Reading and writing by index, recorded: x[key], x[key] = value, take, repeat, sort."""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device

from ....backend import Array, array_namespace, is_array
from ....backend.missing import scatter_add
from ..differentiable import differentiable
from ..tape import sum_to_shape
from ..tensor import innermost
from .manipulation import reshape
from .standard import ConstantOp, standard


@differentiable
def getitem(x: Array, key: Any, /) -> Array:
    """x[key] for integers, slices, None, ... and integer or boolean arrays."""
    return x[plain_key(key)]


getitem.view = True


@getitem.backward
def _dgetitem(dy: Array, x_shape: tuple[int, ...], key: Any) -> Array:
    return put(dy, key, x_shape)


@differentiable
def put(values: Array, key: Any, shape: tuple[int, ...], /) -> Array:
    """Zeros of that shape with values added at key: the transpose of x[key].

    An element that an integer array names twice receives both values.
    """
    xp = array_namespace(values)
    key = plain_key(key)
    if _names_twice(key):
        positions = xp.reshape(xp.arange(math.prod(shape), device=device(values)), shape)[key]
        values = xp.reshape(xp.broadcast_to(values, positions.shape), (-1,))
        flat = scatter_add((math.prod(shape),), xp.reshape(positions, (-1,)), values, check=False)
        return xp.reshape(flat, shape)
    target = xp.zeros(shape, dtype=values.dtype, device=device(values))
    if isinstance(key, tuple) and any(part is None for part in key):
        key = tuple(part for part in key if part is not None)  # no place to assign to
        values = xp.reshape(values, target[key].shape)
    target[key] = values
    return target


put.derivative.add({"values": lambda dy, key: getitem(dy, key)})


@differentiable
def setitem(x: Array, key: Any, value: Any, /) -> Array:
    """A copy of x in which x[key] is value, broadcast and cast to x's dtype."""
    xp = array_namespace(x)
    changed = xp.asarray(x, copy=True)
    changed[plain_key(key)] = value
    return changed


def _dsetitem_value(
    dy: Array, x_shape: tuple[int, ...], value_shape: tuple[int, ...], key: Any
) -> Array:
    """dy at key; where key names an element twice, the value that was written last gets it."""
    dvalue = getitem(dy, key)
    if _names_twice(plain_key(key)):
        dvalue = dvalue * _stayed(dvalue, plain_key(key), x_shape)
    n_new = len(value_shape) - len(dvalue.shape)  # NumPy lets a value have leading ones
    return reshape(dvalue, (1,) * n_new + tuple(dvalue.shape)) if n_new > 0 else dvalue


def _stayed(written: Array, key: Any, shape: tuple[int, ...]) -> Array:
    """1 for each written element that is still there after x[key] = written, else 0."""
    raw = innermost(written)
    xp, size = array_namespace(raw), math.prod(written.shape)
    numbers = xp.reshape(xp.arange(size, device=device(raw)), written.shape)
    found = xp.zeros(shape, dtype=numbers.dtype, device=device(raw))
    found[key] = numbers
    return xp.astype(found[key] == numbers, raw.dtype)


setitem.derivative.add({"x": lambda dy, key: setitem(dy, key, 0.0), "value": _dsetitem_value})

take = standard("take", "x", "indices", axis=None)


@differentiable
def add_at(values: Array, indices: Array, shape: tuple[int, ...], axis: int | None, /) -> Array:
    """Zeros of that shape with values added at indices along an axis: the transpose of take.

    axis None: indices count through the elements, as NumPy's take does where there are more axes.
    """
    if axis is not None or len(shape) == 1:
        return scatter_add(shape, indices, values, axis or 0, check=False)
    flat = scatter_add((math.prod(shape),), indices, values, check=False)
    return array_namespace(flat).reshape(flat, shape)


@take.backward
def _dtake(dy: Array, x_shape: tuple[int, ...], indices: Array, axis: int | None) -> Array:
    return add_at(dy, indices, x_shape, axis)


add_at.derivative.add({"values": lambda dy, indices, axis: take(dy, indices, axis=axis)})


repeat = standard("repeat", "x", "repeats", axis=None)


@repeat.backward
def _drepeat(dy: Array, x_shape: tuple[int, ...], repeats: Any, axis: int | None) -> Array:
    """dy summed over the copies; repeats that differ make it the transpose of take."""
    if axis is None:
        return reshape(_drepeat(dy, (math.prod(x_shape),), repeats, 0), x_shape)
    axis = range(len(x_shape))[axis]
    n = x_shape[axis]
    if isinstance(repeats, int):
        split = (*x_shape[: axis + 1], repeats, *x_shape[axis + 1 :])
        ones = (*x_shape[: axis + 1], 1, *x_shape[axis + 1 :])
        return reshape(sum_to_shape(reshape(dy, split), ones, "repeat"), x_shape)
    repeats = innermost(repeats)
    xp = array_namespace(repeats)
    positions = xp.repeat(xp.arange(n, device=device(repeats)), repeats)
    return add_at(dy, positions, x_shape, axis)


take_along_axis = standard("take_along_axis", "x", "indices", axis=-1)


@take_along_axis.backward
def _dtake_along_axis(
    dy: Array, x_shape: tuple[int, ...], indices: Array, axis: int
) -> Array:
    return put(dy, _along_axis(plain_key(indices), x_shape, axis), x_shape)


def _along_axis(indices: Array, shape: tuple[int, ...], axis: int) -> tuple:
    """The key that reads x[i, ..., indices[i, ..., j], ...] from an array of that shape."""
    xp = array_namespace(indices)
    key = []
    for i, n in enumerate(shape):
        ones = [1] * len(shape)
        ones[i] = n
        key.append(xp.reshape(xp.arange(n, device=device(indices)), tuple(ones)))
    key[axis] = indices
    return tuple(key)


argsort = standard(
    "argsort", "x", kind=ConstantOp, axis=-1, descending=False, stable=True
)
sort = standard("sort", "x", axis=-1, descending=False, stable=True)


@sort.backward
def _dsort(dy: Array, x: Array, axis: int, descending: bool) -> Array:
    order = argsort(x, axis=axis, descending=descending, stable=True)
    return take_along_axis(dy, argsort(order, axis=axis), axis=axis)


searchsorted = standard("searchsorted", "x1", "x2", kind=ConstantOp, side="left", sorter=None)
nonzero = standard("nonzero", "x", kind=ConstantOp)


def plain_key(key: Any) -> Any:
    """An index whose arrays are plain: positions have no derivative."""
    if isinstance(key, tuple):
        return tuple(innermost(part) for part in key)
    return innermost(key)


def _names_twice(key: Any) -> bool:
    """Whether a key holds integer arrays, or lists, which can name an element more than once."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(k, list) or (is_array(k) and not _is_mask(k)) for k in parts)


def _is_mask(x: Array) -> bool:
    return array_namespace(x).isdtype(x.dtype, "bool")
