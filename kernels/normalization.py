"""Layer, RMS, group and instance norm on NumPy, with their weight and bias.

Compiled loops read a row from memory once and normalize it in the cache; without them NumPy's
operations do it, with sums as inner products. Both save two numbers a row and not the normalized x.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .channels import affine, channel_sums
from .compiled import loops_for
from .fused import Fused
from .threads import in_parts

Array = np.ndarray
Shape = int | Sequence[int]
Gradients = tuple[Array, Array, Array]

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
PART = 2**19  # numbers: what one thread normalizes at a time, at least a whole example


class Rows(NamedTuple):
    """x as rows to normalize: `groups` an example, each with channels of `inner` numbers."""

    examples: int
    groups: int
    channels: int
    inner: int
    centered: bool = True

    @property
    def n(self) -> int:
        """How many rows."""
        return self.examples * self.groups

    def by_channel(self, x: Array) -> Array:
        """(examples, all channels, inner), without the last axis where inner is 1."""
        shape = (self.examples, self.groups * self.channels)
        return x.reshape(shape if self.inner == 1 else (*shape, self.inner))

    def part(self) -> int:
        """How many examples one thread takes at a time."""
        return max(1, PART // (self.groups * self.channels * self.inner))


def layer_norm(
    x: Array,
    normalized_shape: Shape,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Any:
    """(y, (mean, 1 / sqrt(variance + eps)) of each row). Declines all but float32 and float64."""
    if not serves(x):
        return NotImplemented
    return _forward(x, weight, bias, _layer(x, normalized_shape), eps)


def dlayer_norm(
    dy: Array, x: Array, normalized_shape: Shape, weight: Array | None, saved: Any
) -> tuple[Array, ...]:
    """dx, dweight, dbias: see _backward."""
    dx, dweight, dbias = _backward(dy, x, weight, saved, _layer(x, normalized_shape))
    shape = _as_tuple(normalized_shape)
    return dx, dweight.reshape(shape), dbias.reshape(shape)


def rms_norm(
    x: Array, normalized_shape: Shape, weight: Array | None = None, *, eps: float | None = None
) -> Any:
    """As layer_norm, with the mean of the squares in place of the variance."""
    if not serves(x):
        return NotImplemented
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _forward(x, weight, None, _layer(x, normalized_shape, centered=False), eps)


def drms_norm(
    dy: Array, x: Array, normalized_shape: Shape, weight: Array | None, saved: Any
) -> tuple[Array, ...]:
    """dx, dweight: see _backward."""
    rows = _layer(x, normalized_shape, centered=False)
    dx, dweight, _ = _backward(dy, x, weight, saved, rows)
    return dx, dweight.reshape(_as_tuple(normalized_shape))


def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Any:
    """As layer_norm, of groups of channels."""
    if not serves(x):
        return NotImplemented
    return _forward(x, weight, bias, _groups(x, num_groups), eps)


def dgroup_norm(
    dy: Array, x: Array, num_groups: int, weight: Array | None, saved: Any
) -> tuple[Array, ...]:
    """dx, dweight, dbias: see _backward."""
    return _backward(dy, x, weight, saved, _groups(x, num_groups))


def instance_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5
) -> Any:
    """As group_norm with a group for each channel."""
    return group_norm(x, x.shape[1], weight, bias, eps=eps)


def dinstance_norm(dy: Array, x: Array, weight: Array | None, saved: Any) -> tuple[Array, ...]:
    """dx, dweight, dbias: see _backward."""
    return _backward(dy, x, weight, saved, _groups(x, x.shape[1]))


def serves(x: Array) -> bool:
    """Whether the kernels take x: float32 or float64, and not empty."""
    return x.dtype in DTYPES and x.size > 0


def _layer(x: Array, normalized_shape: Shape, centered: bool = True) -> Rows:
    n = math.prod(_as_tuple(normalized_shape))
    return Rows(x.size // n, 1, n, 1, centered)


def _groups(x: Array, n_groups: int) -> Rows:
    n_groups = int(n_groups)  # NumPy's integers are none to the loops
    return Rows(len(x), n_groups, x.shape[1] // n_groups, math.prod(x.shape[2:]))


def _as_tuple(shape: Shape) -> tuple[int, ...]:
    return tuple(map(int, shape)) if isinstance(shape, Sequence) else (int(shape),)


def _forward(x: Array, weight: Array | None, bias: Array | None, rows: Rows, eps: float) -> Any:
    """((x - mean) scale weight + bias, (mean, scale)), scale = 1 / sqrt(variance + eps)."""
    x = np.ascontiguousarray(x)
    weight, bias = _flat(weight), _flat(bias)
    loops = loops_for(x, weight, bias)
    if loops is None:
        return _forward_numpy(x, weight, bias, rows, eps)
    y = np.empty(x.shape, x.dtype)
    mean, scale = (np.empty(rows.n, x.dtype) for _ in range(2))
    weight, bias = _or_full(weight, rows, 1.0), _or_full(bias, rows, 0.0)
    by_example = x.reshape(rows.examples, -1), y.reshape(rows.examples, -1)

    def work(start: int, stop: int) -> None:
        read, written = (a[start:stop] for a in by_example)
        moments = (a[start * rows.groups : stop * rows.groups] for a in (mean, scale))
        arrays = read, weight, bias, written, *moments
        loops.normalized(*arrays, rows.channels, eps, rows.centered)

    in_parts(work, rows.examples, rows.part())
    return y, (mean, scale)


def _forward_numpy(
    x: Array, weight: Array | None, bias: Array | None, rows: Rows, eps: float
) -> Any:
    flat = x.reshape(rows.n, -1)
    mean = _means(flat) if rows.centered else np.zeros(rows.n, x.dtype)
    z = np.subtract(flat, mean[:, None]) if rows.centered else flat
    scale = 1.0 / np.sqrt(np.vecdot(z, z) / z.shape[1] + eps, dtype=x.dtype)
    z = np.multiply(z, scale[:, None], out=z if rows.centered else None)
    y = affine(rows.by_channel(z), weight, bias, out=rows.by_channel(z))
    return y.reshape(x.shape), (mean, scale)


def _backward(
    dy: Array, x: Array, weight: Array | None, saved: tuple[Array, Array], rows: Rows
) -> Gradients:
    """(dx, dweight, dbias), the last two flat.

    With z = (x - mean) scale and g = dy weight, dx = (g - mean(g) - z mean(g z)) scale; without
    mean(g) where x was not centred.
    """
    dy, x, weight = np.ascontiguousarray(dy), np.ascontiguousarray(x), _flat(weight)
    loops = loops_for(dy, x, weight)
    if loops is None:
        return _backward_numpy(dy, x, weight, saved, rows)
    dx, size, weight = np.empty(x.shape, x.dtype), rows.part(), _or_full(weight, rows, 1.0)
    by_example = [a.reshape(rows.examples, -1) for a in (dy, x, dx)]
    sums = np.zeros((-(-rows.examples // size), 2, len(weight)), x.dtype)

    def work(start: int, stop: int) -> None:
        given, read, written = (a[start:stop] for a in by_example)
        moments = (a[start * rows.groups : stop * rows.groups] for a in saved)
        arrays = given, read, weight, *moments, written, *sums[start // size]
        loops.dnormalized(*arrays, rows.channels, rows.centered)

    in_parts(work, rows.examples, size)
    dweight, dbias = sums[0] if len(sums) == 1 else np.add.reduce(sums)
    return dx, dweight, dbias


def _backward_numpy(
    dy: Array, x: Array, weight: Array | None, saved: tuple[Array, Array], rows: Rows
) -> Gradients:
    mean, scale = saved[0][:, None], saved[1][:, None]
    z = x.reshape(rows.n, -1)
    z = np.multiply(np.subtract(z, mean) if rows.centered else z, scale)
    dy = rows.by_channel(dy)
    dweight, dbias = channel_sums(dy, rows.by_channel(z)), channel_sums(dy)
    g = affine(dy, weight, None).reshape(z.shape)
    dx = np.multiply(z, (np.vecdot(g, z) / -z.shape[1])[:, None], out=z)
    np.add(dx, g, out=dx)
    if rows.centered:
        np.subtract(dx, _means(g)[:, None], out=dx)
    return np.multiply(dx, scale, out=dx).reshape(x.shape), dweight, dbias


def _means(x: Array) -> Array:
    return np.vecdot(x, np.ones(x.shape[1], x.dtype)) / x.shape[1]


def _flat(parameter: Array | None) -> Array | None:
    return None if parameter is None else parameter.reshape(-1)


def _or_full(parameter: Array | None, rows: Rows, value: float) -> Array:
    """The weight or bias; where there is none, one that changes nothing."""
    n = rows.groups * rows.channels
    return np.full(n, value, np.float32) if parameter is None else parameter


LAYER_NORM_NUMPY = Fused(layer_norm, dlayer_norm, of=("x", "weight", "bias"), saves=True)
RMS_NORM_NUMPY = Fused(rms_norm, drms_norm, of=("x", "weight"), saves=True)
GROUP_NORM_NUMPY = Fused(group_norm, dgroup_norm, of=("x", "weight", "bias"), saves=True)
INSTANCE_NORM_NUMPY = Fused(instance_norm, dinstance_norm, of=("x", "weight", "bias"), saves=True)
