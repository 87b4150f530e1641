"""Elementwise choices of the standard with their derivatives: where, clip, maximum, abs, sign."""

from __future__ import annotations

from typing import Any

from ....backend import Array
from ..tape import conjugated
from .complex_numbers import conj, real
from .creation import astype, ones_like, zeros_like
from .special_cases import MendedSign
from .standard import BinaryOp, UnaryOp, standard

where = standard("where", "condition", "x1", "x2")
where.derivative.add(
    {
        "x1": lambda dy, condition: where(condition, dy, zeros_like(dy)),
        "x2": lambda dy, condition: where(condition, zeros_like(dy), dy),
    }
)


def off_zero(x: Array) -> Array:
    """x with ones in place of zeros: a divisor where the quotient is to be that of zero."""
    return where(x == 0, ones_like(x), x)


# -- bounds -------------------------------------------------------------------------------------


def _dextremum(dy: Array, own: Array, other: Any, y: Array) -> Array:
    """dy where own is the extremum; half of it where both are, the mean of the two sides."""
    tie = 0.5 * astype(own == other, y.dtype)
    return dy * (astype(own == y, y.dtype) - tie)


def _extremum(name: str) -> BinaryOp:
    op: BinaryOp = standard(name, "x1", "x2", kind=BinaryOp)
    op.derivative.add(
        {
            "x1": lambda dy, x1, x2, y: _dextremum(dy, x1, x2, y),
            "x2": lambda dy, x1, x2, y: _dextremum(dy, x2, x1, y),
        }
    )
    return op


maximum = _extremum("maximum")
minimum = _extremum("minimum")

clip = standard("clip", "x", "min=", "max=", min=None, max=None)


def _dclip(dy: Array, x: Array, min: Any, max: Any) -> Array:
    """dy where x is within the bounds, which count as inside (as torch)."""
    inside = x == x
    if min is not None:
        inside = inside & (x >= min)
    if max is not None:
        inside = inside & (x <= max)
    return where(inside, dy, zeros_like(dy))


def _dclip_min(dy: Array, x: Array, min: Any, max: Any) -> Array:
    """dy where x lies below; a lower bound above the upper one has no say."""
    below = x < min
    if max is not None:
        below = below & (min <= max)
    return where(below, dy, zeros_like(dy))


def _dclip_max(dy: Array, x: Array, min: Any, max: Any) -> Array:
    """dy where x lies above, or the lower bound does."""
    above = x > max
    if min is not None:
        above = above | (min > max)
    return where(above, dy, zeros_like(dy))


clip.derivative.add({"x": _dclip, "min": _dclip_min, "max": _dclip_max})

# -- sign and size ------------------------------------------------------------------------------

sign = standard("sign", "x", kind=MendedSign)
abs: UnaryOp = standard("abs", "x", kind=UnaryOp)


@sign.backward
def _dsign(dy: Array, x: Array, y: Array) -> Array:
    """Of a complex z, which sign turns to the unit circle; the sign of a real number is constant.

    With s = z/|z| the step dz becomes (dz - s Re(conj(s) dz)) / |z|: what lies along s is lost.
    """
    along = real(dy * y) * conj(y)
    return where(x == 0, zeros_like(dy), (dy - along) / off_zero(abs(x)))


@abs.backward
def _dabs(dy: Array, x: Array) -> Array:
    """dy sign(x), conjugated; 0 at 0, as torch and JAX."""
    return dy * conjugated(sign(x))


copysign: BinaryOp = standard("copysign", "x1", "x2", kind=BinaryOp)
copysign.derivative.add(
    {"x1": lambda dy, x1, y: dy * (sign(x1) * sign(y)), "x2": lambda dy: zeros_like(dy)}
)
nextafter: BinaryOp = standard("nextafter", "x1", "x2", kind=BinaryOp)
nextafter.derivative.add({"x1": lambda dy: dy, "x2": lambda dy: zeros_like(dy)})  # x1 + rounding
