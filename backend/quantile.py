"""Inverses: the quantiles of the normal distribution, and the inverse of erf.

Source: Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution", with the
libraries' own logarithm; normal.py has the one whose bits are the same on every device.
"""

from __future__ import annotations

import math

from .erfc import real_floating
from .namespaces import Array, array_namespace
from .normal_table import DOUBLE, Coefficients


@real_floating
def ndtri(p: Array) -> Array:
    """The x with ndtr(x) = p, elementwise; -inf and inf for 0 and 1, NaN outside of [0, 1].

    p: real floating, any shape -> same shape and dtype. Raises DtypeError for anything else.
    """
    xp = array_namespace(p)
    return _quantile(p - 0.5, xp.minimum(p, 1.0 - p))


@real_floating
def erfinv(y: Array) -> Array:
    """The x with erf(x) = y, elementwise; -inf and inf for -1 and 1, NaN outside of [-1, 1].

    y: real floating, any shape -> same shape and dtype. Raises DtypeError for anything else.
    """
    xp = array_namespace(y)
    return math.sqrt(0.5) * _quantile(0.5 * y, 0.5 - 0.5 * xp.abs(y))


def _quantile(q: Array, r: Array) -> Array:
    """The normal quantile of 1/2 + q, where r = 1/2 - |q| was computed without cancellation."""
    xp = array_namespace(q)
    near_middle = xp.abs(q) <= 0.425
    middle = xp.where(near_middle, q, 0.0 * r)
    centre = middle * _ratio(
        DOUBLE.centre_square - middle * middle, DOUBLE.centre_numerator, DOUBLE.centre_denominator
    )
    inside = (r > 0.0) & ~near_middle
    root = xp.sqrt(-xp.log(xp.where(inside, r, xp.full_like(r, 0.05))))
    near = _ratio(root - DOUBLE.near_root, DOUBLE.near_numerator, DOUBLE.near_denominator)
    far = _ratio(root - DOUBLE.far_root, DOUBLE.far_numerator, DOUBLE.far_denominator)
    size = xp.where(root > DOUBLE.far_root, far, near)
    ends = xp.where(r == 0.0, xp.full_like(r, math.inf), xp.full_like(r, math.nan))
    tail = xp.copysign(xp.where(inside, size, ends), q)
    return xp.where(near_middle, centre, tail)


def _ratio(x: Array, numerator: Coefficients, denominator: Coefficients) -> Array:
    return _polynomial(x, numerator) / _polynomial(x, denominator)


def _polynomial(x: Array, coefficients: Coefficients) -> Array:
    """By Horner's rule, the highest power first."""
    y = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        y += coefficient
        y *= x
    y += coefficients[-1]
    return y
