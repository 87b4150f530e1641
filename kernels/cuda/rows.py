"""Which threads own the rows of a matrix: the host's side of rows.cuh."""

from __future__ import annotations

from typing import NamedTuple

from .arrays import n_blocks

SHORT = 1024  # columns up to which a warp owns a row: 32 numbers for each of its threads
SHORT_ROWS = 4  # as in rows.cuh
SHORT_THREADS = SHORT_ROWS * 32
LONG_THREADS = 256


class Team(NamedTuple):
    """name: "short" or "long", the end of the kernel's name."""

    name: str
    grid: tuple[int]
    block: tuple[int]


def team_for(n_rows: int, n: int) -> Team:
    """The team that fits rows of n columns."""
    if n <= SHORT:
        return Team("short", (n_blocks(n_rows, SHORT_ROWS),), (SHORT_THREADS,))
    return Team("long", (n_blocks(n_rows, 1),), (LONG_THREADS,))
