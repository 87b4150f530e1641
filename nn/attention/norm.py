"""A stand-in for LayerNorm over the last axis."""

from __future__ import annotations

from typing import Any

from ...backend import Array, array_namespace
from ..initializers import ones, zeros
from ..module import Module
from ..parameter import Parameter


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) weight + bias over the last axis."""

    def __init__(self, n: int, eps: float = 1e-5, bias: bool = True, **placed: Any) -> None:
        self.eps = eps
        self.weight = Parameter(ones((n,), **placed))
        self.bias = Parameter(zeros((n,), **placed)) if bias else None

    def forward(self, x: Array) -> Array:
        xp = array_namespace(x)
        x = x - xp.mean(x, axis=-1, keepdims=True)
        y = x / xp.sqrt(xp.mean(x * x, axis=-1, keepdims=True) + self.eps) * self.weight
        return y if self.bias is None else y + self.bias
