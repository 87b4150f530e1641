"""softmax, log_softmax and logsumexp, with their derivatives."""

from __future__ import annotations

import math
from typing import Any

from ....backend import Array, array_namespace, is_array, is_floating
from ....backend.errors import DtypeError, ShapeError
from ....kernels.cuda.softmax import LOG_SOFTMAX_CUPY, SOFTMAX_CUPY
from ....kernels.softmax import LOG_SOFTMAX_NUMPY, SOFTMAX_NUMPY
from ..differentiable import differentiable
from .creation import astype, zeros_like
from .elementwise import exp, isinf, where
from .manipulation import reshape
from .reduction import axes, count, sum
from .selection import off_zero


@differentiable
def softmax(x: Array, *, axis: int = -1) -> Array:
    """exp(x) / sum of exp(x) along the axis: positive numbers that add up to 1.

    x: floating, at least one element along the axis -> same shape and dtype.
    Raises ShapeError, DtypeError. Source: Bridle 1990; Goodfellow, Bengio, Courville 2016, equation
    6.29. The maximum is subtracted first: exp cannot overflow.
    """
    xp = array_namespace(x)
    powers = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


@softmax.backward
def _(dy: Array, y: Array, axis: int) -> Array:
    xp = array_namespace(dy, y)  # dy_i/dx_j = y_i (delta_ij - y_j)
    weighted = dy * y
    return weighted - y * xp.sum(weighted, axis=axis, keepdims=True)


softmax.fused_by(numpy=SOFTMAX_NUMPY, cupy=SOFTMAX_CUPY)


@differentiable
def log_softmax(x: Array, *, axis: int = -1) -> Array:
    """log(softmax(x)) = x - log(sum of exp(x)) along the axis; right where softmax rounds to 0.

    x: floating, at least one element along the axis -> same shape and dtype.
    Raises ShapeError, DtypeError. The maximum is subtracted first: exp cannot overflow.
    """
    xp = array_namespace(x)
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))


@log_softmax.backward
def _(dy: Array, y: Array, axis: int) -> Array:
    xp = array_namespace(dy, y)  # dy_i/dx_j = delta_ij - softmax_j
    return dy - xp.exp(y) * xp.sum(dy, axis=axis, keepdims=True)


log_softmax.fused_by(numpy=LOG_SOFTMAX_NUMPY, cupy=LOG_SOFTMAX_CUPY)


@differentiable
def logsumexp(x: Array, axis: Any = None, *, keepdims: bool = False) -> Array:
    """log(sum of exp(x)) along an axis, several (a tuple), or all of them (None).

    x: floating -> shape as of a sum; -inf for an empty sum and for one of nothing but -inf.
    Raises DtypeError. The maximum is subtracted first: exp cannot overflow.
    """
    xp = array_namespace(x)
    if count(x.shape, axis) == 0:
        return xp.sum(x, axis=axis, keepdims=keepdims) - math.inf
    largest = xp.max(x, axis=axis, keepdims=True)
    finite = xp.isfinite(largest)
    nothing = xp.zeros_like(largest)
    powers = xp.exp(xp.minimum(x - xp.where(finite, largest, nothing), nothing))
    total = xp.where(finite, xp.sum(powers, axis=axis, keepdims=True), nothing + 1.0)
    y = largest + xp.log(total)
    return y if keepdims else xp.reshape(y, _shape_without(x.shape, axes(axis, x.ndim)))


@logsumexp.backward
def _(dy: Array, x: Array, axis: Any, y: Array) -> Array:
    """dy exp(x - y); an infinite sum belongs to what makes it infinite, -inf to nobody."""
    reduced = axes(axis, x.ndim)
    kept = tuple(1 if i in reduced else n for i, n in enumerate(x.shape))
    dy, y = reshape(dy, kept), reshape(y, kept)
    infinite, nothing = isinf(y), zeros_like(y)
    share = exp(where(infinite, nothing, x) - where(infinite, nothing, y))
    makes_it = astype((x == y) & (y > 0), y.dtype)
    makes_it = makes_it / off_zero(sum(makes_it, axis=reduced, keepdims=True))
    return dy * where(infinite, makes_it, share)


def _shape_without(shape: tuple[int, ...], reduced: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for i, n in enumerate(shape) if i not in reduced)


@logsumexp.requires
def _(x: Array, axis: Any = None, *, keepdims: bool = False) -> None:
    _check_floating("logsumexp", x)


@softmax.requires
def _(x: Array, axis: int = -1) -> None:
    _check("softmax", x, axis)


@log_softmax.requires
def _(x: Array, axis: int = -1) -> None:
    _check("log_softmax", x, axis)


def _check(operation: str, x: Array, axis: int) -> None:
    _check_floating(operation, x)
    shape = x.shape
    if not -len(shape) <= axis < len(shape) or shape[axis] == 0:
        raise ShapeError(
            f"{operation}: x must have an axis {axis} with at least one element, got x of shape "
            f"{tuple(shape)}"
        )


def _check_floating(operation: str, x: Array) -> None:
    if not is_array(x):
        raise DtypeError(
            f"{operation}: x must be an array, got {type(x).__name__}; "
            "make one with isograd.array(...)"
        )
    if not is_floating(x):
        raise DtypeError(f"{operation}: x must be floating, got {x.dtype}; cast it first")
