"""Adam and AdamW on CuPy: one launch for all parameters that are updated together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import step_numbers
from ..adam import update_numbers
from .arrays import n_blocks, struct
from .packs import PACK_BYTES, UPDATE_HEADERS, n_packs, updated
from .source import Source

ADAM = Source("adam.cu", headers=UPDATE_HEADERS)

THREADS = 256  # as in adam.cu
FIELDS = ("beta1", "rest1", "beta2", "rest2", "eps", "step", "decay")

Settings = Callable[[], dict[str, Any]]


def adam_cupy(p: Array, dp: Array, m: Array, v: Array, *, numbers: Settings) -> None:
    """Overwrite p, m and v (1-D) with their values after an update of Adam; dp is read.

    numbers: t, lr, betas, eps and weight_decay, asked for at each update.
    """
    _update(p, None, dp, m, v, numbers, decoupled=False)


def adamw_cupy(p: Array, dp: Array, m: Array, v: Array, *, numbers: Settings) -> None:
    """Overwrite p, m and v (1-D) with their values after an update of AdamW; dp is read."""
    _update(p, None, dp, m, v, numbers, decoupled=True)


def adam_half_cupy(
    p: Array, master: Array, dp: Array, m: Array, v: Array, *, numbers: Settings
) -> None:
    """adam_cupy of the float32 master of p, and p its values rounded to 16 bits."""
    _update(p, master, dp, m, v, numbers, decoupled=False)


def adamw_half_cupy(
    p: Array, master: Array, dp: Array, m: Array, v: Array, *, numbers: Settings
) -> None:
    """adamw_cupy of the float32 master of p, and p its values rounded to 16 bits."""
    _update(p, master, dp, m, v, numbers, decoupled=True)


def _update(
    p: Array,
    master: Array | None,
    dp: Array,
    m: Array,
    v: Array,
    numbers: Settings,
    *,
    decoupled: bool,
) -> None:
    changed, both = updated(p, master)
    sizes = (n_packs(changed, p, dp, m, v), np.int64(p.size))
    fields = struct(FIELDS, changed.dtype)
    values = step_numbers(lambda: _factors(decoupled=decoupled, **numbers()), fields)
    args = (*both, dp, m, v, *values, np.bool_(decoupled), *sizes)
    grid = (n_blocks(changed.nbytes, THREADS * PACK_BYTES),)
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
