"""softmax and log_softmax on NumPy: one new array for the result, one for the gradient.

Along the last axis compiled loops read a row from memory once. Without them sums along it are inner
products, with ones where there is nothing else: twice as fast as NumPy's sum, in an order of their
own, so that results may differ in the last bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .compiled import loops_for
from .fused import Fused
from .threads import in_slices

PART = 2**17  # numbers: what one thread takes at a time, at least a row
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))  # sums of half precision need a wider one


def softmax_forward(x: np.ndarray, *, axis: int = -1) -> Any:
    """exp(x - max) / sum of it along the axis. Declines dtypes other than float32 and float64."""
    if x.dtype not in DTYPES:
        return NotImplemented
    loops = _loops(axis, x)
    if loops is not None:
        return _by_rows(loops.softmax, x)
    y = np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True))
    np.exp(y, out=y)
    return np.divide(y, _sums(y, axis), out=y)


def softmax_backward(dy: np.ndarray, y: np.ndarray, axis: int) -> tuple[np.ndarray]:
    """y (dy - sum of dy y along the axis)."""
    loops = _loops(axis, dy, y)
    if loops is not None:
        return (_by_rows(loops.dsoftmax, dy, y),)
    if axis in (-1, y.ndim - 1):
        dx = np.subtract(dy, np.vecdot(dy, y)[..., None])
    else:
        dx = np.multiply(dy, y)
        np.subtract(dy, _sums(dx, axis), out=dx)
    return (np.multiply(dx, y, out=dx),)


def log_softmax_forward(x: np.ndarray, *, axis: int = -1) -> Any:
    """x - max - log of the sum of exp(x - max) along the axis. Declines the same dtypes."""
    if x.dtype not in DTYPES:
        return NotImplemented
    loops = _loops(axis, x)
    if loops is not None:
        return _by_rows(loops.log_softmax, x)
    y = np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True))
    return np.subtract(y, np.log(_sums(np.exp(y), axis)), out=y)


def log_softmax_backward(dy: np.ndarray, y: np.ndarray, axis: int) -> tuple[np.ndarray]:
    """dy - exp(y) times the sum of dy along the axis."""
    loops = _loops(axis, dy, y)
    if loops is not None:
        return (_by_rows(loops.dlog_softmax, dy, y),)
    dx = np.exp(y)
    np.multiply(dx, _sums(dy, axis), out=dx)
    return (np.subtract(dy, dx, out=dx),)


def _loops(axis: int, *arrays: np.ndarray) -> Any:
    """The compiled loops, if they take these arrays and the axis is the last."""
    x = arrays[0]
    is_last = isinstance(x, np.ndarray) and x.size > 0 and axis in (-1, x.ndim - 1)
    return loops_for(*arrays) if is_last else None


def _by_rows(loop: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """What loop(some rows of each array..., y, their length) writes to y."""
    y, n = np.empty_like(arrays[0]), arrays[0].shape[-1]
    in_slices(loop, max(1, PART // n), [a.reshape(-1, n) for a in (*arrays, y)], n)
    return y


def _sums(x: np.ndarray, axis: int) -> np.ndarray:
    """The sums along an axis, which stays with length 1."""
    if axis in (-1, x.ndim - 1):
        return np.vecdot(x, np.ones(x.shape[-1:], x.dtype))[..., None]
    return np.add.reduce(x, axis=axis, keepdims=True)


SOFTMAX_NUMPY = Fused(softmax_forward, softmax_backward)
LOG_SOFTMAX_NUMPY = Fused(log_softmax_forward, log_softmax_backward)
