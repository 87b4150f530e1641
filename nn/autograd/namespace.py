"""wrap_namespace(xp): an Array API namespace over a library whose arrays record gradients."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from types import ModuleType
from typing import Any

from ...backend import Namespace, array_namespace
from ...backend.libraries import libraries
from . import tables
from .extensions import extensions_of
from .factories import factories
from .inspection import inspections
from .ops import manipulation
from .tensor import Tensor, innermost

API_VERSION = "2025.12"
API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", API_VERSION)
FILLED_IN = ("__all__", "__array_namespace_info__")  # the names with underscores that are

_wrapped: dict[str, WrappedNamespace] = {}  # by the name of the library
_filling = RLock()


class WrappedNamespace(ModuleType):
    """The standard's names over one library: xp.wrapped is the library's own namespace.

    It fills itself when it is first looked at; until then the library need not be imported.
    """

    __array_api_version__ = API_VERSION
    wrapped: Namespace

    def __init__(self, library: str, load: Callable[[], Namespace]) -> None:
        super().__init__(f"isograd.xp.{library}", f"Array API over {library}, differentiable.")
        self._load: Callable[[], Namespace] | None = load

    def __getattr__(self, name: str) -> Any:
        if self._load is not None and (name in FILLED_IN or name[:2] != "__"):
            try:
                self._fill()
            except ImportError as error:  # hasattr() must go on saying no
                raise AttributeError(f"{self.__name__}.{name}: {error}") from error
            return getattr(self, name)
        raise AttributeError(
            f"{self.__name__} has no {name!r}: it is not in the standard {API_VERSION}"
        )

    def __dir__(self) -> list[str]:
        self._fill()
        return sorted(vars(self))

    def _fill(self) -> None:
        with _filling:
            if self._load is not None:
                xp = self._load()
                vars(self).update(_contents(xp, self.__name__))
                self._load = None


def wrap_namespace(xp: Namespace) -> WrappedNamespace:
    """The differentiable namespace over an Array API namespace or library; the same one each time.

    Its functions take Tensors and plain arrays of that library; its creation functions return
    Tensors that nothing records until grad or requires_grad=True does.
    """
    if isinstance(xp, WrappedNamespace):
        return xp
    return wrapped_library(
        xp.__name__.removeprefix("array_api_compat."), lambda: _as_arrays_have_it(xp)
    )


def wrapped_library(name: str, load: Callable[[], Namespace]) -> WrappedNamespace:
    """The differentiable namespace over a library by name; load() imports what it wraps."""
    if name not in _wrapped:
        _wrapped[name] = WrappedNamespace(name, load)
    return _wrapped[name]


def namespace_of(tensor: Tensor, api_version: str | None = None) -> WrappedNamespace:
    """The namespace of a Tensor. Raises ValueError for a version of the standard it does not know.
    """
    if api_version is not None and api_version not in API_VERSIONS:
        known = ", ".join(API_VERSIONS)
        raise ValueError(f"array API version {api_version!r} is not known, {known} are")
    return wrap_namespace(array_namespace(innermost(tensor)))


def _as_arrays_have_it(xp: Namespace) -> Namespace:
    """What array_namespace(x) is for the arrays of a library, e.g. array-api-compat's for numpy."""
    for library in libraries():
        if xp.__name__ == library.package:
            return library.namespace()
    compat = xp.__name__.startswith("array_api_compat.")
    return xp if compat else array_namespace(xp.asarray(0.0))


def _contents(xp: Namespace, name: str) -> dict[str, Any]:
    """All names of the namespace over xp."""
    plain = {part: getattr(xp, part) for part in (*tables.CONSTANTS, *tables.DTYPES)}
    contents = {
        **plain,
        **tables.functions(),
        **factories(xp),
        **inspections(xp),
        **extensions_of(xp, name),
        "concatenate": manipulation.concat,  # NumPy's older name
    }
    return {**contents, "wrapped": xp, "__all__": sorted(contents)}
