"""Dropout on CuPy: one launch a pass, its mask made from the counter and never stored."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array
from ...backend.chance import Chance
from ..fused import Fused
from .arrays import contiguous, empty, n_blocks, serves, wide_dtype
from .source import FLOATING, Source

DROPOUT = Source("dropout.cu", headers=("common.cuh", "philox.cuh", "pack.cuh"))

THREADS = 256  # as in dropout.cu
CHOICES = 16  # of a thread


def forward(x: Array, *, chance: Chance) -> Any:
    """x times chance's factors. Declines arrays not in C order and integers."""
    return _applied(x, chance) if serves(x, FLOATING) else NotImplemented


def backward(dy: Array, chance: Chance) -> tuple[Array]:
    """dy times the same factors."""
    return (_applied(contiguous(dy), chance),)


def _applied(x: Array, chance: Chance) -> Array:
    y = empty(x.shape, x.dtype, x)
    numbers = (wide_dtype(x.dtype).type(chance.scale), np.int64(chance.threshold), np.int64(x.size))
    args = (x, y, *chance.place.numbers, *numbers)
    DROPOUT.launch("dropout_apply", x.dtype, grid_for(x.size, CHOICES), (THREADS,), args)
    return y


def grid_for(size: int, numbers: int) -> tuple[int]:
    """Blocks of threads for so many random numbers, each thread making some of them."""
    words = size // numbers + 2  # the first and the last may be shared with other draws
    return (n_blocks(words, THREADS),)


MASKED_CUPY = Fused(forward, backward)
