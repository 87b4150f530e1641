"""Attention on NumPy: scores become weights, and their gradient, in the buffer of the product."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .fused import Fused

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def attention_forward(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None = None,
    kept: np.ndarray | None = None,
    *,
    is_causal: bool,
    scale: float,
) -> Any:
    """(y, weights). Declines empty arrays and dtypes other than float32 and float64."""
    if query.dtype not in DTYPES or 0 in (query.size, key.size, value.size):
        return NotImplemented
    weights = np.matmul(query * query.dtype.type(scale), np.swapaxes(key, -1, -2))
    if is_causal:
        np.add(weights, _later(*weights.shape[-2:], weights.dtype), out=weights)
    if mask is not None:
        if mask.ndim > weights.ndim or mask.dtype not in (weights.dtype, np.dtype(bool)):
            return NotImplemented
        added = mask if mask.dtype != bool else _closed(mask, weights.dtype)
        np.add(weights, added, out=weights)
    top = np.maximum.reduce(weights, axis=-1, keepdims=True)
    if mask is not None:  # a query that may look nowhere: exp(-inf - 0) = 0 everywhere
        np.copyto(top, 0.0, where=np.isneginf(top))
    np.subtract(weights, top, out=weights)
    np.exp(weights, out=weights)
    total = np.vecdot(weights, np.ones(weights.shape[-1:], weights.dtype))[..., None]
    if mask is not None:
        np.copyto(total, 1.0, where=total == 0.0)
    np.divide(weights, total, out=weights)
    return np.matmul(weights if kept is None else weights * kept, value), weights


def attention_backward(
    dy: np.ndarray,
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    kept: np.ndarray | None,
    scale: float,
    saved: np.ndarray,
    needs: frozenset[str],
) -> tuple[np.ndarray | None, ...]:
    """dquery, dkey, dvalue, dmask: dscores = weights (dweights - sum of dweights weights)."""
    weights = saved
    dquery = dkey = dvalue = dscores = None
    if "value" in needs:
        used = weights if kept is None else weights * kept
        dvalue = np.matmul(np.swapaxes(used, -1, -2), dy)
    if needs & {"query", "key", "mask"}:
        dscores = np.matmul(dy, np.swapaxes(value, -1, -2))
        if kept is not None:
            np.multiply(dscores, kept, out=dscores)
        np.subtract(dscores, np.vecdot(dscores, weights)[..., None], out=dscores)
        np.multiply(dscores, weights, out=dscores)
    if dscores is not None and "query" in needs:
        dquery = np.matmul(dscores, key)
        np.multiply(dquery, dquery.dtype.type(scale), out=dquery)
    if dscores is not None and "key" in needs:
        dkey = np.matmul(np.swapaxes(dscores, -1, -2), query)
        np.multiply(dkey, dkey.dtype.type(scale), out=dkey)
    return dquery, dkey, dvalue, dscores if "mask" in needs else None


@functools.lru_cache(maxsize=8)
def _later(n_queries: int, n_keys: int, dtype: np.dtype) -> np.ndarray:
    """-inf where the key comes after the query, else 0; kept for the next call."""
    ones = np.ones((n_queries, n_keys), dtype=bool)
    return _closed(np.tril(ones), dtype)


def _closed(mask: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """0 where the mask is true, else -inf."""
    return np.where(mask, dtype.type(0.0), dtype.type(-np.inf))


ATTENTION_NUMPY = Fused(
    attention_forward, attention_backward, of=("query", "key", "value", "mask"), saves=True
)
