"""BatchNorm1d to 3d and InstanceNorm1d to 3d: layers that may keep running statistics."""

from __future__ import annotations

import math
from typing import Any

from ...backend import Array, Device, array, array_namespace, unwrap
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.replay import carried
from ..dimensions import check_integer, with_batch, without_batch
from ..initializers import ones, zeros
from ..module import Module
from ..parameter import Parameter
from ..reduction import check_arrays
from .functions import batch_norm, channel_moments, check_eps, instance_norm


class _RunningNorm(Module):
    """Learned weight and bias, and running mean and variance, one of each for every channel."""

    n_axes: tuple[int, ...] = (4,)  # how many axes x may have

    def _set(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        made: dict[str, Any],
    ) -> None:
        name = type(self).__name__
        check_integer(name, "num_features", num_features)
        check_eps(name, eps)
        if momentum is not None and not 0.0 <= momentum <= 1.0:
            raise HyperparameterError(
                f"{name}: momentum, the share of the newest batch, must be in [0, 1] or None, "
                f"got {momentum!r}"
            )
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.track_running_stats = track_running_stats
        shape = (num_features,)
        self.weight = Parameter(ones(shape, **made)) if affine else None
        self.bias = Parameter(zeros(shape, **made)) if affine and bias else None
        self.running_mean: Any = None
        self.running_var: Any = None
        self.num_batches_tracked: Any = None
        if track_running_stats:
            self.running_mean, self.running_var = zeros(shape, **made), ones(shape, **made)
            self.num_batches_tracked = array(0, dtype="int64", device=made["device"])

    def _check(self, x: Array, channel_axis: int = 1) -> None:
        name = type(self).__name__
        check_arrays(name, x=x)
        if x.ndim not in self.n_axes:
            counts = " or ".join(map(str, self.n_axes))
            raise ShapeError(
                f"{name}: x must have {counts} axes, got x of shape {tuple(x.shape)}"
            )
        if x.shape[channel_axis] != self.num_features:
            raise ShapeError(
                f"{name}: x must have {self.num_features} channels (num_features), got x of shape "
                f"{tuple(x.shape)} with {x.shape[channel_axis]}"
            )

    def _mix(self, mean: Array, variance: Array, share: Any) -> None:
        """Move the running statistics towards new ones."""
        mean = self.running_mean * (1.0 - share) + mean * share
        variance = self.running_var * (1.0 - share) + variance * share
        self.running_mean = carried(self.running_mean, mean)
        self.running_var = carried(self.running_var, variance)

    def extra_repr(self) -> str:
        settings: dict[str, Any] = {
            "eps": self.eps,
            "momentum": self.momentum,
            "affine": self.weight is not None,
            "track_running_stats": self.track_running_stats,
        }
        if self.weight is not None and self.bias is None:
            settings["bias"] = False
        listed = ", ".join(f"{name}={value}" for name, value in settings.items())
        return f"{self.num_features}, {listed}"


class _BatchNorm(_RunningNorm):
    """What BatchNorm1d to 3d share."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        made = {"device": device, "dtype": dtype}
        self._set(num_features, eps, momentum, affine, track_running_stats, bias, made)

    def forward(self, x: Array) -> Array:
        self._check(x)
        by_batch = self.training or not self.track_running_stats
        statistics = (None, None) if by_batch else (self.running_mean, self.running_var)
        y = batch_norm(
            x, *statistics, self.weight, self.bias, training=by_batch, eps=self.eps
        )
        if self.training and self.track_running_stats and 0 not in x.shape:
            self._follow(unwrap(x))
        return y

    def _follow(self, x: Array) -> None:
        """Let the running statistics take up those of x."""
        seen = self.num_batches_tracked + 1
        self.num_batches_tracked = carried(self.num_batches_tracked, seen)
        if self.momentum is None:
            share = 1.0 / array_namespace(x).astype(seen, x.dtype)
        else:
            share = self.momentum
        mean, variance = channel_moments(x)
        n = math.prod(x.shape) // self.num_features
        self._mix(mean, variance * (n / (n - 1)), share)


class BatchNorm1d(_BatchNorm):
    """batch_norm of (batch, channels) or (batch, channels, length), with learned weight and bias.

    They start as ones and zeros; affine=False: without both; bias=False: without bias.
    In training by the statistics of the batch, and the running ones move towards these:
    (1 - momentum) old + momentum new, with the unbiased variance; momentum=None: their plain mean
    over all batches. In evaluation by the running ones. An empty batch changes nothing.
    track_running_stats=False: the batch's own in evaluation too.
    Raises HyperparameterError; ShapeError for other channels and one value a channel in training.
    """

    n_axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """batch_norm of (batch, channels, height, width); settings and errors as BatchNorm1d."""

    n_axes = (4,)


class BatchNorm3d(_BatchNorm):
    """batch_norm of (batch, channels, depth, height, width); settings, errors as BatchNorm1d."""

    n_axes = (5,)


class _InstanceNorm(_RunningNorm):
    """What InstanceNorm1d to 3d share."""

    n_spatial = 1

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        made = {"device": device, "dtype": dtype}
        self._set(num_features, eps, momentum, affine, track_running_stats, bias, made)

    def forward(self, x: Array) -> Array:
        check_arrays(type(self).__name__, x=x)
        x, alone = with_batch(type(self).__name__, x, self.n_spatial)
        self._check(x)
        if self.track_running_stats and not self.training:
            statistics = (self.running_mean, self.running_var)
            y = batch_norm(x, *statistics, self.weight, self.bias, eps=self.eps)
            return without_batch(y, alone)
        y = instance_norm(x, self.weight, self.bias, eps=self.eps)
        if self.track_running_stats and 0 not in x.shape:
            self._follow(unwrap(x))
        return without_batch(y, alone)

    def _follow(self, x: Array) -> None:
        """Let the running statistics take up the means of the instances' own."""
        xp, axes = array_namespace(x), tuple(range(2, x.ndim))
        variances = xp.var(x, axis=axes, correction=1.0)
        share = 0.0 if self.momentum is None else self.momentum
        self._mix(xp.mean(x, axis=(0, *axes)), xp.mean(variances, axis=0), share)


class InstanceNorm1d(_InstanceNorm):
    """instance_norm of (batch, channels, length), or that without the batch.

    affine=True: with learned weight (ones) and, unless bias=False, bias (zeros).
    track_running_stats=True: running statistics move towards the means over the batch of the
    instances', and evaluation uses them.
    Raises HyperparameterError; ShapeError for other channels and for one value a channel.
    """

    n_axes, n_spatial = (3,), 1


class InstanceNorm2d(_InstanceNorm):
    """instance_norm of (batch, channels, height, width); settings, errors as InstanceNorm1d."""

    n_axes, n_spatial = (4,), 2


class InstanceNorm3d(_InstanceNorm):
    """instance_norm of (batch, channels, depth, height, width); see InstanceNorm1d."""

    n_axes, n_spatial = (5,), 3
