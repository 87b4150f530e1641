"""max_unpool: what max_pool picked, put back to where it was, zeros elsewhere; and its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, is_integer, unwrap
from ...backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError
from ..autograd import differentiable
from ..autograd.ops.indexing import take
from ..autograd.tensor import innermost
from ..dimensions import by_dimension, is_integer_from, per_axis, with_batch, without_batch
from ..reduction import check_arrays
from .functions import check_floating
from .layers import _Pool
from .windows import Setting


def max_unpool(
    n_axes: int,
    x: Array,
    indices: Array,
    kernel_size: Setting,
    stride: Setting | None = None,
    padding: Setting = 0,
    *,
    output_size: Sequence[int] | None = None,
) -> Array:
    """Zeros with the elements of x at indices: the inverse of max_pool as far as there is one.

    x: floating (batch, channels, SPATIAL), or without the batch; indices: integers of that shape,
    as max_pool returns them, places in the flat spatial axes of the result -> the same axes, with
    (n - 1) * stride - 2 * padding + kernel_size elements each, or output_size, which differs from
    that by less than stride; it may have batch and channels before it. Of several elements with one
    place the last stands there, and each has its gradient, as in torch.
    Raises LabelError for an index out of range (on a GPU this check reads one scalar), ShapeError,
    DtypeError, DeviceError, HyperparameterError.
    """
    operation = f"max_unpool{n_axes}d"
    _check(operation, x, indices)
    x, alone = with_batch(operation, x, n_axes)
    window = per_axis(operation, "kernel_size", kernel_size, n_axes)
    strides = window if stride is None else per_axis(operation, "stride", stride, n_axes)
    borders = per_axis(operation, "padding", padding, n_axes, least=0)
    settings = zip(x.shape[2:], strides, borders, window, strict=True)
    usual = tuple((n - 1) * s - 2 * p + k for n, s, p, k in settings)
    lengths = usual if output_size is None else _chosen(operation, output_size, usual, strides)
    if any(n < 1 for n in lengths):
        raise ShapeError(
            f"{operation}: the result must have at least one element an axis, got lengths {lengths}"
            f" from x of shape {tuple(x.shape)}"
        )
    places = _places(operation, unwrap(indices), tuple(x.shape[:2]), lengths)
    shape = (*x.shape[:2], *lengths)
    xp = array_namespace(x)
    flat = placed(xp.reshape(x, (-1,)), places, math.prod(shape))
    return without_batch(xp.reshape(flat, shape), alone)


max_unpool1d, max_unpool2d, max_unpool3d = by_dimension(max_unpool)


@differentiable
def placed(x: Array, places: Array, size: int) -> Array:
    """Zeros (size,) with x[i] at places[i]; of several with one place the last."""
    xp, places = array_namespace(x), innermost(places)
    if 0 in (x.shape[0], size):
        return xp.zeros((size,), dtype=x.dtype, device=device(x))
    order = xp.argsort(places, stable=True)
    in_order = xp.take(places, order)
    wanted = xp.arange(size, dtype=places.dtype, device=device(places))
    last = xp.searchsorted(in_order, wanted, side="right") - 1
    last = xp.where(last < 0, xp.zeros_like(last), last)
    found = xp.take(x, xp.take(order, last))
    return xp.where(xp.take(in_order, last) == wanted, found, xp.zeros_like(found))


@placed.backward
def _(dy: Array, places: Array) -> Array:
    return take(dy, places)


def _check(operation: str, x: Array, indices: Array) -> None:
    """Raises DtypeError, DeviceError or ShapeError unless there is an index for each element."""
    check_floating(operation, x)
    check_arrays(operation, x=x, indices=indices)
    if not is_integer(indices):
        raise DtypeError(f"{operation}: indices must be integers, got {indices.dtype}")
    if tuple(indices.shape) != tuple(x.shape):
        raise ShapeError(
            f"{operation}: indices must have the shape {tuple(x.shape)} of x, got "
            f"{tuple(indices.shape)}; max_pool returns both with return_indices=True"
        )


def _chosen(
    operation: str, output_size: Any, usual: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[int, ...]:
    """output_size without batch and channels. Raises HyperparameterError unless it can be."""
    listed = tuple(output_size) if isinstance(output_size, Sequence) else ()
    lengths = listed[2:] if len(listed) == len(usual) + 2 else listed
    fits = len(lengths) == len(usual) and all(
        is_integer_from(1, n) and abs(n - m) < s
        for n, m, s in zip(lengths, usual, strides, strict=True)
    )
    if not fits:
        raise HyperparameterError(
            f"{operation}: output_size must be {len(usual)} lengths that differ from {usual} by "
            f"less than stride, {strides}; got {output_size!r}"
        )
    return tuple(int(n) for n in lengths)


def _places(
    operation: str, indices: Array, front: tuple[int, ...], lengths: tuple[int, ...]
) -> Array:
    """Where the elements go in the flat result. Raises LabelError for an index out of range."""
    xp, size = array_namespace(indices), math.prod(lengths)
    n_own = math.prod(indices.shape[-len(lengths) :])
    rows = xp.reshape(xp.astype(indices, xp.int64, copy=False), (math.prod(front), n_own))
    if 0 not in rows.shape and not bool(xp.all((rows >= 0) & (rows < size))):
        raise LabelError(
            f"{operation}: every index must be in [0, {size}), the elements of {lengths}, got "
            "others; give output_size where max_pool did not see all of its input"
        )
    starts = xp.arange(rows.shape[0], dtype=xp.int64, device=device(indices)) * size
    return xp.reshape(starts[:, None] + rows, (-1,))


class _MaxUnpool(_Pool):
    """Zeros with the elements of x at indices: see max_unpool."""

    def __init__(
        self, kernel_size: Setting, stride: Setting | None = None, padding: Setting = 0
    ) -> None:
        self._set(kernel_size, stride, padding)

    def forward(
        self, x: Array, indices: Array, output_size: Sequence[int] | None = None
    ) -> Array:
        settings = (self.kernel_size, self.stride, self.padding)
        return type(self).function(x, indices, *settings, output_size=output_size)


class MaxUnpool1d(_MaxUnpool):
    """max_unpool1d: what MaxPool1d picked, back to where it was."""

    n_axes, function = 1, max_unpool1d


class MaxUnpool2d(_MaxUnpool):
    """max_unpool2d: what MaxPool2d picked, back to where it was."""

    n_axes, function = 2, max_unpool2d


class MaxUnpool3d(_MaxUnpool):
    """max_unpool3d: what MaxPool3d picked, back to where it was."""

    n_axes, function = 3, max_unpool3d
