"""Activations made of straight pieces, elementwise: floating x -> the same shape and dtype.

Values and the derivatives at the corners are torch's.
"""

from __future__ import annotations

import math

from ..backend import Array, array_namespace, unwrap
from ..backend.errors import HyperparameterError
from .autograd import differentiable
from .module import Module


@differentiable
def hardtanh(x: Array, *, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """x between min_val and max_val, the nearer of the two elsewhere; derivative 0 at both.

    Raises HyperparameterError unless min_val < max_val. Source: Collobert 2004, section 6.4.
    """
    return array_namespace(x).clip(x, min_val, max_val)


@hardtanh.requires
def _(x: Array, min_val: float = -1.0, max_val: float = 1.0) -> None:
    check_bounds("hardtanh: min_val", min_val, "max_val", max_val, strict=True)


@hardtanh.backward
def _(dy: Array, x: Array, min_val: float, max_val: float) -> Array:
    return dy * _ones_where((x > min_val) & (x < max_val), x)


@differentiable
def relu6(x: Array) -> Array:
    """min(max(x, 0), 6). Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR."""
    return hardtanh(x, min_val=0.0, max_val=6.0)


@differentiable
def hardsigmoid(x: Array) -> Array:
    """min(max(x + 3, 0), 6) / 6: 0 up to -3, 1 from 3 on.

    Source: Howard et al. 2019, Searching for MobileNetV3, section 5.2.
    """
    return array_namespace(x).clip(x + 3.0, 0.0, 6.0) * (1.0 / 6.0)


@hardsigmoid.backward
def _(dy: Array, x: Array) -> Array:
    return dy * (_ones_where((x > -3.0) & (x < 3.0), x) * (1.0 / 6.0))


@differentiable
def hardswish(x: Array) -> Array:
    """x hardsigmoid(x): 0 up to -3, x from 3 on. Source: Howard et al. 2019, section 5.2."""
    return x * hardsigmoid(x)


@hardswish.backward
def _(dy: Array, x: Array) -> Array:
    inside = _ones_where((x > -3.0) & (x < 3.0), x)  # there x (x + 3) / 6
    return dy * (inside * (x * (1.0 / 3.0) + 0.5) + _ones_where(x >= 3.0, x))


@differentiable
def hardshrink(x: Array, *, lambd: float = 0.5) -> Array:
    """x where |x| > lambd, 0 elsewhere. Raises HyperparameterError unless lambd >= 0."""
    return x * _outside(x, lambd)


@hardshrink.requires
def _(x: Array, lambd: float = 0.5) -> None:
    check_lambd("hardshrink", lambd)


@hardshrink.backward
def _(dy: Array, x: Array, lambd: float) -> Array:
    return dy * _outside(x, lambd)


@differentiable
def softshrink(x: Array, *, lambd: float = 0.5) -> Array:
    """x moved towards 0 by lambd: x - lambd above it, x + lambd below -lambd, 0 between.

    Raises HyperparameterError unless lambd >= 0.
    """
    return x - array_namespace(x).clip(x, -lambd, lambd)


@softshrink.requires
def _(x: Array, lambd: float = 0.5) -> None:
    check_lambd("softshrink", lambd)


@softshrink.backward
def _(dy: Array, x: Array, lambd: float) -> Array:
    return dy * _outside(x, lambd)


@differentiable
def threshold(x: Array, *, threshold: float, value: float) -> Array:
    """x where x > threshold, value elsewhere. Raises HyperparameterError unless both are finite."""
    xp = array_namespace(x)
    return xp.where(x > threshold, x, xp.full_like(x, value))


@threshold.requires
def _(x: Array, threshold: float, value: float) -> None:
    check_finite("threshold: threshold", threshold)
    check_finite("threshold: value", value)


@threshold.backward
def _(dy: Array, x: Array, threshold: float) -> Array:
    return dy * _ones_where(x > threshold, x)


def check_finite(what: str, value: float) -> float:
    """The value as a float. Raises HyperparameterError unless it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise HyperparameterError(f"{what} must be a finite number, got {value!r}")
    return float(value)


def check_lambd(operation: str, lambd: float) -> float:
    """lambd as a float. Raises HyperparameterError unless it is finite and not below 0."""
    if check_finite(f"{operation}: lambd", lambd) < 0.0:
        raise HyperparameterError(f"{operation}: lambd must be at least 0, got {lambd!r}")
    return float(lambd)


def check_bounds(
    what: str, low: float, other: str, high: float, *, strict: bool = False
) -> tuple[float, float]:
    """Both bounds as floats. Raises HyperparameterError unless finite and in order."""
    operation = what.split(":")[0]
    low, high = check_finite(what, low), check_finite(f"{operation}: {other}", high)
    if high < low or (strict and high == low):
        order = "less than" if strict else "at most"
        raise HyperparameterError(f"{what} must be {order} {other}, got {low} and {high}")
    return low, high


class Hardtanh(Module):
    """x between min_val and max_val. Raises HyperparameterError unless min_val < max_val."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        bounds = check_bounds("Hardtanh: min_val", min_val, "max_val", max_val, strict=True)
        self.min_val, self.max_val = bounds

    def forward(self, x: Array) -> Array:
        return hardtanh(x, min_val=self.min_val, max_val=self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}"


class ReLU6(Module):
    """min(max(x, 0), 6)."""

    def forward(self, x: Array) -> Array:
        return relu6(x)


class Hardsigmoid(Module):
    """0 up to -3, 1 from 3 on, a line between."""

    def forward(self, x: Array) -> Array:
        return hardsigmoid(x)


class Hardswish(Module):
    """x hardsigmoid(x)."""

    def forward(self, x: Array) -> Array:
        return hardswish(x)


class Hardshrink(Module):
    """x where |x| > lambd, 0 elsewhere. Raises HyperparameterError unless lambd >= 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = check_lambd("Hardshrink", lambd)

    def forward(self, x: Array) -> Array:
        return hardshrink(x, lambd=self.lambd)

    def extra_repr(self) -> str:
        return f"lambd={self.lambd}"


class Softshrink(Module):
    """x moved towards 0 by lambd. Raises HyperparameterError unless lambd >= 0."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = check_lambd("Softshrink", lambd)

    def forward(self, x: Array) -> Array:
        return softshrink(x, lambd=self.lambd)

    def extra_repr(self) -> str:
        return f"lambd={self.lambd}"


class Threshold(Module):
    """x where x > threshold, value elsewhere. Raises HyperparameterError unless both are finite."""

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold = check_finite("Threshold: threshold", threshold)
        self.value = check_finite("Threshold: value", value)

    def forward(self, x: Array) -> Array:
        return threshold(x, threshold=self.threshold, value=self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"


def _outside(x: Array, lambd: float) -> Array:
    """1 where |x| > lambd, else 0."""
    return _ones_where((x > lambd) | (x < -lambd), x)


def _ones_where(condition: Array, x: Array) -> Array:
    """1 where the condition holds, else 0, in the dtype of x."""
    return array_namespace(x).astype(condition, unwrap(x).dtype)
