"""Which array library an array belongs to, found by its type in one dictionary look-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_compat

from .errors import DeviceError
from .libraries import library_of

Array = Any  # any object that follows the Array API standard
Namespace = Any  # a module, or a module-like object, that follows it

PYTHON_SCALARS = (bool, int, float, complex)


@dataclass(frozen=True)
class Wrapper:
    """How a type that wraps arrays, such as Tensor, answers the functions of this floor.

    namespace(x): the Array API namespace that x computes with. inner(x): the array one level below.
    is_recorded(x): whether a tape would lose track of x if inner(x) were used in its place.
    to_device(x, device): the move that the tape records; None where the type has none.
    """

    namespace: Callable[[Array], Namespace]
    inner: Callable[[Array], Array]
    is_recorded: Callable[[Array], bool]
    to_device: Callable[[Array, Any], Array] | None = None


_namespace_by_type: dict[type, Namespace] = {}
_wrapper_by_type: dict[type, Wrapper | None] = {}  # None: looked up, and no wrapper


def array_namespace(*arrays: Array) -> Namespace:
    """The Array API namespace that serves all the arrays; Python scalars and None are passed over.

    A recorded Tensor outranks the array it wraps: with one among the arguments the answer is the
    differentiable namespace. Raises DeviceError when the arrays belong to two libraries and
    TypeError when none is an array.
    """
    found = None
    for array in arrays:
        kind = type(array)
        namespace = _namespace_by_type.get(kind)
        if namespace is None:
            if array is None or kind in PYTHON_SCALARS:
                continue
            namespace = _resolve(array)
        if namespace is not found:
            found = namespace if found is None else _common(found, namespace, arrays)
    if found is None:
        kinds = ", ".join(type(array).__name__ for array in arrays) or "nothing"
        raise TypeError(f"array_namespace: at least one array must be given, got {kinds}")
    return found


def is_array(x: object) -> bool:
    """Whether x is an array of some library (Python scalars and lists are not)."""
    kind = type(x)
    if kind in _namespace_by_type:
        return True
    if kind in PYTHON_SCALARS or isinstance(x, type):  # the class np.int64 looks like an array
        return False
    return wrapper_of(x) is not None or bool(array_api_compat.is_array_api_obj(x))


def register_array_type(
    kind: type,
    resolver: Callable[[Array], Namespace],
    *,
    inner: Callable[[Array], Array] = lambda x: x.data,
    is_recorded: Callable[[Array], bool] = lambda x: bool(x.requires_grad),
    to_device: Callable[[Array, Any], Array] | None = None,
) -> None:
    """Let a wrapper type name its own namespace: resolver(x) is asked, not array-api-compat.

    The other arguments are the fields of Wrapper.
    """
    for other in [other for other, wrapper in _wrapper_by_type.items() if wrapper is None]:
        del _wrapper_by_type[other]  # it may be a subclass of this kind
    _wrapper_by_type[kind] = Wrapper(resolver, inner, is_recorded, to_device)


def wrapper_of(x: object) -> Wrapper | None:
    """How the type of x, or a base of it, wraps arrays; None when it wraps none."""
    kind = type(x)
    if kind not in _wrapper_by_type:
        bases = (_wrapper_by_type[base] for base in kind.__mro__ if base in _wrapper_by_type)
        _wrapper_by_type[kind] = next(bases, None)
    return _wrapper_by_type[kind]


def unwrap(x: Array) -> Array:
    """The raw library array under any number of registered wrappers; x itself without one."""
    wrapper = wrapper_of(x)
    while wrapper is not None:
        x = wrapper.inner(x)
        wrapper = wrapper_of(x)
    return x


def _resolve(array: Array) -> Namespace:
    """The namespace of an array whose type was not seen before, or of a wrapper."""
    wrapper = wrapper_of(array)
    if wrapper is not None:
        return wrapper.namespace(array)
    if not array_api_compat.is_array_api_obj(array):
        raise TypeError(
            f"array_namespace: {type(array).__name__} is not an array; "
            "make one with isograd.array(...)"
        )
    namespace = array_api_compat.array_namespace(array)
    _namespace_by_type[type(array)] = namespace
    return namespace


def _common(first: Namespace, second: Namespace, arrays: tuple[Array, ...]) -> Namespace:
    """The wrapping one of two namespaces over the same library; anything else is a mixture."""
    if getattr(first, "wrapped", None) is second:
        return first
    if getattr(second, "wrapped", None) is first:
        return second
    raise mixed_devices(arrays)


def mixed_devices(arrays: tuple[Array, ...], operation: str = "an operation") -> DeviceError:
    """The DeviceError that names the device of every array among the arguments."""
    names = []
    for array in arrays:
        if is_array(array):
            name = describe_device(array)
            if name not in names:
                names.append(name)
    return DeviceError(
        f"{operation}: all arrays must be on one device, got {' and '.join(names)}; "
        "move one with isograd.to_device(x, device)"
    )


def describe_device(array: Array) -> str:
    """The device of an array, or of what a wrapper holds, by its name: "cpu", "strict:device1"."""
    raw = unwrap(array)
    return library_of(raw).name_of(raw)
