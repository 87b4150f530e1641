"""linear: every output a weighted sum of the inputs, and its layer."""

from __future__ import annotations

import math
from typing import Any

from ..backend import Array, Device, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from ..backend.random import Generator
from ..kernels.cuda.linear import LINEAR_CUPY
from ..kernels.linear import LINEAR_NUMPY
from .activation import activation_named
from .autograd import differentiable
from .autograd.tensor import innermost
from .initializers import uniform
from .module import Module
from .parameter import Parameter
from .reduction import check_arrays, check_same_dtype


@differentiable
def linear(
    x: Array, weight: Array, bias: Array | None = None, *, activation: str | None = None
) -> Array:
    """x weight^T + bias, then the activation of that name.

    x: floating (..., in); weight: (out, in); bias: (out,) or None, all of one dtype -> (..., out).
    activation: None or a name that activation_named() knows, with its default settings.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    """
    xp = array_namespace(x, weight, bias)
    y = xp.matmul(x, xp.matrix_transpose(weight))
    if bias is not None:
        y = y + bias
    return y if activation is None else activation_named(activation)(y)


linear.fused_by(numpy=LINEAR_NUMPY, cupy=LINEAR_CUPY)


@linear.requires
def _(x: Array, weight: Array, bias: Array | None = None, activation: str | None = None) -> None:
    raw, raw_weight = innermost(x), innermost(weight)
    raw_bias = raw_weight if bias is None else innermost(bias)
    if not (
        type(raw) is type(raw_weight) is type(raw_bias)
        and raw.dtype == raw_weight.dtype == raw_bias.dtype
        and raw.device == raw_weight.device == raw_bias.device
    ):
        _check_kinds(x, weight, bias)
    _check_shapes(raw.shape, raw_weight.shape, None if bias is None else raw_bias.shape)
    if activation is not None:
        activation_named(activation)


def _check_kinds(x: Array, weight: Array, bias: Array | None) -> None:
    """Raises DtypeError or DeviceError unless all have one dtype and one device."""
    arrays = {"weight": weight, "x": x}
    if bias is not None:
        arrays["bias"] = bias
    check_arrays("linear", **arrays)
    check_same_dtype("linear", **arrays)


def _check_shapes(x: tuple, weight: tuple, bias: tuple | None) -> None:
    """Raises ShapeError unless the shapes are (..., in), (out, in) and (out,)."""
    if len(weight) != 2:
        raise ShapeError(f"linear: weight must be (out, in), got shape {tuple(weight)}")
    n_out, n_in = weight
    if not x or x[-1] != n_in:
        raise ShapeError(
            f"linear: x.shape[-1] must equal in_features ({n_in}), got x of shape {tuple(x)}"
            + _remedy(tuple(x), n_in)
        )
    if bias is not None and tuple(bias) != (n_out,):
        raise ShapeError(
            f"linear: bias must have the shape (out_features,) = ({n_out},), got {tuple(bias)}"
        )


def _remedy(shape: tuple[int, ...], n_in: int) -> str:
    """How to make x fit, where its shape tells."""
    if not shape:
        return ""
    if math.prod(shape[1:]) == n_in:
        return f"; flatten it first, e.g. reshape(x, ({shape[0]}, {n_in}))"
    if math.prod(shape) == n_in:
        return f"; flatten it first, e.g. reshape(x, ({n_in},))"
    if len(shape) > 1 and shape[-2] == n_in:
        return "; transpose it first, e.g. x.mT: features are the last axis"
    return ""


class Linear(Module):
    """y = x weight^T + bias, then an activation: linear() with learned weight and bias.

    weight (out_features, in_features) and bias (out_features,) start as U(-a, a) with
    a = 1 / sqrt(in_features), torch's default. generator: where they are drawn, the process's own
    unless given. dtype: float32 unless given.
    Raises HyperparameterError unless the sizes are positive integers and the activation is known.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        activation: str | None = None,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        _check_size("in_features", in_features)
        _check_size("out_features", out_features)
        if activation is not None:
            activation_named(activation)
        self.in_features, self.out_features = in_features, out_features
        self.activation = activation
        a = 1.0 / math.sqrt(in_features)
        made: dict[str, Any] = {"generator": generator, "device": device, "dtype": dtype}
        self.weight = Parameter(uniform((out_features, in_features), -a, a, **made))
        self.bias = Parameter(uniform((out_features,), -a, a, **made)) if bias else None

    def forward(self, x: Array) -> Array:
        return linear(x, self.weight, self.bias, activation=self.activation)

    def extra_repr(self) -> str:
        bias = "" if self.bias is not None else ", bias=False"
        activation = f", activation={self.activation!r}" if self.activation else ""
        return f"{self.in_features}, {self.out_features}{bias}{activation}"


def _check_size(name: str, n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise HyperparameterError(f"Linear: {name} must be a positive integer, got {n!r}")
