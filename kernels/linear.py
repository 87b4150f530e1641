"""linear on NumPy: product, bias and activation in one buffer; weight gradients in their place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .activated import activated, dactivated
from .activation import BY_NAME
from .fused import Fused

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    activation: str | None = None,
) -> Any:
    """(activation(x weight^T + bias), what its derivative needs: at most two arrays like y).

    x: (..., in), taken as one matrix. Declines empty arrays, dtypes other than float32 and float64
    or two of them, and activations that are not in kernels/activation.py.
    """
    if x.size == 0 or x.dtype not in DTYPES or weight.dtype != x.dtype:
        return NotImplemented
    if activation is not None and activation not in BY_NAME:
        return NotImplemented
    y = np.matmul(x if x.ndim == 2 else x.reshape(-1, x.shape[-1]), weight.T)
    y, saved = activated(y, bias, activation)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], y.shape[-1]), saved


def backward(
    dy: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    activation: str | None,
    saved: Any,
    needs: frozenset[str],
    into: dict[str, np.ndarray],
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """dx = dz weight, dweight = dz^T x and dbias = the sum of dz, with dz = dy activation'.

    The sum is a product with ones: BLAS adds columns up in less than half the time of sum().
    """
    dz = dy if dy.ndim == 2 else dy.reshape(-1, weight.shape[0])
    if activation is not None:
        dz = dactivated(dz, activation, saved)
    dx = dweight = dbias = None
    if "x" in needs:
        dx = np.matmul(dz, weight)
        dx = dx if x.ndim == 2 else dx.reshape(x.shape)
    if "weight" in needs:
        rows = x if x.ndim == 2 else x.reshape(-1, x.shape[-1])
        dweight = np.matmul(dz.T, rows, out=into.get("weight"))
    if "bias" in needs:
        dbias = np.matmul(np.ones(len(dz), dz.dtype), dz, out=into.get("bias"))
    return dx, dweight, dbias


LINEAR_NUMPY = Fused(forward, backward, of=("x", "weight", "bias"), saves=True)
