"""Activations on NumPy that overwrite what they are given, for kernels that own the array.

Formulas are those of nn/activation.py, the definitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend.erf import erf

ROOT_HALF = math.sqrt(0.5)
ROOT_2_OVER_PI = math.sqrt(2.0 / math.pi)
CUBIC = 0.044715  # of the tanh approximation of gelu
SLOPE = 0.01  # of leaky_relu


@dataclass(frozen=True)
class Activation:
    """forward(z) -> (y, saved): z may be overwritten, y may be z. backward(dy, saved) -> dz.

    backward writes neither to dy nor to what was saved, which may be y.
    """

    forward: Callable[[np.ndarray], tuple[np.ndarray, Any]]
    backward: Callable[[np.ndarray, Any], np.ndarray]


def relu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """max(z, 0), also saved."""
    y = np.maximum(z, _zeros(z), out=z)
    return y, y


def drelu(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dy where y > 0, else 0."""
    return dy * (y > 0.0)


def leaky_relu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """max(z, SLOPE z), also saved: it has the sign of z."""
    y = np.maximum(z, z * SLOPE, out=z)
    return y, y


def dleaky_relu(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dy where y > 0, else SLOPE dy."""
    dz = (y > 0.0).astype(y.dtype)
    np.multiply(dz, 1.0 - SLOPE, out=dz)
    np.add(dz, SLOPE, out=dz)
    return np.multiply(dz, dy, out=dz)


def sigmoid(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 / (1 + exp(-z)), also saved."""
    y = np.minimum(z, _zeros(z))
    np.exp(y, out=y)
    np.divide(y, _one_and_exp(z), out=y)
    return y, y


def _one_and_exp(z: np.ndarray) -> np.ndarray:
    """1 + exp(-|z|), in z."""
    np.abs(z, out=z)
    np.negative(z, out=z)
    np.exp(z, out=z)
    return np.add(z, 1.0, out=z)


def _zeros(z: np.ndarray) -> np.ndarray:
    """A row of zeros: with a scalar NumPy's maximum and minimum take twice as long."""
    return np.zeros(z.shape[-1], z.dtype)


def dsigmoid(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dy y (1 - y)."""
    dz = np.subtract(1.0, y)
    np.multiply(dz, y, out=dz)
    return np.multiply(dz, dy, out=dz)


def tanh(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """tanh(z), also saved."""
    y = np.tanh(z, out=z)
    return y, y


def dtanh(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dy (1 - y^2)."""
    dz = np.multiply(y, y)
    np.subtract(1.0, dz, out=dz)
    return np.multiply(dz, dy, out=dz)


def silu(z: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """z s with s = sigmoid(z); saved are (z, s)."""
    s, _ = sigmoid(z.copy())
    return z * s, (z, s)


def dsilu(dy: np.ndarray, saved: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """dy s (1 + z (1 - s))."""
    z, s = saved
    dz = np.subtract(1.0, s)
    np.multiply(dz, z, out=dz)
    np.add(dz, 1.0, out=dz)
    np.multiply(dz, s, out=dz)
    return np.multiply(dz, dy, out=dz)


def gelu(z: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """z Phi(z) with Phi the normal distribution function; saved are (z, Phi)."""
    phi = erf(z * ROOT_HALF)
    np.add(phi, 1.0, out=phi)
    np.multiply(phi, 0.5, out=phi)
    return z * phi, (z, phi)


def dgelu(dy: np.ndarray, saved: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """dy (Phi + z times the normal density)."""
    z, phi = saved
    dz = np.multiply(z, z)
    np.multiply(dz, -0.5, out=dz)
    np.exp(dz, out=dz)
    np.multiply(dz, 0.5 * ROOT_2_OVER_PI, out=dz)
    np.multiply(dz, z, out=dz)
    np.add(dz, phi, out=dz)
    return np.multiply(dz, dy, out=dz)


def gelu_tanh(z: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """z (1 + t) / 2 with t = tanh(sqrt(2/pi) (z + CUBIC z^3)); saved are (z, t)."""
    t = np.multiply(z, z)
    np.multiply(t, CUBIC, out=t)
    np.add(t, 1.0, out=t)
    np.multiply(t, z, out=t)
    np.multiply(t, ROOT_2_OVER_PI, out=t)
    np.tanh(t, out=t)
    y = np.add(t, 1.0)
    np.multiply(y, 0.5, out=y)
    return np.multiply(y, z, out=y), (z, t)


def dgelu_tanh(dy: np.ndarray, saved: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """dy (1 + t + z dt) / 2, dt the derivative of the tanh."""
    z, t = saved
    dt = np.multiply(z, z)
    np.multiply(dt, 3.0 * CUBIC, out=dt)
    np.add(dt, 1.0, out=dt)
    np.multiply(dt, ROOT_2_OVER_PI, out=dt)
    rest = np.multiply(t, t)
    np.subtract(1.0, rest, out=rest)
    np.multiply(dt, rest, out=dt)
    np.multiply(dt, z, out=dt)
    np.add(dt, t, out=dt)
    np.add(dt, 1.0, out=dt)
    np.multiply(dt, 0.5, out=dt)
    return np.multiply(dt, dy, out=dt)


BY_NAME = {
    "relu": Activation(relu, drelu),
    "leaky_relu": Activation(leaky_relu, dleaky_relu),
    "sigmoid": Activation(sigmoid, dsigmoid),
    "tanh": Activation(tanh, dtanh),
    "silu": Activation(silu, dsilu),
    "gelu": Activation(gelu, dgelu),
    "gelu_tanh": Activation(gelu_tanh, dgelu_tanh),
}
