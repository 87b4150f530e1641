"""Pooling over windows: the largest, mean or p-norm of each, for 1 to 3 spatial axes."""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, is_floating
from ...backend.errors import DtypeError, HyperparameterError
from ...backend.geometry import Geometry
from ..dimensions import by_dimension, check_integer, with_batch, without_batch
from ..reduction import check_arrays
from .windows import (
    Places,
    Setting,
    largest,
    max_places,
    pool_geometry,
    regular_places,
    window_max,
    window_sum,
)


def max_pool(
    n_axes: int,
    x: Array,
    kernel_size: Setting,
    stride: Setting | None = None,
    padding: Setting = 0,
    dilation: Setting = 1,
    *,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of every window.

    x: floating (batch, channels, SPATIAL), or without the batch -> the same axes, with
    (n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1 elements each.
    stride: kernel_size unless given. padding: at most half of kernel_size; never the largest.
    ceil_mode: rounded up in place of down, so that elements at the end are not left out.
    return_indices: (y, where they were in the flat spatial axes of x). Of several equal elements
    the first one has the gradient, as torch. Raises ShapeError, DtypeError, HyperparameterError.
    """
    operation = f"max_pool{n_axes}d"
    x, alone = _prepared(operation, x, n_axes)
    lengths = tuple(x.shape[2:])
    settings = (kernel_size, stride, padding, dilation, ceil_mode)
    geometry = pool_geometry(operation, lengths, *settings)
    if not return_indices:
        return without_batch(window_max(x, geometry=geometry), alone)
    return with_indices(x, regular_places(geometry), alone)


def avg_pool(
    n_axes: int,
    x: Array,
    kernel_size: Setting,
    stride: Setting | None = None,
    padding: Setting = 0,
    *,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of every window.

    x: floating (batch, channels, SPATIAL), or without the batch -> the same axes, with
    (n + 2 * padding - kernel_size) // stride + 1 elements each.
    stride: kernel_size unless given. padding: zeros, at most half of kernel_size; with
    count_include_pad=False the mean is over the elements of x alone. ceil_mode: rounded up; what
    lies beyond the padding never counts. divisor_override: what sums are divided by.
    Raises ShapeError, DtypeError, HyperparameterError.
    """
    operation = f"avg_pool{n_axes}d"
    x, alone = _prepared(operation, x, n_axes)
    geometry = pool_geometry(
        operation, tuple(x.shape[2:]), kernel_size, stride, padding, 1, ceil_mode
    )
    check_divisor(operation, divisor_override)
    if divisor_override is not None:
        return without_batch(window_sum(x, geometry=geometry) / float(divisor_override), alone)
    means = window_sum(x, geometry=geometry) / _divisor(x, geometry, int(count_include_pad))
    return without_batch(means, alone)


def lp_pool(
    n_axes: int,
    x: Array,
    norm_type: float,
    kernel_size: Setting,
    stride: Setting | None = None,
    *,
    ceil_mode: bool = False,
) -> Array:
    """(the sum of x^p over every window)^(1/p) with p = norm_type; not of |x|, as torch.

    x: floating (batch, channels, SPATIAL), or without the batch; other settings as in avg_pool.
    With ceil_mode a window that is cut off counts as if it were whole: its mean times its size.
    Where the sum is 0 the gradient is 0. Raises ShapeError, DtypeError, HyperparameterError.
    """
    operation = f"lp_pool{n_axes}d"
    check_norm_type(operation, norm_type)
    x, alone = _prepared(operation, x, n_axes)
    lengths = tuple(x.shape[2:])
    geometry = pool_geometry(operation, lengths, kernel_size, stride, 0, 1, ceil_mode)
    xp = array_namespace(x)
    sums = window_sum(xp.pow(x, float(norm_type)), geometry=geometry)
    if ceil_mode:
        sums = sums / _divisor(x, geometry, 1) * float(geometry.n_elements)
    steady = xp.where(sums == 0, xp.ones_like(sums), sums)
    norms = xp.pow(steady, 1.0 / norm_type)
    return without_batch(xp.where(sums == 0, xp.zeros_like(sums), norms), alone)


max_pool1d, max_pool2d, max_pool3d = by_dimension(max_pool)
avg_pool1d, avg_pool2d, avg_pool3d = by_dimension(avg_pool)
lp_pool1d, lp_pool2d, lp_pool3d = by_dimension(lp_pool)


def _prepared(operation: str, x: Array, n_axes: int) -> tuple[Array, bool]:
    """x with a batch axis, and whether it came without. Raises DtypeError unless it is floating."""
    check_floating(operation, x)
    return with_batch(operation, x, n_axes)


def check_norm_type(operation: str, norm_type: float) -> None:
    """Raises HyperparameterError unless norm_type is positive and finite."""
    if not 0.0 < norm_type < math.inf:
        raise HyperparameterError(
            f"{operation}: norm_type must be positive and finite, got {norm_type!r}; "
            "for the largest element use max_pool"
        )


def check_divisor(operation: str, divisor_override: int | None) -> None:
    """Raises HyperparameterError unless it is None or an integer >= 1."""
    if divisor_override is not None:
        check_integer(operation, "divisor_override", divisor_override)


def check_floating(operation: str, x: Array) -> None:
    """Raises DtypeError unless x is a floating array."""
    check_arrays(operation, x=x)
    if not is_floating(x):
        raise DtypeError(
            f"{operation}: x must be floating, got {x.dtype}; cast it, "
            "e.g. xp.astype(x, xp.float32)"
        )


def with_indices(x: Array, places: Places, alone: bool) -> tuple[Array, Array]:
    """(the largest elements of windows, where they are as an array of the kind of x)."""
    found = max_places(x, places)
    y, indices = largest(x, found, places), array_namespace(x).asarray(found)
    return without_batch(y, alone), without_batch(indices, alone)


def _divisor(x: Array, geometry: Geometry, border: int) -> Any:
    """How many elements each window counts: a number, or an array where they differ.

    border: 1 where the padding counts; what ceil_mode adds beyond it never does.
    """
    by_axis = []
    settings = zip(
        *(geometry.lengths, geometry.window, geometry.stride, geometry.padding, geometry.counts),
        strict=True,
    )
    for n, size, step, (before, _), count in settings:
        low, high = -before * border, n + before * border
        starts = [i * step - before for i in range(count)]
        by_axis.append([min(start + size, high) - max(start, low) for start in starts])
    if all(len(set(counts)) == 1 for counts in by_axis):
        return float(math.prod(counts[0] for counts in by_axis))
    product = [1]
    for counts in by_axis:
        product = [a * b for a in product for b in counts]
    xp = array_namespace(x)
    flat = xp.asarray([float(n) for n in product], dtype=x.dtype, device=device(x))
    return xp.reshape(flat, geometry.counts)
