"""Gradient descent with momentum on CuPy: one launch for all parameters updated together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import step_numbers
from ..sgd import gradient_share
from .arrays import n_blocks, struct
from .packs import PACK_BYTES, UPDATE_HEADERS, n_packs, updated
from .source import Source

SGD = Source("sgd.cu", headers=UPDATE_HEADERS)

THREADS = 256  # as in sgd.cu
FIELDS = ("lr", "momentum", "share", "decay", "ahead")


Settings = Callable[[], dict[str, Any]]


def sgd_cupy(p: Array, dp: Array, *velocity: Array, numbers: Settings) -> None:
    """Overwrite p (1-D), and the velocity if one is given, with their values after an update.

    numbers: t and the settings, asked for once at each update.
    """
    _update(p, None, dp, velocity, numbers)


def sgd_half_cupy(p: Array, master: Array, dp: Array, *velocity: Array, numbers: Settings) -> None:
    """sgd_cupy of the float32 master of p, and p its values rounded to 16 bits."""
    _update(p, master, dp, velocity, numbers)


def _update(
    p: Array, master: Array | None, dp: Array, velocity: tuple[Array, ...], numbers: Settings
) -> None:
    changed, both = updated(p, master)
    sizes = (n_packs(changed, p, dp, *velocity), np.int64(p.size))
    values = step_numbers(lambda: _factors(**numbers()), struct(FIELDS, changed.dtype))
    args = (*both, dp, *velocity, *values, *sizes)
    grid = (n_blocks(changed.nbytes, THREADS * PACK_BYTES),)
    kernel = "momentum_update" if velocity else "sgd_update"
    SGD.launch(kernel, p.dtype, grid, (THREADS,), args)


def _factors(
    *,
    t: int,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    ewma: bool,
) -> tuple[float, ...]:
    """The values of FIELDS."""
    share = gradient_share(t, momentum, dampening, ewma)
    return lr, momentum, share, weight_decay, momentum if nesterov else 0.0
