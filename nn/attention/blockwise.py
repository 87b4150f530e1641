"""Attention in blocks of queries and keys: no matrix of all weights, forward nor backward.

Per block of queries, blocks of keys come one after the other; the maximum and the sum of the
softmax so far are carried along (online softmax). What is kept for the backward pass is the result
and, for every query, the logarithm of its sum; the weights of a block are computed again from them.
Source: Rabe and Staats 2021, arXiv:2112.05682; Dao et al. 2022, arXiv:2205.14135, algorithms 1, 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, device_of, is_floating
from ...backend.random import Generator
from ...kernels.attention import BLOCKWISE_NUMPY
from ..autograd import differentiable
from ..autograd.ops.linear_algebra import matmul  # CuPy's own cannot be captured
from ..autograd.tensor import innermost

BLOCK = 256  # queries and keys of a block: 256 KiB of float32 weights a head


def blockwise_attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    is_causal: bool,
    scale: float,
    dropout_p: float = 0.0,
    seed: int = 0,
    block: int = BLOCK,
) -> Array:
    """softmax(query key^T scale + mask) value; arguments as scaled_dot_product_attention's.

    seed: that of the choices of dropout, the same in the backward pass. block: queries and keys of
    one block. Memory beyond inputs and result: a few blocks.
    """
    y, _ = _attend(
        query, key, value, mask,
        is_causal=is_causal, scale=scale, dropout_p=dropout_p, seed=seed, block=block,
    )  # fmt: skip
    return y


@differentiable
def _attend(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    is_causal: bool,
    scale: float,
    dropout_p: float,
    seed: int,
    block: int,
) -> tuple[Array, Array]:
    """(result, log of the sum of exp(scores) of every query (..., L, 1); -inf: looks nowhere)."""
    xp = array_namespace(query, key, value)
    plan = _Plan(query.shape[-2], key.shape[-2], is_causal, scale, dropout_p, seed, block)
    ys, logs = [], []
    for rows in plan.query_blocks():
        q = query[..., rows, :] * scale
        top, total, y = None, None, None
        for columns in plan.key_blocks(rows):
            scores = plan.scores(q, key, mask, rows, columns)
            new_top = xp.max(scores, axis=-1, keepdims=True)
            new_top = new_top if top is None else xp.maximum(top, new_top)
            safe_top = xp.where(new_top > -math.inf, new_top, xp.zeros_like(new_top))
            powers = xp.exp(scores - safe_top)
            part_sum = xp.sum(powers, axis=-1, keepdims=True)
            part = matmul(plan.dropped(powers, rows, columns), value[..., columns, :])
            if total is None:
                total, y = part_sum, part
            else:
                shrunk = xp.exp(top - safe_top)
                total, y = total * shrunk + part_sum, y * shrunk + part
            top = new_top
        y, log = _finished(y, total, top)
        ys.append(y)
        logs.append(log)
    return xp.concat(ys, axis=-2), xp.concat(logs, axis=-2)


def _finished(y: Any, total: Any, top: Any) -> tuple[Array, Array]:
    """y / total, and top + log(total); zeros and -inf where total is 0."""
    xp = array_namespace(y)
    alive = total > 0
    total = xp.where(alive, total, xp.ones_like(total))
    return y / total, xp.where(alive, top + xp.log(total), xp.full_like(total, -math.inf))


@_attend.backward("query", "key", "value", "mask")
def _(
    dy: tuple[Array, Array],
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None,
    is_causal: bool,
    scale: float,
    dropout_p: float,
    seed: int,
    block: int,
    y: tuple[Array, Array],
    needs: frozenset[str],
) -> tuple[Array | None, ...]:
    # dscores = weights (dweights - sum of dy y + dlog); weights = exp(scores - log)
    (dresult, dlog), (result, log) = dy, y
    xp = array_namespace(dresult, query, key, value)
    plan = _Plan(query.shape[-2], key.shape[-2], is_causal, scale, dropout_p, seed, block)
    offset = dlog - xp.sum(dresult * result, axis=-1, keepdims=True)
    log = xp.where(log > -math.inf, log, xp.zeros_like(log))
    columns_of = plan.columns()
    dkeys: list[Any] = [None] * len(columns_of)
    dvalues: list[Any] = [None] * len(columns_of)
    dqueries, dmasks = [], []
    for rows in plan.query_blocks():
        q, dy_rows = query[..., rows, :] * scale, dresult[..., rows, :]
        dq, dmask_row = None, []
        for j, columns in enumerate(plan.key_blocks(rows)):
            k, v = key[..., columns, :], value[..., columns, :]
            weights = xp.exp(plan.scores(q, key, mask, rows, columns) - log[..., rows, :])
            dweights = plan.dropped(matmul(dy_rows, xp.matrix_transpose(v)), rows, columns)
            dscores = weights * (dweights + offset[..., rows, :])
            kept = plan.dropped(weights, rows, columns)
            dvalues[j] = _added(dvalues[j], matmul(xp.matrix_transpose(kept), dy_rows))
            dkeys[j] = _added(dkeys[j], matmul(xp.matrix_transpose(dscores), q))
            dq = _added(dq, matmul(dscores, k) * scale)
            if "mask" in needs:
                dmask_row.append(dscores)
        dqueries.append(dq)
        if "mask" in needs:
            dmasks.append(plan.whole_row(dmask_row))
    dkey, dvalue = (plan.all_columns(parts, x) for parts, x in ((dkeys, key), (dvalues, value)))
    dmask = xp.concat(dmasks, axis=-2) if dmasks else None
    return xp.concat(dqueries, axis=-2), dkey, dvalue, dmask


_attend.fused_by(numpy=BLOCKWISE_NUMPY)


def _added(total: Any, part: Array) -> Array:
    return part if total is None else total + part


@dataclass(frozen=True)
class _Plan:
    """Which blocks there are, and the scores and dropped weights of one."""

    n_queries: int
    n_keys: int
    is_causal: bool
    scale: float
    dropout_p: float
    seed: int
    block: int

    def query_blocks(self) -> list[slice]:
        return _slices(self.n_queries, self.block)

    def columns(self) -> list[slice]:
        return _slices(self.n_keys, self.block)

    def key_blocks(self, rows: slice) -> list[slice]:
        """Those that a query of these rows may look at."""
        blocks = self.columns()
        return [c for c in blocks if c.start < rows.stop] if self.is_causal else blocks

    def scores(self, q: Array, key: Array, mask: Array | None, rows: slice, columns: slice) -> Any:
        """q key^T + mask of one block, -inf where nobody may look; q is scaled."""
        xp = array_namespace(q, key)
        scores = matmul(q, xp.matrix_transpose(key[..., columns, :]))
        if self.is_causal and columns.stop > rows.start + 1:
            lengths = (rows.stop - rows.start, columns.stop - columns.start)
            allowed = causal_mask(*lengths, rows.start, columns.start, q)
            scores = xp.where(allowed, scores, xp.full_like(scores, -math.inf))
        if mask is None:
            return scores
        part = _mask_block(mask, rows, columns)
        if is_floating(part):
            return scores + part
        return xp.where(part, scores, xp.full_like(scores, -math.inf))

    def dropped(self, weights: Array, rows: slice, columns: slice) -> Array:
        """weights, some of them zero and the others divided by 1 - p."""
        p = self.dropout_p
        if not p:
            return weights
        xp = array_namespace(weights)
        drawn = Generator(self.seed).fold_in(f"{rows.start}, {columns.start}")
        kept = drawn.bernoulli(1.0 - p, tuple(weights.shape), device=device_of(weights))
        scale = 1.0 / (1.0 - p) if p < 1 else 0.0
        return xp.where(xp.asarray(kept), weights * scale, xp.zeros_like(weights))

    def whole_row(self, parts: list[Array]) -> Array:
        """Blocks of one row side by side, with zeros for those that were left out."""
        xp = array_namespace(parts[0])
        missing = self.n_keys - sum(part.shape[-1] for part in parts)
        if missing:
            shape = (*parts[0].shape[:-1], missing)
            where = device(innermost(parts[0]))
            parts = [*parts, xp.zeros(shape, dtype=parts[0].dtype, device=where)]
        return xp.concat(parts, axis=-1)

    def all_columns(self, parts: list[Any], like: Array) -> Array:
        """Blocks one below the other, with zeros for keys that no query may look at."""
        first = parts[0]
        xp = array_namespace(first)
        for j, columns in enumerate(self.columns()):
            if parts[j] is None:
                shape = (*first.shape[:-2], columns.stop - columns.start, like.shape[-1])
                parts[j] = xp.zeros(shape, dtype=first.dtype, device=device(innermost(first)))
        return xp.concat(parts, axis=-2)


def causal_mask(n_queries: int, n_keys: int, first_query: int, first_key: int, like: Any) -> Array:
    """Whether key j is not after query i: boolean (n_queries, n_keys), on the device of like."""
    xp = array_namespace(like)
    where = device(innermost(like))
    queries = xp.arange(first_query, first_query + n_queries, dtype=xp.int64, device=where)
    keys = xp.arange(first_key, first_key + n_keys, dtype=xp.int64, device=where)
    return keys[None, :] <= queries[:, None]


def _mask_block(mask: Array, rows: slice, columns: slice) -> Array:
    """The part of a mask that may have length 1 along queries and keys."""
    if mask.ndim > 1 and mask.shape[-2] > 1:
        mask = mask[..., rows, :]
    return mask[..., columns] if mask.shape[-1] > 1 else mask


def _slices(n: int, block: int) -> list[slice]:
    return [slice(start, min(start + block, n)) for start in range(0, n, block)]
