"""The largest element of every window on NumPy: slices in place of indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .fused import Fused

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def forward(x: np.ndarray, *, geometry: Any) -> Any:
    """The largest element of every window of the last axes.

    Declines empty arrays, other dtypes, and results with NaN or -inf: which of several such
    elements has the gradient is for the definition to say.
    """
    if x.size == 0 or x.dtype not in DTYPES:
        return NotImplemented
    padded = _padded(x, geometry)
    first, *others = (padded[(..., *geometry.slices(p))] for p in geometry.positions())
    y = first.copy()
    for part in others:
        np.maximum(y, part, out=y)
    return y if np.min(y) > -np.inf else NotImplemented  # false for NaN too


def backward(dy: np.ndarray, x: np.ndarray, y: np.ndarray, geometry: Any) -> tuple[np.ndarray]:
    """dy at the first element of each window that is its largest."""
    padded = _padded(x, geometry)
    dx = np.zeros(padded.shape, x.dtype)
    free = np.ones(y.shape, np.bool_)
    for position in geometry.positions():
        key = (..., *geometry.slices(position))
        found = np.equal(padded[key], y)
        found &= free
        free ^= found
        part = dx[key]
        np.add(part, np.multiply(dy, found), out=part)
    return (dx[(..., *geometry.inside())],)


def _padded(x: np.ndarray, geometry: Any) -> np.ndarray:
    """x in a border that is never the largest."""
    if not any(map(any, geometry.padding)):
        return x
    padded = np.full((*x.shape[: -len(geometry.lengths)], *geometry.padded), -np.inf, x.dtype)
    padded[(..., *geometry.inside())] = x
    return padded


WINDOW_MAX_NUMPY = Fused(forward, backward)
