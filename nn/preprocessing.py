"""Features brought to one scale before training."""

from __future__ import annotations

from typing import NamedTuple

from ..backend import Array, array_namespace, is_array, is_floating
from ..backend.errors import DtypeError, EmptyReductionError, ShapeError


class FeatureStatistics(NamedTuple):
    """Mean and standard deviation of each feature, shape (features,)."""

    mean: Array
    std: Array


def feature_statistics(x: Array) -> FeatureStatistics:
    """Mean and standard deviation of each feature over the examples of x.

    x: floating (examples, ..., features) -> two arrays (features,). The standard deviation is that
    of these examples (divided by their number), but 1 for a feature that is the same in all.
    Raises DtypeError, ShapeError and, for no examples, EmptyReductionError.
    """
    _check(x)
    if 0 in x.shape:
        raise EmptyReductionError(
            f"feature_statistics: there must be at least one example, got shape {tuple(x.shape)}"
        )
    xp = array_namespace(x)
    examples = tuple(range(x.ndim - 1))
    varies = xp.max(x, axis=examples) != xp.min(x, axis=examples)  # std may round to other than 0
    std = xp.std(x, axis=examples)
    return FeatureStatistics(xp.mean(x, axis=examples), xp.where(varies, std, xp.ones_like(std)))


def standardize(x: Array, statistics: FeatureStatistics | None = None) -> Array:
    """(x - mean) / std for each feature, by the statistics given or by those of x itself.

    x: floating (examples, ..., features) -> the same shape. Test data wants the statistics of the
    training data: standardize(test_x, feature_statistics(train_x)).
    Raises DtypeError and ShapeError.
    """
    _check(x)
    mean, std = feature_statistics(x) if statistics is None else statistics
    if tuple(mean.shape) != tuple(x.shape[-1:]) or tuple(std.shape) != tuple(x.shape[-1:]):
        raise ShapeError(
            f"standardize: statistics must be of the {x.shape[-1]} features of x, got shapes "
            f"{tuple(mean.shape)} and {tuple(std.shape)}"
        )
    return (x - mean) / std


def _check(x: Array) -> None:
    """Raises DtypeError or ShapeError unless x is a floating array of examples and features."""
    if not is_array(x) or not is_floating(x):
        got = x.dtype if is_array(x) else type(x).__name__
        raise DtypeError(f"standardize: x must be a floating array, got {got}; cast it first")
    if x.ndim < 2:
        raise ShapeError(
            f"standardize: x must have shape (examples, ..., features), got {tuple(x.shape)}; "
            "for one feature use x[:, None]"
        )
