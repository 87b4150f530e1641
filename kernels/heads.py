"""Attention in compiled loops: some heads at a time, without a matrix of all weights.

What is kept for the backward pass are two numbers for each query, its largest score and one over
the sum of exp(score - largest); the weights are computed again from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .compiled import FLOAT32, loops_for
from .threads import in_parts, own_scratch

PART = 2**18  # weights that one thread computes at a time


@dataclass
class Kept:
    """What backward wants: (batch, heads, L) twice."""

    tops: np.ndarray
    inverses: np.ndarray

    def logs(self, shape: tuple[int, ...]) -> np.ndarray:
        """log of the sum of exp(scores) of every query; -inf for one that looks nowhere."""
        with np.errstate(divide="ignore"):
            return (self.tops - np.log(self.inverses)).reshape(shape)


class Heads:
    """Attention of queries, keys and values with at most two leading axes, which broadcast."""

    def __init__(
        self,
        loops: Any,
        arrays: tuple[np.ndarray, np.ndarray, np.ndarray],
        mask: np.ndarray | None,
        is_causal: bool,
        scale: float,
    ) -> None:
        query, key, value = arrays
        leading = np.broadcast_shapes(*(x.shape[:-2] for x in arrays))
        self.leading = leading
        self.batch = (1,) * (2 - len(leading)) + leading
        self.query, self.key, self.value = (self._whole(x, *x.shape[-2:]) for x in arrays)
        self.mask = (
            _none(query) if mask is None else self._whole(mask, query.shape[-2], key.shape[-2])
        )
        self.settings = (is_causal, scale)
        self.loops = loops
        sizes = (query.shape[-2], key.shape[-2], query.shape[-1], value.shape[-1])
        self.scratch = loops.attention_scratch(*sizes)
        self.n_heads = math.prod(self.batch)
        self.heads_a_part = max(1, PART // (sizes[0] * sizes[1]))

    def forward(self) -> tuple[np.ndarray, Kept]:
        """(y, what backward wants)."""
        y = _like(self.query, self.value.shape[-1])
        kept = Kept(*np.empty((2, *self.query.shape[:3]), FLOAT32))
        arrays = (self.query, self.key, self.value, self.mask)

        def work(first: int, last: int) -> None:
            scratch = own_scratch("attention", self.scratch[0], FLOAT32)
            numbers = (kept.tops, kept.inverses, scratch)
            self.loops.attention(y, *numbers, *arrays, *self.settings, first, last)

        in_parts(work, self.n_heads, self.heads_a_part)
        return y.reshape(*self.leading, *y.shape[2:]), kept

    def backward(self, dy: np.ndarray, kept: Kept, dlogs: Any = None) -> tuple[np.ndarray, ...]:
        """dquery, dkey, dvalue, of the broadcast shapes; dlogs: the cotangent of kept.logs."""
        dy = self._whole(np.require(dy, requirements="A"), *dy.shape[-2:])
        dquery = _like(self.query, self.query.shape[-1])
        dkey, dvalue = (_like(x, x.shape[-1]) for x in (self.key, self.value))
        dkey.fill(0.0)
        dvalue.fill(0.0)
        dlogs = _none(dy) if dlogs is None else np.ascontiguousarray(dlogs)
        arrays = (self.query, self.key, self.value, self.mask)

        def work(first: int, last: int) -> None:
            scratch = own_scratch("attention", self.scratch[1], FLOAT32)
            numbers = (scratch, dy, kept.tops, kept.inverses, dlogs)
            self.loops.attention_backward(
                dquery, dkey, dvalue, *numbers, *arrays, *self.settings, first, last
            )

        in_parts(work, self.n_heads, self.heads_a_part)
        return tuple(x.reshape(*self.leading, *x.shape[2:]) for x in (dquery, dkey, dvalue))

    def _whole(self, x: np.ndarray, *last: int) -> np.ndarray:
        return np.broadcast_to(x, (*self.batch, *last))


def heads_of(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    mask: np.ndarray | None,
    is_causal: bool,
    scale: float,
) -> Heads | None:
    """Attention by compiled loops; None where they are not there or do not take the arrays.

    They take float32, at most two leading axes, and a mask that is added.
    """
    loops = loops_for()
    arrays = (query, key, value)
    given = arrays if mask is None else (*arrays, mask)
    if loops is None or not all(map(_is_taken, given)) or any(x.size == 0 for x in arrays):
        return None
    return Heads(loops, arrays, mask, is_causal, scale)


def _is_taken(x: np.ndarray) -> bool:
    """Whether loops take x, whatever its strides are."""
    return x.dtype == FLOAT32 and x.ndim <= 4 and x.flags.aligned


def _like(x: np.ndarray, n: int) -> np.ndarray:
    """An array of x's shape, but n numbers in a row, with the axes in the order in memory of x's.

    So what was made from (batch, L, heads, n) goes back there without a copy.
    """
    if x.shape[1] > 1 and x.shape[2] > 1 and x.strides[1] < x.strides[2]:
        return np.empty((x.shape[0], x.shape[2], x.shape[1], n), x.dtype).swapaxes(1, 2)
    return np.empty((*x.shape[:3], n), x.dtype)


def _none(x: np.ndarray) -> np.ndarray:
    return np.empty(0, x.dtype)
