"""Sums and means on CuPy, always added up in the same order: one launch, or two where many."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ..fused import Fused
from .arrays import NULL, empty, n_blocks, serves, wide_dtype
from .columns import THREADS, strips_for
from .rows import LONG_THREADS, team_for
from .source import FLOATING, Source

REDUCTION = Source(
    "reduction.cu",
    headers=("common.cuh", "rows.cuh", "pack.cuh", "columns.cuh"),
    variants=({"IS_PACKED": 1}, {"IS_PACKED": 0}),
)
PLAIN = {"IS_PACKED": 0}  # where it makes no difference

ALONE = 64 * LONG_THREADS  # elements that one block adds up: a second launch would cost more
MOST_PARTS = 1024  # of all elements: blocks that fill a large GPU


def sum_forward(x: Array, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over all axes, over the first ones or over the last ones.

    Declines other axes, other dtypes than x's floating one, and arrays not in C order.
    """
    return NotImplemented if dtype not in (None, x.dtype) else _reduced(x, axis, keepdims, False)


def mean_forward(x: Array, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over their number. Declines as sum_forward does."""
    return _reduced(x, axis, keepdims, True)


SUM_CUPY = Fused(sum_forward, of=("x",))
MEAN_CUPY = Fused(mean_forward, of=("x",))


def column_totals(partial: Array, y: Array, pack: int, scale: float = 1.0) -> None:
    """Write the sums of the columns of partial, in the wide dtype, to y (n,)."""
    n_parts, n = partial.shape
    args = (partial, y, partial.dtype.type(scale), np.int64(n_parts), np.int64(n))
    grid = (math.ceil(n / (32 * pack)),)
    macros = {"IS_PACKED": int(pack > 1)}
    REDUCTION.launch("column_totals", y.dtype, grid, (THREADS,), args, **macros)


def _reduced(x: Array, axis: Any, keepdims: bool, is_mean: bool) -> Any:
    reduced = _axes(axis, x.ndim)
    if reduced is None or not serves(x, FLOATING):
        return NotImplemented
    kept = tuple(n for i, n in enumerate(x.shape) if i not in reduced)
    ones = tuple(1 if i in reduced else n for i, n in enumerate(x.shape))
    y = empty(ones if keepdims else kept, x.dtype, x)
    scale = wide_dtype(x.dtype).type(y.size / x.size if is_mean else 1.0)
    if y.size == 1 and x.size > ALONE:
        _sum_all(x, y, scale)
    elif y.size == 1 or reduced[0] > 0:
        _sum_rows(x, y, scale)
    else:
        _sum_columns(x, y, scale)
    return y


def _axes(axis: Any, ndim: int) -> range | None:
    """The axes that are reduced, all, the first or the last ones; None for others."""
    if axis is None:
        return range(ndim) if ndim else None
    listed = axis if isinstance(axis, tuple) else (axis,)
    if not listed or not all(-ndim <= i < ndim for i in listed):
        return None
    found = sorted({i % ndim for i in listed})
    is_stretch = found[-1] - found[0] == len(listed) - 1 == len(found) - 1
    if not is_stretch or (found[0] > 0 and found[-1] < ndim - 1):
        return None
    return range(found[0], found[-1] + 1)


def _sum_rows(x: Array, y: Array, scale: Any) -> None:
    n = x.size // y.size
    team = team_for(y.size, n)
    args = (x, y, scale, np.int64(y.size), np.int64(n))
    REDUCTION.launch(f"row_sums_{team.name}", x.dtype, team.grid, team.block, args, **PLAIN)


def _sum_all(x: Array, y: Array, scale: Any) -> None:
    grid = (min(n_blocks(x.size, ALONE), MOST_PARTS),)
    sums = empty(grid, scale.dtype, x)
    launch: Callable[..., None] = REDUCTION.launch
    launch("sum_parts", x.dtype, grid, (LONG_THREADS,), (x, sums, np.int64(x.size)), **PLAIN)
    args = (sums, y, scale, np.int64(sums.size))
    launch("sum_total", x.dtype, (1,), (LONG_THREADS,), args, **PLAIN)


def _sum_columns(x: Array, y: Array, scale: Any) -> None:
    m, n = x.size // y.size, y.size
    pack, n_strips, n_parts, rows_a_block = strips_for(m, n, x)
    partial = empty((n_parts, n), scale.dtype, x) if n_parts > 1 else None
    args = (x, NULL if partial is None else partial, y, scale)
    sizes = map(np.int64, (m, n, rows_a_block))
    grid, macros = (n_strips, n_parts), {"IS_PACKED": int(pack > 1)}
    REDUCTION.launch("column_sums", x.dtype, grid, (THREADS,), (*args, *sizes), **macros)
    if partial is not None:
        column_totals(partial, y, pack, scale)
