"""Arrays from Python data, and from one device to another; nothing else copies between devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .device import Device, current_device, device_of, find_device
from .dtypes import DTYPE_NAMES, as_dtype, dtype_name
from .errors import CastOverflowError, DtypeError, NotDifferentiableError
from .libraries import NUMPY
from .namespaces import Array, is_array, wrapper_of
from .stacking import has_arrays, stacked

NUMBERS = (bool, int, float, complex, list, tuple, range, np.generic)  # have no dtype of their own
_NARROWED = {"float64": "float32", "complex128": "complex64"}  # what NumPy makes of Python numbers


def array(
    data: Any, dtype: Any = None, device: str | Device | None = None, copy: bool | None = None
) -> Array:
    """A plain array of the device's library with the data's values.

    data: numbers, nested lists of numbers or arrays, anything NumPy reads, an array of any library,
    an unrecorded Tensor. Python floats become float32, integers int64, complex numbers complex64;
    arrays keep their dtype; foreign byte order is converted.
    device: default the current one; an array that is already on a device other than the CPU stays.
    copy: None copies where needed, True always, False never (ValueError if it would be needed).
    Raises DtypeError for ragged lists, strings and objects, CastOverflowError for a value that the
    dtype cannot hold, NotDifferentiableError for a recorded Tensor, DeviceError for a list with
    arrays on two devices.
    """
    where = None if device is None else find_device(device)
    raw = _constant(data, "array")
    if isinstance(raw, list | tuple) and has_arrays(raw):
        raw, copy = stacked(raw), None
    if is_array(raw) and not isinstance(raw, np.generic | np.ndarray):
        return _from_array(raw, dtype, where or device_of(raw), copy)
    return _from_host(raw, dtype, where or current_device(), copy)


def to_device(x: Array, device: str | Device) -> Array:
    """The array on a device: x itself when it is there already, else a copy of the same dtype.

    A Tensor is moved by a step that its tape records.
    Raises TypeError when x is no array, DtypeError when the device's library lacks the dtype.
    """
    target = find_device(device)
    wrapper = wrapper_of(x)
    if wrapper is not None and wrapper.to_device is not None:
        return wrapper.to_device(x, target)
    raw = _constant(x, "to_device")
    if not is_array(raw):
        raise TypeError(
            f"to_device: x must be an array, got {type(x).__name__}; make one with isograd.array"
        )
    source = device_of(raw)
    if source == target:
        return raw
    if source.library is target.library:
        return target.library.between(raw, target.raw)
    as_dtype(target.xp, raw.dtype)
    host = raw if source.library is NUMPY else source.library.to_host(raw)
    return target.library.from_host(np.asarray(host), target.raw)


def to_numpy(x: Array) -> np.ndarray:
    """The array as a NumPy array: a NumPy array itself (no copy), else a new, writable copy.

    Raises NotDifferentiableError for a recorded Tensor, TypeError when x is no array.
    """
    raw = _constant(x, "to_numpy")
    if isinstance(raw, np.ndarray):
        return raw
    if not is_array(raw):
        raise TypeError(
            f"to_numpy: x must be an array, got {type(x).__name__}; make one with isograd.array"
        )
    return device_of(raw).library.to_host(raw)


def synchronize(device: str | Device | None = None) -> None:
    """Wait until all that was asked of a device (the current one) is done, e.g. before a clock."""
    (current_device() if device is None else find_device(device)).synchronize()


def _constant(x: Any, operation: str) -> Any:
    """The raw array under wrappers; refuses to take a recorded value off its tape in silence."""
    wrapper = wrapper_of(x)
    while wrapper is not None:
        if wrapper.is_recorded(x):
            raise NotDifferentiableError(
                f"{operation}: x must not be recorded, since a plain array has no gradient; "
                f"got a {type(x).__name__} of shape {tuple(x.shape)}; pass x.detach()"
            )
        x = wrapper.inner(x)
        wrapper = wrapper_of(x)
    return x


def _from_array(raw: Array, dtype: Any, where: Device, copy: bool | None) -> Array:
    """An array that is not NumPy's, cast, moved and copied as asked."""
    xp = device_of(raw).xp
    same_dtype = dtype is None or dtype_name(raw.dtype) == dtype_name(dtype)
    if copy is False and not (same_dtype and device_of(raw) == where):
        raise ValueError("array: another device or dtype needs a copy; leave out copy=False")
    result = raw if same_dtype else xp.astype(raw, as_dtype(xp, dtype))
    result = to_device(result, where)
    if copy and result is raw:
        with where.active():
            return xp.asarray(raw, copy=True)
    return result


def _from_host(data: Any, dtype: Any, where: Device, copy: bool | None) -> Array:
    """An array on the device from what NumPy can read."""
    if dtype is None and _is_bfloat16(data):
        dtype = "bfloat16"
    name = "" if dtype is None else dtype_name(dtype)
    if name == "bfloat16":  # NumPy has none; float32 holds its values
        return where.xp.astype(_from_host(data, "float32", where, copy), as_dtype(where.xp, name))
    host = _cast(_read(data), name, isinstance(data, NUMBERS))
    shares_memory = not isinstance(data, NUMBERS) and np.may_share_memory(host, np.asarray(data))
    if copy is False and not (shares_memory and where.library is NUMPY):
        raise ValueError("array: this data needs a copy to become such an array; leave out copy=")
    if where.library is NUMPY:
        return host.copy() if copy and shares_memory else host
    as_dtype(where.xp, host.dtype)
    return where.library.from_host(host, where.raw)


def _read(data: Any) -> np.ndarray:
    """The data as NumPy reads it, in native byte order."""
    if isinstance(data, np.ma.MaskedArray):
        raise DtypeError("array: a masked array would lose its mask; pass x.filled(value)")
    try:
        host = np.asarray(data)
        if _is_bfloat16(host):
            host = host.astype(np.float32)
    except (ValueError, OverflowError) as error:
        raise DtypeError(f"array: data must be rectangular lists of numbers; {error}") from error
    if host.dtype.kind not in "biufc" or host.dtype.name not in DTYPE_NAMES:
        raise DtypeError(
            "array: data must be numbers of at most 64 bits, nested lists of them or arrays, "
            f"got {type(data).__name__} that NumPy reads as {host.dtype}"
        )
    return host if host.dtype.isnative else host.astype(host.dtype.newbyteorder("="))


def _is_bfloat16(x: Any) -> bool:
    """Whether x is a NumPy array of the package ml_dtypes, as CuPy's bfloat16 arrays become."""
    return isinstance(x, np.ndarray) and x.dtype.name == "bfloat16"


def _cast(host: np.ndarray, name: str, from_numbers: bool) -> np.ndarray:
    """The array in the dtype of this name; with none, in the default one if it came as numbers."""
    if not name and from_numbers:
        name = _NARROWED.get(host.dtype.name, "")
        if host.dtype == np.uint64 and host.size and host.max() > np.iinfo(np.int64).max:
            raise CastOverflowError('array: integers must fit in int64; pass dtype="uint64"')
    if not name or name == host.dtype.name:
        return host
    if host.dtype.kind == "c" and not name.startswith("complex"):
        raise DtypeError(f"array: complex data cannot become {name}; take its real part first")
    with np.errstate(over="raise", invalid="raise"):
        try:
            fits = not name.startswith(("int", "uint")) or _fits(host, np.iinfo(name))
            if fits:
                return host.astype(name)
        except FloatingPointError:
            fits = False
    raise CastOverflowError(
        f"array: every value must fit in {name}, got values from {host.min()} to {host.max()}; "
        "ask for a wider dtype"
    )


def _fits(host: np.ndarray, limits: np.iinfo) -> bool:
    """Whether every value is in the range of an integer dtype; NaN is not."""
    if host.size == 0 or host.dtype.kind == "b":
        return True
    return bool(limits.min <= host.min() and host.max() <= limits.max)
