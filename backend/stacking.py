"""Nested lists that hold arrays, made into one array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .device import Device, device_of
from .dtypes import COMPLEX, DEFAULT_BY_PYTHON_TYPE, FLOATING, as_dtype, dtype_name
from .errors import DtypeError
from .namespaces import PYTHON_SCALARS, Array, is_array, mixed_devices, unwrap

_NESTED = (list, tuple)


def has_arrays(data: list | tuple) -> bool:
    """Whether a nested list holds an array of any library, NumPy's scalars not counted."""
    kinds = set(map(type, data)).difference(PYTHON_SCALARS)
    if kinds.isdisjoint(_NESTED):
        return any(_is_array_type(kind, data) for kind in kinds)
    return any(has_arrays(item) if isinstance(item, _NESTED) else _is_array(item) for item in data)


def stacked(data: list | tuple) -> Array:
    """One array from a nested list of arrays of one device and Python numbers.

    The dtype is what the arrays promote to; numbers follow it, unless they are of a higher kind.
    Raises DeviceError for arrays on two devices and DtypeError for shapes that do not stack.
    """
    leaves = list(_leaves(data))
    arrays = [unwrap(leaf) for leaf in leaves if _is_array(leaf)]
    device = device_of(arrays[0])
    if any(device_of(array) != device for array in arrays):
        raise mixed_devices(tuple(arrays), "array")
    numbers = [leaf for leaf in leaves if not _is_array(leaf)]
    try:
        dtype = _common_dtype(device.xp, arrays, numbers)
        with device.active():
            return _stack(data, device, dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        shapes = sorted({str(tuple(array.shape)) for array in arrays})
        raise DtypeError(
            f"array: a list of arrays must be rectangular and of one kind of number; got arrays of "
            f"shape {', '.join(shapes)} ({error})"
        ) from error


def _stack(node: Any, device: Device, dtype: Any) -> Array:
    """The node of a nested list as an array: a list is the stack of what it holds."""
    if isinstance(node, _NESTED):
        return device.xp.stack([_stack(item, device, dtype) for item in node])
    if _is_array(node):
        return device.xp.astype(unwrap(node), dtype, copy=False)
    return device.xp.asarray(node, dtype=dtype, device=device.raw)


def _common_dtype(xp: Any, arrays: list[Array], numbers: list[Any]) -> Any:
    """What the arrays promote to, raised to a floating or complex dtype if a number needs it."""
    dtype = xp.result_type(*{dtype_name(array.dtype): array.dtype for array in arrays}.values())
    name = dtype_name(dtype)
    if any(isinstance(number, complex | np.complexfloating) for number in numbers):
        wide = "complex128" if name == "float64" else "complex64"
        return dtype if name in COMPLEX else as_dtype(xp, wide)
    if any(isinstance(number, float | np.floating) for number in numbers):
        return dtype if name in FLOATING + COMPLEX else as_dtype(xp, DEFAULT_BY_PYTHON_TYPE[float])
    return dtype


def _leaves(node: Any) -> Iterator[Any]:
    if not isinstance(node, _NESTED):
        yield node
        return
    for item in node:
        yield from _leaves(item)


def _is_array(item: Any) -> bool:
    return is_array(item) and not isinstance(item, np.generic)


def _is_array_type(kind: type, data: list | tuple) -> bool:
    """Whether the items of this type are arrays; one of them is asked."""
    return _is_array(next(item for item in data if type(item) is kind))
