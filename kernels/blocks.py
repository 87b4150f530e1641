"""Large NumPy arrays in blocks that stay in the cache while several passes go over them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np

# Six blocks of 128 KiB (parameter, gradient, two moments, two scratch) lie in 1 MiB of second-level
# cache. Smaller ones cost: each pass over a block is a call of half a microsecond.
BLOCK_BYTES = 2**17

_own = threading.local()


def blocks(n_scratch: int, *arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """(the same block of every array..., scratch of its size...) from the first block to the last.

    arrays: 1-D, of one length and dtype; their blocks are views. The scratch is the thread's own,
    kept for the next call, and holds anything.
    """
    first = arrays[0]
    size = BLOCK_BYTES // first.dtype.itemsize
    scratch = _scratch(first.dtype, size)[:n_scratch]
    for start in range(0, len(first), size):
        stop = min(start + size, len(first))
        views = [array[start:stop] for array in arrays]
        yield *views, *[part[: stop - start] for part in scratch]


def _scratch(dtype: np.dtype, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two blocks of this thread."""
    kept = getattr(_own, "scratch", None)
    if kept is None:
        kept = _own.scratch = {}
    if dtype not in kept:
        kept[dtype] = np.zeros(size, dtype), np.zeros(size, dtype)
    return kept[dtype]
