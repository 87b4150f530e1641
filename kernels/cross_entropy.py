"""Cross entropy of integer labels on NumPy: one exp for the loss and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import loops_for
from .fused import Fused
from .threads import in_parts

PART = 2**17  # numbers: what one thread takes at a time, at least a row
SMALL = 2**14  # numbers: below, NumPy's calls cost less

Array = np.ndarray


def forward(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """(loss, (exp of the shifted logits, its row sums, where the labels stand in it)).

    Declines probabilities, leading axes, weights, smoothing, ignore_index and labels out of range.
    """
    plain = weight is None and not label_smoothing and ignore_index is None
    if not plain or logits.ndim != 2 or targets.ndim != 1 or logits.size == 0:
        return NotImplemented
    n, n_classes = logits.shape
    labels = targets.astype(np.int64, copy=False)
    if np.maximum.reduce(labels.view(np.uint64)) >= n_classes:  # a negative label counts as huge
        return NotImplemented
    places = labels + np.arange(0, n * n_classes, n_classes)
    exps, largest, sums = _exponentials(logits)
    terms = np.log(sums[:, 0])
    terms -= logits.take(places) - largest
    return _reduced(terms, reduction), (exps, sums, places)


def _exponentials(x: Array) -> tuple[Array, Array, Array]:
    """exp(x - the largest of its row), the largest of each row, and the sums as a column."""
    loops = loops_for(x) if x.size >= SMALL else None
    if loops is None:
        largest = np.maximum.reduce(x, axis=1)
        exps = x - largest[:, None]
        np.exp(exps, out=exps)
        return exps, largest, np.add.reduce(exps, axis=1, keepdims=True)
    exps, largest, sums = np.empty_like(x), np.empty_like(x[:, 0]), np.empty_like(x[:, :1])
    arrays = x, exps, largest, sums

    def work(start: int, stop: int) -> None:
        loops.row_exponentials(*[a[start:stop] for a in arrays])

    in_parts(work, len(x), max(1, PART // x.shape[1]))
    return exps, largest, sums


def backward(dy: Array, saved: tuple[Array, Array, Array], reduction: str) -> tuple[Array]:
    """(softmax - one at the label) times the cotangent of each row."""
    exps, sums, places = saved
    if reduction == "mean":
        dy = dy / exps.shape[0]
    factor = (dy[:, None] if dy.ndim else dy) / sums
    dlogits = np.empty(exps.shape, exps.dtype)  # C-contiguous, unlike exps of transposed logits

    def work(start: int, stop: int) -> None:
        np.multiply(exps[start:stop], factor[start:stop], out=dlogits[start:stop])

    if exps.size < SMALL:
        work(0, len(exps))
    else:
        in_parts(work, len(exps), max(1, PART // exps.shape[1]))
    dlogits.reshape(-1)[places] -= dy
    return (dlogits,)


def _reduced(terms: Array, reduction: str) -> Any:
    if reduction == "none":
        return terms
    total = np.add.reduce(terms)
    return total / terms.size if reduction == "mean" else total


CROSS_ENTROPY_NUMPY = Fused(forward, backward, of=("logits",), saves=True)
