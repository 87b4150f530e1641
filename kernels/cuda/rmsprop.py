"""RMSprop on CuPy: one launch for all parameters that are updated together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import step_numbers
from .arrays import NULL, n_blocks, struct
from .packs import PACK_BYTES, UPDATE_HEADERS, n_packs, updated
from .source import Source

RMSPROP = Source("rmsprop.cu", headers=UPDATE_HEADERS)

THREADS = 256  # as in rmsprop.cu
FIELDS = ("lr", "eps", "alpha", "rest", "decay", "momentum", "centered")


Settings = Callable[[], dict[str, Any]]


def rmsprop_cupy(p: Array, dp: Array, square: Array, *others: Array, numbers: Settings) -> None:
    """Overwrite p (1-D) and the moments with their values after an update; dp is read.

    others: the mean if centered, then the velocity if there is momentum. numbers: t and the
    settings, asked for once at each update.
    """
    _update(p, None, dp, square, others, numbers)


def rmsprop_half_cupy(
    p: Array, master: Array, dp: Array, square: Array, *others: Array, numbers: Settings
) -> None:
    """rmsprop_cupy of the float32 master of p, and p its values rounded to 16 bits."""
    _update(p, master, dp, square, others, numbers)


def _update(
    p: Array,
    master: Array | None,
    dp: Array,
    square: Array,
    others: tuple[Array, ...],
    numbers: Settings,
) -> None:
    changed, both = updated(p, master)
    sizes = (n_packs(changed, p, dp, square, *others), np.int64(p.size))
    values = step_numbers(lambda: _factors(**numbers()), struct(FIELDS, changed.dtype))
    ends = (others[0], others[-1]) if others else (NULL, NULL)
    grid = (n_blocks(changed.nbytes, THREADS * PACK_BYTES),)
    args = (*both, dp, square, *ends, *values, *sizes)
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
