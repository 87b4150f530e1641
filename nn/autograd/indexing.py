"""Reading and writing by index, recorded: x[key], x[key] = value, take, sort."""

from __future__ import annotations

from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, is_array
from ...backend.missing import scatter_add
from .differentiable import differentiable
from .standard import ConstantOp, standard
from .tensor import innermost


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
        positions = xp.reshape(xp.arange(_size(shape), device=device(values)), shape)[key]
        values = xp.reshape(xp.broadcast_to(values, positions.shape), (-1,))
        flat = scatter_add((_size(shape),), xp.reshape(positions, (-1,)), values, check=False)
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


setitem.derivative.add(
    {
        "x": lambda dy, key: setitem(dy, key, 0.0),
        "value": lambda dy, key: getitem(dy, key),
    }
)

take = standard("take", "x", "indices", axis=None)


@differentiable
def add_at(values: Array, indices: Array, shape: tuple[int, ...], axis: int | None, /) -> Array:
    """Zeros of that shape with values added at indices along an axis: the transpose of take."""
    return scatter_add(shape, indices, values, 0 if axis is None else axis, check=False)


@take.backward
def _dtake(dy: Array, x_shape: tuple[int, ...], indices: Array, axis: int | None) -> Array:
    return add_at(dy, indices, x_shape, axis)


add_at.derivative.add({"values": lambda dy, indices, axis: take(dy, indices, axis=axis)})


take_along_axis = standard("take_along_axis", "x", "indices", axis=-1)


@take_along_axis.backward
def _dtake_along_axis(
    dy: Array, x_shape: tuple[int, ...], indices: Array, axis: int
) -> Array:
    return put(dy, _along_axis(indices, axis), x_shape)


def _along_axis(indices: Array, axis: int) -> tuple:
    """The key that reads x[i, ..., indices[i, ..., j], ...]."""
    xp = array_namespace(indices)
    key = []
    for i, n in enumerate(indices.shape):
        ones = [1] * indices.ndim
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


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size
