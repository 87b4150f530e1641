"""Arithmetic of the standard with its derivatives, and the names of all elementwise functions.

Names shadow builtins here (abs, pow, round), as they do in the standard.
"""

from __future__ import annotations

from typing import Any

from ....backend import PYTHON_SCALARS, Array
from .comparisons import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    equal,
    floor,
    floor_divide,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    round,
    signbit,
    trunc,
)
from .complex_numbers import conj, imag, real
from .creation import full_like, ones_like, zeros_like
from .exponential import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from .selection import abs, clip, copysign, maximum, minimum, nextafter, sign, where
from .standard import BinaryOp, UnaryOp, standard
from .zero_safe import divided, scaled

__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf", "isnan",
    "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative",
    "nextafter", "not_equal", "positive", "pow", "real", "reciprocal", "remainder", "round", "sign",
    "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc", "where",
]


def _unary(name: str, rule: Any) -> UnaryOp:
    op: UnaryOp = standard(name, "x", kind=UnaryOp)
    op.derivative.add({"x": rule})
    return op


def _binary(name: str, x1: Any, x2: Any) -> BinaryOp:
    op: BinaryOp = standard(name, "x1", "x2", kind=BinaryOp)
    op.derivative.add({"x1": x1, "x2": x2})
    return op


def _is_number(x: Any) -> bool:
    return x.__class__ in PYTHON_SCALARS


add = _binary("add", lambda dy: dy, lambda dy: dy)
subtract = _binary("subtract", lambda dy: dy, lambda dy: -dy)
multiply = _binary("multiply", lambda dy, x2: dy * x2, lambda dy, x1: dy * x1)
negative = _unary("negative", lambda dy: -dy)
positive = _unary("positive", lambda dy: dy)
square = _unary("square", lambda dy, x: dy * (2.0 * x))
reciprocal = _unary("reciprocal", lambda dy, y: -scaled(scaled(dy, y), y))
divide = _binary(
    "divide",
    lambda dy, x2: dy / x2 if _is_number(x2) else divided(dy, x2),
    lambda dy, x2, y: -divided(scaled(dy, y), x2),
)
remainder = _binary(
    "remainder", lambda dy: dy, lambda dy, x1, x2: -scaled(dy, floor_divide(x1, x2))
)


def _dpow_base(dy: Array, x1: Array, x2: Any) -> Array:
    """x2 x1^(x2 - 1); zero where x2 is zero, also at x1 = 0."""
    if _is_number(x2):
        return scaled(dy, x2 * x1 ** (x2 - 1)) if x2 != 0 else zeros_like(dy)
    steady = x2 == 0
    exponent = where(steady, ones_like(x2), x2)
    return where(steady, zeros_like(dy), scaled(dy, x2 * pow(x1, exponent - 1)))


def _dpow_exponent(dy: Array, x1: Any, x2: Array, y: Array) -> Array:
    """y log(x1); zero at x1 = 0, the limit for positive exponents, where y is no pole."""
    base = full_like(x2, x1) if _is_number(x1) else x1
    steady = (base == 0) & isfinite(y)
    return scaled(dy, y * log(where(steady, ones_like(base), base)))


pow = _binary("pow", _dpow_base, _dpow_exponent)
