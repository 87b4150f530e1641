"""Sums of values that share an index: what the gradient of take() needs and the standard lacks."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from .device import device_of
from .dtypes import is_floating, is_integer
from .errors import DtypeError, LabelError, ShapeError
from .libraries import library_of
from .namespaces import Array, Namespace, array_namespace, mixed_devices
from .replay import is_capturing

GROUPS_PER_ROUND = 30  # a group costs np.add.reduceat 0.7 us, a round of fancy adds 20 us


def scatter_add(
    shape: tuple[int, ...], indices: Array, values: Array, axis: int = 0, check: bool = True
) -> Array:
    """Zeros of this shape, to which values[i] is added at indices[i] along an axis; repeats add up.

    indices: integer, any shape, each in [-n, n) with n = shape[axis]; values: shape[:axis] +
    indices.shape + shape[axis + 1:], the shape of take(zeros(shape), indices, axis). The result has
    the dtype of values. check=False leaves out the look at the indices, which waits for a GPU.
    The order of the sums is fixed, except on CuPy, which adds atomically.
    Raises ShapeError, DtypeError, LabelError for an index out of range, DeviceError.
    """
    xp = array_namespace(indices, values)
    shape, axis = _checked(shape, indices, values, axis)
    n, rest = shape[axis], shape[:axis] + shape[axis + 1 :]
    values = _axes_moved(values, range(axis, axis + indices.ndim), range(indices.ndim), xp)
    rows = xp.reshape(values, (math.prod(indices.shape), math.prod(rest)))
    flat = xp.reshape(indices, (-1,))
    if check:
        check_indices(flat, n, "scatter_add", lowest=-n)
    flat = xp.astype(flat, xp.int64, copy=False)
    flat = xp.where(flat < 0, flat + n, flat)
    if n == 0 or 0 in rows.shape:
        where = device_of(values)
        with where.active():
            result = xp.zeros((n, rows.shape[1]), dtype=values.dtype, device=where.raw)
    else:
        result = _SUMS.get(library_of(values).name, _sums)(n, flat, rows, xp)
    result = xp.reshape(result, (n, *rest))
    return _axes_moved(result, (0,), (axis,), xp)


def check_indices(indices: Array, n: int, operation: str, lowest: int = 0) -> None:
    """Raises LabelError that names the first index outside [lowest, n), DtypeError for no integers.

    Reads the answer from the device, so a GPU is waited for; not while a step is captured, when
    there is no answer yet.
    """
    if not is_integer(indices):
        raise DtypeError(f"{operation}: indices must be integers, got {indices.dtype}")
    if 0 in indices.shape or is_capturing():
        return
    xp = array_namespace(indices)
    flat = xp.reshape(xp.astype(indices, xp.int64, copy=False), (-1,))
    if int(xp.min(flat)) < lowest or int(xp.max(flat)) >= n:
        outside = (flat < lowest) | (flat >= n)
        position = int(xp.argmax(xp.astype(outside, xp.int8)))
        raise LabelError(
            f"{operation}: every index must be in [{lowest}, {n}), got {int(flat[position])} "
            f"at position {_position(position, indices.shape)}"
        )


def _checked(
    shape: tuple[int, ...], indices: Array, values: Array, axis: int
) -> tuple[tuple[int, ...], int]:
    """The shape as integers and the axis from the front; raises unless all fit together."""
    shape = tuple(int(length) for length in shape)
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"scatter_add: axis must be one of the {len(shape)} axes, got {axis}")
    axis %= len(shape)
    if not is_integer(indices):
        raise DtypeError(f"scatter_add: indices must be integers, got {indices.dtype}")
    if device_of(indices) != device_of(values):
        raise mixed_devices((indices, values), "scatter_add")
    expected = shape[:axis] + tuple(indices.shape) + shape[axis + 1 :]
    if tuple(values.shape) != expected:
        raise ShapeError(
            f"scatter_add: values must have shape {expected}, as take(zeros({shape}), indices, "
            f"axis={axis}) has, got {tuple(values.shape)}"
        )
    return shape, axis


def _sums(n: int, indices: Array, rows: Array, xp: Namespace) -> Array:
    """The definition: sort by index, then each run's sum gathers at its end in log2(length) steps.

    A step adds the partial sum `distance` rows before, if that row has the same index; so NaN and
    infinity stay in their own row, which a product with a one-hot matrix would not guarantee.
    """
    order = xp.argsort(indices, stable=True)
    sorted_indices = xp.take(indices, order)
    rows = xp.take(rows, order, axis=0)
    distance = 1
    while distance < rows.shape[0]:
        same = sorted_indices[distance:] == sorted_indices[:-distance]
        later = xp.where(
            same[:, None], rows[distance:, :] + rows[:-distance, :], rows[distance:, :]
        )
        rows = xp.concat([rows[:distance, :], later])
        distance *= 2
    targets = xp.arange(n, dtype=sorted_indices.dtype, device=indices.device)
    ends = xp.searchsorted(sorted_indices, targets, side="right") - 1
    ends = xp.where(ends < 0, xp.zeros_like(ends), ends)
    present = xp.take(sorted_indices, ends) == targets
    return xp.where(present[:, None], xp.take(rows, ends, axis=0), xp.zeros_like(rows[:1, :]))


def _numpy_sums(n: int, indices: np.ndarray, rows: np.ndarray, xp: Namespace) -> np.ndarray:
    """Columns by bincount; rows sorted by index, then rounds of fancy adds or reduceat."""
    if rows.shape[1] == 1 and is_floating(rows):
        with np.errstate(over="ignore"):  # sums in float64: inf where the dtype cannot hold one
            sums = np.bincount(indices, rows[:, 0], minlength=n)
            return sums.astype(rows.dtype)[:, None]
    result = np.zeros((n, rows.shape[1]), rows.dtype)
    order = np.argsort(indices, kind="stable")
    indices = indices[order]
    starts = np.flatnonzero(np.concatenate(([True], indices[1:] != indices[:-1])))
    counts = np.diff(starts, append=indices.size)
    n_rounds = int(counts.max())
    if n_rounds * GROUPS_PER_ROUND > starts.size:
        result[indices[starts]] = np.add.reduceat(rows[order], starts, axis=0)
        return result
    for number in range(n_rounds):  # the number-th row of every group that has so many
        places = starts[counts > number] + number
        result[indices[places]] += rows[order[places]]
    return result


def _torch_sums(n: int, indices: Any, rows: Any, xp: Namespace) -> Any:
    return rows.new_zeros((n, rows.shape[1])).index_add_(0, indices, rows)


def _cupy_sums(n: int, indices: Any, rows: Any, xp: Namespace) -> Any:
    with device_of(rows).active():
        result = xp.zeros((n, rows.shape[1]), dtype=rows.dtype)
        importlib.import_module("cupyx").scatter_add(result, indices, rows)
    return result


_SUMS = {"numpy": _numpy_sums, "torch": _torch_sums, "cupy": _cupy_sums}


def _axes_moved(x: Array, sources: Any, targets: Any, xp: Namespace) -> Array:
    sources, targets = tuple(sources), tuple(targets)
    return x if sources == targets else xp.moveaxis(x, sources, targets)


def _position(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The coordinates of an element that is index-th in row-major order."""
    coordinates = []
    for length in reversed(shape):
        index, coordinate = divmod(index, length)
        coordinates.append(coordinate)
    return tuple(reversed(coordinates))
