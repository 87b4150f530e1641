"""Running sums, products and differences of the standard with their derivatives."""

from __future__ import annotations

from typing import Any

from ....backend import Array
from .manipulation import concat, flip, moveaxis
from .standard import standard

cumulative_sum = standard("cumulative_sum", "x", axis=None, dtype=None, include_initial=False)
cumulative_prod = standard("cumulative_prod", "x", axis=None, dtype=None, include_initial=False)


@cumulative_sum.backward
def _dcumulative_sum(dy: Array, axis: int | None, include_initial: bool) -> Array:
    """The sum of the cotangents from here to the end."""
    dy, axis = _without_initial(dy, axis, include_initial)
    return flip(cumulative_sum(flip(dy, axis=axis), axis=axis), axis=axis)


@cumulative_prod.backward
def _dcumulative_prod(dy: Array, x: Array, axis: int | None, include_initial: bool) -> Array:
    """What comes before x_i, times sum over j >= i of dy_j x_(i+1) ... x_j: zeros do no harm."""
    dy, axis = _without_initial(dy, axis, include_initial)
    before = cumulative_prod(x, axis=axis, include_initial=True)
    before = before[(*_before(axis, x.ndim), slice(None, -1), ...)]
    return before * moveaxis(_horner(moveaxis(dy, axis, -1), moveaxis(x, axis, -1)), -1, axis)


def _horner(dy: Array, x: Array) -> Array:
    """s_i = dy_i + x_(i+1) s_(i+1) along the last axis, in log2(n) steps.

    After the step of distance d, s_i holds the terms up to j = i + d, and factors_i the product of
    the d elements after x_i.
    """
    n, distance = dy.shape[-1], 1
    s, factors = dy, x[..., 1:]
    while distance < n:
        ahead = n - distance  # so many elements have one at this distance
        s = concat([s[..., :ahead] + factors * s[..., distance:], s[..., ahead:]], axis=-1)
        if 2 * distance < n:
            factors = factors[..., : n - 2 * distance] * factors[..., distance:]
        distance *= 2
    return s


def diff(
    x: Array,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Array | None = None,
    append: Array | None = None,
) -> Array:
    """x[i + 1] - x[i] along an axis, n times, as in the standard."""
    if n < 0:
        raise ValueError(f"diff: n must be 0 or more, got {n}")
    if prepend is not None or append is not None:
        x = concat([part for part in (prepend, x, append) if part is not None], axis=axis)
    before = _before(axis, x.ndim)
    for _ in range(n):
        x = x[(*before, slice(1, None), ...)] - x[(*before, slice(None, -1), ...)]
    return x


def _without_initial(dy: Array, axis: int | None, include_initial: bool) -> tuple[Array, int]:
    """The cotangent without that of the element in front, and the axis that None means."""
    axis = 0 if axis is None else axis
    if include_initial:
        dy = dy[(*_before(axis, dy.ndim), slice(1, None), ...)]
    return dy, axis


def _before(axis: int, ndim: int) -> tuple[Any, ...]:
    """The part of a key that passes over the axes before this one."""
    return (slice(None),) * range(ndim)[axis]
