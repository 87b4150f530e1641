"""Dropout of whole channels, and dropout that keeps the mean and variance of selu."""

from __future__ import annotations

import math

from ..backend import Array, array_namespace, device_of
from ..backend.errors import ShapeError
from ..backend.random import Generator, default_generator
from .dropout import check_input, check_probability
from .module import Module
from .smooth_activation import SELU_ALPHA, SELU_SCALE


def dropout1d(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """x (batch, channels, length) or (channels, length) with whole channels zero: see dropout.

    Raises ShapeError for another number of axes, DtypeError unless x is floating,
    HyperparameterError unless 0 <= p <= 1.
    Source: Tompson, Goroshin, Jain, LeCun, Bregler 2014, section 3.2.
    """
    return _channels_dropped(1, x, p, training, generator)


def dropout2d(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """x (batch, channels, height, width) or without batch, with whole channels zero: see dropout1d.

    torch takes three axes for (batch, channels, length); here that is dropout1d.
    """
    return _channels_dropped(2, x, p, training, generator)


def dropout3d(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """x (batch, channels, three axes) or without batch, with whole channels zero: see dropout1d."""
    return _channels_dropped(3, x, p, training, generator)


def _channels_dropped(
    n_axes: int, x: Array, p: float, training: bool, generator: Generator | None
) -> Array:
    """dropout with one choice for all spatial positions of a channel."""
    operation = f"dropout{n_axes}d"
    check_probability(operation, p)
    check_input(operation, x)
    if x.ndim not in (n_axes + 1, n_axes + 2):
        raise ShapeError(
            f"{operation}: x must have {n_axes + 1} axes (channels and {n_axes} more) or "
            f"{n_axes + 2} (a batch of these), got shape {tuple(x.shape)}; for single elements "
            "use dropout"
        )
    if not training or p == 0:
        return x
    shape = (*x.shape[: x.ndim - n_axes], *(1,) * n_axes)
    return x * (_kept(x, p, shape, generator) * (1.0 / (1.0 - p) if p < 1 else 0.0))


def alpha_dropout(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """x with elements at selu's lowest value with probability p, then scaled to keep the moments.

    Inputs of mean 0 and variance 1 keep both, which is what selu builds on.
    Raises HyperparameterError unless 0 <= p <= 1, DtypeError unless x is floating.
    Source: Klambauer, Unterthiner, Mayr, Hochreiter 2017, section 3, "New dropout technique".
    """
    check_probability("alpha_dropout", p)
    check_input("alpha_dropout", x)
    return _alpha_dropped(x, p, tuple(x.shape), training, generator)


def feature_alpha_dropout(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """alpha_dropout with one choice for a whole channel: x (batch, channels, ...).

    Raises ShapeError for fewer than two axes, DtypeError unless x is floating,
    HyperparameterError unless 0 <= p <= 1.
    """
    check_probability("feature_alpha_dropout", p)
    check_input("feature_alpha_dropout", x)
    if x.ndim < 2:
        raise ShapeError(
            "feature_alpha_dropout: x must have shape (batch, channels, ...), got "
            f"{tuple(x.shape)}; for single elements use alpha_dropout"
        )
    shape = (*x.shape[:2], *(1,) * (x.ndim - 2))
    return _alpha_dropped(x, p, shape, training, generator)


def _alpha_dropped(
    x: Array, p: float, shape: tuple[int, ...], training: bool, generator: Generator | None
) -> Array:
    """a (x kept, lowest elsewhere) + b with the paper's a and b; zeros for p = 1, as in torch."""
    if not training or p == 0:
        return x
    kept = _kept(x, p, shape, generator)
    if p == 1:
        return x * kept
    lowest = -SELU_SCALE * SELU_ALPHA
    a = 1.0 / math.sqrt((1.0 - p) * (1.0 + p * lowest * lowest))
    return x * (kept * a) + ((1.0 - kept) * (a * lowest) - a * p * lowest)


def _kept(x: Array, p: float, shape: tuple[int, ...], generator: Generator | None) -> Array:
    """1 with probability 1 - p, else 0, in the dtype of x."""
    source = default_generator() if generator is None else generator
    kept = source.bernoulli(1.0 - p, shape, device=device_of(x))
    return array_namespace(kept).astype(kept, x.dtype)


class _DropoutVariant(Module):
    """A dropout in training, x itself in evaluation. Raises HyperparameterError for a bad p."""

    def __init__(self, p: float = 0.5, *, generator: Generator | None = None) -> None:
        check_probability(type(self).__name__, p)
        self.p = p
        self.generator = generator

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout1d(_DropoutVariant):
    """dropout1d(x, p): whole channels of (batch, channels, length)."""

    def forward(self, x: Array) -> Array:
        return dropout1d(x, self.p, training=self.training, generator=self.generator)


class Dropout2d(_DropoutVariant):
    """dropout2d(x, p): whole channels of (batch, channels, height, width)."""

    def forward(self, x: Array) -> Array:
        return dropout2d(x, self.p, training=self.training, generator=self.generator)


class Dropout3d(_DropoutVariant):
    """dropout3d(x, p): whole channels of (batch, channels, and three axes)."""

    def forward(self, x: Array) -> Array:
        return dropout3d(x, self.p, training=self.training, generator=self.generator)


class AlphaDropout(_DropoutVariant):
    """alpha_dropout(x, p), for networks of selu."""

    def forward(self, x: Array) -> Array:
        return alpha_dropout(x, self.p, training=self.training, generator=self.generator)


class FeatureAlphaDropout(_DropoutVariant):
    """feature_alpha_dropout(x, p), for convolutions with selu."""

    def forward(self, x: Array) -> Array:
        return feature_alpha_dropout(x, self.p, training=self.training, generator=self.generator)
