"""What Tensor has and its class body does not show: names that the ops add when they exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

Operator = Callable[[Any, Any], Any]  # self and the other operand


class Installed:
    """The declarations, for type checkers and readers; at run time the class is empty."""

    __slots__ = ()

    if TYPE_CHECKING:  # by operators, transfer, numpy_protocol and methods, each in its install()
        __add__: Operator
        __radd__: Operator
        __iadd__: Operator
        __sub__: Operator
        __rsub__: Operator
        __isub__: Operator
        __mul__: Operator
        __rmul__: Operator
        __imul__: Operator
        __truediv__: Operator
        __rtruediv__: Operator
        __itruediv__: Operator
        __floordiv__: Operator
        __rfloordiv__: Operator
        __ifloordiv__: Operator
        __mod__: Operator
        __rmod__: Operator
        __imod__: Operator
        __pow__: Operator
        __rpow__: Operator
        __ipow__: Operator
        __matmul__: Operator
        __rmatmul__: Operator
        __imatmul__: Operator
        __and__: Operator
        __rand__: Operator
        __iand__: Operator
        __or__: Operator
        __ror__: Operator
        __ior__: Operator
        __xor__: Operator
        __rxor__: Operator
        __ixor__: Operator
        __lshift__: Operator
        __rlshift__: Operator
        __ilshift__: Operator
        __rshift__: Operator
        __rrshift__: Operator
        __irshift__: Operator
        __lt__: Operator
        __le__: Operator
        __gt__: Operator
        __ge__: Operator
        __neg__: Callable[[Any], Any]
        __pos__: Callable[[Any], Any]
        __abs__: Callable[[Any], Any]
        __invert__: Callable[[Any], Any]
        __getitem__: Operator
        __setitem__: Callable[[Any, Any, Any], None]
        __array_ufunc__: Callable[..., Any]
        __array_function__: Callable[..., Any]
        to_device: Callable[..., Any]
        T: Any
        mT: Any
        real: Any
        imag: Any
        sum: Callable[..., Any]
        prod: Callable[..., Any]
        mean: Callable[..., Any]
        var: Callable[..., Any]
        std: Callable[..., Any]
        max: Callable[..., Any]
        min: Callable[..., Any]
        cumsum: Callable[..., Any]
        cumprod: Callable[..., Any]
        trace: Callable[..., Any]
        reshape: Callable[..., Any]
        ravel: Callable[..., Any]
        flatten: Callable[..., Any]
        transpose: Callable[..., Any]
        swapaxes: Callable[..., Any]
        squeeze: Callable[..., Any]
        repeat: Callable[..., Any]
        take: Callable[..., Any]
        compress: Callable[..., Any]
        diagonal: Callable[..., Any]
        clip: Callable[..., Any]
        conj: Callable[..., Any]
        conjugate: Callable[..., Any]
        dot: Callable[..., Any]
        astype: Callable[..., Any]
        copy: Callable[..., Any]
        all: Callable[..., Any]
        any: Callable[..., Any]
        argmax: Callable[..., Any]
        argmin: Callable[..., Any]
        argsort: Callable[..., Any]
        searchsorted: Callable[..., Any]
        nonzero: Callable[..., Any]
        round: Callable[..., Any]
        tolist: Callable[..., Any]
