"""Exponentials, logarithms, roots and trigonometry of the standard, rule beside function.

Slopes that can be infinite are applied by scaled and divided: see zero_safe.py.
Derivatives: Abramowitz and Stegun 1964, chapter 4.
"""

from __future__ import annotations

from typing import Any

from ....backend import Array
from .comparisons import isinf
from .creation import astype, zeros_like
from .selection import off_zero, where
from .special_cases import MendedExpm1, MendedTanh
from .standard import BinaryOp, UnaryOp, standard
from .zero_safe import divided, scaled

LOG_2 = 0.6931471805599453
LOG_10 = 2.302585092994046


def _unary(name: str, rule: Any, kind: type[UnaryOp] = UnaryOp) -> UnaryOp:
    op: UnaryOp = standard(name, "x", kind=kind)
    op.derivative.add({"x": rule})
    return op


def _binary(name: str, x1: Any, x2: Any) -> BinaryOp:
    op: BinaryOp = standard(name, "x1", "x2", kind=BinaryOp)
    op.derivative.add({"x1": x1, "x2": x2})
    return op


exp = _unary("exp", lambda dy, y: scaled(dy, y))
expm1 = _unary("expm1", lambda dy, x: scaled(dy, exp(x)), MendedExpm1)
log = _unary("log", lambda dy, x: divided(dy, x))
log1p = _unary("log1p", lambda dy, x: divided(dy, 1.0 + x))
log2 = _unary("log2", lambda dy, x: divided(dy, x * LOG_2))
log10 = _unary("log10", lambda dy, x: divided(dy, x * LOG_10))
sqrt = _unary("sqrt", lambda dy, y: divided(0.5 * dy, y))


def _dlogaddexp(dy: Array, own: Any, other: Any, y: Array) -> Array:
    """exp(own - y): the share that one has in the sum. An infinite sum belongs to what makes it."""
    infinite = isinf(y)
    attained = astype(own == y, y.dtype) * (1.0 - 0.5 * astype(other == y, y.dtype))
    nothing = zeros_like(y)
    share = exp(where(infinite, nothing, own) - where(infinite, nothing, y))
    return dy * where(infinite, attained, share)


logaddexp = _binary(
    "logaddexp",
    lambda dy, x1, x2, y: _dlogaddexp(dy, x1, x2, y),
    lambda dy, x1, x2, y: _dlogaddexp(dy, x2, x1, y),
)
hypot = _binary(  # 0 at the origin
    "hypot",
    lambda dy, x1, y: scaled(dy, x1 / off_zero(y)),
    lambda dy, x2, y: scaled(dy, x2 / off_zero(y)),
)

sin: UnaryOp = standard("sin", "x", kind=UnaryOp)
cos = _unary("cos", lambda dy, x: -dy * sin(x))
sin.derivative.add({"x": lambda dy, x: dy * cos(x)})
tan = _unary("tan", lambda dy, y: scaled(dy, 1.0 + y * y))
asin = _unary("asin", lambda dy, x: divided(dy, sqrt((1.0 - x) * (1.0 + x))))
acos = _unary("acos", lambda dy, x: -divided(dy, sqrt((1.0 - x) * (1.0 + x))))
atan = _unary("atan", lambda dy, x: divided(dy, 1.0 + x * x))
atan2 = _binary(  # 0 at the origin
    "atan2",
    lambda dy, x1, x2: scaled(dy, x2 / off_zero(x1 * x1 + x2 * x2)),
    lambda dy, x1, x2: scaled(-dy, x1 / off_zero(x1 * x1 + x2 * x2)),
)
sinh: UnaryOp = standard("sinh", "x", kind=UnaryOp)
cosh = _unary("cosh", lambda dy, x: scaled(dy, sinh(x)))
sinh.derivative.add({"x": lambda dy, x: scaled(dy, cosh(x))})
tanh = _unary("tanh", lambda dy, y: dy * (1.0 - y * y), MendedTanh)
asinh = _unary("asinh", lambda dy, x: divided(dy, sqrt(x * x + 1.0)))
acosh = _unary("acosh", lambda dy, x: divided(divided(dy, sqrt(x - 1.0)), sqrt(x + 1.0)))
atanh = _unary("atanh", lambda dy, x: divided(dy, (1.0 - x) * (1.0 + x)))
