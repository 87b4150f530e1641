"""Arrays that kernels read 16 bytes at a time: the host's side of pack.cuh."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array
from .arrays import NULL

PACK_BYTES = 16
UPDATE_HEADERS = ("common.cuh", "pack.cuh", "masters.cuh")  # of all optimizers


def begin_at_packs(*arrays: Array) -> bool:
    """Whether the memory of all arrays begins at a multiple of a pack."""
    return not any([array.data.ptr % PACK_BYTES for array in arrays])


def updated(p: Array, master: Array | None) -> tuple[Array, tuple[Array, Any]]:
    """What an update changes, p or the master if there is one, and both as a kernel takes them."""
    return (p, (p, NULL)) if master is None else (master, (p, master))


def n_packs(*arrays: Array) -> np.int64:
    """How many packs the arrays, 1-D and alike, have; 0 where one of them begins between packs."""
    return np.int64(arrays[0].nbytes // PACK_BYTES if begin_at_packs(*arrays) else 0)
