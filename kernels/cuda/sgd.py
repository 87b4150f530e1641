"""Gradient descent with momentum on CuPy: one launch for all parameters updated together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import step_numbers
from ..sgd import gradient_share
from .arrays import n_blocks, struct
from .packs import PACK_BYTES, n_packs
from .source import Source

SGD = Source("sgd.cu", dtypes=("float32", "float64"), headers=("common.cuh", "pack.cuh"))

THREADS = 256  # as in sgd.cu
FIELDS = ("lr", "momentum", "share", "decay", "ahead")


def sgd_cupy(p: Array, dp: Array, *velocity: Array, numbers: Callable[[], dict[str, Any]]) -> None:
    """Overwrite p (1-D), and the velocity if one is given, with their values after an update.

    numbers: t and the settings, asked for once at each update.
    """
    sizes = (n_packs(p, dp, *velocity), np.int64(p.size))
    values = step_numbers(lambda: _factors(**numbers()), struct(FIELDS, p.dtype))
    args = (p, dp, *velocity, *values, *sizes)
    grid = (n_blocks(p.nbytes, THREADS * PACK_BYTES),)
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
