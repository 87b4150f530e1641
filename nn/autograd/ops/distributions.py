"""More of xp.special: distribution functions, which give p-values, and what stands beside them.

Named and signed as in scipy.special; SciPy's statistics look here for them. Their values are the
library's own, SciPy's for NumPy. Of a distribution only the variable has a derivative, which is the
density; its parameters have none. Derivatives: Abramowitz and Stegun 1964, chapters 5, 6, 9 and 26.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ....backend import Array, is_array
from ....backend.special import native
from ..differentiable import Op, differentiable
from .creation import full_like
from .elementwise import where
from .exponential import exp, log, log1p
from .special import digamma, gammaln, xlog1py, xlogy
from .zero_safe import divided, scaled

__all__ = [
    *("betainc", "betaincc", "betaincinv", "betaln", "entr", "erfcx", "exp1", "expi"),
    *("fdtr", "fdtrc", "gamma", "gammainc", "gammaincc", "gammainccinv", "gammaincinv"),
    *("j0", "j1", "k0", "k0e", "k1", "k1e", "kl_div", "psi", "stdtr", "stdtrit", "y0", "y1"),
]

psi = digamma  # SciPy has both names


def _library(name: str, *arguments: Any) -> Array:
    """The library's function of that name, for arrays and numbers."""
    return native(name, next(x for x in arguments if is_array(x)))(*arguments)


def _beside(parameter: Any, x: Array) -> Array:
    """A parameter as an array: a number takes the shape of x."""
    return parameter if is_array(parameter) else full_like(x, parameter)


# -- distributions ------------------------------------------------------------------------------


def _gamma_density(a: Any, x: Array) -> Array:
    """x^(a - 1) exp(-x) / gamma(a)."""
    a = _beside(a, x)
    return exp(xlogy(a - 1.0, x) - x - gammaln(a))


def _beta_density(a: Any, b: Any, x: Array) -> Array:
    """x^(a - 1) (1 - x)^(b - 1) / B(a, b)."""
    a, b = _beside(a, x), _beside(b, x)
    return exp(xlogy(a - 1.0, x) + xlog1py(b - 1.0, -x) - betaln(a, b))


def _student_density(df: Any, t: Array) -> Array:
    """(1 + t^2 / df)^(-(df + 1) / 2) / (sqrt(df) B(1/2, df / 2))."""
    df = _beside(df, t)
    scale = gammaln(0.5 * (df + 1.0)) - gammaln(0.5 * df) - 0.5 * log(math.pi * df)
    return exp(scale - 0.5 * (df + 1.0) * log1p(t * t / df))


def _f_density(dfn: Any, dfd: Any, x: Array) -> Array:
    """The density of dfn x / (dfn x + dfd), beta distributed, times the slope of that."""
    dfn, dfd = _beside(dfn, x), _beside(dfd, x)
    part = dfn * x / (dfn * x + dfd)
    return _beta_density(0.5 * dfn, 0.5 * dfd, part) * (dfn * dfd / (dfn * x + dfd) ** 2)


@differentiable
def gammainc(a: Array, x: Array, /) -> Array:
    """The gamma distribution function with shape a, elementwise; none of a's derivatives."""
    return _library("gammainc", a, x)


gammainc.derivative.add({"x": lambda dy, a, x: scaled(dy, _gamma_density(a, x))})


@differentiable
def gammaincc(a: Array, x: Array, /) -> Array:
    """1 - gammainc(a, x), elementwise, with relative accuracy where it is small."""
    return _library("gammaincc", a, x)


gammaincc.derivative.add({"x": lambda dy, a, x: -scaled(dy, _gamma_density(a, x))})


@differentiable
def gammaincinv(a: Array, p: Array, /) -> Array:
    """The x with gammainc(a, x) = p, elementwise."""
    return _library("gammaincinv", a, p)


gammaincinv.derivative.add({"p": lambda dy, a, y: divided(dy, _gamma_density(a, y))})


@differentiable
def gammainccinv(a: Array, p: Array, /) -> Array:
    """The x with gammaincc(a, x) = p, elementwise."""
    return _library("gammainccinv", a, p)


gammainccinv.derivative.add({"p": lambda dy, a, y: -divided(dy, _gamma_density(a, y))})


@differentiable
def betainc(a: Array, b: Array, x: Array, /) -> Array:
    """The beta distribution function with shapes a and b, elementwise."""
    return _library("betainc", a, b, x)


betainc.derivative.add({"x": lambda dy, a, b, x: scaled(dy, _beta_density(a, b, x))})


@differentiable
def betaincc(a: Array, b: Array, x: Array, /) -> Array:
    """1 - betainc(a, b, x), elementwise, with relative accuracy where it is small."""
    return _library("betaincc", a, b, x)


betaincc.derivative.add({"x": lambda dy, a, b, x: -scaled(dy, _beta_density(a, b, x))})


@differentiable
def betaincinv(a: Array, b: Array, p: Array, /) -> Array:
    """The x with betainc(a, b, x) = p, elementwise."""
    return _library("betaincinv", a, b, p)


betaincinv.derivative.add({"p": lambda dy, a, b, y: divided(dy, _beta_density(a, b, y))})


@differentiable
def stdtr(df: Array, t: Array, /) -> Array:
    """Student's distribution function with df degrees of freedom, elementwise."""
    return _library("stdtr", df, t)


stdtr.derivative.add({"t": lambda dy, df, t: scaled(dy, _student_density(df, t))})


@differentiable
def stdtrit(df: Array, p: Array, /) -> Array:
    """The t with stdtr(df, t) = p, elementwise."""
    return _library("stdtrit", df, p)


stdtrit.derivative.add({"p": lambda dy, df, y: divided(dy, _student_density(df, y))})


@differentiable
def fdtr(dfn: Array, dfd: Array, x: Array, /) -> Array:
    """The F distribution function with dfn and dfd degrees of freedom, elementwise."""
    return _library("fdtr", dfn, dfd, x)


fdtr.derivative.add({"x": lambda dy, dfn, dfd, x: scaled(dy, _f_density(dfn, dfd, x))})


@differentiable
def fdtrc(dfn: Array, dfd: Array, x: Array, /) -> Array:
    """1 - fdtr(dfn, dfd, x), elementwise, with relative accuracy where it is small."""
    return _library("fdtrc", dfn, dfd, x)


fdtrc.derivative.add({"x": lambda dy, dfn, dfd, x: -scaled(dy, _f_density(dfn, dfd, x))})


# -- gamma function, integrals, entropy ---------------------------------------------------------


@differentiable
def betaln(a: Array, b: Array, /) -> Array:
    """log B(a, b) = log |gamma(a) gamma(b) / gamma(a + b)|, elementwise."""
    return _library("betaln", a, b)


betaln.derivative.add(
    {
        "a": lambda dy, a, b: scaled(dy, digamma(a) - digamma(a + b)),
        "b": lambda dy, a, b: scaled(dy, digamma(b) - digamma(a + b)),
    }
)


@differentiable
def entr(x: Array) -> Array:
    """-x log(x), elementwise; 0 at 0, -inf below."""
    outside = x < 0
    return where(outside, -math.inf, -xlogy(x, where(outside, full_like(x, 1.0), x)))


@differentiable
def kl_div(x: Array, y: Array, /) -> Array:
    """x log(x / y) - x + y, elementwise; y where x is 0, inf where one is negative."""
    outside = (x < 0) | (y < 0)
    one = full_like(x, 1.0)
    p, q = where(outside, one, x), where(outside, one, y)
    return where(outside, math.inf, xlogy(p, p) - xlogy(p, q) - p + q)


def _of_one(name: str, about: str, rule: Callable[..., Array]) -> Op:
    """The library's function of one array as an op with that rule."""

    def definition(x: Array) -> Array:
        return _library(name, x)

    definition.__name__ = definition.__qualname__ = name
    definition.__doc__ = f"{about}, elementwise; the library's own function."
    op = differentiable(definition)
    op.derivative.add({"x": rule})
    return op


gamma = _of_one("gamma", "The gamma function", lambda dy, x, y: scaled(dy, y * digamma(x)))
erfcx = _of_one(
    "erfcx", "exp(x^2) erfc(x)", lambda dy, x, y: dy * (2.0 * (x * y) - 2.0 / math.sqrt(math.pi))
)
exp1 = _of_one(
    "exp1", "The integral of exp(-t) / t from x on", lambda dy, x: -divided(dy, x * exp(x))
)
expi = _of_one(
    "expi", "The integral of exp(t) / t up to x", lambda dy, x: divided(dy, x * exp(-x))
)

# -- Bessel functions ---------------------------------------------------------------------------

j0 = _of_one("j0", "The Bessel function of the first kind, order 0", lambda dy, x: -dy * j1(x))
j1: Op = _of_one(
    "j1",
    "The Bessel function of the first kind, order 1",
    lambda dy, x, y: dy * (j0(x) - where(x == 0, 0.5, y / where(x == 0, 1.0, x))),
)
y0 = _of_one(
    "y0", "The Bessel function of the second kind, order 0", lambda dy, x: -scaled(dy, y1(x))
)
y1: Op = _of_one(
    "y1",
    "The Bessel function of the second kind, order 1",
    lambda dy, x, y: scaled(dy, y0(x) - y / x),
)
k0 = _of_one(
    "k0",
    "The modified Bessel function of the second kind, order 0",
    lambda dy, x: -scaled(dy, k1(x)),
)
k1: Op = _of_one(
    "k1",
    "The modified Bessel function of the second kind, order 1",
    lambda dy, x, y: -scaled(dy, k0(x) + y / x),
)
k0e = _of_one("k0e", "exp(x) k0(x)", lambda dy, x, y: scaled(dy, y - k1e(x)))
k1e: Op = _of_one("k1e", "exp(x) k1(x)", lambda dy, x, y: scaled(dy, y - k0e(x) - y / x))
