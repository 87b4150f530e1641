"""SciPy functions that isograd lacks as ops of one line each: what a user of autograd would write.

Derivatives: Abramowitz and Stegun 1964, chapters 6, 7, 9 and 26; those that are None there have no
elementary form, and autograd has none either.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as plain

import isograd as ig

xp = ig.wrap_namespace(np)
special = xp.special


def own_op(name: str, *parameters: str) -> Any:
    """The SciPy function of that name as an op, to which rules can be added."""

    def definition(*args: Any) -> Any:
        return getattr(plain, name)(*args)

    definition.__name__ = name
    listed = [inspect.Parameter(p, inspect.Parameter.POSITIONAL_ONLY) for p in parameters]
    definition.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    return ig.differentiable(definition)


gamma = own_op("gamma", "x")
rgamma = own_op("rgamma", "x")
gammasgn = own_op("gammasgn", "x")
gammainc = own_op("gammainc", "a", "x")
gammaincc = own_op("gammaincc", "a", "x")
beta = own_op("beta", "a", "b")
betaln = own_op("betaln", "a", "b")
betainc = own_op("betainc", "a", "b", "x")
erfcinv = own_op("erfcinv", "x")
stdtr = own_op("stdtr", "df", "x")
pdtr = own_op("pdtr", "k", "m")
j0, j1, y0, y1 = (own_op(name, "x") for name in ("j0", "j1", "y0", "y1"))
jn, yn, iv, ive = (own_op(name, "n", "x") for name in ("jn", "yn", "iv", "ive"))
psi = special.digamma


def gamma_density(a: Any, x: Any) -> Any:
    return np.exp((a - 1.0) * np.log(x) - x - plain.gammaln(a))


def beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp((a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - betaln(a, b))


def t_density(df: Any, x: Any) -> Any:
    half = 0.5 * (df + 1.0)
    norm = plain.gammaln(half) - plain.gammaln(0.5 * df) - 0.5 * np.log(np.pi * df)
    return np.exp(norm - half * np.log1p(x * x / df))


def _dpdtr(dy: Any, k: Any, m: Any) -> Any:
    """Minus the probability of k."""
    return -dy * np.exp(k * np.log(m) - m - plain.gammaln(k + 1.0))


gamma.backward(x=lambda dy, x, y: dy * (y * psi(x)))
rgamma.backward(x=lambda dy, x, y: -dy * (y * psi(x)))
gammasgn.backward(x=lambda dy, x: dy * (0.0 * x))
gammainc.backward(x=lambda dy, a, x: dy * gamma_density(a, x))
gammaincc.backward(x=lambda dy, a, x: -dy * gamma_density(a, x))
beta.backward(
    a=lambda dy, a, b, y: dy * (y * (psi(a) - psi(a + b))),
    b=lambda dy, a, b, y: dy * (y * (psi(b) - psi(a + b))),
)
betaln.backward(
    a=lambda dy, a, b: dy * (psi(a) - psi(a + b)), b=lambda dy, a, b: dy * (psi(b) - psi(a + b))
)
betainc.backward(x=lambda dy, a, b, x: dy * beta_density(a, b, x))
erfcinv.backward(x=lambda dy, y: -dy * (0.5 * np.sqrt(np.pi) * np.exp(y * y)))
stdtr.backward(x=lambda dy, df, x: dy * t_density(df, x))
pdtr.backward(m=_dpdtr)
j0.backward(x=lambda dy, x: -dy * j1(x))
y0.backward(x=lambda dy, x: -dy * y1(x))
j1.backward(x=lambda dy, x: dy * (0.5 * (j0(x) - jn(2, x))))
y1.backward(x=lambda dy, x: dy * (0.5 * (y0(x) - yn(2, x))))
jn.backward(x=lambda dy, n, x: dy * (0.5 * (jn(n - 1, x) - jn(n + 1, x))))
yn.backward(x=lambda dy, n, x: dy * (0.5 * (yn(n - 1, x) - yn(n + 1, x))))
iv.backward(x=lambda dy, n, x: dy * (0.5 * (iv(n - 1, x) + iv(n + 1, x))))
ive.backward(x=lambda dy, n, x, y: dy * (0.5 * (ive(n - 1, x) + ive(n + 1, x)) - np.sign(x) * y))


def multigammaln(a: Any, d: int) -> Any:
    """log of the multivariate gamma function."""
    terms = sum(plain.gammaln(a - 0.5 * i) for i in range(d))
    return terms + 0.25 * d * (d - 1) * np.log(np.pi)


def logsumexp(x: Any, axis: Any = None, b: Any = 1.0, keepdims: bool = False) -> Any:
    """log of the sum of b exp(x), for positive b."""
    return special.logsumexp(x + np.log(b), axis=axis, keepdims=keepdims)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: globals()[name]
    for name in (
        *("gamma", "rgamma", "gammasgn", "gammainc", "gammaincc", "beta", "betaln", "betainc"),
        *("erfcinv", "j0", "j1", "y0", "y1", "jn", "yn", "iv", "ive", "multigammaln"),
        *("logsumexp",),
    )
}
FUNCTIONS["polygamma"] = special.polygamma
