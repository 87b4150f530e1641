"""The sub-namespaces of a differentiable namespace: xp.linalg, xp.fft and xp.special."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ...backend import Namespace
from .ops import (
    distributions,
    factorizations,
    fourier,
    linalg,
    linear_algebra,
    manipulation,
    norms,
    special,
)

LINALG = {
    linalg: (
        *("cross", "det", "diagonal", "inv", "matrix_power", "matrix_rank", "outer", "pinv"),
        *("slogdet", "solve", "trace"),
    ),
    factorizations: (*("cholesky", "eig", "eigh", "eigvals", "eigvalsh", "qr", "svd", "svdvals"),),
    norms: ("matrix_norm", "vector_norm"),
    linear_algebra: ("matmul", "tensordot", "vecdot"),
    manipulation: ("matrix_transpose",),
}
FFT = {
    fourier: (
        *("fft", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft"),
        *("irfft", "irfftn", "rfft", "rfftn"),
    ),
}


class Extension(ModuleType):
    """A sub-namespace: what the library's own one has, differentiable."""

    def __init__(self, parent: str, name: str, about: str) -> None:
        super().__init__(f"{parent}.{name}", about)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.__name__} has no {name!r}: see dir({self.__name__})")


def extensions_of(xp: Namespace, parent: str) -> dict[str, Extension]:
    """The sub-namespaces for a library by name: linalg and fft where it has them, and special.

    parent: the name of the differentiable namespace that they are for.
    """
    found = {"special": _special(parent)}
    for name, table in (("linalg", LINALG), ("fft", FFT)):
        library = getattr(xp, name, None)
        if library is None:
            continue
        found[name] = Extension(parent, name, f"The {name} extension of the Array API standard.")
        for module, names in table.items():
            _copy(found[name], module, [n for n in names if hasattr(library, n)])
    if "fft" in found:
        vars(found["fft"]).update(fourier.frequencies_of(xp.fft))
    return found


def _special(parent: str) -> Extension:
    space = Extension(parent, "special", "Special functions, named as in scipy.special.")
    for module in (special, distributions):
        _copy(space, module, module.__all__)
    return space


def _copy(space: Extension, module: ModuleType, names: Any) -> None:
    for name in names:
        setattr(space, name, getattr(module, name))
