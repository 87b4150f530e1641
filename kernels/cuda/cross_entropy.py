"""Cross entropy of integer labels on CuPy: two launches forward, one backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array, dtype_name
from ...backend.replay import is_capturing
from ..fused import Fused
from .arrays import contiguous, empty, serves, wide_dtype
from .rows import team_for
from .source import FLOATING, Source

LABELS = {"int64": "long long", "int32": "int"}

CROSS_ENTROPY = Source(
    "cross_entropy.cu",
    headers=("common.cuh", "rows.cuh"),
    variants=tuple({"LABEL": label} for label in LABELS.values()),
)

TOTAL_THREADS = 1024  # as in cross_entropy.cu


def forward(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """(loss, log of the sum of exp of each row).

    Declines probabilities, leading axes, weights, smoothing, ignore_index, two GPUs, and labels out
    of range, for which it reads one number from the GPU. While a step is captured it cannot: the
    loss is NaN then.
    """
    plain = weight is None and not label_smoothing and ignore_index is None
    if not plain or logits.ndim != 2 or targets.ndim != 1:
        return NotImplemented
    if logits.device.id != targets.device.id:
        return NotImplemented
    if not serves(logits, FLOATING) or not serves(targets, tuple(LABELS)):
        return NotImplemented
    n_rows, n = logits.shape
    terms, log_sums = (empty((n_rows,), wide_dtype(logits.dtype), logits) for _ in range(2))
    _launch("cross_entropy_forward", logits, (logits, targets, terms, log_sums), targets)
    loss, n_bad = empty((), logits.dtype, logits), empty((), np.int64, logits)
    scale = terms.dtype.type(1.0 / n_rows if reduction == "mean" else 1.0)
    args = (terms, targets, loss, n_bad, scale, np.int64(n_rows), np.int64(n))
    CROSS_ENTROPY.launch(
        "cross_entropy_total", logits.dtype, (1,), (TOTAL_THREADS,), args, LABEL=_type(targets)
    )
    if not is_capturing() and int(n_bad):
        return NotImplemented
    return (terms.astype(logits.dtype, copy=False) if reduction == "none" else loss), log_sums


def backward(
    dy: Array, logits: Array, targets: Array, saved: Array, reduction: str
) -> tuple[Array]:
    """(softmax - one at the label) times the cotangent of each row."""
    dlogits = empty(logits.shape, logits.dtype, logits)
    scale = saved.dtype.type(1.0 / len(saved) if reduction == "mean" else 1.0)
    args = (contiguous(dy), np.bool_(dy.ndim), scale, logits, targets, saved, dlogits)
    _launch("cross_entropy_backward", logits, args, targets)
    return (dlogits,)


def _launch(kernel: str, logits: Array, args: tuple, targets: Array) -> None:
    n_rows, n = logits.shape
    team = team_for(n_rows, n)
    sizes = (np.int64(n_rows), np.int64(n))
    CROSS_ENTROPY.launch(
        f"{kernel}_{team.name}",
        logits.dtype,
        team.grid,
        team.block,
        (*args, *sizes),
        LABEL=_type(targets),
    )


def _type(targets: Array) -> str:
    return LABELS[dtype_name(targets.dtype)]


CROSS_ENTROPY_CUPY = Fused(forward, backward, of=("logits",), saves=True)
