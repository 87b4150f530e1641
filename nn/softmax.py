"""softmax and log_softmax along an axis, and their layers."""

from __future__ import annotations

from ..backend import Array, array_namespace, is_floating
from ..backend.errors import DtypeError, ShapeError
from ..kernels.softmax import LOG_SOFTMAX_NUMPY, SOFTMAX_NUMPY
from .autograd import differentiable
from .module import Module


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


softmax.fused_by(numpy=SOFTMAX_NUMPY)


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


log_softmax.fused_by(numpy=LOG_SOFTMAX_NUMPY)


class Softmax(Module):
    """softmax along an axis. For a loss give cross_entropy the logits instead."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return softmax(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """log_softmax along an axis."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return log_softmax(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


@softmax.requires
def _(x: Array, axis: int = -1) -> None:
    _check("softmax", x, axis)


@log_softmax.requires
def _(x: Array, axis: int = -1) -> None:
    _check("log_softmax", x, axis)


def _check(operation: str, x: Array, axis: int) -> None:
    shape = x.shape
    if not -len(shape) <= axis < len(shape) or shape[axis] == 0:
        raise ShapeError(
            f"{operation}: x must have an axis {axis} with at least one element, got x of shape "
            f"{tuple(shape)}"
        )
    if not is_floating(x):
        raise DtypeError(f"{operation}: x must be floating, got {x.dtype}; cast it first")
