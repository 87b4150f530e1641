"""Where windows lie that slide over an array: integers alone, for convolution and pooling."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

Lengths = tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """Windows over the last axes of an array; every entry has one number for each of these axes.

    lengths: of the array without padding. padding: elements before and after each axis; negative
    ones are cut off. groups: parts of the channels that do not mix.
    """

    lengths: Lengths
    window: Lengths
    stride: Lengths
    dilation: Lengths
    padding: tuple[tuple[int, int], ...]
    groups: int = 1

    @functools.cached_property
    def padded(self) -> Lengths:
        """The lengths with padding."""
        return tuple(n + sum(p) for n, p in zip(self.lengths, self.padding, strict=True))

    @functools.cached_property
    def extents(self) -> Lengths:
        """How many elements a window spans, gaps by dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.window, self.dilation, strict=True))

    @functools.cached_property
    def counts(self) -> Lengths:
        """How many windows fit along each axis; none where the first one does not."""
        entries = zip(self.padded, self.extents, self.stride, strict=True)
        return tuple((n - extent) // s + 1 if n >= extent else 0 for n, extent, s in entries)

    @functools.cached_property
    def n_elements(self) -> int:
        """The elements of a window."""
        return math.prod(self.window)

    def positions(self) -> Iterator[Lengths]:
        """The index of each element of a window."""
        return itertools.product(*map(range, self.window))

    def slices(self, position: Lengths, counts: Lengths | None = None) -> tuple[slice, ...]:
        """Slices of the padded array: that element of every window, or of the first ones."""
        counts = self.counts if counts is None else counts
        entries = zip(position, counts, self.stride, self.dilation, strict=True)
        return tuple(slice(i * d, i * d + s * max(n - 1, 0) + (n > 0), s) for i, n, s, d in entries)

    def inside(self) -> tuple[slice, ...]:
        """Slices of the padded array that hold the array; padding must not be negative."""
        entries = zip(self.lengths, self.padding, strict=True)
        return tuple(slice(before, before + n) for n, (before, _) in entries)

    def blocks(self, n_items: int, elements_per_window: int, limit: int) -> Iterator[Block]:
        """Parts of all windows, in order, of which none needs more than limit elements.

        n_items: how often the windows are there, the batch. A part holds at least one row of
        windows: those that share their place on the first axis.
        """
        first, *others = self.counts
        if not (n_items and math.prod(self.counts)):
            return
        row = max(1, elements_per_window * math.prod(others))
        n_rows = min(first, max(1, limit // row))
        n_batch = min(n_items, max(1, limit // (row * first))) if n_rows == first else 1
        for start in range(0, n_items, n_batch):
            items = slice(start, min(start + n_batch, n_items))
            for top in range(0, first, n_rows):
                rows = slice(top, min(top + n_rows, first))
                yield Block(items, rows, self._rows_below(rows), (rows.stop - top, *others))

    def _rows_below(self, rows: slice) -> slice:
        """The part of the first padded axis that these rows of windows lie on."""
        start = rows.start * self.stride[0]
        return slice(start, (rows.stop - 1) * self.stride[0] + self.extents[0])


@dataclass(frozen=True)
class Block:
    """A part of the windows: of which items, which rows, where on the padded first axis."""

    items: slice
    rows: slice
    padded_rows: slice
    counts: Lengths

    @property
    def n_items(self) -> int:
        """How many items."""
        return self.items.stop - self.items.start

    @property
    def n_windows(self) -> int:
        """How many windows of each item."""
        return math.prod(self.counts)
