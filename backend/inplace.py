"""In-place forms, for kernels and optimizers alone: they write to arrays that they made or own.

The standard has no out=; a library that has it writes without a temporary array.
"""

from __future__ import annotations

from typing import Any

from .errors import DtypeError, InPlaceError, IsogradError, ShapeError
from .libraries import library_of
from .namespaces import Array, array_namespace, describe_device, is_array, mixed_devices

HAS_OUT = ("numpy", "cupy", "torch")
ERRORS = (TypeError, ValueError, RuntimeError)  # what libraries raise; each has its own mixture


def assign(target: Array, value: Array | complex) -> Array:
    """target, now holding the value, which broadcasts to it and is cast to its dtype.

    Raises ShapeError, DtypeError, DeviceError, or InPlaceError for an array that cannot be written
    to; target keeps its old values then.
    """
    try:
        target[...] = value
    except ERRORS as error:
        raise _named(error, "assign", target, (value,)) from error
    return target


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
    try:
        if library_of(target).name in HAS_OUT:
            function(*arguments, out=target)
        else:
            target[...] = function(*arguments)
    except ERRORS as error:
        raise _named(error, operation, target, arguments) from error
    return target


def _named(
    error: Exception, operation: str, target: Array, arguments: tuple[Any, ...]
) -> IsogradError:
    """The library's error as the mistake it stands for."""
    arrays = [target, *(argument for argument in arguments if is_array(argument))]
    where = f"{operation} in place"
    if len({describe_device(array) for array in arrays}) > 1:
        return mixed_devices(tuple(arrays), where)
    shapes = " and ".join(str(tuple(array.shape)) for array in arrays[1:]) or "()"
    if "read-only" in str(error):
        return InPlaceError(f"{where}: the target must be writable, got a read-only array")
    if isinstance(error, TypeError) or "cast" in str(error) or "type" in str(error):
        dtypes = " and ".join(str(array.dtype) for array in arrays[1:]) or "a number"
        return DtypeError(
            f"{where}: a result of {dtypes} cannot become {target.dtype}, the target's dtype; "
            f"cast first ({error})"
        )
    return ShapeError(
        f"{where}: the result must have the target's shape {tuple(target.shape)}, got arguments of "
        f"shape {shapes} ({error})"
    )
