"""Arrays that kernels read 16 bytes at a time: the host's side of pack.cuh."""

from __future__ import annotations

import numpy as np

from ...backend import Array

PACK_BYTES = 16


def n_packs(*arrays: Array) -> np.int64:
    """How many packs the arrays, 1-D and alike, have; 0 where one of them begins between packs."""
    if any([array.data.ptr % PACK_BYTES for array in arrays]):
        return np.int64(0)
    return np.int64(arrays[0].nbytes // PACK_BYTES)
