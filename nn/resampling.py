"""interpolate and Upsample: other lengths for the spatial axes; pixel_shuffle, channel_shuffle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ..backend import Array, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from .autograd import differentiable
from .autograd.tensor import innermost
from .dimensions import check_integer, is_integer_from, per_axis
from .module import Module
from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .pooling.functions import check_floating

LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}  # spatial axes of each
MODES = ("nearest", "nearest-exact", "area", *LINEAR)
CUBIC = -0.75  # the slope a of the cubic kernel at 1: torch's and OpenCV's

Taps = list[tuple[list[int], list[float]]]  # elements and weights, for one of several summands


@differentiable
def interpolate(
    x: Array,
    size: int | Sequence[int] | None = None,
    *,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Array:
    """x with other lengths of its spatial axes, its values read between the elements.

    x: floating (batch, channels, spatial axes). size: the new lengths, or scale_factor: what to
    multiply the old ones by, rounded down; one number, or one for each axis.
    mode: "nearest" (floor(i n / m)), "nearest-exact" (by the centres), "linear" for one spatial
    axis, "bilinear" and "bicubic" for two, "trilinear" for three, "area" (adaptive_avg_pool).
    align_corners: first and last elements, not the outer edges, lie on each other (linear kinds and
    bicubic). With scale_factor the positions follow it, not the quotient of the lengths, as torch.
    Raises ShapeError, DtypeError, HyperparameterError. Source of bicubic: Keys 1981, equation 15.
    """
    n_axes = _checked(x, size, scale_factor, mode, align_corners)
    lengths, factors = _lengths(tuple(x.shape[2:]), size, scale_factor)
    if mode == "area":
        pool = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n_axes - 1]
        return pool(x, lengths)
    for axis, (m, factor) in enumerate(zip(lengths, factors, strict=True), start=2):
        if m != x.shape[axis] or mode == "bicubic" or factor is not None:
            x = _along(x, axis, _taps(mode, x.shape[axis], m, factor, align_corners))
    return x


@differentiable
def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """Channels laid out as space: (..., c r^2, h, w) -> (..., c, h r, w r), r = upscale_factor.

    Raises ShapeError unless the channels divide by r^2, HyperparameterError.
    Source: Shi et al. 2016, Real-time single image and video super-resolution, equation 4.
    """
    check_integer("pixel_shuffle", "upscale_factor", upscale_factor)
    r, shape = upscale_factor, tuple(x.shape)
    if len(shape) < 3 or shape[-3] % r**2:
        raise ShapeError(
            f"pixel_shuffle: x must be (..., channels, height, width) with channels divisible by "
            f"upscale_factor^2 = {r**2}, got x of shape {shape}"
        )
    *front, c, h, w = shape
    xp, n = array_namespace(x), len(front)
    x = xp.reshape(x, (*front, c // r**2, r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return xp.reshape(xp.permute_dims(x, order), (*front, c // r**2, h * r, w * r))


@differentiable
def pixel_unshuffle(x: Array, downscale_factor: int) -> Array:
    """Space laid out as channels: (..., c, h r, w r) -> (..., c r^2, h, w), r = downscale_factor.

    Raises ShapeError unless height and width divide by r, HyperparameterError.
    """
    check_integer("pixel_unshuffle", "downscale_factor", downscale_factor)
    r, shape = downscale_factor, tuple(x.shape)
    if len(shape) < 3 or shape[-1] % r or shape[-2] % r:
        raise ShapeError(
            "pixel_unshuffle: x must be (..., channels, height, width) with height and width "
            f"divisible by downscale_factor = {r}, got x of shape {shape}"
        )
    *front, c, h, w = shape
    xp, n = array_namespace(x), len(front)
    x = xp.reshape(x, (*front, c, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return xp.reshape(xp.permute_dims(x, order), (*front, c * r**2, h // r, w // r))


@differentiable
def channel_shuffle(x: Array, groups: int) -> Array:
    """The first channel of every group, then the second of every one, ...: (batch, channels, ...).

    So a convolution in groups sees channels of all groups of the one before.
    Raises ShapeError unless groups divides the channels, HyperparameterError.
    Source: Zhang, Zhou, Lin, Sun 2017, ShuffleNet, section 3.1.
    """
    check_integer("channel_shuffle", "groups", groups)
    shape = tuple(x.shape)
    if len(shape) < 2 or shape[1] % groups:
        raise ShapeError(
            "channel_shuffle: x must be (batch, channels, ...) with channels divisible by groups = "
            f"{groups}, got x of shape {shape}"
        )
    xp, rest = array_namespace(x), range(3, len(shape) + 1)
    x = xp.reshape(x, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return xp.reshape(xp.permute_dims(x, (0, 2, 1, *rest)), shape)


class Upsample(Module):
    """interpolate(x) to a size or by a factor."""

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool = False,
    ) -> None:
        _check_mode("Upsample", mode, size, scale_factor, align_corners)
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners = align_corners

    def forward(self, x: Array) -> Array:
        options: dict[str, Any] = {"mode": self.mode, "align_corners": self.align_corners}
        return interpolate(x, self.size, scale_factor=self.scale_factor, **options)

    def extra_repr(self) -> str:
        how = f"size={self.size}" if self.size is not None else f"scale_factor={self.scale_factor}"
        return f"{how}, mode={self.mode!r}"


class PixelShuffle(Module):
    """pixel_shuffle(x, upscale_factor)."""

    def __init__(self, upscale_factor: int) -> None:
        check_integer("PixelShuffle", "upscale_factor", upscale_factor)
        self.upscale_factor = upscale_factor

    def forward(self, x: Array) -> Array:
        return pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """pixel_unshuffle(x, downscale_factor)."""

    def __init__(self, downscale_factor: int) -> None:
        check_integer("PixelUnshuffle", "downscale_factor", downscale_factor)
        self.downscale_factor = downscale_factor

    def forward(self, x: Array) -> Array:
        return pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """channel_shuffle(x, groups)."""

    def __init__(self, groups: int) -> None:
        check_integer("ChannelShuffle", "groups", groups)
        self.groups = groups

    def forward(self, x: Array) -> Array:
        return channel_shuffle(x, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"


# -- where values are read ----------------------------------------------------------------------


def _taps(mode: str, n: int, m: int, factor: float | None, align_corners: bool) -> Taps:
    """What each of m new elements reads of n old ones: summands of (elements, weights)."""
    step = n / m if factor is None else 1.0 / factor
    if mode in ("nearest", "nearest-exact"):
        half = 0.5 if mode == "nearest-exact" else 0.0
        return [([min(math.floor((i + half) * step), n - 1) for i in range(m)], [1.0] * m)]
    if align_corners:
        step = (n - 1) / (m - 1) if m > 1 else 0.0
        places = [i * step for i in range(m)]
    else:
        places = [(i + 0.5) * step - 0.5 for i in range(m)]
    if mode == "bicubic":
        return _cubic_taps(places, n)
    places = [max(place, 0.0) for place in places]
    lower = [min(math.floor(place), n - 1) for place in places]
    shares = [min(place - low, 1.0) for place, low in zip(places, lower, strict=True)]
    return [
        (lower, [1.0 - share for share in shares]),
        ([min(low + 1, n - 1) for low in lower], shares),
    ]


def _cubic_taps(places: list[float], n: int) -> Taps:
    """Four neighbours of each place, the last elements standing in for what lies beyond."""
    lower = [math.floor(place) for place in places]
    shares = [place - low for place, low in zip(places, lower, strict=True)]
    weights = [
        [_far(t + 1) for t in shares],
        [_near(t) for t in shares],
        [_near(1 - t) for t in shares],
        [_far(2 - t) for t in shares],
    ]
    elements = [[min(max(low + k, 0), n - 1) for low in lower] for k in (-1, 0, 1, 2)]
    return list(zip(elements, weights, strict=True))


def _near(t: float) -> float:
    """The cubic kernel at distances up to 1."""
    return ((CUBIC + 2) * t - (CUBIC + 3)) * t * t + 1


def _far(t: float) -> float:
    """The cubic kernel at distances from 1 to 2."""
    return ((CUBIC * t - 5 * CUBIC) * t + 8 * CUBIC) * t - 4 * CUBIC


def _along(x: Array, axis: int, taps: Taps) -> Array:
    """The weighted sum of the taps along an axis."""
    xp, raw = array_namespace(x), innermost(x)
    rx = array_namespace(raw)
    total: Any = None
    for elements, weights in taps:
        part = xp.take(x, rx.asarray(elements, device=device(raw)), axis=axis)
        if any(weight != 1.0 for weight in weights):
            factors = rx.asarray(weights, dtype=raw.dtype, device=device(raw))
            shape = (len(weights), *(1,) * (x.ndim - axis - 1))
            part = part * xp.asarray(rx.reshape(factors, shape))
        total = part if total is None else total + part
    return total


def _lengths(
    old: tuple[int, ...],
    size: int | Sequence[int] | None,
    scale_factor: float | Sequence[float] | None,
) -> tuple[tuple[int, ...], Sequence[float | None]]:
    """The new lengths, and the factor of each axis where factors are given."""
    if size is not None:
        return per_axis("interpolate", "size", size, len(old)), (None,) * len(old)
    listed: Any = scale_factor
    if not isinstance(scale_factor, Sequence):
        listed = (scale_factor,) * len(old)
    if len(listed) != len(old):
        raise HyperparameterError(
            f"interpolate: scale_factor must be one number or one for each of the {len(old)} "
            f"spatial axes, got {scale_factor!r}"
        )
    lengths = tuple(math.floor(n * factor) for n, factor in zip(old, listed, strict=True))
    if 0 in lengths:
        raise ShapeError(
            f"interpolate: scale_factor {scale_factor!r} leaves nothing of lengths {old}"
        )
    return lengths, listed


def _checked(
    x: Array,
    size: int | Sequence[int] | None,
    scale_factor: float | Sequence[float] | None,
    mode: str,
    align_corners: bool,
) -> int:
    """How many spatial axes x has; raises unless x and the settings fit together."""
    check_floating("interpolate", x)
    _check_mode("interpolate", mode, size, scale_factor, align_corners)
    n_axes = x.ndim - 2
    if not 1 <= n_axes <= 3 or 0 in x.shape[1:]:
        raise ShapeError(
            "interpolate: x must be (batch, channels, 1 to 3 spatial axes), none of them empty but "
            f"the batch; got x of shape {tuple(x.shape)}"
        )
    if LINEAR.get(mode, n_axes) != n_axes:
        fitting = [name for name, n in LINEAR.items() if n == n_axes]
        raise HyperparameterError(
            f"interpolate: mode {mode!r} is for {LINEAR[mode]} spatial axes, got x of shape "
            f"{tuple(x.shape)}; use {' or '.join(map(repr, fitting))}"
        )
    return n_axes


def _check_mode(
    operation: str, mode: str, size: Any, scale_factor: Any, align_corners: bool
) -> None:
    if mode not in MODES:
        raise HyperparameterError(
            f"{operation}: mode must be one of {', '.join(MODES)}, got {mode!r}"
        )
    if (size is None) == (scale_factor is None):
        raise HyperparameterError(f"{operation}: give either size or scale_factor")
    if align_corners and mode not in LINEAR:
        raise HyperparameterError(
            f"{operation}: align_corners goes with {', '.join(LINEAR)}, not with {mode!r}"
        )
    factors = scale_factor if isinstance(scale_factor, Sequence) else (scale_factor,)
    if scale_factor is not None and not all(0.0 < factor < math.inf for factor in factors):
        raise HyperparameterError(
            f"{operation}: scale_factor must be positive and finite, got {scale_factor!r}"
        )
    sizes = size if isinstance(size, Sequence) else (size,)
    if size is not None and not all(is_integer_from(1, n) for n in sizes):
        raise HyperparameterError(f"{operation}: size must be positive integers, got {size!r}")
