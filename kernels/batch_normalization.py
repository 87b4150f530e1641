"""Batch norm on NumPy, with weight and bias, by the batch's statistics or by given ones.

Compiled loops go over x twice in training, once in evaluation: some examples at a time in several
threads, whose sums come together here. Without them NumPy's operations do the same.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .channels import affine, along_channels, channel_sums
from .compiled import loops_for
from .fused import Fused
from .normalization import serves
from .threads import in_parts

Array = np.ndarray

PART = 2**19  # numbers: what one thread takes at a time
MOST_EXAMPLES = 4096  # in a part, whose columns add up one after another in float32


def batch_norm(
    x: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    training: bool = False,
    eps: float = 1e-5,
) -> Any:
    """(y, (mean, 1 / sqrt(variance + eps)) of each channel). Declines all but float32, float64."""
    if not serves(x):
        return NotImplemented
    view, channels_last = _by_channel(x)
    if training:
        mean, variance = _moments(view)
    else:
        assert running_mean is not None
        assert running_var is not None
        mean, variance = running_mean, running_var
    scale = (1.0 / np.sqrt(variance + eps)).astype(x.dtype, copy=False)
    y = _scaled(view, mean, scale if weight is None else scale * weight, bias)
    return _shaped(y, x, channels_last), (mean, scale)


def dbatch_norm(
    dy: Array, x: Array, weight: Array | None, training: bool, saved: tuple[Array, Array]
) -> tuple[Array, Array, Array]:
    """dx, dweight = the sums of dy z, z the normalized x, and dbias = the sums of dy.

    In training dx = (dy - mean(dy) - z mean(dy z)) scale weight, with given statistics
    dy scale weight.
    """
    mean, scale = saved
    view, channels_last = _by_channel(x)
    dy = np.ascontiguousarray(_last(dy) if channels_last else dy).reshape(view.shape)
    dbias, products = _sums(dy, view, mean)
    dweight = products * scale
    factor = scale if weight is None else scale * weight
    if training:
        n = view.size // len(mean)
        dx = _gradient(dy, view, mean, factor, dbias / n, factor * scale * (dweight / n))
    else:
        dx = np.multiply(dy, along_channels(factor, dy))
    return _shaped(dx, x, channels_last), dweight, dbias


def channel_moments(x: Array) -> Any:
    """The mean and the variance of each channel. Declines all but float32 and float64."""
    return _moments(_by_channel(x)[0]) if serves(x) else NotImplemented


def _moments(x: Array) -> tuple[Array, Array]:
    """The same of x (examples, channels[, inner])."""
    loops, n = loops_for(x), x.size // x.shape[1]
    if loops is None:
        mean = channel_sums(x) / n
        centred = x - along_channels(mean, x)
        return mean, channel_sums(centred, centred) / n
    size, inner = _part(x), _inner(x)
    found = np.empty((-(-len(x) // size), 2, x.shape[1]), x.dtype)

    def work(start: int, stop: int) -> None:
        loops.channel_moments(x[start:stop], *found[start // size], inner)

    in_parts(work, len(x), size)
    means, squares = found[:, 0], found[:, 1]
    if len(found) == 1:
        return means[0], squares[0] / n
    # Chan, Golub and LeVeque 1983, equation 2.1: each part's squares are about its own mean.
    weights = np.minimum(size, len(x) - size * np.arange(len(found)))[:, None] / len(x)
    mean = np.add.reduce(weights * means)
    between = np.add.reduce(weights * (means - mean) ** 2)
    variance = np.add.reduce(squares, dtype=np.float64) / n + between
    return mean.astype(x.dtype), variance.astype(x.dtype)


def _scaled(x: Array, mean: Array, factor: Array, bias: Array | None) -> Array:
    """(x - mean) factor + bias."""
    y = np.empty(x.shape, x.dtype)
    mean, factor = np.ascontiguousarray(mean), np.ascontiguousarray(factor)
    loops = loops_for(x, mean, factor, bias)
    if loops is None:
        np.subtract(x, along_channels(mean, x), out=y)
        return affine(y, factor, bias, out=y)
    shift, inner = np.zeros_like(mean) if bias is None else bias, _inner(x)

    def work(start: int, stop: int) -> None:
        loops.channels_scaled(x[start:stop], mean, factor, shift, y[start:stop], inner)

    in_parts(work, len(x), _part(x))
    return y


def _sums(dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    """The sums of dy and of dy (x - mean) of each channel."""
    loops = loops_for(dy, x, mean)
    if loops is None:
        return channel_sums(dy), channel_sums(dy, x - along_channels(mean, x))
    size, inner = _part(x), _inner(x)
    found = np.empty((-(-len(x) // size), 2, x.shape[1]), x.dtype)

    def work(start: int, stop: int) -> None:
        loops.channel_sums(dy[start:stop], x[start:stop], mean, *found[start // size], inner)

    in_parts(work, len(x), size)
    sums, products = found[0] if len(found) == 1 else np.add.reduce(found)
    return sums, products


def _gradient(dy: Array, x: Array, mean: Array, factor: Array, shift: Array, slope: Array) -> Array:
    """(dy - shift) factor - (x - mean) slope."""
    dx, inner = np.empty(x.shape, x.dtype), _inner(x)
    loops = loops_for(dy, x, mean, factor, shift, slope)
    if loops is None:
        np.subtract(dy, along_channels(shift, dy), out=dx)
        np.multiply(dx, along_channels(factor, dx), out=dx)
        z = x - along_channels(mean, x)
        return np.subtract(dx, np.multiply(z, along_channels(slope, z), out=z), out=dx)

    def work(start: int, stop: int) -> None:
        numbers = mean, factor, shift, slope
        loops.dchannels(dy[start:stop], x[start:stop], *numbers, dx[start:stop], inner)

    in_parts(work, len(x), _part(x))
    return dx


def _by_channel(x: Array) -> tuple[Array, bool]:
    """x as contiguous (examples, channels[, inner]); whether its channels lie last in memory.

    Then every place in an example counts as an example.
    """
    n_channels = x.shape[1]
    if x.ndim > 2 and not x.flags.c_contiguous and _last(x).flags.c_contiguous:
        return _last(x).reshape(-1, n_channels), True
    inner = math.prod(x.shape[2:])
    shape = (len(x), n_channels) if inner == 1 else (len(x), n_channels, inner)
    return np.ascontiguousarray(x).reshape(shape), False


def _shaped(y: Array, x: Array, channels_last: bool) -> Array:
    """y in the shape of x."""
    if not channels_last:
        return y.reshape(x.shape)
    return np.moveaxis(y.reshape(_last(x).shape), -1, 1)


def _last(x: Array) -> Array:
    return np.moveaxis(x, 1, -1)


def _inner(x: Array) -> int:
    return 1 if x.ndim == 2 else x.shape[2]


def _part(x: Array) -> int:
    """How many examples one thread takes at a time."""
    return min(MOST_EXAMPLES, max(1, PART // (x.size // len(x))))


BATCH_NORM_NUMPY = Fused(batch_norm, dbatch_norm, of=("x", "weight", "bias"), saves=True)
CHANNEL_MOMENTS_NUMPY = Fused(channel_moments)
