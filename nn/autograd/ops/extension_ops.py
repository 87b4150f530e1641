"""Ops that the extensions of the standard name: xp.linalg.inv, xp.fft.rfft and their kin."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ....backend import Array, array_namespace, is_complex
from ..tensor import innermost
from . import complex_numbers
from .manipulation import matrix_transpose
from .standard import StandardOp


class ExtensionOp(StandardOp):
    """A function of an extension; for plain arrays the library's own one runs.

    extension: the name of the sub-namespace. result: the named tuple in which several outputs
    stand, the same one over every library.
    """

    extension = ""
    result: Callable[..., Any] | None = None

    def __init__(self, name: str, signature: inspect.Signature) -> None:
        super().__init__(name, signature)
        self.__qualname__ = f"{self.extension}.{name}"

    def _plain(self, x: Array) -> Callable[..., Any]:
        function = getattr(getattr(array_namespace(x), self.extension), self.__name__)
        result = self.result
        if result is None:
            return function
        return lambda *args, **kwargs: result(*function(*args, **kwargs))

    def composed_as(self, definition: Callable[..., Any]) -> Callable[..., Any]:
        """Let this function run on recorded Tensors: its parts have the derivatives."""
        self.definition = definition
        return definition


class LinalgOp(ExtensionOp):
    """A function of xp.linalg."""

    extension = "linalg"


class LinalgViewOp(LinalgOp):
    """A function of xp.linalg whose result may share memory with its argument."""

    view = True


class ToleranceOp(LinalgOp):
    """A function of xp.linalg with rtol=, which may be an array and has no derivative."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "rtol" in kwargs:
            kwargs = {**kwargs, "rtol": innermost(kwargs["rtol"])}
        return super().__call__(*args, **kwargs)


class FourierOp(ExtensionOp):
    """A function of xp.fft."""

    extension = "fft"


def conj(x: Array) -> Array:
    """The complex conjugate; x itself where it is real."""
    return complex_numbers.conj(x) if is_complex(x) else x


def hermitian(x: Array) -> Array:
    """The conjugate transpose of matrices."""
    return matrix_transpose(conj(x))
