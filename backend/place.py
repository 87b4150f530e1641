"""A place in a generator's stream: where the words of one draw begin."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import CaptureError
from .philox import Key
from .replay import is_capturing, step_numbers

# What a kernel needs of a place: the struct Place of philox.cuh.
PLACE = np.dtype([("key", np.uint64, 2), ("counter", np.uint64, 4), ("skipped", np.int64)])

_WORD = 2**64 - 1


class Place:
    """Where some words of a stream begin; in a captured step, where they begin in each replay.

    take: takes the words out of the stream, -> its key and the position of the first one. It is
    called once, now, or before each replay.
    """

    def __init__(self, take: Callable[[], tuple[Key, int]]) -> None:
        self._take = take
        self._taken = None if is_capturing() else take()

    @property
    def taken(self) -> tuple[Key, int]:
        """The key and the position. Raises CaptureError where they are not known yet."""
        if self._taken is None:
            raise CaptureError(
                "random numbers of this kind cannot be drawn in a captured step, which would "
                "repeat them; draw them outside, and pass them as an argument"
            )
        return self._taken

    @functools.cached_property
    def numbers(self) -> tuple[Any, np.uint64]:
        """The place as two arguments of kernels: see step_numbers."""
        return step_numbers(self._struct, PLACE)

    def _struct(self) -> tuple:
        key, start = self._taken or self._take()
        block, skipped = divmod(start, 4)
        counter = block + 1  # NumPy increments it before a block
        return key, [counter >> shift & _WORD for shift in (0, 64, 128, 192)], skipped
