"""Functions that libraries get wrong at infinities and signed zeros, mended as the standard says.

floor_divide at infinities, expm1 and tanh of complex numbers (NumPy 2.4, and what is built on it),
sign of a complex zero (array_api_strict 2.6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf, nan
from typing import Any

from ....backend import Array, Namespace, array_namespace, is_complex, is_floating
from ..tensor import Tensor, constant, innermost
from .standard import ConstantOp, StandardOp, UnaryOp

Run = Callable[..., Any]


class MendedFloorDivide(ConstantOp):
    """floor_divide: an infinite operand makes the quotient itself, infinite or zero."""

    def _plain(self, x: Array) -> Run:
        xp, native = array_namespace(x), super()._plain(x)

        def floor_divide(x1: Any, x2: Any, /) -> Array:
            y = native(x1, x2)
            if not is_floating(y):
                return y
            return xp.where(_is_infinite(x1, xp) | _is_infinite(x2, xp), xp.divide(x1, x2), y)

        return floor_divide


class MendedSign(ConstantOp):
    """sign: constant for real numbers, with a derivative for complex ones; that of 0 is 0."""

    def __call__(self, x: Array, /) -> Any:
        raw = innermost(x)
        if is_complex(raw):
            return StandardOp.__call__(self, x)
        y = self._run((raw,), {})
        return constant(y) if isinstance(x, Tensor) else y

    def _plain(self, x: Array) -> Run:
        xp, native = array_namespace(x), super()._plain(x)

        def sign(x: Array, /) -> Array:
            if not is_complex(x):
                return native(x)
            size = xp.abs(x)
            return xp.where(size == 0, 0j, x / xp.where(size == 0, xp.ones_like(size), size))

        return sign


class MendedExpm1(UnaryOp):
    """expm1: infinite complex numbers by the standard's table, others by the library."""

    def _plain(self, x: Array) -> Run:
        return _for_complex(super()._plain(x), array_namespace(x), _expm1_cases)


class MendedTanh(UnaryOp):
    """tanh: 1 or -1 with a zero imaginary part of the right sign far out in the complex plane."""

    def _plain(self, x: Array) -> Run:
        return _for_complex(super()._plain(x), array_namespace(x), _tanh_cases)


def _for_complex(native: Run, xp: Namespace, cases: Callable[..., Iterable]) -> Run:
    """native; where x is complex, the cases (mask, value) replace some of its results."""

    known: dict[Any, bool] = {}  # asked on every call, so it must be quick

    def mended(x: Array, /) -> Array:
        y = native(x)
        dtype = x.dtype
        if dtype not in known:
            known[dtype] = is_complex(x)
        if known[dtype]:
            for mask, value in cases(x, xp):
                y = xp.where(mask, value, y)
        return y

    return mended


def _is_infinite(x: Any, xp: Namespace) -> Any:
    return x in (inf, -inf) if isinstance(x, int | float) else xp.isinf(x)


def _expm1_cases(x: Array, xp: Namespace) -> Iterable[tuple[Array, complex]]:
    """exp(a) (cos b + i sin b) - 1 where a factor is infinite, NaN, or an exact zero."""
    a, b = xp.real(x), xp.imag(x)
    real_axis = b == 0
    undirected = ~xp.isfinite(b)  # cos b and sin b are unknown
    yield (a == 0) & real_axis & ~xp.signbit(b), 0j
    yield (a == inf) & real_axis, complex(inf, 0.0)
    yield (a == inf) & undirected, complex(inf, nan)
    yield (a == -inf) & undirected, complex(-1.0, 0.0)
    yield xp.isnan(a) & real_axis, complex(nan, 0.0)


def _tanh_cases(x: Array, xp: Namespace) -> Iterable[tuple[Array, complex]]:
    a, b = xp.real(x), xp.imag(x)
    up, down = xp.isfinite(b) & ~xp.signbit(b), xp.isfinite(b) & xp.signbit(b)
    yield (a == inf) & up, complex(1.0, 0.0)
    yield (a == inf) & down, complex(1.0, -0.0)
    yield (a == -inf) & up, complex(-1.0, 0.0)
    yield (a == -inf) & down, complex(-1.0, -0.0)
