"""In-place forms, for kernels and optimizers alone: they write to arrays that they made or own.

The standard has no out=; a library that has it writes without a temporary array.
"""

from __future__ import annotations

from typing import Any

from .dtypes import COMPLEX, DEFAULT_BY_PYTHON_TYPE, FLOATING, INTEGERS, dtype_name
from .errors import DtypeError, InPlaceError, IsogradError, ShapeError
from .libraries import NUMPY, library_of
from .namespaces import PYTHON_SCALARS, Array, array_namespace, is_array, mixed_devices
from .namespaces import describe_device as device_name

HAS_OUT = ("numpy", "cupy")  # torch has it too, but resizes an out= of another shape
ERRORS = (TypeError, ValueError, RuntimeError)  # what libraries raise; each has its own mixture
KINDS = (("bool",), INTEGERS, FLOATING, COMPLEX)


def assign(target: Array, value: Array | complex) -> Array:
    """target, now holding the value, which broadcasts to it and is cast to its dtype.

    Raises ShapeError, DtypeError for a value of a higher kind (floating to integer), DeviceError,
    or InPlaceError for an array that cannot be written to; target keeps its old values then.
    """
    _refuse_other_devices("assign", target, (value,))
    try:
        return _set(target, value)
    except ERRORS as error:
        raise _named(error, "assign", target, (value,)) from error


def add_(target: Array, value: Array | complex) -> Array:
    """target, now holding target + value. Raises as assign() does."""
    return write(target, "add", target, value)


def subtract_(target: Array, value: Array | complex) -> Array:
    """target, now holding target - value. Raises as assign() does."""
    return write(target, "subtract", target, value)


def multiply_(target: Array, value: Array | complex) -> Array:
    """target, now holding target * value. Raises as assign() does."""
    return write(target, "multiply", target, value)


def divide_(target: Array, value: Array | complex) -> Array:
    """target, now holding target / value. Raises as assign() does."""
    return write(target, "divide", target, value)


def write(target: Array, operation: str, *arguments: Any) -> Array:
    """target, now holding operation(*arguments), e.g. write(y, "multiply", a, b).

    operation: the standard's name of an elementwise function, or "matmul". The result must have the
    shape of target, which may be one of the arguments (not for matmul). Raises as assign() does.
    """
    function = getattr(array_namespace(target), operation)
    _refuse_other_devices(operation, target, arguments)
    try:
        if library_of(target).name not in HAS_OUT:
            return _set(target, function(*arguments))
        function(*arguments, out=target)
    except ERRORS as error:
        raise _named(error, operation, target, arguments) from error
    return target


def _set(target: Array, value: Any) -> Array:
    """target[...] = value, with one rule for casts: libraries refuse too many or too few."""
    if type(value) in PYTHON_SCALARS:
        fits = _kind(DEFAULT_BY_PYTHON_TYPE[type(value)]) <= _kind(target.dtype)
    else:
        fits = value.dtype == target.dtype
        if not fits and _kind(value.dtype) <= _kind(target.dtype):
            value, fits = array_namespace(value).astype(value, target.dtype), True
    if not fits:
        raise TypeError("a value of a higher kind would lose a part")
    target[...] = value
    return target


def _refuse_other_devices(operation: str, target: Array, arguments: tuple[Any, ...]) -> None:
    """Raises DeviceError where a library would copy between devices, or read another's array."""
    one_device = library_of(target) is NUMPY
    for argument in arguments:
        kind = type(argument)
        if argument is target or (one_device and kind is type(target)) or kind in PYTHON_SCALARS:
            continue
        if is_array(argument) and device_name(argument) != device_name(target):
            raise mixed_devices((target, argument), f"{operation} in place")


def _kind(dtype: Any) -> int:
    """0 for bool, 1 for integers, 2 for real and 3 for complex floating."""
    name = dtype_name(dtype)
    return next(rank for rank, names in enumerate(KINDS) if name in names)


def _named(
    error: Exception, operation: str, target: Array, arguments: tuple[Any, ...]
) -> IsogradError:
    """The library's error as the mistake it stands for."""
    if isinstance(error, IsogradError):
        return error
    where = f"{operation} in place"
    arrays = [argument for argument in arguments if is_array(argument)]
    if "read-only" in str(error):
        return InPlaceError(f"{where}: the target must be writable, got a read-only array")
    if isinstance(error, TypeError):
        dtypes = " and ".join(str(getattr(x, "dtype", type(x).__name__)) for x in arguments)
        return DtypeError(
            f"{where}: a result of {dtypes} cannot become {target.dtype}, the target's dtype; "
            f"cast first ({error})"
        )
    shapes = " and ".join(str(tuple(array.shape)) for array in arrays)
    return ShapeError(
        f"{where}: the result must have the target's shape {tuple(target.shape)}, got arguments of "
        f"shape {shapes} ({error})"
    )
