"""Questions about dtypes and about a library, which the standard's namespace answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...backend import Namespace, as_dtype, is_array
from .tensor import innermost

LIMITS = ("eps", "max", "min", "smallest_normal")


@dataclass(frozen=True)
class FloatInfo:
    """What finfo returns; the numbers are Python's, whatever the library keeps (NumPy: scalars)."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


@dataclass(frozen=True)
class IntegerInfo:
    """What iinfo returns."""

    bits: int
    max: int
    min: int
    dtype: Any


class NamespaceInfo:
    """What __array_namespace_info__() returns: the library's own answers, as 2025.12 spells them.

    A Tensor can do what its array can, on the devices and in the dtypes that this has.
    """

    def __init__(self, xp: Namespace) -> None:
        self._info = xp.__array_namespace_info__()

    def capabilities(self) -> dict[str, Any]:
        """Whether boolean masks and shapes that depend on data work, and how many axes fit."""
        return {"max dimensions": None, **self._info.capabilities()}

    def default_device(self) -> Any:
        """Where new arrays are made, None where the library has no one answer."""
        return self._info.default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtype of new arrays of each kind."""
        return dict(self._info.default_dtypes(device=device))

    def devices(self) -> tuple[Any, ...]:
        """The library's device objects; not torch's meta, which holds no numbers."""
        return tuple(device for device in self._info.devices() if str(device) != "meta")

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes of a kind, or of a tuple of kinds, by name."""
        return dict(self._info.dtypes(device=device, kind=kind))


def inspections(xp: Namespace) -> dict[str, Callable[..., Any]]:
    """The functions by name; where they take dtypes they take Tensors and arrays too."""

    def _named(dtype: Any) -> Any:
        return as_dtype(xp, dtype) if isinstance(dtype, str) else dtype  # torch gives names

    def finfo(type: Any, /) -> FloatInfo:
        """Machine limits of a floating dtype, as in the standard."""
        found = xp.finfo(_dtype(type))
        limits = {name: float(getattr(found, name)) for name in LIMITS}
        return FloatInfo(bits=int(found.bits), **limits, dtype=_named(found.dtype))

    def iinfo(type: Any, /) -> IntegerInfo:
        """Machine limits of an integer dtype, as in the standard."""
        found = xp.iinfo(_dtype(type))
        return IntegerInfo(
            int(found.bits), int(found.max), int(found.min), _named(found.dtype)
        )

    def can_cast(from_: Any, to: Any, /) -> bool:
        """Whether one dtype turns into another by type promotion, as in the standard."""
        return bool(xp.can_cast(_dtype(from_), to))

    def result_type(*arrays_and_dtypes: Any) -> Any:
        """The dtype that arrays, dtypes and numbers promote to, as in the standard."""
        return xp.result_type(*map(innermost, arrays_and_dtypes))

    def isdtype(dtype: Any, kind: Any) -> bool:
        """Whether a dtype is of a kind, or one of several, as in the standard."""
        return bool(xp.isdtype(dtype, kind))

    def __array_namespace_info__() -> NamespaceInfo:  # the standard's name
        """What the library can do here, as in the standard."""
        return NamespaceInfo(xp)

    functions = (can_cast, finfo, iinfo, isdtype, result_type, __array_namespace_info__)
    return {function.__name__: function for function in functions}


def _dtype(x: Any) -> Any:
    """The dtype of a Tensor or an array, or x itself where it is a dtype."""
    return innermost(x).dtype if is_array(x) else x
