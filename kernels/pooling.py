"""The largest element of every window on NumPy, and sums: compiled, else slices for indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .compiled import loops_for
from .fused import Fused
from .threads import in_slices
from .windows import window_numbers

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
PART = 2**19  # elements: what one thread pools at a time


def forward(x: np.ndarray, *, geometry: Any) -> Any:
    """The largest element of every window of the last axes.

    Declines empty arrays, other dtypes, and without compiled loops results with NaN or -inf: which
    of several such elements has the gradient is for the definition to say.
    """
    if x.size == 0 or x.dtype not in DTYPES:
        return NotImplemented
    y = np.empty(_shape(x, geometry.counts), x.dtype)
    if _compiled("window_max", geometry, y, x):
        return y
    padded = _padded(x, geometry)
    first, *others = (padded[(..., *geometry.slices(p))] for p in geometry.positions())
    np.copyto(y, first)
    for part in others:
        np.maximum(y, part, out=y)
    return y if np.min(y) > -np.inf else NotImplemented  # false for NaN too


def backward(dy: np.ndarray, x: np.ndarray, y: np.ndarray, geometry: Any) -> tuple[np.ndarray]:
    """dy at the first element of each window that is its largest."""
    dx = np.empty(x.shape, x.dtype)
    if _compiled("window_max_backward", geometry, dx, dy, x, y):
        return (dx,)
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


def window_sum(x: np.ndarray, *, geometry: Any) -> Any:
    """The sum of every window of the last axes; NotImplemented without compiled loops."""
    y = np.zeros(_shape(x, geometry.counts), x.dtype)
    return y if _compiled("window_sum", geometry, y, x) else NotImplemented


def window_spread(y: np.ndarray, *, geometry: Any) -> Any:
    """Every y added to the elements of its window; NotImplemented without compiled loops."""
    x = np.zeros(_shape(y, geometry.lengths), y.dtype)
    return x if _compiled("window_spread", geometry, x, y) else NotImplemented


def _shape(x: np.ndarray, last: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of x with other last axes."""
    return (*x.shape[: -len(last)], *last)


def _compiled(name: str, geometry: Any, *arrays: np.ndarray) -> bool:
    """Whether the compiled loop of that name was there and has written the first array."""
    arrays = tuple(map(np.ascontiguousarray, arrays))
    loops, numbers = loops_for(*arrays), window_numbers(geometry)
    if loops is None or numbers is None or any(array.size == 0 for array in arrays):
        return False
    loop, n = getattr(loops, name), len(geometry.window)
    planes = [array.reshape(-1, *array.shape[-n:]) for array in arrays]
    in_slices(loop, max(1, PART // math.prod(geometry.lengths)), planes, 1, 1, *numbers)
    return True


def _padded(x: np.ndarray, geometry: Any) -> np.ndarray:
    """x in a border that is never the largest."""
    if not any(map(any, geometry.padding)):
        return x
    padded = np.full((*x.shape[: -len(geometry.lengths)], *geometry.padded), -np.inf, x.dtype)
    padded[(..., *geometry.inside())] = x
    return padded


WINDOW_MAX_NUMPY = Fused(forward, backward)
WINDOW_SUM_NUMPY = Fused(window_sum)
WINDOW_SPREAD_NUMPY = Fused(window_spread, of=("y",))
