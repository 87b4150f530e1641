"""The tails of the normal distribution: erfc, its distribution function, and the logarithm of it.

All come from erfcx(z) = exp(z**2) erfc(z), z >= 0, as a polynomial in 1 - 2 K / (z + K) over z + K
with K = 3.75, after Schonfelder 1978, "Chebyshev expansions for the error and related functions".
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

from .dtypes import FLOATING, dtype_name
from .errors import DtypeError
from .namespaces import Array, array_namespace

K = 3.75

# Constant term first. Truncated Chebyshev series computed with 60 digits; the relative error of the
# polynomial is below 1e-17 and 2e-9, that of evaluating it below three units of eps.
SCALED = {
    "float64": (
        1.0919229095627891, -0.9587415766529096, 0.7363189252217519, -0.4904702912076774,
        0.27906204903376985, -0.13195540117857807, 0.04911877861562649, -0.012535880040196916,
        0.000986338075377297, 0.0007948230899952292, -0.0003486468273683575,
        1.0594055896175338e-05, 3.7471623130825924e-05, -8.904237924637221e-06,
        -3.2893126401950527e-06, 1.656912080119259e-06, 2.798315510217298e-07,
        -2.653266741979513e-07, -2.7150900021014564e-08, 4.212531253619038e-08,
        3.5892399836582983e-09, -6.574060661632119e-09, -5.401573045214062e-10,
        8.787389642554083e-10, 5.170764981177207e-11, -7.012342502870825e-11,
    ),
    "float32": (
        1.0919228792190552, -0.9587415456771851, 0.7363189458847046, -0.4904707074165344,
        0.27906158566474915, -0.13195189833641052, 0.049121640622615814, -0.012548377737402916,
        0.0009780152468010783, 0.0008171145454980433, -0.00033607232035137713,
        -9.763564776221756e-06, 2.7767327992478386e-05,
    ),
}  # fmt: skip


def real_floating(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """The function with its dtype checked, and computed in float32 for half precision."""

    @functools.wraps(function)
    def checked(x: Array) -> Array:
        xp = array_namespace(x)
        name = dtype_name(x.dtype)
        if name in SCALED:
            return function(x)
        if name in FLOATING:
            return xp.astype(function(xp.astype(x, xp.float32)), x.dtype)
        raise DtypeError(f"{function.__name__}: x must be real floating, got {name}; cast it first")

    return checked


@real_floating
def erfc(x: Array) -> Array:
    """1 - erf(x) = 2 / sqrt(pi) * integral of exp(-t**2) from x to infinity, elementwise.

    x: real floating, any shape -> same shape and dtype. Relative accuracy in the tail as well.
    Raises DtypeError for anything else.
    """
    xp = array_namespace(x)
    z = xp.abs(x)
    tail = _gaussian(z, 1.0) * _numerator(z) / (z + K)
    return xp.where(x < 0.0, 2.0 - tail, tail)


@real_floating
def ndtr(x: Array) -> Array:
    """The standard normal distribution function, erfc(-x / sqrt(2)) / 2, elementwise.

    x: real floating, any shape -> same shape and dtype. Raises DtypeError for anything else.
    """
    xp = array_namespace(x)
    z = xp.abs(x)
    scaled = math.sqrt(0.5) * z
    tail = _gaussian(z, 0.5) * (0.5 * _numerator(scaled) / (scaled + K))
    return xp.where(x > 0.0, 1.0 - tail, tail)


@real_floating
def log_ndtr(x: Array) -> Array:
    """log(ndtr(x)), elementwise; right where ndtr(x) rounds to 0 or 1.

    x: real floating, any shape -> same shape and dtype. Raises DtypeError for anything else.
    """
    xp = array_namespace(x)
    z = xp.abs(x)
    scaled = math.sqrt(0.5) * z
    numerator, denominator = 0.5 * _numerator(scaled), scaled + K
    left = xp.log(numerator) - xp.log(denominator) - 0.5 * z * z
    right = xp.log1p(-_gaussian(z, 0.5) * (numerator / denominator))
    return xp.where(x > 0.0, right, left)


@real_floating
def log_ndtr_slope(x: Array) -> Array:
    """The derivative of log_ndtr: the density over ndtr(x), elementwise; no tail overflows."""
    xp = array_namespace(x)
    z = xp.abs(x)
    scaled = math.sqrt(0.5) * z
    gaussian = _gaussian(z, 0.5)
    left = (scaled + K) / _numerator(scaled)
    right = gaussian / (2.0 - gaussian / left)
    return math.sqrt(2.0 / math.pi) * xp.where(x > 0.0, right, left)


def _numerator(z: Array) -> Array:
    """(z + K) exp(z**2) erfc(z) for z >= 0, between 0.56 and 3.75."""
    u = 1.0 - 2.0 * K / (z + K)
    first, *others = reversed(SCALED[dtype_name(z.dtype)])
    y = u * first
    for coefficient in others[:-1]:
        y += coefficient
        y *= u
    y += others[-1]
    return y


def _gaussian(z: Array, scale: float) -> Array:
    """exp(-scale * z**2) for z >= 0 and scale 1 or 1/2, within an eps or two.

    z**2 would be rounded, and its exponential carry z**2 such errors: the square of z's leading
    bits is exact, and the rest is small. Beyond 40 all is zero.
    """
    xp = array_namespace(z)
    z = xp.minimum(z, xp.full_like(z, 40.0))
    leading = xp.round(16.0 * z) / 16.0
    rest = (z - leading) * (z + leading)
    return xp.exp(-scale * leading * leading) * xp.exp(-scale * rest)
