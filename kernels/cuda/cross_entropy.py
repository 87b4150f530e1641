"""Cross entropy of integer labels on CuPy: one launch for both passes, or three for many rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import Array, dtype_name
from ...backend.one import is_shared_one
from ...backend.replay import is_capturing
from ..fused import Fused
from .arrays import NULL, contiguous, empty, serves, wide_dtype
from .late import bad_labels, look_for_bad_labels, refuse_bad_labels
from .rows import team_for
from .source import FLOATING, Source

LABELS = {"int64": "long long", "int32": "int"}

CROSS_ENTROPY = Source(
    "cross_entropy.cu",
    headers=("common.cuh", "rows.cuh"),
    variants=tuple({"LABEL": label} for label in LABELS.values()),
)

TOTAL_THREADS = 1024  # as in cross_entropy.cu
LANES = 8  # of a warp of WARP, as in cross_entropy.cu
WARP = 32

# Up to so many rows and columns one block does everything: four passes over its rows, eight numbers
# of a row to a thread. An estimate: more launches would cost more than the other blocks save.
WHOLE_ROWS = 4 * TOTAL_THREADS // LANES
WHOLE_COLUMNS = 8 * LANES

# log_sums, the log of the sum of exp of each row; a list of the gradient of the loss if it is known
Saved = tuple[Array, list[Array]]


def forward(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """(loss, saved). Few rows: the gradient of the loss is computed along with it.

    Declines probabilities, weights, smoothing, ignore_index and two GPUs. A label out of range
    gives NaN, and its LabelError later: nothing is read from the GPU.
    """
    plain = weight is None and not label_smoothing and ignore_index is None
    if not plain or not _serves(logits, targets):
        return NotImplemented
    log_sums = empty(targets.shape, wide_dtype(logits.dtype), logits)
    dlogits = empty(logits.shape, logits.dtype, logits) if _is_small(logits, reduction) else None
    loss = _loss(logits, targets, reduction, log_sums, dlogits)
    return loss, (log_sums, [] if dlogits is None else [dlogits])


def inference(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Any:
    """The loss alone. Declines as forward() does."""
    plain = weight is None and not label_smoothing and ignore_index is None
    if not plain or not _serves(logits, targets):
        return NotImplemented
    is_small = _is_small(logits, reduction)
    log_sums = None if is_small else empty(targets.shape, wide_dtype(logits.dtype), logits)
    return _loss(logits, targets, reduction, log_sums, None)


def backward(
    dy: Array, logits: Array, targets: Array, saved: Saved, reduction: str
) -> tuple[Array]:
    """(softmax - one at the label) times the cotangent of each row."""
    log_sums, known = saved
    if known and is_shared_one(dy):
        return (known.pop(),)  # once: it is the caller's now, who may write to it
    dlogits = empty(logits.shape, logits.dtype, logits)
    args = (contiguous(dy), np.bool_(dy.ndim), _scale(targets, logits, reduction))
    _launch("cross_entropy_backward", (*args, logits, targets, log_sums, dlogits), logits, targets)
    return (dlogits,)


CROSS_ENTROPY_CUPY = Fused(forward, backward, of=("logits",), saves=True, inference=inference)


def _serves(logits: Array, targets: Array) -> bool:
    if targets.shape != logits.shape[:-1] or logits.device.id != targets.device.id:
        return False
    return serves(logits, FLOATING) and serves(targets, tuple(LABELS))


def _is_small(logits: Array, reduction: str) -> bool:
    n_rows, n = _sizes(logits)
    return reduction != "none" and n_rows <= WHOLE_ROWS and n <= WHOLE_COLUMNS


def _sizes(logits: Array) -> tuple[int, int]:
    """Rows and columns of logits (..., classes), taken as one matrix."""
    n = logits.shape[-1]
    return logits.size // n, n


def _scale(targets: Array, logits: Array, reduction: str) -> Any:
    """What the sum of the rows' losses is multiplied by."""
    return wide_dtype(logits.dtype).type(1.0 / targets.size if reduction == "mean" else 1.0)


def _loss(
    logits: Array, targets: Array, reduction: str, log_sums: Array | None, dlogits: Array | None
) -> Array:
    """The loss; log_sums and dlogits are written where they are given."""
    if not is_capturing():
        refuse_bad_labels()
    loss = empty((), logits.dtype, logits)
    numbers = (bad_labels(), _scale(targets, logits, reduction), *map(np.int64, _sizes(logits)))
    if _is_small(logits, reduction):
        written = [NULL if x is None else x for x in (log_sums, dlogits)]
        threads = min(WARP * math.ceil(targets.size * LANES / WARP), TOTAL_THREADS)
        args = (logits, targets, loss, *written, *numbers)
        _launch_alone("cross_entropy_whole", threads, args, logits, targets)
    else:
        terms = empty(targets.shape, wide_dtype(logits.dtype), logits)
        _launch("cross_entropy_forward", (logits, targets, terms, log_sums), logits, targets)
        args = (terms, targets, loss, *numbers)
        _launch_alone("cross_entropy_total", TOTAL_THREADS, args, logits, targets)
    look_for_bad_labels()
    return terms.astype(logits.dtype, copy=False) if reduction == "none" else loss


def _launch(kernel: str, args: tuple, logits: Array, targets: Array) -> None:
    """Many blocks, each with some of the rows."""
    sizes = _sizes(logits)
    team = team_for(*sizes)
    args = (*args, *map(np.int64, sizes))
    label = LABELS[dtype_name(targets.dtype)]
    kernel = f"{kernel}_{team.name}"
    CROSS_ENTROPY.launch(kernel, logits.dtype, team.grid, team.block, args, LABEL=label)


def _launch_alone(kernel: str, threads: int, args: tuple, logits: Array, targets: Array) -> None:
    """One block with all rows."""
    label = LABELS[dtype_name(targets.dtype)]
    CROSS_ENTROPY.launch(kernel, logits.dtype, (1,), (threads,), args, LABEL=label)
