"""Arrays (examples, channels) or (examples, channels, inner) on NumPy, with a number a channel."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def affine(x: Array, weight: Array | None, bias: Array | None, out: Array | None = None) -> Array:
    """x times weight plus bias, in `out` where it is given; x itself where there is nothing to do.

    out may be x.
    """
    if weight is not None:
        x = out = np.multiply(x, along_channels(weight, x), out=out)
    if bias is not None:
        x = np.add(x, along_channels(bias, x), out=out)
    return x


def along_channels(parameter: Array, x: Array) -> Array:
    """The parameter (channels,) so that it broadcasts against x."""
    return parameter if x.ndim == 2 else parameter[:, None]


def channel_sums(x: Array, factor: Array | None = None) -> Array:
    """The sum of x, times a factor of its shape, for each channel.

    Sums are inner products: less than half the time of sum().
    """
    if x.ndim == 2:
        return np.matmul(np.ones(len(x), x.dtype), x if factor is None else x * factor)
    other = np.ones(x.shape[-1], x.dtype) if factor is None else factor
    return np.add.reduce(np.vecdot(x, other), axis=0)
