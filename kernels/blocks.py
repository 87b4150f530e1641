"""Large NumPy arrays in blocks: several passes over one in the cache, shared by threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .threads import in_parts, own_scratch

# Adam's five blocks (parameter, gradient, two moments, scratch) fit the second-level cache at half
# of this on Zen 4, yet 10 million numbers take one thread 18 ms either way. Two threads take 10 to
# 13 ms with this and 11 to 18 with half of it: for one gets Python's lock only if the other is away
# for longer than it takes to wake up, some 10 us.
BLOCK_BYTES = 2**19


def in_blocks(update: Callable[..., Any], n_scratch: int, *arrays: np.ndarray) -> None:
    """Call update(the same block of every array..., scratch of its size...) for all blocks.

    arrays: 1-D, of one length and dtype; their blocks are views. The scratch is the thread's own,
    kept for the next call, and holds anything.
    """
    dtype = arrays[0].dtype
    size = BLOCK_BYTES // dtype.itemsize

    def work(start: int, stop: int) -> None:
        names = [f"blocks {i}" for i in range(n_scratch)]
        scratch = [own_scratch(name, stop - start, dtype) for name in names]
        update(*[array[start:stop] for array in arrays], *scratch)

    in_parts(work, len(arrays[0]), size)


def constants(dtype: np.dtype, *values: float) -> list[np.ndarray]:
    """Numbers as 0-d arrays: NumPy would convert a Python number at every call."""
    return [np.array(value, dtype) for value in values]
