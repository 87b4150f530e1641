"""Smooth activations beside those of activation.py: floating x -> the same shape and dtype."""

from __future__ import annotations

from ..backend import Array, array_namespace, unwrap
from ..backend.errors import HyperparameterError, ShapeError
from .activation import sigmoid, tanh
from .autograd import differentiable
from .autograd.ops.softmax import softmax
from .hard_activation import check_finite
from .module import Module

SELU_ALPHA = 1.6732632423543772848170429916717  # Klambauer et al. 2017, appendix A1
SELU_SCALE = 1.0507009873554804934193349852946


@differentiable
def celu(x: Array, *, alpha: float = 1.0) -> Array:
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere: elu with derivative 1 at 0 for every alpha.

    Raises HyperparameterError unless alpha is finite and not 0. Source: Barron 2017, equation 2.
    """
    xp = array_namespace(x)
    zero = xp.zeros_like(x)
    return xp.maximum(x, zero) + alpha * xp.expm1(_exponent(x, alpha))


@celu.requires
def _(x: Array, alpha: float = 1.0) -> None:
    check_alpha("celu", alpha)


@celu.backward
def _(dy: Array, x: Array, alpha: float) -> Array:
    xp = array_namespace(x)  # exp(0) above 0, exp(x / alpha) below
    above = xp.astype(x > 0.0, unwrap(x).dtype)
    return dy * (above + (1.0 - above) * xp.exp(_exponent(x, alpha)))


def _exponent(x: Array, alpha: float) -> Array:
    """min(x, 0) / alpha."""
    xp = array_namespace(x)
    return xp.minimum(x, xp.zeros_like(x)) * (1.0 / alpha)


def check_alpha(operation: str, alpha: float) -> float:
    """alpha as a float. Raises HyperparameterError unless it is finite and not 0."""
    if check_finite(f"{operation}: alpha", alpha) == 0.0:
        raise HyperparameterError(f"{operation}: alpha must not be 0, x is divided by it")
    return float(alpha)


@differentiable
def selu(x: Array) -> Array:
    """1.0507 (x above 0, 1.6733 (exp(x) - 1) elsewhere), which keeps mean 0 and variance 1.

    Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, equation 2.
    """
    xp = array_namespace(x)
    zero = xp.zeros_like(x)
    below = xp.expm1(xp.minimum(x, zero))
    return SELU_SCALE * xp.maximum(x, zero) + (SELU_SCALE * SELU_ALPHA) * below


@selu.backward
def _(dy: Array, x: Array, y: Array) -> Array:
    xp = array_namespace(x)
    above = xp.astype(x > 0.0, unwrap(x).dtype)
    return dy * (SELU_SCALE * above + (1.0 - above) * (y + SELU_SCALE * SELU_ALPHA))


@differentiable
def mish(x: Array) -> Array:
    """x tanh(log(1 + exp(x))). Source: Misra 2019, equation 1."""
    return x * tanh(_log_1_plus_exp(x))


@mish.backward
def _(dy: Array, x: Array) -> Array:
    t = tanh(_log_1_plus_exp(x))
    return dy * (t + x * ((1.0 - t * t) * sigmoid(x)))


def _log_1_plus_exp(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x)))


@differentiable
def softsign(x: Array) -> Array:
    """x / (1 + |x|), in (-1, 1). Source: Glorot and Bengio 2010, section 2."""
    return x / (1.0 + array_namespace(x).abs(x))


@softsign.backward
def _(dy: Array, x: Array) -> Array:
    return dy / array_namespace(x).square(1.0 + array_namespace(x).abs(x))


@differentiable
def tanhshrink(x: Array) -> Array:
    """x - tanh(x)."""
    return x - tanh(x)


@tanhshrink.backward
def _(dy: Array, x: Array) -> Array:
    return dy * array_namespace(x).square(tanh(x))


@differentiable
def softmin(x: Array, *, axis: int = -1) -> Array:
    """softmax of -x along the axis: the smallest element has the largest share."""
    return softmax(-x, axis=axis)


class CELU(Module):
    """x above 0, alpha (exp(x / alpha) - 1) elsewhere; alpha is finite and not 0."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = check_alpha("CELU", alpha)

    def forward(self, x: Array) -> Array:
        return celu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class SELU(Module):
    """elu with the scale and alpha that keep mean 0 and variance 1."""

    def forward(self, x: Array) -> Array:
        return selu(x)


class Mish(Module):
    """x tanh(log(1 + exp(x)))."""

    def forward(self, x: Array) -> Array:
        return mish(x)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, x: Array) -> Array:
        return softsign(x)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Array) -> Array:
        return tanhshrink(x)


class Softmin(Module):
    """softmax of -x along an axis."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return softmin(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class Softmax2d(Module):
    """softmax over the channels of (batch, channels, height, width), or without batch."""

    def forward(self, x: Array) -> Array:
        if x.ndim not in (3, 4):
            raise ShapeError(
                "Softmax2d: x must have shape (batch, channels, height, width) or "
                f"(channels, height, width), got {tuple(x.shape)}"
            )
        return softmax(x, axis=-3)
