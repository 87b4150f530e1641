"""Normalization: mean 0 and variance 1 over a batch, a layer, groups of channels or an instance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ...kernels.batch_normalization import BATCH_NORM_NUMPY, CHANNEL_MOMENTS_NUMPY
from ...kernels.normalization import (
    GROUP_NORM_NUMPY,
    INSTANCE_NORM_NUMPY,
    LAYER_NORM_NUMPY,
    RMS_NORM_NUMPY,
)
from ..autograd import differentiable
from ..dimensions import check_integer
from ..reduction import check_arrays, check_same_dtype

Axes = tuple[int, ...]


@differentiable
def normalized(x: Array, *, axes: Axes, eps: float, centered: bool = True) -> Array:
    """(x - mean) / sqrt(variance + eps) over the axes; centered=False: x / sqrt(mean(x^2) + eps).

    The variance is the mean of the squares, without a correction. x: floating, not empty there.
    """
    scale = _inverse_deviation(x, axes, eps, centered)
    if centered:
        x = x - array_namespace(x).mean(x, axis=axes, keepdims=True)
    return x * scale


@normalized.backward
def _(dy: Array, x: Array, axes: Axes, eps: float, centered: bool, y: Array) -> Array:
    """With y = (x - m) s: dm takes the mean of dy away, and ds = -s^2 y takes what is along y."""
    xp = array_namespace(dy, x)
    along = dy - y * xp.mean(dy * y, axis=axes, keepdims=True)
    if centered:
        along = along - xp.mean(dy, axis=axes, keepdims=True)
    return along * _inverse_deviation(x, axes, eps, centered)


@differentiable
def batch_norm(
    x: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    training: bool = False,
    eps: float = 1e-5,
) -> Array:
    """(x - mean) / sqrt(variance + eps) weight + bias, with one of each for every channel.

    x: floating (batch, channels, ...); the others: (channels,) or None. training: mean and variance
    are those of the batch; else the running ones, which this function never writes (BatchNorm
    does). An empty batch is left as it is. Raises ShapeError for arrays of another length, and in
    training for one value a channel; DtypeError, DeviceError, HyperparameterError.
    Source: Ioffe and Szegedy 2015, algorithms 1 and 2.
    """
    if training:
        y = x if 0 in x.shape else normalized(x, axes=(0, *range(2, x.ndim)), eps=eps)
        return _affine(y, weight, bias, 1)
    assert running_mean is not None
    assert running_var is not None
    return _with_statistics(x, running_mean, running_var, weight, bias, eps)


batch_norm.fused_by(numpy=BATCH_NORM_NUMPY)


@batch_norm.requires
def _(
    x: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    eps: float = 1e-5,
) -> None:
    parts = {"weight": weight, "bias": bias}
    parts |= {"running_mean": running_mean, "running_var": running_var}
    _check("batch_norm", x, parts, eps, least=2)
    _check_channels("batch_norm", parts, x.shape[1])
    if training:
        _check_several("batch_norm", x, (0, *range(2, x.ndim)))
    elif running_mean is None or running_var is None:
        raise HyperparameterError(
            "batch_norm: training=False must come with running_mean and running_var; "
            "or use training=True for those of the batch"
        )


@differentiable
def channel_moments(x: Array) -> tuple[Array, Array]:
    """(mean, variance) of each channel of x (batch, channels, ...); no correction for the mean."""
    xp, axes = array_namespace(x), (0, *range(2, x.ndim))
    return xp.mean(x, axis=axes), xp.var(x, axis=axes)


channel_moments.fused_by(numpy=CHANNEL_MOMENTS_NUMPY)


@differentiable
def instance_norm(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float = 1e-5
) -> Array:
    """(x - mean) / sqrt(variance + eps) weight + bias, for each example and channel by itself.

    x: floating (batch, channels, ...); weight, bias: (channels,) or None.
    Raises ShapeError for one value a channel, DtypeError, DeviceError, HyperparameterError.
    Source: Ulyanov, Vedaldi, Lempitsky 2016, equation 4.
    """
    y = x if 0 in x.shape else normalized(x, axes=tuple(range(2, x.ndim)), eps=eps)
    return _affine(y, weight, bias, 1)


instance_norm.fused_by(numpy=INSTANCE_NORM_NUMPY)


@instance_norm.requires
def _(x: Array, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5) -> None:
    _check("instance_norm", x, {"weight": weight, "bias": bias}, eps, least=3)
    _check_channels("instance_norm", {"weight": weight, "bias": bias}, x.shape[1])
    _check_several("instance_norm", x, tuple(range(2, x.ndim)))


@differentiable
def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Array:
    """(x - mean) / sqrt(variance + eps) weight + bias, over groups of neighbouring channels.

    x: floating (batch, channels, ...); num_groups divides the channels; weight, bias: (channels,)
    or None. Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    Source: Wu and He 2018, equations 1 to 4.
    """
    y = x
    if 0 not in x.shape:
        xp = array_namespace(x)
        shape = (x.shape[0], num_groups, math.prod(x.shape[1:]) // num_groups)
        y = xp.reshape(normalized(xp.reshape(x, shape), axes=(2,), eps=eps), tuple(x.shape))
    return _affine(y, weight, bias, 1)


group_norm.fused_by(numpy=GROUP_NORM_NUMPY)


@group_norm.requires
def _(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> None:
    check_integer("group_norm", "num_groups", num_groups)
    _check("group_norm", x, {"weight": weight, "bias": bias}, eps, least=2)
    _check_channels("group_norm", {"weight": weight, "bias": bias}, x.shape[1])
    if x.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: num_groups must divide the channels, got num_groups={num_groups} and x "
            f"of shape {tuple(x.shape)} with {x.shape[1]} channels"
        )


@differentiable
def layer_norm(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> Array:
    """(x - mean) / sqrt(variance + eps) weight + bias, over the last axes.

    x: floating (..., *normalized_shape); weight, bias: normalized_shape or None.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    Source: Ba, Kiros, Hinton 2016, equations 3 and 4.
    """
    y = x if 0 in x.shape else normalized(x, axes=_last(x, normalized_shape), eps=eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


layer_norm.fused_by(numpy=LAYER_NORM_NUMPY)


@layer_norm.requires
def _(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> None:
    shape = shape_of_layer("layer_norm", normalized_shape)
    _check("layer_norm", x, {"weight": weight, "bias": bias}, eps, least=1)
    _check_layer("layer_norm", x, shape, {"weight": weight, "bias": bias})


@differentiable
def rms_norm(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    *,
    eps: float | None = None,
) -> Array:
    """x / sqrt(mean(x^2) + eps) weight, over the last axes.

    x: floating (..., *normalized_shape); weight: normalized_shape or None. eps: the spacing of the
    dtype at 1 unless given, as torch. Raises ShapeError, DtypeError, DeviceError,
    HyperparameterError. Source: Zhang and Sennrich 2019, equation 4.
    """
    if eps is None:
        eps = float(array_namespace(x).finfo(x.dtype).eps)
    if 0 not in x.shape:
        x = normalized(x, axes=_last(x, normalized_shape), eps=eps, centered=False)
    return x if weight is None else x * weight


rms_norm.fused_by(numpy=RMS_NORM_NUMPY)


@rms_norm.requires
def _(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    eps: float | None = None,
) -> None:
    shape = shape_of_layer("rms_norm", normalized_shape)
    _check("rms_norm", x, {"weight": weight}, 0.0 if eps is None else eps, least=1)
    _check_layer("rms_norm", x, shape, {"weight": weight})


def _inverse_deviation(x: Array, axes: Axes, eps: float, centered: bool) -> Array:
    """1 / sqrt(variance + eps), or of the mean of the squares."""
    xp = array_namespace(x)
    if centered:
        variance = xp.var(x, axis=axes, keepdims=True)
    else:
        variance = xp.mean(x * x, axis=axes, keepdims=True)
    return 1.0 / xp.sqrt(variance + eps)


def _with_statistics(
    x: Array, mean: Array, variance: Array, weight: Array | None, bias: Array | None, eps: float
) -> Array:
    """x normalized by given statistics: one factor and one summand a channel."""
    factor = 1.0 / array_namespace(variance).sqrt(variance + eps)
    factor = factor if weight is None else factor * weight
    shift = -(mean * factor) if bias is None else bias - mean * factor
    return _affine(x, factor, shift, 1)


def _affine(y: Array, weight: Array | None, bias: Array | None, axis: int) -> Array:
    """y times weight plus bias, one of each along an axis."""
    shape = (y.shape[axis], *(1,) * (y.ndim - axis - 1))
    if weight is not None:
        y = y * array_namespace(weight).reshape(weight, shape)
    if bias is not None:
        y = y + array_namespace(bias).reshape(bias, shape)
    return y


def _last(x: Array, normalized_shape: int | Sequence[int]) -> Axes:
    n = len(normalized_shape) if isinstance(normalized_shape, Sequence) else 1
    return tuple(range(x.ndim - n, x.ndim))


def shape_of_layer(operation: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """normalized_shape as a tuple. Raises HyperparameterError unless all are positive integers."""
    listed = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    for n in listed:
        check_integer(operation, "normalized_shape", n)
    if not listed:
        raise HyperparameterError(f"{operation}: normalized_shape must have at least one axis")
    return tuple(int(n) for n in listed)


def check_eps(operation: str, eps: float) -> None:
    """Raises HyperparameterError unless eps >= 0 and finite."""
    if not 0.0 <= eps < math.inf:
        raise HyperparameterError(f"{operation}: eps must be >= 0 and finite, got {eps!r}")


def _check(
    operation: str, x: Array, parts: dict[str, Array | None], eps: float, least: int
) -> None:
    """Raises DtypeError or DeviceError unless all fit, ShapeError for too few axes."""
    given: dict[str, Any] = {name: part for name, part in parts.items() if part is not None}
    check_arrays(operation, x=x, **given)
    check_same_dtype(operation, **given, x=x)
    check_eps(operation, eps)
    if x.ndim < least:
        axes = ("(..., features)", "(batch, channels, ...)", "(batch, channels, spatial axes)")
        raise ShapeError(
            f"{operation}: x must be {axes[least - 1]}, got x of shape {tuple(x.shape)}"
        )


def _check_channels(operation: str, parts: dict[str, Array | None], n_channels: int) -> None:
    for name, part in parts.items():
        if part is not None and tuple(part.shape) != (n_channels,):
            raise ShapeError(
                f"{operation}: {name} must have one number for each of the {n_channels} channels "
                f"of x, shape ({n_channels},), got {tuple(part.shape)}"
            )


def _check_several(operation: str, x: Array, axes: Axes) -> None:
    """Raises ShapeError for one value a channel, whose deviation from its mean is always 0."""
    if math.prod(x.shape[axis] for axis in axes) == 1:
        raise ShapeError(
            f"{operation}: in training there must be more than one value for each channel, got x "
            f"of shape {tuple(x.shape)}; use a larger batch, or call eval() first"
        )


def _check_layer(
    operation: str, x: Array, shape: tuple[int, ...], parts: dict[str, Array | None]
) -> None:
    if tuple(x.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"{operation}: the last axes of x must be normalized_shape {shape}, got x of shape "
            f"{tuple(x.shape)}"
        )
    for name, part in parts.items():
        if part is not None and tuple(part.shape) != shape:
            raise ShapeError(
                f"{operation}: {name} must have the shape normalized_shape {shape}, "
                f"got {tuple(part.shape)}"
            )
