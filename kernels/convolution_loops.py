"""The products of convolution by compiled loops, shared among threads."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .compiled import built_loops, loops_for
from .threads import in_parts, own_scratch
from .windows import window_numbers

NONE = np.empty(0, np.float32)

# Multiplications that one thread makes at a time: see threads.py for what it costs to wake one.
PART = 2**22
# Parts of a sum over items, each of which has sums of its own. As many whatever the threads are, so
# that the bits are the same.
MOST_SUMS = 8
# Numbers in sums for weights from which parts are of channels, and none has sums of its own.
MANY_SUMS = 2**18
CHANNELS = 16  # side by side in the sums for weights: kernels/compiled/convolution.h


def product(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, geometry: Any, backward: bool
) -> Any:
    """product of nn/convolution/products.py, or transposed_product; NotImplemented without loops.

    backward: x is the output of the former, and the result lies where its x does.
    """
    groups = geometry.groups
    n_in = weight.shape[1] * groups
    x, weight = np.ascontiguousarray(x), np.ascontiguousarray(weight)
    loops = loops_for(x, weight, bias)
    plan = None if loops is None else _plan(geometry, n_in, weight.shape[0])
    if plan is None:
        return NotImplemented
    numbers, sizes, _ = plan
    n_packed, n_scratch, n_parts = sizes[backward]
    packed = own_scratch("convolution weights", n_packed, np.float32)
    loops.convolution_packed(packed, weight, NONE if bias is None else bias, backward, *numbers)
    to = (n_in, *geometry.lengths) if backward else (weight.shape[0], *geometry.counts)
    y = np.empty((len(x), *to), np.float32)

    def work(start: int, stop: int) -> None:
        scratch = own_scratch("convolution", n_scratch, np.float32)
        loops.convolution(y, x, packed, scratch, backward, start, stop, *numbers)

    per_item = weight.size * math.prod(geometry.counts)
    in_parts(work, len(x) * n_parts, max(1, PART * n_parts // per_item))
    return y


def weight_product(x: np.ndarray, dy: np.ndarray, geometry: Any) -> Any:
    """The sum over all windows of x times dy, and the sum of dy: (out, terms), (out,).

    NotImplemented without loops. terms: channels of a group times elements of a window.
    """
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    loops = loops_for(x, dy)
    plan = None if loops is None else _plan(geometry, x.shape[1], dy.shape[1])
    if plan is None:
        return NotImplemented
    numbers, _, (n_sums, n_scratch) = plan
    n_terms = x.shape[1] // geometry.groups * geometry.n_elements
    n_blocks = n_sums // (geometry.groups * (n_terms + 1) * CHANNELS)

    def add(sums: np.ndarray, start: int, stop: int, first: int, last: int) -> np.ndarray:
        scratch = own_scratch("convolution", n_scratch, np.float32)
        loops.convolution_weights(sums, x, dy, scratch, start, stop, first, last, *numbers)
        return sums

    def of_items(start: int, stop: int) -> np.ndarray:
        return add(np.zeros(n_sums, np.float32), start, stop, 0, n_blocks)

    def of_channels(first: int, last: int) -> None:
        add(sums, 0, len(x), first, last)

    if n_sums > MANY_SUMS and n_blocks > 1:
        sums = np.zeros(n_sums, np.float32)
        in_parts(of_channels, n_blocks, 2)
    else:
        per_item = n_terms * dy[0].size
        size = max(PART // per_item, -(-len(x) // MOST_SUMS), 1)
        sums, *others = in_parts(of_items, len(x), size)
        for more in others:
            np.add(sums, more, out=sums)
    by_block = sums.reshape(geometry.groups, n_blocks, n_terms + 1, CHANNELS).swapaxes(2, 3)
    rows = by_block.reshape(geometry.groups, -1, n_terms + 1)[:, : dy.shape[1] // geometry.groups]
    return rows[..., :-1], rows[..., -1]


@functools.lru_cache(maxsize=256)
def _plan(geometry: Any, n_in: int, n_out: int) -> Any:
    """(the windows as numbers, sizes forward and backward, sizes for weights) for the loops.

    None where they do not take such windows.
    """
    windows = window_numbers(geometry)
    if windows is None:
        return None
    numbers = (n_in, n_out, *windows)
    try:
        forward, backward, weights = built_loops().convolution_sizes(*numbers)
    except ValueError:  # too large
        return None
    return numbers, (forward, backward), weights
