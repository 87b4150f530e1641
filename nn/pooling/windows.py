"""What pooling needs of windows: where they lie, their sums, and their largest elements."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.geometry import Geometry
from ...backend.missing import pad
from ...kernels.pooling import WINDOW_MAX_NUMPY, WINDOW_SPREAD_NUMPY, WINDOW_SUM_NUMPY
from ..autograd import differentiable
from ..autograd.tensor import innermost
from ..dimensions import per_axis

Setting = int | Sequence[int]
Places = tuple[tuple[tuple[int, ...], ...], ...]  # for each axis and window, what it holds


def pool_geometry(
    operation: str,
    lengths: tuple[int, ...],
    kernel_size: Setting,
    stride: Setting | None,
    padding: Setting,
    dilation: Setting,
    ceil_mode: bool,
) -> Geometry:
    """The windows of a pooling. ceil_mode: also those that begin inside and end beyond the border.

    Raises HyperparameterError for settings out of range, ShapeError for a kernel that does not fit.
    """
    n = len(lengths)
    window = per_axis(operation, "kernel_size", kernel_size, n)
    strides = window if stride is None else per_axis(operation, "stride", stride, n)
    dilations = per_axis(operation, "dilation", dilation, n)
    borders = per_axis(operation, "padding", padding, n, least=0)
    if any(2 * p > k for p, k in zip(borders, window, strict=True)):
        raise HyperparameterError(
            f"{operation}: padding must be at most half of kernel_size, got padding {borders} "
            f"and kernel_size {window}"
        )
    return _fitting(operation, lengths, window, strides, dilations, borders, bool(ceil_mode))


@functools.lru_cache(maxsize=256)
def _fitting(
    operation: str,
    lengths: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    borders: tuple[int, ...],
    ceil_mode: bool,
) -> Geometry:
    """One object for the same settings. Raises ShapeError for a kernel that does not fit."""
    pairs = tuple((p, p) for p in borders)
    geometry = Geometry(lengths, window, strides, dilations, pairs)
    if ceil_mode:
        pairs = tuple((p, p + extra) for p, extra in zip(borders, _beyond(geometry), strict=True))
        geometry = Geometry(lengths, window, strides, dilations, pairs)
    if 0 in geometry.counts:
        raise ShapeError(
            f"{operation}: the kernel must fit the padded x, got a kernel of {window} that spans "
            f"{geometry.extents}, and x of lengths {lengths}, padded {geometry.padded}"
        )
    return geometry


def _beyond(geometry: Geometry) -> list[int]:
    """What one more window needs beyond the border of each axis, 0 where none begins inside."""
    extras = []
    entries = zip(geometry.lengths, geometry.padded, geometry.extents, geometry.stride, strict=True)
    for (n, padded, extent, step), (before, _) in zip(entries, geometry.padding, strict=True):
        start = -(-(padded - extent) // step) * step  # of the last window when rounded up
        begins_inside = start < n + before
        extras.append(max(0, start + extent - padded) if begins_inside and start >= 0 else 0)
    return extras


# -- sums ---------------------------------------------------------------------------------------


@differentiable
def window_sum(x: Array, *, geometry: Geometry) -> Array:
    """The sum of every window of the last axes, which are padded with zeros."""
    x = pad(x, [(0, 0)] * (x.ndim - len(geometry.window)) + list(geometry.padding))
    for axis, parts in enumerate(_parts_by_axis(geometry), start=x.ndim - len(geometry.window)):
        before = (slice(None),) * axis
        total = x[(*before, parts[0], ...)]
        for part in parts[1:]:
            total = total + x[(*before, part, ...)]
        x = total
    return x


@differentiable
def window_spread(y: Array, *, geometry: Geometry) -> Array:
    """Every element of y added to all elements of its window: the transpose of window_sum."""
    xp = array_namespace(y)
    first = y.ndim - len(geometry.window)
    for axis, parts in enumerate(_parts_by_axis(geometry), start=first):
        before = (slice(None),) * axis
        shape = (*y.shape[:axis], geometry.padded[axis - first], *y.shape[axis + 1 :])
        total = xp.zeros(shape, dtype=y.dtype, device=device(y))
        for part in parts:
            total[(*before, part, ...)] = total[(*before, part, ...)] + y
        y = total
    return y[(..., *geometry.inside())]


window_sum.backward(x=lambda dy, geometry: window_spread(dy, geometry=geometry))
window_spread.backward(y=lambda dy, geometry: window_sum(dy, geometry=geometry))
window_sum.fused_by(numpy=WINDOW_SUM_NUMPY)
window_spread.fused_by(numpy=WINDOW_SPREAD_NUMPY)


def _parts_by_axis(geometry: Geometry) -> list[list[slice]]:
    """For each axis the slices of the padded array with each element of its windows."""
    n = len(geometry.window)
    parts = []
    for axis, size in enumerate(geometry.window):
        positions = [(0,) * axis + (i,) + (0,) * (n - axis - 1) for i in range(size)]
        parts.append([geometry.slices(position)[axis] for position in positions])
    return parts


# -- largest elements ---------------------------------------------------------------------------


@differentiable
def window_max(x: Array, *, geometry: Geometry) -> Array:
    """The largest element of every window; of several equal ones the first has the gradient."""
    places = regular_places(geometry)
    return largest(x, max_places(x, places), places)


window_max.fused_by(numpy=WINDOW_MAX_NUMPY)


@functools.lru_cache(maxsize=64)
def regular_places(geometry: Geometry) -> Places:
    """What the windows of a geometry hold along each axis; -1 for the border."""
    settings = zip(
        *(geometry.lengths, geometry.window, geometry.stride, geometry.dilation),
        *(geometry.padding, geometry.counts),
        strict=True,
    )
    places = []
    for n, size, step, spread, (before, _), count in settings:
        rows = [[i * step - before + k * spread for k in range(size)] for i in range(count)]
        places.append(tuple(tuple(j if 0 <= j < n else -1 for j in row) for row in rows))
    return tuple(places)


def largest(x: Array, found: Array, places: Places) -> Array:
    """The elements that max_places found, recorded.

    -inf, as torch, for a window of border alone: a dilation can step over all of a short x.
    """
    y, empty = elements(x, found), _are_empty(places)
    if not any(empty):
        return y
    xp, raw = array_namespace(y), innermost(y)
    mask = array_namespace(raw).asarray(empty, device=device(raw))
    counts = tuple(len(rows) for rows in places)
    return xp.where(xp.reshape(mask, counts), xp.full_like(y, -math.inf), y)


@functools.lru_cache(maxsize=64)
def _are_empty(places: Places) -> tuple[bool, ...]:
    """Whether a window holds nothing but the border along one of the axes, in flat order."""
    by_axis = [[max(row) < 0 for row in rows] for rows in places]
    return tuple(map(any, itertools.product(*by_axis)))


def max_places(x: Array, places: Places) -> Array:
    """Where the largest element of every window lies, as an index of the flat spatial axes.

    The first of equal ones, the last NaN if there is one (as torch). A plain array.
    """
    x = innermost(x)
    xp, flat = array_namespace(x), _flat(x, len(places))
    best: Any = None
    for index, inside in _elements_of_windows(x, places):
        part = xp.take(flat, index, axis=-1)
        if best is None:
            best, found, known = part, xp.broadcast_to(index, part.shape), inside
            continue
        better = inside & ((part > best) | (part != part) | ~known)
        best, found = xp.where(better, part, best), xp.where(better, index, found)
        known = known | inside
    counts = tuple(len(rows) for rows in places)
    return xp.reshape(found, (*x.shape[: -len(places)], *counts))


def _elements_of_windows(x: Array, places: Places) -> Any:
    """(flat index, whether it lies inside) of every window's first element, of its second, ..."""
    xp = array_namespace(x)
    lengths = x.shape[-len(places) :]
    for position in itertools.product(*(range(len(rows[0])) for rows in places)):
        index, inside = [0], [True]
        for rows, k, n in zip(places, position, lengths, strict=True):
            column = [row[k] for row in rows]
            index = [i * n + max(j, 0) for i in index for j in column]
            inside = [known and j >= 0 for known in inside for j in column]
        yield (
            xp.asarray(index, dtype=xp.int64, device=device(x)),
            xp.asarray(inside, dtype=xp.bool, device=device(x)),
        )


def elements(x: Array, places: Array) -> Array:
    """The elements of x at flat indices of its last axes, recorded; places as from max_places."""
    n_axes = x.ndim - 2
    xp = array_namespace(x)
    raw = array_namespace(places)
    flat = raw.reshape(places, (*places.shape[:-n_axes], math.prod(places.shape[-n_axes:])))
    return xp.reshape(xp.take_along_axis(_flat(x, n_axes), flat, axis=-1), tuple(places.shape))


def _flat(x: Array, n_axes: int) -> Array:
    """x with its last axes as one."""
    shape = (*x.shape[:-n_axes], math.prod(x.shape[-n_axes:]))
    return array_namespace(x).reshape(x, shape)
