"""Standard normal numbers from random bits, the same bits on every device.

The inverse of the normal distribution function by Wichura's AS 241 (PPND7 for float32, PPND16 for
float64), built of exactly rounded operations only: + - * / sqrt, integer operations, comparisons.
Each is an Array API call of its own, so that no compiler joins a product and a sum into one
rounding; that would change a third of the numbers. The libraries' logarithms differ in the last
bits: this file has its own.
Source: Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .namespaces import Array, Namespace
from .normal_table import Coefficients, NormalTable


def standard_normal(bits: Array, table: NormalTable, xp: Namespace) -> Array:
    """The normal quantile of evenly spread bits: +-Phi^-1(1/2 + (magnitude + 1/2) / 2**table.bits).

    bits: uint32 with SINGLE, uint64 with DOUBLE, (n,) -> float32, float64 (n,).
    The top bit is the sign, so the numbers are exactly symmetric; no |number| is above 6.34
    (SINGLE), 9.16 (DOUBLE), and 0 is not among them. Relative error below 5e-7 and 1e-15.
    """
    select = _select_numpy if isinstance(bits, np.ndarray) else _select
    magnitude = bits & table.magnitude
    size = select(
        magnitude > table.split,
        magnitude,
        lambda m: _centre(_probability(m, table, xp), table),
        # magnitude ^ mask counts from the other end: 1/2 - q without cancellation
        lambda m: _tail(_probability(m ^ table.magnitude, table, xp), table, xp, select),
        xp,
    )
    sign = xp.astype(bits > table.magnitude, size.dtype)  # of the top bit: 0 -> 1, 1 -> -1
    sign *= -2.0
    sign += 1.0
    size *= sign
    return size


def _probability(magnitude: Array, table: NormalTable, xp: Namespace) -> Array:
    """(magnitude + 1/2) / 2**bits, in (0, 1/2)."""
    p = xp.astype(magnitude, getattr(xp, table.dtype))
    p += 0.5
    p *= 2.0**-table.bits
    return p


def _centre(q: Array, table: NormalTable) -> Array:
    """Phi^-1(1/2 + q) for 0 < q <= 0.425."""
    y = _ratio(table.centre_square - q * q, table.centre_numerator, table.centre_denominator)
    y *= q
    return y


def _tail(r: Array, table: NormalTable, xp: Namespace, select: Callable) -> Array:
    """-Phi^-1(r) for 0 < r <= 0.075."""
    root = xp.sqrt(_minus_log(r, table, xp))

    def near(root: Array) -> Array:
        return _ratio(root - table.near_root, table.near_numerator, table.near_denominator)

    def far(root: Array) -> Array:
        return _ratio(root - table.far_root, table.far_numerator, table.far_denominator)

    return select(root > table.far_root, root, near, far, xp) if table.far_numerator else near(root)


def _minus_log(r: Array, table: NormalTable, xp: Namespace) -> Array:
    """-log(r) = exponent log 2 - log c - 2 artanh((m - c) / (m + c)) for r = m / 2**exponent.

    c = sqrt(1/2) keeps the fraction within 0.172. The series in its square is that of fdlibm's log.
    """
    m, minus_log = _split_exponent(r, xp)
    fraction = (m - table.root_half) / (m + table.root_half)
    series = _polynomial(fraction * fraction, table.log_series)
    series *= fraction
    minus_log *= table.log_2
    minus_log += table.half_log_2
    minus_log -= series
    return minus_log


def _split_exponent(r: Array, xp: Namespace) -> tuple[Array, Array]:
    """m in [1/2, 1) and exponent >= 0, both of r's dtype, with r = m / 2**exponent."""
    if hasattr(xp, "frexp"):  # exact as well: the same bits in fewer steps
        m, exponent = xp.frexp(r)
        return m, -xp.astype(exponent, r.dtype)
    exponent = xp.zeros_like(r)
    for step in (64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0):
        small = r < 2.0**-step
        r = xp.where(small, r * 2.0**step, r)
        exponent = xp.where(small, exponent + step, exponent)
    return r, exponent


def _ratio(x: Array, numerator: Coefficients, denominator: Coefficients) -> Array:
    y = _polynomial(x, numerator)
    y /= _polynomial(x, denominator)
    return y


def _polynomial(x: Array, coefficients: Coefficients) -> Array:
    """By Horner's rule; every product and every sum is rounded."""
    y = x * coefficients[0]
    for coefficient in coefficients[1:-1]:
        y += coefficient
        y *= x
    y += coefficients[-1]
    return y


def _select(rare: Array, x: Array, common: Callable, special: Callable, xp: Namespace) -> Array:
    """special(x) where rare is true, else common(x)."""
    return xp.where(rare, special(x), common(x))


def _select_numpy(
    rare: Array, x: Array, common: Callable, special: Callable, xp: Namespace
) -> Array:
    """_select() that computes special(x) only where it is wanted."""
    y = common(x)
    places = np.flatnonzero(rare)
    if places.size:
        y[places] = special(x[places])
    return y
