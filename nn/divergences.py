"""Losses that are negative log-likelihoods or divergences of distributions."""

from __future__ import annotations

import math

from ..backend import Array, array_namespace, is_integer, unwrap
from ..backend.errors import DomainError, EmptyReductionError, HyperparameterError, ShapeError
from .autograd import differentiable
from .autograd.ops.special import xlogy
from .class_targets import check_class_targets, check_labels
from .loss_checks import check_alike, check_class_weight, check_positive
from .reduction import (
    REDUCTIONS,
    check_arrays,
    check_not_empty,
    check_reduction,
    check_same_dtype,
    reduced,
)


@differentiable
def nll(
    log_probabilities: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Array:
    """Mean over the batch of -log_probabilities[target]: cross_entropy after a log_softmax.

    log_probabilities: floating (batch, ..., classes); targets: integer (batch, ...), each in
    [0, classes) -> (), or (batch, ...) for "none". torch has the classes on axis 1.
    weight: (classes,), the factor of each class; the mean divides by the sum of the factors.
    ignore_index: the label of rows that do not count; unlike torch's (-100), the default is none.
    Raises LabelError for a label out of range (on a GPU this check reads one scalar), ShapeError,
    DtypeError, DeviceError, HyperparameterError; EmptyReductionError for the mean over no rows or
    a total weight of zero.
    """
    labels = unwrap(targets)
    counts, labels = _counts_and_labels(log_probabilities, labels, ignore_index)
    check_labels("nll", labels, log_probabilities.shape[-1])
    xp = array_namespace(log_probabilities)
    own = xp.take_along_axis(log_probabilities, labels[..., None], axis=-1)
    if weight is not None:
        factors = array_namespace(weight).take(weight, _flat(labels))
        counts = array_namespace(factors).reshape(factors, tuple(labels.shape)) * counts
    terms = -(xp.squeeze(own, axis=-1) * counts)
    if reduction != "mean":
        return reduced(terms, reduction)
    total = array_namespace(counts).sum(counts)
    if float(total) == 0.0:
        raise EmptyReductionError(
            "nll: the mean must be over at least one row of nonzero weight, got none (all labels "
            'are ignore_index, or of weight 0); use reduction="sum"'
        )
    return xp.sum(terms) / total


@nll.requires
def _(
    log_probabilities: Array,
    targets: Array,
    weight: Array | None = None,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> None:
    check_reduction("nll", reduction)
    check_arrays("nll", log_probabilities=log_probabilities, targets=targets)
    check_same_dtype("nll", log_probabilities=log_probabilities)
    shape = tuple(log_probabilities.shape)
    if not is_integer(targets) and tuple(targets.shape) == shape:
        raise ShapeError(
            f"nll: targets must be integer labels of shape {shape[:-1]}, got {targets.dtype} of "
            f"shape {shape}; for probabilities use kl_div or cross_entropy"
        )
    check_class_targets("nll", shape, targets, None)
    check_class_weight("nll", weight, log_probabilities)
    check_not_empty("nll", shape[:-1], reduction)


def _counts_and_labels(
    scores: Array, labels: Array, ignore_index: int | None
) -> tuple[Array, Array]:
    """(1, or 0 for an ignored row; the labels as int64, 0 for an ignored row)."""
    xp = array_namespace(labels)
    labels = xp.astype(labels, xp.int64, copy=False)
    dtype = unwrap(scores).dtype
    if ignore_index is None:
        return xp.ones(labels.shape, dtype=dtype, device=labels.device), labels
    ignored = labels == ignore_index
    return xp.astype(~ignored, dtype), xp.where(ignored, xp.zeros_like(labels), labels)


def _flat(labels: Array) -> Array:
    return array_namespace(labels).reshape(labels, (-1,))


@differentiable
def kl_div(
    log_prediction: Array, target: Array, *, log_target: bool = False, reduction: str = "mean"
) -> Array:
    """Mean over all elements of t (log t - log_prediction), the Kullback-Leibler divergence.

    log_prediction: logarithms of probabilities; target: probabilities of the same shape and dtype,
    or with log_target=True their logarithms -> (), or that shape for "none".
    reduction: also "batchmean", the sum divided by the length of axis 0, which is the divergence;
    "mean", torch's default too, divides by the number of classes besides. 0 log 0 counts as 0.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Kullback and Leibler 1951, equation 2.4.
    """
    xp = array_namespace(log_prediction, target)
    if log_target:
        terms = xp.exp(target) * (target - log_prediction)
    else:
        terms = xlogy(target, target) - target * log_prediction
    if reduction == "batchmean":
        return xp.sum(terms) * (1.0 / terms.shape[0])
    return reduced(terms, reduction)


@kl_div.requires
def _(
    log_prediction: Array, target: Array, log_target: bool = False, reduction: str = "mean"
) -> None:
    check_kl_reduction("kl_div", reduction)
    shared = "mean" if reduction == "batchmean" else reduction
    check_alike("kl_div", shared, log_prediction=log_prediction, target=target)
    if reduction == "batchmean" and not log_prediction.ndim:
        raise ShapeError('kl_div: "batchmean" divides by the length of axis 0, got shape ()')


def check_kl_reduction(operation: str, reduction: str) -> None:
    """Raises HyperparameterError for a reduction that kl_div does not have."""
    if reduction not in (*REDUCTIONS, "batchmean"):
        raise HyperparameterError(
            f"{operation}: reduction must be one of {', '.join(REDUCTIONS)}, batchmean, "
            f"got {reduction!r}"
        )


@differentiable
def poisson_nll(
    prediction: Array,
    target: Array,
    *,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Array:
    """Mean of rate - t log(rate), for counts t of a Poisson distribution, log t! left out.

    prediction: the logarithm of the rate, or with log_input=False the rate, to which eps is added
    in the logarithm; target: the counts, same shape and dtype -> (), or that shape for "none".
    full: adds Stirling's log t! = t log t - t + log(2 pi t) / 2 where t > 1.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    xp = array_namespace(prediction, target)
    if log_input:
        terms = xp.exp(prediction) - target * prediction
    else:
        terms = prediction - target * xp.log(prediction + eps)
    if full:
        many = target > 1.0
        t = xp.where(many, target, xp.ones_like(target))
        stirling = t * xp.log(t) - t + 0.5 * xp.log((2.0 * math.pi) * t)
        terms = terms + xp.where(many, stirling, xp.zeros_like(stirling))
    return reduced(terms, reduction)


@poisson_nll.requires
def _(
    prediction: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> None:
    check_alike("poisson_nll", reduction, prediction=prediction, target=target)
    check_positive("poisson_nll", eps=eps)


@differentiable
def gaussian_nll(
    prediction: Array,
    target: Array,
    variance: Array,
    *,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Array:
    """Mean of (log v + (prediction - target)^2 / v) / 2, v = max(variance, eps).

    prediction, target: floating, of the same shape and dtype -> (), or that shape for "none".
    variance: that shape, or its last axis of length 1 or left out: one for a row. Each at least 0.
    As in torch its derivative is the one at v also where eps takes its place.
    full: adds log(2 pi) / 2. Raises DomainError for a negative variance (on a GPU this check reads
    one scalar), ShapeError, DtypeError, DeviceError, HyperparameterError, EmptyReductionError.
    Source: Nix and Weigend 1994, equation 1.
    """
    if variance.ndim < prediction.ndim:
        variance = variance[..., None]
    v = variance + _lift_to(variance, eps)
    difference = prediction - target
    terms = 0.5 * (array_namespace(v).log(v) + difference * difference / v)
    if full:
        terms = terms + 0.5 * math.log(2.0 * math.pi)
    return reduced(terms, reduction)


def _lift_to(variance: Array, eps: float) -> Array:
    """What is missing to eps: a constant, 0 where the variance is larger."""
    values = unwrap(variance)
    xp = array_namespace(values)
    return xp.maximum(eps - values, xp.zeros_like(values))


@gaussian_nll.requires
def _(
    prediction: Array,
    target: Array,
    variance: Array,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> None:
    check_alike("gaussian_nll", reduction, prediction=prediction, target=target)
    check_arrays("gaussian_nll", prediction=prediction, variance=variance)
    check_same_dtype("gaussian_nll", prediction=prediction, variance=variance)
    check_positive("gaussian_nll", eps=eps)
    shape, got = tuple(prediction.shape), tuple(variance.shape)
    if got not in (shape, (*shape[:-1], 1), shape[:-1]):
        raise ShapeError(
            f"gaussian_nll: variance must have the shape {shape} of the prediction, or its last "
            f"axis of length 1 or left out, got {got}"
        )
    values = unwrap(variance)
    if not bool(array_namespace(values).all(values >= 0.0)):
        raise DomainError(
            "gaussian_nll: every variance must be at least 0, got a negative one or NaN; predict "
            "its logarithm, or use softplus"
        )
