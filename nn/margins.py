"""Losses of pairs and triplets: hinges on scores, distances and angles, for targets 1 and -1.

Each is over the terms of a batch with reduction="mean", "sum" or "none". At the corner of a hinge
its derivative is 1, as in torch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from ..backend import Array, array_namespace, unwrap
from ..backend.errors import HyperparameterError, ShapeError
from .activation import log_sigmoid
from .autograd import differentiable
from .loss_checks import check_alike, check_finite, check_positive, check_signs
from .reduction import check_arrays, check_not_empty, check_reduction, check_same_dtype, reduced
from .similarity import pairwise_distance

Distance = Callable[[Array, Array], Array]
SMALLEST_SQUARE = 1e-12  # torch's: added to squared lengths, so that a row of zeros has an angle


@differentiable
def hinge(x: Array) -> Array:
    """max(x, 0), elementwise, with derivative 1 at 0: a margin that is just met still pulls."""
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x))


@hinge.backward
def _(dy: Array, x: Array) -> Array:
    return dy * array_namespace(x).astype(x >= 0.0, unwrap(x).dtype)


@differentiable
def hinge_embedding(
    distance: Array, target: Array, *, margin: float = 1.0, reduction: str = "mean"
) -> Array:
    """Mean of distance where the target is 1 and max(margin - distance, 0) where it is -1.

    distance, target: floating, of the same shape and dtype -> (), or that shape for "none".
    Raises DomainError for a target that is neither (on a GPU this check reads one scalar),
    ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Hadsell, Chopra, LeCun 2006, equation 4, without its squares.
    """
    xp = array_namespace(distance, target)
    return reduced(xp.where(target > 0.0, distance, hinge(margin - distance)), reduction)


@hinge_embedding.requires
def _(distance: Array, target: Array, margin: float = 1.0, reduction: str = "mean") -> None:
    check_alike("hinge_embedding", reduction, distance=distance, target=target)
    check_finite("hinge_embedding", margin=margin)
    check_signs("hinge_embedding", target)


@differentiable
def soft_margin(prediction: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Mean of log(1 + exp(-target prediction)), for targets 1 and -1; no prediction overflows.

    prediction, target: floating, of the same shape and dtype -> (), or that shape for "none".
    Raises DomainError for another target (on a GPU this check reads one scalar), ShapeError,
    DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    return reduced(-log_sigmoid(target * prediction), reduction)


@soft_margin.requires
def _(prediction: Array, target: Array, reduction: str = "mean") -> None:
    check_alike("soft_margin", reduction, prediction=prediction, target=target)
    check_signs("soft_margin", target)


@differentiable
def margin_ranking(
    first: Array, second: Array, target: Array, *, margin: float = 0.0, reduction: str = "mean"
) -> Array:
    """Mean of max(margin - target (first - second), 0): with target 1 first should be larger.

    first, second, target: floating, of the same shape and dtype, targets 1 or -1 -> (), or that
    shape for "none". Raises DomainError for another target (on a GPU this check reads one scalar),
    ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    return reduced(hinge(margin - target * (first - second)), reduction)


@margin_ranking.requires
def _(
    first: Array, second: Array, target: Array, margin: float = 0.0, reduction: str = "mean"
) -> None:
    check_alike("margin_ranking", reduction, first=first, second=second, target=target)
    check_finite("margin_ranking", margin=margin)
    check_signs("margin_ranking", target)


@differentiable
def cosine_embedding(
    first: Array, second: Array, target: Array, *, margin: float = 0.0, reduction: str = "mean"
) -> Array:
    """Mean of 1 - c where the target is 1 and max(c - margin, 0) where it is -1, c the cosine.

    first, second: floating (batch, features) or (features,); target: (batch,) or (), of their
    dtype -> (), or the shape of the target for "none". margin: in [-1, 1].
    Raises DomainError for another target (on a GPU this check reads one scalar), ShapeError,
    DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    xp = array_namespace(first, second)
    squares = [xp.sum(x * x, axis=-1) + SMALLEST_SQUARE for x in (first, second)]
    cosine = xp.sum(first * second, axis=-1) / xp.sqrt(squares[0] * squares[1])
    return reduced(xp.where(target > 0.0, 1.0 - cosine, hinge(cosine - margin)), reduction)


@cosine_embedding.requires
def _(
    first: Array, second: Array, target: Array, margin: float = 0.0, reduction: str = "mean"
) -> None:
    check_alike("cosine_embedding", "none", first=first, second=second)
    check_arrays("cosine_embedding", first=first, target=target)
    check_same_dtype("cosine_embedding", first=first, target=target)
    check_reduction("cosine_embedding", reduction)
    check_cosine_margin("cosine_embedding", margin)
    shape = tuple(first.shape)
    if len(shape) not in (1, 2) or tuple(target.shape) != shape[:-1]:
        raise ShapeError(
            "cosine_embedding: first and second must have shape (batch, features) and target "
            f"(batch,), or (features,) and (); got {shape} and {tuple(target.shape)}"
        )
    check_not_empty("cosine_embedding", shape[:-1], reduction)
    check_signs("cosine_embedding", target)


def check_cosine_margin(operation: str, margin: float) -> None:
    """Raises HyperparameterError unless margin is in [-1, 1]."""
    if not -1.0 <= margin <= 1.0:
        raise HyperparameterError(f"{operation}: margin must be in [-1, 1], got {margin!r}")


@differentiable
def triplet_margin(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """Mean of max(d(anchor, positive) - d(anchor, negative) + margin, 0), d the distance of rows.

    All three: floating (..., features), of the same shape and dtype -> (), or (...) for "none".
    d(a, b) is the p-norm of a - b + eps. swap: d(positive, negative) where that is less than
    d(anchor, negative). margin, p and eps: positive.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Balntas, Riba, Ponsa, Mikolajczyk 2016, equations 2 and 4.
    """
    distance = functools.partial(pairwise_distance, p=p, eps=eps)
    return _of_distances(anchor, positive, negative, distance, margin, swap, reduction)


@triplet_margin.requires
def _(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> None:
    arrays = {"anchor": anchor, "positive": positive, "negative": negative}
    check_alike("triplet_margin", "none", **arrays)
    check_reduction("triplet_margin", reduction)
    check_positive("triplet_margin", margin=margin, p=p, eps=eps)
    if not anchor.ndim:
        raise ShapeError("triplet_margin: anchor must have shape (..., features), got ()")
    check_not_empty("triplet_margin", tuple(anchor.shape[:-1]), reduction)


@differentiable
def triplet_margin_with_distance(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """Mean of max(d(anchor, positive) - d(anchor, negative) + margin, 0) with a distance d given.

    All three: floating, of the same shape and dtype -> (), or the shape of distances for "none".
    distance_function: (a, b) -> array, made of this library's functions or the Array API's;
    pairwise_distance unless given. swap, margin: as in triplet_margin.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    distance = pairwise_distance if distance_function is None else distance_function
    return _of_distances(anchor, positive, negative, distance, margin, swap, reduction)


@triplet_margin_with_distance.requires
def _(
    anchor: Array,
    positive: Array,
    negative: Array,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> None:
    operation = "triplet_margin_with_distance"
    check_alike(operation, "none", anchor=anchor, positive=positive, negative=negative)
    check_reduction(operation, reduction)
    check_positive(operation, margin=margin)
    check_distance(operation, distance_function)
    check_not_empty(operation, tuple(anchor.shape), reduction)


def check_distance(operation: str, distance_function: Distance | None) -> None:
    """Raises HyperparameterError unless it can be called."""
    if distance_function is not None and not callable(distance_function):
        raise HyperparameterError(
            f"{operation}: distance_function must be a function of two arrays, got "
            f"{distance_function!r}"
        )


def _of_distances(
    anchor: Array,
    positive: Array,
    negative: Array,
    distance: Distance,
    margin: float,
    swap: bool,
    reduction: str,
) -> Array:
    """max(near - far + margin, 0), reduced; with swap far is the nearer of the two others."""
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = array_namespace(far).minimum(far, distance(positive, negative))
    return reduced(hinge(near - far + margin), reduction)
