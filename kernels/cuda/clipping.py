"""The norm of gradients on CuPy and their scaling by it, without the host in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...backend import Array
from .arrays import contiguous, empty, n_blocks
from .source import Source

CLIPPING = Source("clipping.cu")

THREADS = 256  # as in clipping.cu
TOTAL_THREADS = 1024
PER_THREAD = 32  # elements that a thread adds up, at least: fewer sums to add up afterwards
MOST_SUMS = 1024  # of an array: the blocks that fill a large GPU


@dataclass(frozen=True)
class NormKernels:
    """norm(parts, max_norm) -> array of the norm and the factor; scale(part, that array)."""

    norm: Callable[[Sequence[Array], float], Array]
    scale: Callable[[Array, Array], None]


def norm_on_gpu(parts: Sequence[Array], max_norm: float) -> Array:
    """(norm of all parts, min(1, max_norm / (norm + 1e-6))): float64 (2,), on their GPU.

    parts: floating, one at least and none of them empty.
    """
    counts = [min(n_blocks(part.size, THREADS * PER_THREAD), MOST_SUMS) for part in parts]
    sums, norm = empty((sum(counts),), np.float64, parts[0]), empty((2,), np.float64, parts[0])
    start = 0
    for part, count in zip(parts, counts, strict=True):
        own = (contiguous(part), sums[start : start + count], np.int64(part.size))
        CLIPPING.launch("square_sums", part.dtype, (count,), (THREADS,), own)
        start += count
    total = (sums, norm, np.float64(max_norm), np.int64(start))
    CLIPPING.launch("norm_total", "float64", (1,), (TOTAL_THREADS,), total)
    return norm


def scale_on_gpu(part: Array, norm: Array) -> None:
    """Multiply an array, in place, by what norm_on_gpu said."""
    grid = (n_blocks(part.size, THREADS * 4),)
    CLIPPING.launch(
        "scale_by_norm", part.dtype, grid, (THREADS,), (part, norm, np.int64(part.size))
    )


NORM_CUPY = NormKernels(norm_on_gpu, scale_on_gpu)
