"""What the Array API standard lacks, once, for the arrays of every library."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .device import device_of
from .dtypes import as_dtype
from .erf import erf
from .errors import HyperparameterError, ShapeError
from .libraries import library_of
from .namespaces import Array, array_namespace
from .scatter import check_indices, scatter_add

__all__ = ["check_indices", "erf", "one_hot", "pad", "scatter_add", "sliding_windows"]

Lengths = int | Sequence[int]


def one_hot(labels: Array, n_classes: int, dtype: Any = "float32") -> Array:
    """1 at [..., labels[...]], 0 elsewhere.

    labels: integer (...), each in [0, n_classes) -> (..., n_classes) of the dtype.
    Raises LabelError that names the first label out of range, DtypeError for labels of another
    kind, HyperparameterError unless n_classes is a positive integer.
    """
    if not _is_index(n_classes) or n_classes < 1:
        raise HyperparameterError(f"one_hot: n_classes must be at least 1, got {n_classes!r}")
    check_indices(labels, n_classes, "one_hot")
    xp = array_namespace(labels)
    labels = xp.astype(labels, xp.int64)
    classes = xp.arange(n_classes, dtype=xp.int64, device=labels.device)
    return xp.astype(labels[..., None] == classes, as_dtype(xp, dtype))


def pad(x: Array, widths: int | Sequence[Sequence[int]], value: complex = 0) -> Array:
    """x with a border of one value.

    widths: the numbers of elements before and after, a pair for each axis; one integer means all.
    Raises ShapeError unless there is a pair of non-negative integers for each axis.
    """
    xp = array_namespace(x)
    pairs = _pairs(widths, x.ndim)
    inside = [
        slice(before, before + length) for length, (before, _) in zip(x.shape, pairs, strict=True)
    ]
    shape = [part.stop + after for part, (_, after) in zip(inside, pairs, strict=True)]
    where = device_of(x)
    with where.active():
        result = xp.full(tuple(shape), value, dtype=x.dtype, device=where.raw)
    result[tuple(inside)] = x
    return result


def sliding_windows(
    x: Array,
    window: Lengths,
    stride: Lengths = 1,
    dilation: Lengths = 1,
    axes: Sequence[int] | None = None,
) -> Array:
    """Every window of x: the element [..., i, ..., k] is x[..., i * stride + k * dilation, ...].

    window, stride, dilation: one integer, or one for each of the axes (default: the last ones, as
    many as window has entries). Each axis keeps its place with the number of windows,
    (length - dilation * (window - 1) - 1) // stride + 1; the windows' own axes are the last ones.
    A view that must not be written to, where the library has views by strides; else a copy.
    Raises HyperparameterError for an entry below 1, ShapeError for a window that does not fit or
    for axes that x does not have.
    """
    windows = _window_axes(x, window, stride, dilation, axes)
    library = library_of(x).name
    if library == "torch":
        shape, strides = _window_shape(x.shape, x.stride(), windows)
        return x.as_strided(shape, strides, x.storage_offset())
    if library in ("numpy", "cupy"):
        shape, strides = _window_shape(x.shape, x.strides, windows)
        tricks = importlib.import_module(f"{library}.lib.stride_tricks")
        only_read = {"writeable": False} if library == "numpy" else {}
        return tricks.as_strided(x, shape, strides, **only_read)
    return _windows_taken(x, windows)


@dataclass(frozen=True)
class _Windows:
    """The windows along one axis."""

    axis: int
    window: int
    stride: int
    dilation: int
    count: int


def _windows_taken(x: Array, windows: list[_Windows]) -> Array:
    """The definition of sliding_windows: elements taken by index, one axis after the other."""
    xp = array_namespace(x)
    for one in windows:
        starts = xp.arange(one.count, device=x.device) * one.stride
        steps = xp.arange(one.window, device=x.device) * one.dilation
        indices = xp.reshape(starts[:, None] + steps[None, :], (-1,))
        shape = tuple(x.shape)
        x = xp.take(x, indices, axis=one.axis)
        shape = (*shape[: one.axis], one.count, one.window, *shape[one.axis + 1 :])
        x = xp.moveaxis(xp.reshape(x, shape), one.axis + 1, -1)
    return x


def _window_shape(
    shape: Sequence[int], strides: Sequence[int], windows: list[_Windows]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and strides of the view that sliding_windows returns."""
    outer_shape, outer_strides = list(shape), list(strides)
    for one in windows:
        outer_shape[one.axis] = one.count
        outer_strides[one.axis] *= one.stride
    inner_shape = [one.window for one in windows]
    inner_strides = [strides[one.axis] * one.dilation for one in windows]
    return (*outer_shape, *inner_shape), (*outer_strides, *inner_strides)


def _window_axes(
    x: Array, window: Lengths, stride: Lengths, dilation: Lengths, axes: Sequence[int] | None
) -> list[_Windows]:
    """The windows along each axis, checked."""
    if axes is None:
        n = 1 if isinstance(window, int) else len(window)
        axes = range(x.ndim - n, x.ndim)
    if len({axis % x.ndim for axis in axes if -x.ndim <= axis < x.ndim}) != len(axes):
        raise ShapeError(
            f"sliding_windows: axes must be different axes of x, whose shape is {tuple(x.shape)}; "
            f"got {tuple(axes)}"
        )
    lengths = [
        _positive_entries(name, entries, len(axes))
        for name, entries in (("window", window), ("stride", stride), ("dilation", dilation))
    ]
    windows = []
    for axis, size, step, spread in zip(axes, *lengths, strict=True):
        extent = spread * (size - 1) + 1
        if extent > x.shape[axis]:
            raise ShapeError(
                f"sliding_windows: a window of {size} with dilation {spread} spans {extent} "
                f"elements, but axis {axis} of x has {x.shape[axis]}; pad x, or take a smaller one"
            )
        count = (x.shape[axis] - extent) // step + 1
        windows.append(_Windows(axis % x.ndim, size, step, spread, count))
    return windows


def _positive_entries(name: str, entries: Lengths, n: int) -> list[int]:
    """The integers of one setting, one for each axis."""
    listed = list(entries) if isinstance(entries, Sequence) else [entries] * n
    if len(listed) != n or not all(_is_index(entry) and entry >= 1 for entry in listed):
        raise HyperparameterError(
            f"sliding_windows: {name} must be a positive integer, or one for each of the {n} axes, "
            f"got {entries!r}"
        )
    return listed


def _pairs(widths: Any, ndim: int) -> list[tuple[int, int]]:
    """(before, after) for each axis."""
    listed = [(widths, widths)] * ndim if _is_index(widths) else widths
    fits = isinstance(listed, Sequence) and len(listed) == ndim and all(map(_is_pair, listed))
    if not fits:
        raise ShapeError(
            "pad: widths must be a non-negative integer or a pair (before, after) of them for "
            f"each of the {ndim} axes, got {widths!r}"
        )
    return [(int(before), int(after)) for before, after in listed]


def _is_pair(pair: object) -> bool:
    """Whether it is two non-negative integers."""
    return (
        isinstance(pair, Sequence)
        and len(pair) == 2
        and all(_is_index(width) and width >= 0 for width in pair)
    )


def _is_index(x: object) -> bool:
    """Whether x is an integer; True and False are none."""
    return hasattr(x, "__index__") and not isinstance(x, bool)
