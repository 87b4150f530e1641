"""xp.special: special functions, named and signed as in scipy.special, with their derivatives.

Most are defined here or in the backend for the arrays of every library; CuPy's and torch's own run
where they have them. The gamma and Bessel functions are the library's, SciPy's for NumPy, imported
when they are first used; MissingFunctionError says how to get what is missing.
Derivatives: Abramowitz and Stegun 1964, chapters 6, 7, 9 and 26.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from ....backend import PYTHON_SCALARS, Array, array_namespace, is_floating, quantile
from ....backend import erfc as tails
from ....backend.erf import erf as plain_erf
from ....backend.errors import DtypeError
from ....backend.special import bundled, native
from ..differentiable import Op, differentiable
from . import softmax as over_axis
from .creation import astype, full_like, ones_like, zeros_like
from .elementwise import exp, log, log1p, sign, where
from .manipulation import permute_dims, reshape
from .reduction import axes
from .softmax import logsumexp as logsumexp
from .zero_safe import divided, scaled

__all__ = [
    *("digamma", "erf", "erfc", "erfinv", "expit", "gammaln", "i0", "i0e", "i1", "i1e"),
    *("log_ndtr", "log_softmax", "logit", "logsumexp", "ndtr", "ndtri", "polygamma", "softmax"),
    *("xlog1py", "xlogy"),
]


class _BundledOp(Op):
    """An op whose definition gives way to a function of that name that the library brings."""

    def _plain(self, x: Array) -> Callable[..., Any]:
        return bundled(self.__name__, x) or self.definition


def _bundled(definition: Callable[..., Any]) -> Op:
    return _BundledOp(definition, inspect.signature(definition))


# -- error function and normal distribution -----------------------------------------------------


@differentiable
def erf(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, elementwise; x: floating."""
    return plain_erf(x)


erf.derivative.add({"x": lambda dy, x: dy * (2.0 / math.sqrt(math.pi) * exp(-x * x))})


@_bundled
def erfc(x: Array) -> Array:
    """1 - erf(x), elementwise, with relative accuracy where it is small; x: floating."""
    return tails.erfc(x)


erfc.derivative.add({"x": lambda dy, x: dy * (-2.0 / math.sqrt(math.pi) * exp(-x * x))})


@_bundled
def erfinv(x: Array) -> Array:
    """The t with erf(t) = x, elementwise; infinite at -1 and 1, NaN beyond; x: floating."""
    return quantile.erfinv(x)


erfinv.derivative.add({"x": lambda dy, y: scaled(dy, 0.5 * math.sqrt(math.pi) * exp(y * y))})


@_bundled
def ndtr(x: Array) -> Array:
    """The standard normal distribution function, erfc(-x / sqrt(2)) / 2; x: floating."""
    return tails.ndtr(x)


ndtr.derivative.add({"x": lambda dy, x: dy * (math.sqrt(0.5 / math.pi) * exp(-0.5 * x * x))})


@_bundled
def ndtri(x: Array) -> Array:
    """The t with ndtr(t) = x, elementwise; infinite at 0 and 1, NaN beyond; x: floating."""
    return quantile.ndtri(x)


ndtri.derivative.add({"x": lambda dy, y: scaled(dy, math.sqrt(2.0 * math.pi) * exp(0.5 * y * y))})


@_bundled
def log_ndtr(x: Array) -> Array:
    """log(ndtr(x)), elementwise; right where ndtr(x) rounds to 0 or 1; x: floating."""
    return tails.log_ndtr(x)


@log_ndtr.backward
def _(dy: Array, x: Array) -> Array:
    return dy * _log_ndtr_slope(x)


@differentiable
def _log_ndtr_slope(x: Array) -> Array:
    """h(x) = density / ndtr(x), which does not overflow; h' = -h (x + h)."""
    return tails.log_ndtr_slope(x)


_log_ndtr_slope.derivative.add({"x": lambda dy, x, y: -dy * (y * (x + y))})


# -- logistic function, logarithms --------------------------------------------------------------


@_bundled
def expit(x: Array) -> Array:
    """1 / (1 + exp(-x)), elementwise, with relative accuracy where it is small; x: floating."""
    xp = array_namespace(x)
    power = xp.exp(-xp.abs(x))
    return xp.where(x < 0, power, xp.ones_like(x)) / (1.0 + power)


expit.derivative.add({"x": lambda dy, x, y: dy * (y * expit(-x))})


@_bundled
def logit(x: Array) -> Array:
    """log(x / (1 - x)), elementwise; infinite at 0 and 1, NaN beyond; x: floating.

    Near 1/2, where that is a difference of equal logarithms, 2 artanh(2 x - 1).
    """
    xp = array_namespace(x)
    difference = 2.0 * x - 1.0
    middle = xp.abs(difference) < 0.5
    inner = 2.0 * xp.atanh(xp.where(middle, difference, xp.zeros_like(x)))
    outer = xp.where(middle, xp.full_like(x, 0.5), x)
    return xp.where(middle, inner, xp.log(outer) - xp.log1p(-outer))


logit.derivative.add({"x": lambda dy, x: divided(dy, x * (1.0 - x))})


@_bundled
def xlogy(x1: Array, x2: Array, /) -> Array:
    """x1 log(x2), elementwise; 0 where x1 is 0, unless x2 is NaN. One may be a Python number."""
    x1, x2 = _pair("xlogy", x1, x2)
    xp = array_namespace(x1, x2)
    return x1 * xp.log(xp.where((x1 == 0) & (x2 == x2), xp.ones_like(x2), x2))


@xlogy.backward("x1", "x2")
def _(dy: Array, x1: Array, x2: Array, needs: frozenset) -> tuple:
    """log(x2) and x1 / x2; both 0 at the corner x1 = x2 = 0 (as torch has the first)."""
    x1, x2 = _pair("xlogy", x1, x2)
    x2 = where((x1 == 0) & (x2 <= 0), ones_like(x2), x2)
    return scaled(dy, log(x2)) if "x1" in needs else None, divided(dy * x1, x2)


@_bundled
def xlog1py(x1: Array, x2: Array, /) -> Array:
    """x1 log(1 + x2), elementwise; 0 where x1 is 0, unless x2 is NaN. One may be a number."""
    x1, x2 = _pair("xlog1py", x1, x2)
    xp = array_namespace(x1, x2)
    return x1 * xp.log1p(xp.where((x1 == 0) & (x2 == x2), xp.zeros_like(x2), x2))


@xlog1py.backward("x1", "x2")
def _(dy: Array, x1: Array, x2: Array, needs: frozenset) -> tuple:
    x1, x2 = _pair("xlog1py", x1, x2)
    x2 = where((x1 == 0) & (x2 <= -1), zeros_like(x2), x2)
    return scaled(dy, log1p(x2)) if "x1" in needs else None, divided(dy * x1, 1.0 + x2)


def _pair(operation: str, x1: Any, x2: Any) -> tuple[Array, Array]:
    """Both as floating arrays: a number, or an array of integers, takes the other's dtype."""
    if x1.__class__ in PYTHON_SCALARS:
        x1 = full_like(x2, x1)
    if x2.__class__ in PYTHON_SCALARS:
        x2 = full_like(x1, x2)
    if not (is_floating(x1) or is_floating(x2)):
        raise DtypeError(f"{operation}: one array must be floating, got {x1.dtype} and {x2.dtype}")
    if not is_floating(x1):
        x1 = astype(x1, x2.dtype)
    return x1, x2 if is_floating(x2) else astype(x2, x1.dtype)


# -- over an axis -------------------------------------------------------------------------------


def softmax(x: Array, axis: Any = None) -> Array:
    """exp(x) / sum of exp(x) along an axis, several (a tuple), or all of them (None).

    As in scipy.special; isograd.nn.softmax is the same along the last axis. x: floating.
    """
    return _along(over_axis.softmax, x, axis)


def log_softmax(x: Array, axis: Any = None) -> Array:
    """log(softmax(x)) along an axis, several (a tuple), or all of them (None); x: floating."""
    return _along(over_axis.log_softmax, x, axis)


def _along(op: Callable[..., Array], x: Array, axis: Any) -> Array:
    """op along one axis that holds all the elements of several."""
    if isinstance(axis, int):
        return op(x, axis=axis)
    chosen = axes(axis, x.ndim)
    kept = tuple(i for i in range(x.ndim) if i not in chosen)
    order = kept + chosen
    moved = permute_dims(x, order)
    flat = reshape(moved, (*moved.shape[: len(kept)], -1))
    back = tuple(order.index(i) for i in range(x.ndim))
    return permute_dims(reshape(op(flat, axis=-1), moved.shape), back)


# -- gamma and Bessel functions -----------------------------------------------------------------


@differentiable
def gammaln(x: Array) -> Array:
    """log |gamma(x)|, elementwise; the library's own function."""
    return native("gammaln", x)(x)


@gammaln.backward
def _(dy: Array, x: Array) -> Array:
    return scaled(dy, digamma(x))


@differentiable
def digamma(x: Array) -> Array:
    """The derivative of log gamma(x), elementwise; the library's own function."""
    return native("digamma", x)(x)


@digamma.backward
def _(dy: Array, x: Array) -> Array:
    return scaled(dy, polygamma(1, x))


@differentiable
def polygamma(n: int, x: Array, /) -> Array:
    """The derivative of order n of digamma(x), elementwise, x > 0; the library's own function."""
    return native("polygamma", x)(n, x)


polygamma.derivative.add({"x": lambda dy, n, x: scaled(dy, polygamma(n + 1, x))})


@differentiable
def i0(x: Array) -> Array:
    """The modified Bessel function of order 0, elementwise; the library's own function."""
    return native("i0", x)(x)


@i0.backward
def _(dy: Array, x: Array) -> Array:
    return dy * i1(x)


@differentiable
def i1(x: Array) -> Array:
    """The modified Bessel function of order 1, elementwise; the library's own function."""
    return native("i1", x)(x)


i1.derivative.add({"x": lambda dy, x, y: dy * (i0(x) - _over_x(y, x))})


@differentiable
def i0e(x: Array) -> Array:
    """exp(-|x|) i0(x), elementwise; its derivative at the kink is 0."""
    return native("i0e", x)(x)


@i0e.backward
def _(dy: Array, x: Array, y: Array) -> Array:
    return dy * (i1e(x) - sign(x) * y)


@differentiable
def i1e(x: Array) -> Array:
    """exp(-|x|) i1(x), elementwise."""
    return native("i1e", x)(x)


i1e.derivative.add(
    {"x": lambda dy, x, y: dy * (i0e(x) - sign(x) * y - _over_x(y, x, exp(-abs(x))))}
)


def _over_x(order_one: Array, x: Array, scale: Any = 1.0) -> Array:
    """order_one / x for i1 or i1e, whose scale exp(-|x|) is then given; near 0 by its series."""
    near = abs(x) < 0.01
    square = x * x
    series = scale * (0.5 + square * (1.0 / 16.0 + square * (1.0 / 384.0)))
    return where(near, series, order_one / where(near, ones_like(x), x))
