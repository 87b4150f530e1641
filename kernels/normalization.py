"""Mean 0 and variance 1 on NumPy: sums as inner products, and few passes over the array."""

from __future__ import annotations

from typing import Any

import numpy as np

from .fused import Fused

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def forward(x: np.ndarray, *, axes: tuple[int, ...], eps: float, centered: bool = True) -> Any:
    """(y, the factor 1 / sqrt(variance + eps)). Declines dtypes other than float32 and float64."""
    if x.dtype not in DTYPES or x.size == 0:
        return NotImplemented
    n = _count(x.shape, axes)
    y = x
    if centered:
        y = np.subtract(x, _sums(x, None, axes) / n)
    scale = 1.0 / np.sqrt(_sums(y, y, axes) / n + eps, dtype=x.dtype)
    y = np.multiply(y, scale, out=y if centered else None)
    return y, scale


def backward(
    dy: np.ndarray, axes: tuple[int, ...], centered: bool, y: np.ndarray, saved: Any
) -> tuple[np.ndarray]:
    """(dy - y mean(dy y) - mean(dy)) times the factor, the last mean where it is centered."""
    n = _count(y.shape, axes)
    dx = np.multiply(y, _sums(dy, y, axes) / -n)
    np.add(dx, dy, out=dx)
    if centered:
        np.subtract(dx, _sums(dy, None, axes) / n, out=dx)
    return (np.multiply(dx, saved, out=dx),)


def _sums(x: np.ndarray, factor: np.ndarray | None, axes: tuple[int, ...]) -> np.ndarray:
    """The sums of x times factor over the axes, which stay with length 1."""
    last = x.ndim - 1
    if axes == (last,):
        other = np.ones(x.shape[-1:], x.dtype) if factor is None else factor
        return np.vecdot(x, other)[..., None]
    if axes == (0,) and factor is None and x.ndim == 2:
        return np.matmul(np.ones((1, len(x)), x.dtype), x)
    rows = tuple(axis for axis in axes if axis != last)
    if last in axes:
        other = np.ones(x.shape[-1:], x.dtype) if factor is None else factor
        return np.add.reduce(np.vecdot(x, other), axis=rows, keepdims=True)[..., None]
    return np.add.reduce(x if factor is None else x * factor, axis=axes, keepdims=True)


def _count(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    n = 1
    for axis in axes:
        n *= shape[axis]
    return n


NORMALIZED_NUMPY = Fused(forward, backward, saves=True)
