"""Margin losses over classes: of one label, or several, for each example."""

from __future__ import annotations

from ..backend import Array, array_namespace, is_integer, unwrap
from ..backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError
from .activation import log_sigmoid
from .autograd import differentiable
from .class_targets import check_class_targets, check_labels
from .loss_checks import check_alike, check_class_weight, check_finite
from .margins import hinge
from .reduction import (
    check_arrays,
    check_not_empty,
    check_reduction,
    check_same_dtype,
    reduced,
)


@differentiable
def multi_margin(
    scores: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    p: int = 1,
    margin: float = 1.0,
    reduction: str = "mean",
) -> Array:
    """Mean over the batch of sum_j max(margin - scores[target] + scores[j], 0)^p / classes.

    The sum is over j other than target. scores: floating (batch, classes); targets: integer
    (batch,), each in [0, classes) -> (), or (batch,) for "none". p: 1 or 2.
    weight: (classes,), the factor of each target's term; it stands inside of the mean.
    Raises LabelError for a label out of range (on a GPU this check reads one scalar), ShapeError,
    DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Crammer and Singer 2001; Weston and Watkins 1999, equation 6.
    """
    n_classes, labels = scores.shape[-1], unwrap(targets)
    check_labels("multi_margin", labels, n_classes)
    xp = array_namespace(labels)
    labels = xp.astype(labels, xp.int64, copy=False)
    classes = xp.arange(n_classes, dtype=xp.int64, device=labels.device)
    others = xp.astype(labels[:, None] != classes, unwrap(scores).dtype)
    xp = array_namespace(scores)
    terms = hinge(margin - xp.take_along_axis(scores, labels[:, None], axis=-1) + scores)
    terms = terms if p == 1 else terms * terms
    rows = xp.sum(terms * others, axis=-1) * (1.0 / n_classes)
    if weight is not None:
        rows = rows * array_namespace(weight).take(weight, labels)
    return reduced(rows, reduction)


@multi_margin.requires
def _(
    scores: Array,
    targets: Array,
    weight: Array | None = None,
    p: int = 1,
    margin: float = 1.0,
    reduction: str = "mean",
) -> None:
    _check_batch("multi_margin", scores, targets, reduction)
    if not is_integer(targets):
        raise DtypeError(f"multi_margin: targets must be integer labels, got {targets.dtype}")
    check_class_targets("multi_margin", tuple(scores.shape), targets, None)
    check_class_weight("multi_margin", weight, scores)
    check_finite("multi_margin", margin=margin)
    check_power("multi_margin", p)


def check_power(operation: str, p: int) -> None:
    """Raises HyperparameterError unless p is 1 or 2."""
    if p not in (1, 2):
        raise HyperparameterError(f"{operation}: p must be 1 or 2, got {p!r}")


@differentiable
def multilabel_margin(scores: Array, targets: Array, *, reduction: str = "mean") -> Array:
    """Mean over the batch of sum_ij max(1 - scores[t_j] + scores[i], 0) / classes.

    t are the labels of an example, i the classes that are not among them.
    scores: floating (batch, classes); targets: integer, of the same shape: the labels of each
    example first, then -1 (what stands behind the first -1 does not count) -> (), or (batch,) for
    "none". Its memory is batch classes^2.
    Raises LabelError for a label out of range (on a GPU this check reads one scalar), ShapeError,
    DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    counted, labels = _counted_labels(unwrap(targets))
    xp = array_namespace(labels)
    classes = xp.arange(scores.shape[-1], dtype=xp.int64, device=labels.device)
    is_label = xp.any((labels[:, :, None] == classes) & counted[:, :, None], axis=1)
    pairs = xp.astype(counted[:, :, None] & ~is_label[:, None, :], unwrap(scores).dtype)
    xp = array_namespace(scores)
    own = xp.take_along_axis(scores, labels, axis=-1)
    terms = hinge(1.0 - own[:, :, None] + scores[:, None, :]) * pairs
    return reduced(xp.sum(terms, axis=(1, 2)) * (1.0 / scores.shape[-1]), reduction)


def _counted_labels(targets: Array) -> tuple[Array, Array]:
    """(whether a label stands before the first -1; the labels as int64, 0 for the others)."""
    xp = array_namespace(targets)
    targets = xp.astype(targets, xp.int64, copy=False)
    ended = xp.cumulative_sum(xp.astype(targets < 0, xp.int64), axis=-1)
    return ended == 0, xp.where(ended == 0, targets, xp.zeros_like(targets))


@multilabel_margin.requires
def _(scores: Array, targets: Array, reduction: str = "mean") -> None:
    _check_batch("multilabel_margin", scores, targets, reduction)
    if not is_integer(targets):
        raise DtypeError(f"multilabel_margin: targets must be integer, got {targets.dtype}")
    shape, got = tuple(scores.shape), tuple(targets.shape)
    if got != shape:
        raise ShapeError(
            f"multilabel_margin: targets must have the shape {shape} of the scores, the labels of "
            f"an example first, then -1; got {got}"
        )
    labels = unwrap(targets)
    xp = array_namespace(labels)
    if not bool(xp.all((labels >= -1) & (labels < shape[-1]))):
        raise LabelError(
            f"multilabel_margin: every target must be -1 or in [0, {shape[-1]}), got others"
        )


@differentiable
def multilabel_soft_margin(
    logits: Array, target: Array, weight: Array | None = None, *, reduction: str = "mean"
) -> Array:
    """Mean over all elements of -(t log s(x) + (1 - t) log(1 - s(x))), s the sigmoid, x the logits.

    logits, target: floating (..., classes), of the same shape and dtype -> (), or (...) for "none":
    the mean over the classes. weight: (classes,), the factor of each class.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    terms = -(target * log_sigmoid(logits) + (1.0 - target) * log_sigmoid(-logits))
    terms = terms if weight is None else terms * weight
    return reduced(array_namespace(terms).mean(terms, axis=-1), reduction)


@multilabel_soft_margin.requires
def _(logits: Array, target: Array, weight: Array | None = None, reduction: str = "mean") -> None:
    check_alike("multilabel_soft_margin", reduction, logits=logits, target=target)
    if not logits.ndim:
        raise ShapeError("multilabel_soft_margin: logits must have shape (..., classes), got ()")
    check_class_weight("multilabel_soft_margin", weight, logits)


def _check_batch(operation: str, scores: Array, targets: Array, reduction: str) -> None:
    """What both losses of integer targets ask for."""
    check_reduction(operation, reduction)
    check_arrays(operation, scores=scores, targets=targets)
    check_same_dtype(operation, scores=scores)
    shape = tuple(scores.shape)
    if len(shape) != 2:
        raise ShapeError(
            f"{operation}: scores must have shape (batch, classes), got {shape}; for one example "
            "use scores[None, :]"
        )
    check_not_empty(operation, shape, reduction)
