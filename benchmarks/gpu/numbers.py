"""The same random numbers for every library, quickly made in any number."""

from __future__ import annotations

import numpy as np

from ..bench.workloads.numbers import normal

PERIOD = 1_000_003  # prime: no row of a matrix repeats another


def many(name: str, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normally distributed float32 numbers that depend on the name alone; they repeat after PERIOD.

    Hundreds of millions would take seconds to draw.
    """
    length = min(PERIOD, int(np.prod(shape)))
    return np.resize(normal(name, length, scale=scale), shape)
