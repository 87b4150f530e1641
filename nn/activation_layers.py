"""The activations as layers, for Sequential; formulas and sources stand at the functions."""

from __future__ import annotations

import math
from typing import Any

from ..backend import Array, Device
from ..backend.errors import HyperparameterError
from . import activation as functions
from .dimensions import check_integer
from .initializers import constant
from .module import Module
from .parameter import Parameter


class Identity(Module):
    """x itself; takes any arguments and passes over them, to stand in for another layer."""

    def __init__(self, *settings: Any, **options: Any) -> None:
        pass

    def forward(self, x: Array) -> Array:
        return functions.identity(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Array) -> Array:
        return functions.sigmoid(x)


class LogSigmoid(Module):
    """log(sigmoid(x))."""

    def forward(self, x: Array) -> Array:
        return functions.log_sigmoid(x)


class Tanh(Module):
    """tanh(x)."""

    def forward(self, x: Array) -> Array:
        return functions.tanh(x)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Array) -> Array:
        return functions.relu(x)


class LeakyReLU(Module):
    """x above 0, negative_slope x elsewhere. Raises HyperparameterError unless it is finite."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = _finite("LeakyReLU: negative_slope", negative_slope)

    def forward(self, x: Array) -> Array:
        return functions.leaky_relu(x, negative_slope=self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x above 0, weight x elsewhere, with one learned slope, or one for each channel (axis 1).

    num_parameters: how many slopes; init: their first value.
    Raises HyperparameterError unless num_parameters is an integer >= 1 and init is finite.
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        *,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        check_integer("PReLU", "num_parameters", num_parameters)
        self.init = _finite("PReLU: init", init)
        slopes = constant((num_parameters,), self.init, dtype=dtype, device=device)
        self.weight = Parameter(slopes)

    def forward(self, x: Array) -> Array:
        return functions.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}"


class ELU(Module):
    """x above 0, alpha (exp(x) - 1) elsewhere; HyperparameterError unless alpha is finite."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = _finite("ELU: alpha", alpha)

    def forward(self, x: Array) -> Array:
        return functions.elu(x, alpha=self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"


class GELU(Module):
    """x Phi(x), or with approximate="tanh" the paper's approximation."""

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise HyperparameterError(
                f'GELU: approximate must be "none" or "tanh", got {approximate!r}'
            )
        self.approximate = approximate

    def forward(self, x: Array) -> Array:
        return functions.gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        return "" if self.approximate == "none" else f"approximate={self.approximate!r}"


class SiLU(Module):
    """x sigmoid(x)."""

    def forward(self, x: Array) -> Array:
        return functions.silu(x)


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, and x where beta x > threshold.

    Raises HyperparameterError unless beta > 0 and threshold >= 0, both finite.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = _finite("Softplus: beta", beta)
        self.threshold = _finite("Softplus: threshold", threshold)
        if beta <= 0 or threshold < 0:
            raise HyperparameterError(
                f"Softplus: beta must be > 0 and threshold >= 0, got {beta} and {threshold}"
            )

    def forward(self, x: Array) -> Array:
        return functions.softplus(x, beta=self.beta, threshold=self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


def _finite(what: str, value: float) -> float:
    """The value, if it is a finite number. Raises HyperparameterError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise HyperparameterError(f"{what} must be a finite number, got {value!r}")
    return float(value)
