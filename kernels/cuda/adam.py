"""Adam and AdamW on CuPy: one launch for all parameters that are updated together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import step_numbers
from ..adam import update_numbers
from .arrays import n_blocks, struct
from .packs import PACK_BYTES, n_packs
from .source import Source

ADAM = Source("adam.cu", dtypes=("float32", "float64"), headers=("common.cuh", "pack.cuh"))

THREADS = 256  # as in adam.cu
FIELDS = ("beta1", "rest1", "beta2", "rest2", "eps", "step", "decay")

Settings = Callable[[], dict[str, Any]]


def adam_cupy(p: Array, dp: Array, m: Array, v: Array, *, numbers: Settings) -> None:
    """Overwrite p, m and v (1-D) with their values after an update of Adam; dp is read.

    numbers: t, lr, betas, eps and weight_decay, asked for at each update.
    """
    _update(p, dp, m, v, lambda: _factors(decoupled=False, **numbers()), False)


def adamw_cupy(p: Array, dp: Array, m: Array, v: Array, *, numbers: Settings) -> None:
    """Overwrite p, m and v (1-D) with their values after an update of AdamW; dp is read."""
    _update(p, dp, m, v, lambda: _factors(decoupled=True, **numbers()), True)


def _update(
    p: Array, dp: Array, m: Array, v: Array, factors: Callable[[], tuple], decoupled: bool
) -> None:
    sizes = (n_packs(p, dp, m, v), np.int64(p.size))
    values = step_numbers(factors, struct(FIELDS, p.dtype))
    args = (p, dp, m, v, *values, np.bool_(decoupled), *sizes)
    grid = (n_blocks(p.nbytes, THREADS * PACK_BYTES),)
    ADAM.launch("adam_update", p.dtype, grid, (THREADS,), args)


def _factors(
    *,
    decoupled: bool,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> tuple[float, ...]:
    """The values of FIELDS."""
    decay = 1.0 - lr * weight_decay if decoupled else weight_decay
    return *update_numbers(t, lr, betas, eps), decay
