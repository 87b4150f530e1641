"""Pooling to lengths that are given, and to one element a channel."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.geometry import Geometry
from ..autograd import differentiable
from ..autograd.tensor import innermost
from ..dimensions import by_dimension, is_integer_from, with_batch, without_batch
from .functions import check_floating, with_indices
from .windows import Places, window_max, window_sum

OutputSize = int | Sequence[int | None] | None


def adaptive_avg_pool(n_axes: int, x: Array, output_size: OutputSize) -> Array:
    """Means over windows that share each axis out evenly, so that output_size elements remain.

    x: floating (batch, channels, SPATIAL), or without the batch. Window i of m holds the elements
    from floor(i n / m) up to, not including, ceil((i + 1) n / m), as in torch. output_size: one
    integer or one for each spatial axis; None keeps the length.
    Raises ShapeError for an empty axis, DtypeError, HyperparameterError.
    """
    operation = f"adaptive_avg_pool{n_axes}d"
    x, alone, lengths = _prepared(operation, n_axes, x, output_size)
    geometry = _even(tuple(x.shape[2:]), lengths)
    if geometry is not None:
        means = window_sum(x, geometry=geometry) / float(geometry.n_elements)
        return without_batch(means, alone)
    for axis, (n, m) in enumerate(zip(x.shape[2:], lengths, strict=True), start=2):
        x = _means_along(x, axis, _shares(n, m))
    return without_batch(x, alone)


def adaptive_max_pool(
    n_axes: int, x: Array, output_size: OutputSize, *, return_indices: bool = False
) -> Any:
    """The largest elements of windows that share each axis out evenly: see adaptive_avg_pool.

    x: floating (batch, channels, SPATIAL), or without the batch. return_indices: (y, where they
    were in the flat spatial axes of x). Of several equal ones the first has the gradient.
    Raises ShapeError for an empty axis, DtypeError, HyperparameterError.
    """
    operation = f"adaptive_max_pool{n_axes}d"
    x, alone, lengths = _prepared(operation, n_axes, x, output_size)
    geometry = _even(tuple(x.shape[2:]), lengths)
    if geometry is not None and not return_indices:
        return without_batch(window_max(x, geometry=geometry), alone)
    y, indices = with_indices(x, _places(tuple(x.shape[2:]), lengths), alone)
    return (y, indices) if return_indices else y


adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = by_dimension(adaptive_avg_pool)
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = by_dimension(adaptive_max_pool)


@differentiable
def global_avg_pool(x: Array) -> Array:
    """The mean of each channel over all of its spatial axes: (batch, channels, ...) -> two axes.

    Raises ShapeError for no spatial axis or an empty one, DtypeError.
    """
    return array_namespace(x).mean(x, axis=_spatial("global_avg_pool", x))


@differentiable
def global_max_pool(x: Array) -> Array:
    """The largest element of each channel: (batch, channels, ...) -> (batch, channels).

    Several equal ones share the gradient. Raises ShapeError for no spatial axis or an empty one,
    DtypeError.
    """
    return array_namespace(x).max(x, axis=_spatial("global_max_pool", x))


def _spatial(operation: str, x: Array) -> tuple[int, ...]:
    """The axes after batch and channels."""
    check_floating(operation, x)
    if x.ndim < 3 or 0 in x.shape[2:]:
        raise ShapeError(
            f"{operation}: x must be (batch, channels, ...) with spatial axes that are not empty, "
            f"got x of shape {tuple(x.shape)}"
        )
    return tuple(range(2, x.ndim))


def _prepared(
    operation: str, n_axes: int, x: Array, output_size: OutputSize
) -> tuple[Array, bool, tuple[int, ...]]:
    """(x with a batch axis, whether it came without, the lengths that come out)."""
    check_floating(operation, x)
    x, alone = with_batch(operation, x, n_axes)
    listed = output_size if isinstance(output_size, Sequence) else (output_size,) * n_axes
    if len(listed) != n_axes or not all(m is None or is_integer_from(1, m) for m in listed):
        raise HyperparameterError(
            f"{operation}: output_size must be a positive integer or None, or one for each of the "
            f"{n_axes} spatial axes, got {output_size!r}"
        )
    lengths = [n if m is None else int(m) for n, m in zip(x.shape[2:], listed, strict=True)]
    if 0 in x.shape[2:]:
        raise ShapeError(
            f"{operation}: the spatial axes must not be empty, got x of shape {tuple(x.shape)}"
        )
    return x, alone, tuple(lengths)


def _even(lengths: tuple[int, ...], wanted: tuple[int, ...]) -> Geometry | None:
    """Windows that do not overlap, where the wanted lengths divide those of x."""
    if any(n % m for n, m in zip(lengths, wanted, strict=True)):
        return None
    window = tuple(n // m for n, m in zip(lengths, wanted, strict=True))
    ones = (1,) * len(window)
    return Geometry(lengths, window, window, ones, ((0, 0),) * len(window))


def _shares(n: int, m: int) -> list[range]:
    """What each of m windows holds of n elements."""
    return [range(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]


@functools.lru_cache(maxsize=64)
def _places(lengths: tuple[int, ...], wanted: tuple[int, ...]) -> Places:
    """The shares of each axis, all of one length; -1 fills up."""
    places = []
    for n, m in zip(lengths, wanted, strict=True):
        shares = _shares(n, m)
        longest = max(map(len, shares))
        places.append(tuple((*share, *(-1,) * (longest - len(share))) for share in shares))
    return tuple(places)


def _means_along(x: Array, axis: int, shares: list[range]) -> Array:
    """The mean of each share along an axis; a share's last element fills up, and counts nothing."""
    xp, raw = array_namespace(x), innermost(x)
    rx = array_namespace(raw)
    shape = (len(shares), *(1,) * (x.ndim - axis - 1))
    total: Any = None
    for k in range(max(map(len, shares))):
        index = rx.asarray([s[min(k, len(s) - 1)] for s in shares], device=device(raw))
        part = xp.take(x, index, axis=axis)
        if any(k >= len(share) for share in shares):
            counts = rx.asarray([k < len(share) for share in shares], device=device(raw))
            part = xp.where(rx.reshape(counts, shape), part, xp.zeros_like(part))
        total = part if total is None else total + part
    sizes = rx.asarray([float(len(s)) for s in shares], dtype=raw.dtype, device=device(raw))
    return total / xp.asarray(rx.reshape(sizes, shape))
