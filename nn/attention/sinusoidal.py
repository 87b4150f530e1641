"""Positions as sines and cosines of falling frequency, and the layer that adds them."""

from __future__ import annotations

import math
from typing import Any

from ...backend import Array, Device, as_dtype, current_device, find_device
from ...backend.errors import ShapeError
from ..dimensions import check_integer
from ..module import Module


def sinusoidal_positions(
    length: int,
    features: int,
    *,
    base: float = 10_000.0,
    device: str | Device | None = None,
    dtype: Any = None,
) -> Array:
    """y[t, 2 i] = sin(t / base^(2 i / features)) and y[t, 2 i + 1] = cos of the same.

    A plain array (length, features), float32 unless dtype is given; computed in float64.
    Raises HyperparameterError. Source: Vaswani et al. 2017, section 3.5.
    """
    check_integer("sinusoidal_positions", "length", length)
    check_integer("sinusoidal_positions", "features", features)
    where = current_device() if device is None else find_device(device)
    xp = where.xp
    with where.active():
        steps = xp.arange(length, dtype=xp.float64, device=where.raw)
        pairs = xp.arange((features + 1) // 2, dtype=xp.float64, device=where.raw)
        angles = steps[:, None] * xp.exp(pairs * (-2.0 * math.log(base) / features))[None, :]
        y = xp.stack([xp.sin(angles), xp.cos(angles)], axis=-1)
        y = xp.reshape(y, (length, 2 * pairs.shape[0]))[:, :features]
        return xp.astype(y, as_dtype(xp, "float32" if dtype is None else dtype))


class SinusoidalPositions(Module):
    """x + sinusoidal_positions(): x (..., length, features), length at most max_length.

    Raises HyperparameterError, and ShapeError for another number of features or a longer x.
    """

    def __init__(
        self,
        features: int,
        max_length: int = 5000,
        *,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        self.table = sinusoidal_positions(max_length, features, device=device, dtype=dtype)

    def forward(self, x: Array) -> Array:
        max_length, features = self.table.shape
        if x.ndim < 2 or x.shape[-1] != features or x.shape[-2] > max_length:
            raise ShapeError(
                f"SinusoidalPositions: x must be (..., length, {features}) with length at most "
                f"{max_length}, got shape {tuple(x.shape)}"
            )
        return x + self.table[: x.shape[-2], :]

    def extra_repr(self) -> str:
        return f"{self.table.shape[1]}, max_length={self.table.shape[0]}"
