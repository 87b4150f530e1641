"""Activations, elementwise: floating x of any shape -> the same shape and dtype.

At a kink the derivative is the one from the left, as in torch. Formulas are chosen so that no
finite x overflows, and without where(): choosing by data costs ten times as much as multiplying.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import math
from collections.abc import Callable

from ..backend import Array, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from ..kernels.activated import GELU_NUMPY, RELU_NUMPY, SILU_NUMPY
from ..kernels.cuda.activation import (
    ELU_CUPY,
    GELU_CUPY,
    LEAKY_RELU_CUPY,
    LOG_SIGMOID_CUPY,
    RELU_CUPY,
    SIGMOID_CUPY,
    SILU_CUPY,
    SOFTPLUS_CUPY,
)
from .autograd import differentiable
from .autograd.ops.elementwise import tanh as tanh  # a public name of this file too
from .reduction import check_arrays, check_same_dtype
from .special import erf


def _above_zero(x: Array) -> Array:
    """1 where x > 0, else 0, in the dtype of x."""
    xp = array_namespace(x)
    return xp.astype(x > 0, x.dtype)


@differentiable
def identity(x: Array) -> Array:
    """x itself: the linear activation."""
    return x


@differentiable
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), in (0, 1); relative accuracy also where it is small."""
    xp = array_namespace(x)
    zero = xp.zeros_like(x)
    return xp.exp(xp.minimum(x, zero)) / (1.0 + xp.exp(-xp.abs(x)))


@sigmoid.backward
def _(dy: Array, y: Array) -> Array:
    return dy * (y * (1.0 - y))


sigmoid.fused_by(cupy=SIGMOID_CUPY)


@differentiable
def log_sigmoid(x: Array) -> Array:
    """log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|))."""
    xp = array_namespace(x)
    return xp.minimum(x, xp.zeros_like(x)) - xp.log1p(xp.exp(-xp.abs(x)))


@log_sigmoid.backward
def _(dy: Array, x: Array) -> Array:
    return dy * sigmoid(-x)


log_sigmoid.fused_by(cupy=LOG_SIGMOID_CUPY)


@differentiable
def relu(x: Array) -> Array:
    """max(x, 0). Its derivative at 0 is 0. Source: Nair and Hinton 2010."""
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x))


@relu.backward
def _(dy: Array, y: Array) -> Array:
    return dy * _above_zero(y)


relu.fused_by(numpy=RELU_NUMPY, cupy=RELU_CUPY)


@differentiable
def leaky_relu(x: Array, *, negative_slope: float = 0.01) -> Array:
    """x above 0, negative_slope x elsewhere, and so is its derivative at 0.

    Source: Maas, Hannun, Ng 2013 (slope 0.01).
    """
    xp = array_namespace(x)
    outer = xp.maximum if negative_slope <= 1.0 else xp.minimum
    return outer(x, negative_slope * x)


@leaky_relu.backward
def _(dy: Array, x: Array, negative_slope: float) -> Array:
    return dy * (negative_slope + (1.0 - negative_slope) * _above_zero(x))


leaky_relu.fused_by(cupy=LEAKY_RELU_CUPY)


@differentiable
def prelu(x: Array, weight: Array) -> Array:
    """x above 0, weight x elsewhere: a leaky relu whose slope is learned.

    weight: (1,), or (channels,) with channels = x.shape[1] (x.shape[0] of a vector); same dtype.
    Raises ShapeError, DtypeError, DeviceError. Source: He, Zhang, Ren, Sun 2015, section 2.1.
    """
    xp = array_namespace(x, weight)
    zero = xp.zeros_like(x)
    return xp.maximum(x, zero) + _along_channels(weight, x.ndim) * xp.minimum(x, zero)


@prelu.requires
def _(x: Array, weight: Array) -> None:
    check_arrays("prelu", weight=weight, x=x)
    check_same_dtype("prelu", weight=weight, x=x)
    n_channels = x.shape[1 if x.ndim > 1 else 0] if x.ndim else 1
    if tuple(weight.shape) not in ((1,), (n_channels,)):
        raise ShapeError(
            f"prelu: weight must have the shape (1,) or ({n_channels},), one slope a channel of x "
            f"of shape {tuple(x.shape)}, got {tuple(weight.shape)}"
        )


@prelu.backward("x", "weight")
def _(
    dy: Array, x: Array, weight: Array, needs: frozenset[str]
) -> tuple[Array | None, Array | None]:
    xp = array_namespace(dy, x, weight)
    above = _above_zero(x)
    dx = dweight = None
    if "x" in needs:
        dx = dy * (above + _along_channels(weight, x.ndim) * (1.0 - above))
    if "weight" in needs:
        shared = weight.shape[0] == 1
        others = tuple(axis for axis in range(x.ndim) if shared or axis != min(1, x.ndim - 1))
        dweight = xp.reshape(xp.sum(dy * (x * (1.0 - above)), axis=others), weight.shape)
    return dx, dweight


def _along_channels(weight: Array, ndim: int) -> Array:
    """The slopes in a shape that broadcasts along axis 1 of an array of ndim axes."""
    xp = array_namespace(weight)
    shape = (-1, *(1,) * (ndim - 2)) if ndim else ()
    return xp.reshape(weight, shape)


@differentiable
def elu(x: Array, *, alpha: float = 1.0) -> Array:
    """x above 0, alpha (exp(x) - 1) elsewhere. Its derivative at 0 is alpha.

    Source: Clevert, Unterthiner, Hochreiter 2015, equation 16.
    """
    xp = array_namespace(x)
    zero = xp.zeros_like(x)
    return xp.maximum(x, zero) + alpha * xp.expm1(xp.minimum(x, zero))


@elu.backward
def _(dy: Array, x: Array, alpha: float, y: Array) -> Array:
    above = _above_zero(x)  # below, alpha exp(x) = y + alpha
    return dy * (above + (1.0 - above) * (y + alpha))


elu.fused_by(cupy=ELU_CUPY)


@differentiable
def gelu(x: Array, *, approximate: str = "none") -> Array:
    """x Phi(x) with the normal distribution function Phi; approximate="tanh" for the paper's other.

    That one is x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), within 5e-4 of it.
    Raises HyperparameterError for another word. Source: Hendrycks and Gimpel 2016, section 2.
    """
    if approximate == "tanh":
        return x * (0.5 * (1.0 + tanh(_gelu_argument(x))))
    return x * _phi(x)


@gelu.requires
def _(x: Array, approximate: str = "none") -> None:
    if approximate not in ("none", "tanh"):
        raise HyperparameterError(
            f'gelu: approximate must be "none" or "tanh", got {approximate!r}'
        )


@gelu.backward
def _(dy: Array, x: Array, approximate: str) -> Array:
    xp = array_namespace(x)
    if approximate == "none":
        density = math.sqrt(0.5 / math.pi) * xp.exp(-0.5 * (x * x))
        return dy * (_phi(x) + x * density)
    t = tanh(_gelu_argument(x))
    slope = math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * (x * x))
    return dy * (0.5 * (1.0 + t) + 0.5 * x * ((1.0 - t * t) * slope))


gelu.fused_by(numpy=GELU_NUMPY, cupy=GELU_CUPY)


def _phi(x: Array) -> Array:
    """The distribution function of the standard normal."""
    return 0.5 * (1.0 + erf(math.sqrt(0.5) * x))


def _gelu_argument(x: Array) -> Array:
    return math.sqrt(2.0 / math.pi) * (x + 0.044715 * (x * x * x))


@differentiable
def silu(x: Array) -> Array:
    """x sigmoid(x), also called swish. Source: Elfwing, Uchibe, Doya 2017, equation 9."""
    return x * sigmoid(x)


@silu.backward
def _(dy: Array, x: Array) -> Array:
    s = sigmoid(x)  # d(x s)/dx = s + x s (1 - s)
    return dy * (s * (1.0 + x * (1.0 - s)))


silu.fused_by(numpy=SILU_NUMPY, cupy=SILU_CUPY)


@differentiable
def softplus(x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """log(1 + exp(beta x)) / beta, and x where beta x > threshold >= 0.

    The threshold is torch's; the formula is stable without it. Source: Dugas et al. 2001.
    """
    xp = array_namespace(x)
    z = beta * x
    above_zero = xp.maximum(z, xp.zeros_like(z))
    rest = xp.log1p(xp.exp(-xp.abs(z))) * (1.0 - _above_zero(z - threshold))
    return (above_zero + rest) * (1.0 / beta)


@softplus.backward
def _(dy: Array, x: Array, beta: float, threshold: float) -> Array:
    z = beta * x
    linear = _above_zero(z - threshold)
    return dy * (linear + (1.0 - linear) * sigmoid(z))


softplus.fused_by(cupy=SOFTPLUS_CUPY)

BY_NAME: dict[str, Callable[[Array], Array]] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "gelu": gelu,
    "gelu_tanh": functools.partial(gelu, approximate="tanh"),
    "silu": silu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "softplus": softplus,
    "elu": elu,
    "log_sigmoid": log_sigmoid,
    "identity": identity,
}
IN_OTHER_FILES = {  # loaded when they are asked for
    **dict.fromkeys(("hardshrink", "hardsigmoid", "hardswish", "hardtanh"), "hard_activation"),
    **dict.fromkeys(("relu6", "softshrink"), "hard_activation"),
    **dict.fromkeys(("celu", "mish", "selu", "softsign", "tanhshrink"), "smooth_activation"),
    **dict.fromkeys(("glu",), "gated_activation"),
    **dict.fromkeys(("log_softmax", "softmax"), "softmax"),
    **dict.fromkeys(("softmin",), "smooth_activation"),
}
ACTIVATION_NAMES = (*BY_NAME, *IN_OTHER_FILES)
ELSEWHERE_CALLED = {"swish": "silu", "linear": "identity"}  # in papers, in Keras


def activation_named(name: str) -> Callable[[Array], Array]:
    """The activation of that name, with its defaults: any of nn that takes one array.

    glu halves the last axis, softmax, log_softmax and softmin go along it. Not among them are
    prelu, whose slope is learned, threshold, which has no defaults, and rrelu, which draws.
    Raises HyperparameterError for another name.
    """
    try:
        return BY_NAME[name]
    except (KeyError, TypeError):
        pass
    if not isinstance(name, str) or name not in IN_OTHER_FILES:
        raise HyperparameterError(
            f"activation must be None or one of {', '.join(ACTIVATION_NAMES)}; got {name!r}"
            + _near(str(name).lower())
        )
    return getattr(importlib.import_module(f".{IN_OTHER_FILES[name]}", __package__), name)


def _near(name: str) -> str:
    """A question after the names that are near to this one, if there are any."""
    near = difflib.get_close_matches(name, ACTIVATION_NAMES, n=3)
    near = [ELSEWHERE_CALLED[name]] if name in ELSEWHERE_CALLED else near
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
