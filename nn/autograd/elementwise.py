"""Elementwise functions of the standard with their derivatives, rule beside function.

Names shadow builtins here (abs, pow, round), as they do in the standard.
Derivatives: Abramowitz and Stegun 1964, chapters 4; conventions at kinks stand by the rule.
"""

from __future__ import annotations

from typing import Any

from ...backend import Array
from .creation import astype, full_like, ones_like, zeros_like
from .standard import BinaryOp, ConstantOp, StandardOp, UnaryOp, standard


def _unary(name: str, rule: Any) -> StandardOp:
    op: StandardOp = standard(name, "x", kind=UnaryOp)
    op.derivative.add({"x": rule})
    return op


def _binary(name: str, x1: Any, x2: Any) -> StandardOp:
    op: StandardOp = standard(name, "x1", "x2", kind=BinaryOp)
    op.derivative.add({"x1": x1, "x2": x2})
    return op


def _constant(name: str, *parameters: str) -> StandardOp:
    op: StandardOp = standard(name, *parameters, kind=ConstantOp)
    return op


# -- constant almost everywhere -----------------------------------------------------------------

ceil = _constant("ceil", "x")
floor = _constant("floor", "x")
round = _constant("round", "x")
trunc = _constant("trunc", "x")
sign = _constant("sign", "x")
signbit = _constant("signbit", "x")
isfinite = _constant("isfinite", "x")
isinf = _constant("isinf", "x")
isnan = _constant("isnan", "x")
logical_not = _constant("logical_not", "x")
bitwise_invert = _constant("bitwise_invert", "x")
equal = _constant("equal", "x1", "x2")
not_equal = _constant("not_equal", "x1", "x2")
less = _constant("less", "x1", "x2")
less_equal = _constant("less_equal", "x1", "x2")
greater = _constant("greater", "x1", "x2")
greater_equal = _constant("greater_equal", "x1", "x2")
logical_and = _constant("logical_and", "x1", "x2")
logical_or = _constant("logical_or", "x1", "x2")
logical_xor = _constant("logical_xor", "x1", "x2")
floor_divide = _constant("floor_divide", "x1", "x2")
nextafter = _constant("nextafter", "x1", "x2")
bitwise_and = _constant("bitwise_and", "x1", "x2")
bitwise_or = _constant("bitwise_or", "x1", "x2")
bitwise_xor = _constant("bitwise_xor", "x1", "x2")
bitwise_left_shift = _constant("bitwise_left_shift", "x1", "x2")
bitwise_right_shift = _constant("bitwise_right_shift", "x1", "x2")

# -- arithmetic ---------------------------------------------------------------------------------

add = _binary("add", lambda dy: dy, lambda dy: dy)
subtract = _binary("subtract", lambda dy: dy, lambda dy: -dy)
multiply = _binary("multiply", lambda dy, x2: dy * x2, lambda dy, x1: dy * x1)
divide = _binary("divide", lambda dy, x2: dy / x2, lambda dy, x2, y: -dy * y / x2)
negative = _unary("negative", lambda dy: -dy)
positive = _unary("positive", lambda dy: dy)
reciprocal = _unary("reciprocal", lambda dy, y: -dy * y * y)
square = _unary("square", lambda dy, x: dy * (2.0 * x))
remainder = _binary("remainder", lambda dy: dy, lambda dy, x1, x2: -dy * floor_divide(x1, x2))


def _dpow_base(dy: Array, x1: Array, x2: Any) -> Array:
    """x2 x1^(x2 - 1); zero where x2 is zero, also at x1 = 0."""
    if x2.__class__ in (int, float):
        return dy * (x2 * x1 ** (x2 - 1)) if x2 != 0 else dy * zeros_like(x1)
    steady = x2 == 0
    exponent = where(steady, ones_like(x2), x2)
    return where(steady, zeros_like(dy * x1), dy * (x2 * pow(x1, exponent - 1)))


def _dpow_exponent(dy: Array, x1: Any, x2: Array, y: Array) -> Array:
    """y log(x1); zero at x1 = 0, the limit for positive exponents."""
    base = full_like(x2, x1) if x1.__class__ in (int, float) else x1
    positive_base = where(base > 0, base, ones_like(base))
    return dy * (y * log(positive_base))


pow = _binary("pow", _dpow_base, _dpow_exponent)

# -- exponentials, roots, trigonometry ----------------------------------------------------------

exp = _unary("exp", lambda dy, y: dy * y)
expm1 = _unary("expm1", lambda dy, y: dy * (y + 1.0))
log = _unary("log", lambda dy, x: dy / x)
log1p = _unary("log1p", lambda dy, x: dy / (1.0 + x))
log2 = _unary("log2", lambda dy, x: dy / (x * 0.6931471805599453))
log10 = _unary("log10", lambda dy, x: dy / (x * 2.302585092994046))
logaddexp = _binary(
    "logaddexp",
    lambda dy, x1, y: dy * exp(x1 - y),
    lambda dy, x2, y: dy * exp(x2 - y),
)
sqrt = _unary("sqrt", lambda dy, y: dy * (0.5 / y))
hypot = _binary("hypot", lambda dy, x1, y: dy * (x1 / y), lambda dy, x2, y: dy * (x2 / y))

sin: UnaryOp = standard("sin", "x", kind=UnaryOp)
cos = _unary("cos", lambda dy, x: -dy * sin(x))
sin.derivative.add({"x": lambda dy, x: dy * cos(x)})
tan = _unary("tan", lambda dy, y: dy * (1.0 + y * y))
asin = _unary("asin", lambda dy, x: dy / sqrt(1.0 - x * x))
acos = _unary("acos", lambda dy, x: -dy / sqrt(1.0 - x * x))
atan = _unary("atan", lambda dy, x: dy / (1.0 + x * x))
atan2 = _binary(
    "atan2",
    lambda dy, x1, x2: dy * (x2 / (x1 * x1 + x2 * x2)),
    lambda dy, x1, x2: -dy * (x1 / (x1 * x1 + x2 * x2)),
)
sinh: UnaryOp = standard("sinh", "x", kind=UnaryOp)
cosh = _unary("cosh", lambda dy, x: dy * sinh(x))
sinh.derivative.add({"x": lambda dy, x: dy * cosh(x)})
tanh = _unary("tanh", lambda dy, y: dy * (1.0 - y * y))
asinh = _unary("asinh", lambda dy, x: dy / sqrt(x * x + 1.0))
acosh = _unary("acosh", lambda dy, x: dy / sqrt(x * x - 1.0))
atanh = _unary("atanh", lambda dy, x: dy / (1.0 - x * x))

# -- kinks --------------------------------------------------------------------------------------

abs = _unary("abs", lambda dy, x: dy * sign(x))  # 0 at 0, as torch and JAX


def _share(x: Array, y: Array) -> Array:
    """1 where x is the extremum y, 1/2 where both are: the mean of the one-sided derivatives."""
    return astype(x == y, y.dtype)


def _dextremum(dy: Array, own: Array, other: Any, y: Array) -> Array:
    tie = 0.5 * astype(own == other, y.dtype)
    return dy * (_share(own, y) - tie)


maximum = _binary(
    "maximum",
    lambda dy, x1, x2, y: _dextremum(dy, x1, x2, y),
    lambda dy, x1, x2, y: _dextremum(dy, x2, x1, y),
)
minimum = _binary(
    "minimum",
    lambda dy, x1, x2, y: _dextremum(dy, x1, x2, y),
    lambda dy, x1, x2, y: _dextremum(dy, x2, x1, y),
)
copysign = _binary("copysign", lambda dy, x1, y: dy * (sign(x1) * sign(y)), lambda dy, x2: dy * 0.0)


def _dclip(dy: Array, x: Array, min: Any, max: Any) -> Array:
    """dy where x is within the bounds, which count as inside (as torch)."""
    inside = x == x
    if min is not None:
        inside = inside & (x >= min)
    if max is not None:
        inside = inside & (x <= max)
    return where(inside, dy, zeros_like(dy))


clip = standard("clip", "x", "min=", "max=", min=None, max=None)
clip.derivative.add({"x": _dclip})

where = standard("where", "condition", "x1", "x2")
where.derivative.add(
    {
        "x1": lambda dy, condition: where(condition, dy, zeros_like(dy)),
        "x2": lambda dy, condition: where(condition, zeros_like(dy), dy),
    }
)
