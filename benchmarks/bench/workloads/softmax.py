"""Softmax and cross-entropy, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Workload
from .differentiated import differentiated
from .numbers import integers, normal


def _cross_entropy_inputs(batch: int, classes: int) -> tuple[np.ndarray, ...]:
    return np.ones((), np.float32), normal("logits", batch, classes)


def _labels(batch: int, classes: int) -> np.ndarray:
    return integers("labels", classes, batch)


def _cross_entropy(batch: int, classes: int) -> Workload:
    labels = _labels(batch, classes)
    rows = np.arange(batch)
    cache: dict[int, Any] = {}

    def ours(side: Side, logits: Any) -> Any:
        if id(side) not in cache:
            cache[id(side)] = side.array(labels)
        return side.functional.cross_entropy(logits, cache[id(side)])

    def by_hand(dy: Any, logits: Any) -> tuple[Any, ...]:
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = np.sum(exponentials, axis=1, keepdims=True)
        dlogits = exponentials / sums
        loss = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])
        dlogits[rows, labels] -= 1.0
        return loss, dlogits * (dy / np.float32(batch))

    def in_jax(xp: Any, logits: Any) -> Any:
        from jax.nn import log_softmax

        return -xp.mean(log_softmax(logits)[rows, labels])

    return Workload(
        f"softmax/cross-entropy-{batch}x{classes}",
        f"softmax and cross-entropy, {batch} x {classes}, forward + backward",
        differentiated(_cross_entropy_inputs, ours, by_hand, in_jax),
        {"batch": batch, "classes": classes},
        bytes=4.0 * 3 * batch * classes,
        compiles=batch > 32,
        quick=classes == 1000,
    )


WORKLOADS = [
    *(_cross_entropy(*sizes) for sizes in ((32, 10), (128, 1000), (1024, 10_000))),
]
