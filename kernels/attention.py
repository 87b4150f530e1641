"""Attention on NumPy: by compiled loops without all weights at once, else in one buffer for them.

Scores become weights, and their gradient, in the buffer of the product.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .fused import Fused
from .heads import Kept, heads_of

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
    if not _fits(query, key, value, mask):
        return NotImplemented
    mask = _added(mask, query.dtype)
    heads = heads_of(query, key, value, mask, is_causal, scale) if kept is None else None
    if heads is not None:
        return heads.forward()
    weights = _weights(query, key, mask, is_causal, scale)
    return np.matmul(weights if kept is None else weights * kept, value), weights


def _weights(
    query: np.ndarray, key: np.ndarray, mask: np.ndarray | None, is_causal: bool, scale: float
) -> np.ndarray:
    """softmax(query key^T scale + mask)."""
    weights = np.matmul(query * query.dtype.type(scale), np.swapaxes(key, -1, -2))
    if is_causal:
        np.add(weights, _later(*weights.shape[-2:], weights.dtype), out=weights)
    if mask is not None:
        np.add(weights, mask, out=weights)
    top = np.maximum.reduce(weights, axis=-1, keepdims=True)
    if mask is not None:  # a query that may look nowhere: exp(-inf - 0) = 0 everywhere
        np.copyto(top, 0.0, where=np.isneginf(top))
    np.subtract(weights, top, out=weights)
    np.exp(weights, out=weights)
    total = np.vecdot(weights, np.ones(weights.shape[-1:], weights.dtype))[..., None]
    if mask is not None:
        np.copyto(total, 1.0, where=total == 0.0)
    return np.divide(weights, total, out=weights)


def attention_backward(
    dy: np.ndarray,
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None,
    kept: np.ndarray | None,
    is_causal: bool,
    scale: float,
    saved: Any,
    needs: frozenset[str],
) -> tuple[np.ndarray | None, ...]:
    """dquery, dkey, dvalue, dmask; saved: the weights, or what compiled loops keep."""
    if isinstance(saved, Kept):
        return _from_kept(dy, query, key, value, mask, is_causal, scale, saved, needs)
    return _from_weights(dy, query, key, value, kept, scale, saved, needs)


def _from_weights(
    dy: np.ndarray,
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    kept: np.ndarray | None,
    scale: float,
    weights: np.ndarray,
    needs: frozenset[str],
    dlogs: np.ndarray | None = None,
) -> tuple[np.ndarray | None, ...]:
    """dscores = weights (dweights - sum of dweights weights + dlogs)."""
    dquery = dkey = dvalue = dscores = None
    if "value" in needs:
        used = weights if kept is None else weights * kept
        dvalue = np.matmul(np.swapaxes(used, -1, -2), dy)
    if needs & {"query", "key", "mask"}:
        dscores = np.matmul(dy, np.swapaxes(value, -1, -2))
        if kept is not None:
            np.multiply(dscores, kept, out=dscores)
        np.subtract(dscores, np.vecdot(dscores, weights)[..., None], out=dscores)
        if dlogs is not None:
            np.add(dscores, dlogs, out=dscores)
        np.multiply(dscores, weights, out=dscores)
    if dscores is not None and "query" in needs:
        dquery = np.matmul(dscores, key)
        np.multiply(dquery, dquery.dtype.type(scale), out=dquery)
    if dscores is not None and "key" in needs:
        dkey = np.matmul(np.swapaxes(dscores, -1, -2), query)
        np.multiply(dkey, dkey.dtype.type(scale), out=dkey)
    return dquery, dkey, dvalue, dscores if "mask" in needs else None


def _from_kept(
    dy: np.ndarray,
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None,
    is_causal: bool,
    scale: float,
    kept: Kept,
    needs: frozenset[str],
    dlogs: np.ndarray | None = None,
) -> tuple[np.ndarray | None, ...]:
    """The gradients where compiled loops went forward; a mask's takes all weights at once."""
    mask = _added(mask, query.dtype)
    heads = heads_of(query, key, value, mask, is_causal, scale)
    if heads is not None and dy.dtype == query.dtype and "mask" not in needs:
        return *heads.backward(dy, kept, dlogs), None
    weights = _weights(query, key, mask, is_causal, scale)
    return _from_weights(dy, query, key, value, None, scale, weights, needs, dlogs)


def blockwise_forward(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    is_causal: bool,
    scale: float,
    dropout_p: float,
    seed: int,
    block: int,
) -> Any:
    """((y, log of the sum of exp(scores)), what backward wants), by compiled loops or not at all.

    The loops have a block of their own; dropout, whose choices go by block, is left to others.
    """
    if dropout_p or not _fits(query, key, value, mask):
        return NotImplemented
    heads = heads_of(query, key, value, _added(mask, query.dtype), is_causal, scale)
    if heads is None:
        return NotImplemented
    y, kept = heads.forward()
    return (y, kept.logs((*y.shape[:-1], 1))), kept


def blockwise_backward(
    dy: tuple[np.ndarray, np.ndarray],
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None,
    is_causal: bool,
    scale: float,
    saved: Kept,
    needs: frozenset[str],
) -> tuple[np.ndarray | None, ...]:
    """dquery, dkey, dvalue, dmask."""
    dresult, dlogs = dy
    return _from_kept(dresult, query, key, value, mask, is_causal, scale, saved, needs, dlogs)


def _fits(query: np.ndarray, key: np.ndarray, value: np.ndarray, mask: np.ndarray | None) -> bool:
    """Whether the arrays have numbers of one dtype, and the mask no axes that they lack."""
    if query.dtype not in DTYPES or 0 in (query.size, key.size, value.size):
        return False
    if mask is None:
        return True
    n_axes = max(query.ndim, key.ndim, value.ndim)
    return mask.ndim <= n_axes and mask.dtype in (query.dtype, np.dtype(bool))


def _added(mask: np.ndarray | None, dtype: np.dtype) -> np.ndarray | None:
    """What is added to the scores for a mask."""
    return mask if mask is None or mask.dtype != bool else _closed(mask, dtype)


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
BLOCKWISE_NUMPY = Fused(
    blockwise_forward, blockwise_backward, of=("query", "key", "value", "mask"), saves=True
)
