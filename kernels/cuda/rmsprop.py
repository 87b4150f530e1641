"""RMSprop on CuPy: one launch for all parameters that are updated together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import step_numbers
from .arrays import NULL, n_blocks, struct
from .packs import PACK_BYTES, n_packs
from .source import Source

RMSPROP = Source("rmsprop.cu", dtypes=("float32", "float64"), headers=("common.cuh", "pack.cuh"))

THREADS = 256  # as in rmsprop.cu
FIELDS = ("lr", "eps", "alpha", "rest", "decay", "momentum", "centered")


def rmsprop_cupy(
    p: Array, dp: Array, square: Array, *others: Array, numbers: Callable[[], dict[str, Any]]
) -> None:
    """Overwrite p (1-D) and the moments with their values after an update; dp is read.

    others: the mean if centered, then the velocity if there is momentum. numbers: t and the
    settings, asked for once at each update.
    """
    sizes = (n_packs(p, dp, square, *others), np.int64(p.size))
    values = step_numbers(lambda: _factors(**numbers()), struct(FIELDS, p.dtype))
    ends = (others[0], others[-1]) if others else (NULL, NULL)
    grid = (n_blocks(p.nbytes, THREADS * PACK_BYTES),)
    args = (p, dp, square, *ends, *values, *sizes)
    RMSPROP.launch("rmsprop_update", p.dtype, grid, (THREADS,), args)


def _factors(
    *,
    t: int,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> tuple[float, ...]:
    """The values of FIELDS."""
    return lr, eps, alpha, 1.0 - alpha, weight_decay, momentum, float(centered)
