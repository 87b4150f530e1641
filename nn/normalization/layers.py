"""LayerNorm, RMSNorm and GroupNorm: what has learned factors and no running statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backend import Array, Device
from ...backend.errors import HyperparameterError
from ..dimensions import check_integer
from ..initializers import ones, zeros
from ..module import Module
from ..parameter import Parameter
from .functions import check_eps, group_norm, layer_norm, rms_norm, shape_of_layer


class LayerNorm(Module):
    """layer_norm over the last axes, with learned weight (ones) and bias (zeros).

    elementwise_affine=False: without both; bias=False: without bias.
    Raises HyperparameterError for settings out of range.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        shape = shape_of_layer("LayerNorm", normalized_shape)
        check_eps("LayerNorm", eps)
        self.normalized_shape, self.eps = shape, eps
        made = {"device": device, "dtype": dtype}
        self.weight = Parameter(ones(shape, **made)) if elementwise_affine else None
        self.bias = Parameter(zeros(shape, **made)) if elementwise_affine and bias else None

    def forward(self, x: Array) -> Array:
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        affine = "" if self.weight is not None else ", elementwise_affine=False"
        return f"{self.normalized_shape}, eps={self.eps}{affine}{_bias_left_out(self)}"


class RMSNorm(Module):
    """rms_norm over the last axes, with a learned weight (ones).

    eps: the spacing of the dtype at 1 unless given. elementwise_affine=False: without weight.
    Raises HyperparameterError for settings out of range.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        shape = shape_of_layer("RMSNorm", normalized_shape)
        if eps is not None:
            check_eps("RMSNorm", eps)
        self.normalized_shape, self.eps = shape, eps
        self.weight = (
            Parameter(ones(shape, device=device, dtype=dtype)) if elementwise_affine else None
        )

    def forward(self, x: Array) -> Array:
        return rms_norm(x, self.normalized_shape, self.weight, eps=self.eps)

    def extra_repr(self) -> str:
        affine = "" if self.weight is not None else ", elementwise_affine=False"
        return f"{self.normalized_shape}, eps={self.eps}{affine}"


class GroupNorm(Module):
    """group_norm with learned weight (ones) and bias (zeros), one of each for every channel.

    affine=False: without both; bias=False: without bias. Raises HyperparameterError for settings
    out of range, and unless num_groups divides num_channels.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        check_integer("GroupNorm", "num_groups", num_groups)
        check_integer("GroupNorm", "num_channels", num_channels)
        check_eps("GroupNorm", eps)
        if num_channels % num_groups:
            raise HyperparameterError(
                f"GroupNorm: num_groups must divide num_channels, got num_groups={num_groups} and "
                f"num_channels={num_channels}"
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        made = {"device": device, "dtype": dtype}
        self.weight = Parameter(ones((num_channels,), **made)) if affine else None
        self.bias = Parameter(zeros((num_channels,), **made)) if affine and bias else None

    def forward(self, x: Array) -> Array:
        return group_norm(x, self.num_groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        affine = "" if self.weight is not None else ", affine=False"
        settings = f"{self.num_groups}, {self.num_channels}, eps={self.eps}"
        return f"{settings}{affine}{_bias_left_out(self)}"


def _bias_left_out(layer: LayerNorm | GroupNorm) -> str:
    """What repr says of a layer that has a weight and no bias."""
    return "" if layer.weight is None or layer.bias is not None else ", bias=False"
