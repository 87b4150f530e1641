"""Cross entropy of integer labels on NumPy: one exp for the loss and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from .fused import Fused

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
    exps = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    at_label = exps.take(places)
    np.exp(exps, out=exps)
    sums = np.add.reduce(exps, axis=1, keepdims=True)
    terms = np.log(sums[:, 0])
    terms -= at_label
    return _reduced(terms, reduction), (exps, sums, places)


def backward(dy: Array, saved: tuple[Array, Array, Array], reduction: str) -> tuple[Array]:
    """(softmax - one at the label) times the cotangent of each row."""
    exps, sums, places = saved
    if reduction == "mean":
        dy = dy / exps.shape[0]
    dlogits = exps * ((dy[:, None] if dy.ndim else dy) / sums)
    dlogits.reshape(-1)[places] -= dy
    return (dlogits,)


def _reduced(terms: Array, reduction: str) -> Any:
    if reduction == "none":
        return terms
    total = np.add.reduce(terms)
    return total / terms.size if reduction == "mean" else total


CROSS_ENTROPY_NUMPY = Fused(forward, backward, of=("logits",), saves=True)
