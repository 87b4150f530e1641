"""Where windows lie, as the compiled loops take it."""

from __future__ import annotations

import functools
import math
from typing import Any


@functools.lru_cache(maxsize=256)
def window_numbers(geometry: Any) -> tuple[int, ...] | None:
    """groups, then lengths, window, stride, dilation, padding before and counts on three axes.

    None for windows that the loops do not take: of more axes, with padding that cuts off, or over
    more elements than an index of 32 bits counts.
    """
    if len(geometry.window) > 3 or any(n < 0 for pair in geometry.padding for n in pair):
        return None
    if math.prod(geometry.lengths) >= 2**31:
        return None
    before = tuple(n for n, _ in geometry.padding)
    numbers = [geometry.groups]
    for field in (geometry.lengths, geometry.window, geometry.stride, geometry.dilation):
        numbers += _on_three_axes(field, 1)
    return (*numbers, *_on_three_axes(before, 0), *_on_three_axes(geometry.counts, 1))


def _on_three_axes(field: tuple[int, ...], usual: int) -> tuple[int, ...]:
    """Images get a second axis: convolution shares parts of the first one among threads."""
    if len(field) == 2:
        return (field[0], usual, field[1])
    return (usual,) * (3 - len(field)) + field
