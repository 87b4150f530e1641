"""bilinear: every output a weighted sum of all products of two inputs, and its layer."""

from __future__ import annotations

import math
from typing import Any

from ..backend import Array, Device, array_namespace
from ..backend.errors import ShapeError
from ..backend.random import Generator
from .autograd import differentiable
from .autograd.ops.linear_algebra import matmul  # CuPy's own cannot be captured
from .dimensions import check_integer
from .initializers import uniform
from .module import Module
from .parameter import Parameter
from .reduction import check_arrays, check_same_dtype


@differentiable
def bilinear(x1: Array, x2: Array, weight: Array, bias: Array | None = None) -> Array:
    """y[..., o] = x1^T weight[o] x2 + bias[o].

    x1: floating (..., in1); x2: (..., in2) with the same leading axes; weight: (out, in1, in2);
    bias: (out,) or None -> (..., out). Raises ShapeError, DtypeError, DeviceError.
    """
    xp = array_namespace(x1, x2, weight)
    n_out, n1, n2 = weight.shape
    columns = xp.reshape(xp.permute_dims(weight, (1, 0, 2)), (n1, n_out * n2))
    left = xp.reshape(matmul(x1, columns), (*x1.shape[:-1], n_out, n2))
    y = matmul(left, x2[..., None])[..., 0]
    return y if bias is None else y + bias


@bilinear.requires
def _(x1: Array, x2: Array, weight: Array, bias: Array | None = None) -> None:
    arrays = {"weight": weight, "x1": x1, "x2": x2}
    if bias is not None:
        arrays["bias"] = bias
    check_arrays("bilinear", **arrays)
    check_same_dtype("bilinear", **arrays)
    if weight.ndim != 3:
        raise ShapeError(
            f"bilinear: weight must be (out, in1, in2), got shape {tuple(weight.shape)}"
        )
    if x1.shape[-1:] != weight.shape[1:2] or x2.shape[-1:] != weight.shape[2:]:
        raise ShapeError(
            f"bilinear: the last axes of x1 and x2 must be {weight.shape[1]} and "
            f"{weight.shape[2]}, those of weight, got shapes {tuple(x1.shape)} and "
            f"{tuple(x2.shape)}"
        )
    if x1.shape[:-1] != x2.shape[:-1]:
        raise ShapeError(
            f"bilinear: x1 and x2 must have the same leading axes, got shapes {tuple(x1.shape)} "
            f"and {tuple(x2.shape)}"
        )
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ShapeError(
            f"bilinear: bias must have the shape (out,) = ({weight.shape[0]},), got "
            f"{tuple(bias.shape)}"
        )


class Bilinear(Module):
    """bilinear() with learned weight (out, in1, in2) and bias (out,).

    Both start as U(-a, a) with a = 1 / sqrt(in1_features), torch's default.
    Raises HyperparameterError.
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        sizes = {"in1_features": in1_features, "in2_features": in2_features}
        for name, n in {**sizes, "out_features": out_features}.items():
            check_integer("Bilinear", name, n)
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        a = 1.0 / math.sqrt(in1_features)
        made: dict[str, Any] = {"generator": generator, "device": device, "dtype": dtype}
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(uniform(shape, -a, a, **made))
        self.bias = Parameter(uniform((out_features,), -a, a, **made)) if bias else None

    def forward(self, x1: Array, x2: Array) -> Array:
        return bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = "" if self.bias is not None else ", bias=False"
        return f"{self.in1_features}, {self.in2_features}, {self.out_features}{bias}"
