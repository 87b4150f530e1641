"""How the columns of a matrix are divided among blocks: the host's side of columns.cuh."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...backend import Array
from .packs import PACK_BYTES, begin_at_packs

WARP = 32
THREADS = 8 * WARP  # N_WARPS as in columns.cuh

# Up to so many rows one block adds up a strip of columns: a second launch would cost more.
ROWS_ALONE = 256
LEAST_ROWS = 64  # of a block where there are several: what they write is a small part of x
BLOCKS = 1024  # that fill a large GPU: 8 on each of 132 multiprocessors


class Strips(NamedTuple):
    """pack: columns of a lane. n_parts: blocks below one another, each with so many rows."""

    pack: int
    n_strips: int
    n_parts: int
    rows_a_block: int


def strips_for(m: int, n: int, *arrays: Array) -> Strips:
    """The division of arrays (m, n) of one dtype that are read together."""
    pack = _pack(n, *arrays)
    n_strips = math.ceil(n / (WARP * pack))
    rows_a_block = _rows_a_block(m, n_strips)
    return Strips(pack, n_strips, math.ceil(m / rows_a_block), rows_a_block)


def _rows_a_block(m: int, n_strips: int) -> int:
    """How many rows a block adds up: enough blocks for the GPU, but no small ones."""
    if m <= ROWS_ALONE:
        return m
    n_parts = max(1, min(BLOCKS // n_strips, math.ceil(m / LEAST_ROWS)))
    return math.ceil(m / n_parts)


def _pack(n: int, *arrays: Array) -> int:
    """Numbers that are loaded at once: 16 bytes where all rows start at multiples of these."""
    pack = PACK_BYTES // arrays[0].itemsize
    return pack if n % pack == 0 and begin_at_packs(*arrays) else 1
