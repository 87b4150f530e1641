"""Cross entropy of class scores against labels or probabilities."""

from __future__ import annotations

import math
from typing import Any

from ..backend import Array, array_namespace, is_integer, unwrap
from ..backend.errors import EmptyReductionError, HyperparameterError
from ..kernels.cross_entropy import CROSS_ENTROPY_NUMPY
from ..kernels.cuda.cross_entropy import CROSS_ENTROPY_CUPY
from .autograd import differentiable
from .autograd.ops.indexing import put
from .class_targets import check_class_targets, check_labels
from .reduction import (
    check_arrays,
    check_not_empty,
    check_reduction,
    check_same_dtype,
    dterms,
    reduced,
)
from .softmax import log_softmax, softmax


@differentiable
def cross_entropy(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    *,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Array:
    """Mean over the batch of -log softmax(logits)[target], in nats.

    logits: floating (batch, ..., classes). targets: integer labels (batch, ...), each in
    [0, classes), or probabilities, one-hot rows among them, in the shape and dtype of the logits
    (their rows should sum to 1; this is not checked) -> (), or (batch, ...) for "none".
    weight: (classes,), the factor of each class; as in torch the mean over labels divides by the
    sum of the labels' weights, the mean over probabilities by the number of rows.
    label_smoothing: in [0, 1], the share of the target that goes to all classes evenly.
    ignore_index: the label of rows that do not count. Unlike torch's (-100), the default is none.
    Raises LabelError for a label out of range, ShapeError, DtypeError, DeviceError,
    HyperparameterError; EmptyReductionError for the mean over no rows or, with weight or
    ignore_index, over a total weight of zero.
    A CUDA GPU is not waited for where targets are labels and there is no weight, smoothing or
    ignore_index: a label out of range then gives a loss and gradients of NaN, and its LabelError
    comes with the next such call or replay (with ISOGRAD_DEBUG=1 at once). Elsewhere these checks
    read one scalar each.
    Source: Goodfellow, Bengio, Courville 2016, section 6.2.2.3; smoothing: Szegedy et al. 2016,
    section 7. Rows are shifted by their maximum: exp cannot overflow.
    """
    shape, n_classes = tuple(logits.shape[:-1]), logits.shape[-1]
    if is_integer(targets):
        check_labels("cross_entropy", _known(unwrap(targets), ignore_index), n_classes)
    if len(shape) > 1:
        logits = array_namespace(logits).reshape(logits, (-1, n_classes))
        wide = tuple(targets.shape) != shape
        targets = array_namespace(targets).reshape(targets, (-1, n_classes) if wide else (-1,))
    if is_integer(targets):
        loss = cross_entropy_of_labels(
            logits,
            unwrap(targets),
            weight,
            label_smoothing=label_smoothing,
            ignore_index=ignore_index,
            reduction=reduction,
        )
    else:
        loss = cross_entropy_of_probabilities(
            logits, targets, weight, label_smoothing=label_smoothing, reduction=reduction
        )
    if len(shape) > 1 and reduction == "none":
        return array_namespace(loss).reshape(loss, shape)
    return loss


@cross_entropy.requires
def _(
    logits: Array,
    targets: Array,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> None:
    check_reduction("cross_entropy", reduction)
    weights = {} if weight is None else {"weight": weight}
    check_arrays("cross_entropy", logits=logits, targets=targets, **weights)
    check_class_targets("cross_entropy", tuple(logits.shape), targets, weight)
    if not is_integer(targets):
        weights["targets"] = targets
    check_same_dtype("cross_entropy", logits=logits, **weights)
    check_not_empty("cross_entropy", tuple(logits.shape[:-1]), reduction)
    check_smoothing("cross_entropy", label_smoothing)
    if ignore_index is not None and not is_integer(targets):
        raise HyperparameterError(
            "cross_entropy: ignore_index must be left out where targets are probabilities"
        )


def check_smoothing(operation: str, label_smoothing: float) -> None:
    """Raises HyperparameterError unless label_smoothing is in [0, 1]."""
    if not 0.0 <= label_smoothing <= 1.0:
        raise HyperparameterError(
            f"{operation}: label_smoothing must be in [0, 1], got {label_smoothing!r}"
        )


cross_entropy.fused_by(numpy=CROSS_ENTROPY_NUMPY, cupy=CROSS_ENTROPY_CUPY)


@differentiable
def cross_entropy_of_labels(
    logits: Array,
    labels: Array,
    weight: Array | None,
    *,
    label_smoothing: float,
    ignore_index: int | None,
    reduction: str,
) -> Array:
    """cross_entropy for integer labels: logits (n, classes), labels (n,)."""
    xp = array_namespace(logits)
    log_p = log_softmax(logits)
    counted, own = _row_weights(logits, labels, weight, ignore_index)
    at_label = xp.take(xp.reshape(log_p, (-1,)), _positions(logits, labels, ignore_index))
    terms = -(1.0 - label_smoothing) * own * at_label
    if label_smoothing:
        everywhere = xp.sum(log_p * _class_shares(logits, weight), axis=-1)
        terms = terms - label_smoothing * counted * everywhere
    if reduction != "mean":
        return reduced(terms, reduction)
    return xp.sum(terms) / _refuse_zero(_total(own, labels))


@cross_entropy_of_labels.backward
def _(
    dy: Array,
    logits: Array,
    labels: Array,
    weight: Array | None,
    label_smoothing: float,
    ignore_index: int | None,
    reduction: str,
) -> Array:
    labels = unwrap(labels)
    xp = array_namespace(dy, logits)  # -sum of t log p: p times the sum of t, minus t itself
    counted, own = _row_weights(logits, labels, weight, ignore_index)
    if reduction == "mean":
        dy = dy / _total(own, labels)
    t_label = dy * (own * (1.0 - label_smoothing))
    positions = _positions(logits, labels, ignore_index)
    t = put(xp.broadcast_to(t_label, labels.shape), positions, (math.prod(logits.shape),))
    t, sum_of_t = xp.reshape(t, logits.shape), _column(t_label)
    if label_smoothing:
        shares = _class_shares(logits, weight)
        t_everywhere = _column(dy * (counted * label_smoothing)) * shares
        t, sum_of_t = t + t_everywhere, xp.sum(t + t_everywhere, axis=-1, keepdims=True)
    return softmax(logits) * sum_of_t - t


@differentiable
def cross_entropy_of_probabilities(
    logits: Array, targets: Array, weight: Array | None, *, label_smoothing: float, reduction: str
) -> Array:
    """cross_entropy for probabilities: logits and targets (n, classes)."""
    xp = array_namespace(logits)
    t = _smoothed(targets, weight, label_smoothing)
    return reduced(-xp.sum(t * log_softmax(logits), axis=-1), reduction)


def _dlogits(
    dy: Array,
    logits: Array,
    targets: Array,
    weight: Array | None,
    label_smoothing: float,
    reduction: str,
) -> Array:
    """p times the sum of t, minus t."""
    t = _smoothed(targets, weight, label_smoothing)
    xp = array_namespace(dy, t)
    dy = _column(dterms(dy, logits.shape[:-1], reduction))
    return dy * (softmax(logits) * xp.sum(t, axis=-1, keepdims=True) - t)


def _dtargets(
    dy: Array,
    logits: Array,
    weight: Array | None,
    label_smoothing: float,
    reduction: str,
) -> Array:
    dy = _column(dterms(dy, logits.shape[:-1], reduction))
    factors = 1.0 if weight is None else weight
    return dy * (label_smoothing - 1.0) * (factors * log_softmax(logits))


cross_entropy_of_probabilities.backward(logits=_dlogits, targets=_dtargets)


def _smoothed(targets: Array, weight: Array | None, label_smoothing: float) -> Array:
    """(1 - label_smoothing) targets + label_smoothing / classes, times the class weights."""
    if label_smoothing:
        targets = (1.0 - label_smoothing) * targets + label_smoothing / targets.shape[-1]
    return targets if weight is None else targets * weight


def _class_shares(logits: Array, weight: Array | None) -> Any:
    """What a class has of the uniform distribution, times its weight: a number or (classes,)."""
    n_classes = logits.shape[-1]
    return 1.0 / n_classes if weight is None else weight / n_classes


def _row_weights(
    logits: Array, labels: Array, weight: Array | None, ignore_index: int | None
) -> tuple[Any, Any]:
    """(1, or 0 for an ignored row; that times the weight of its label), 1.0 where all are 1."""
    counted: Any = 1.0
    if ignore_index is not None:
        xp = array_namespace(labels)
        counted = xp.astype(labels != ignore_index, unwrap(logits).dtype)
    if weight is None:
        return counted, counted
    of_label = array_namespace(weight).take(weight, _known(labels, ignore_index))
    return counted, counted * of_label


def _known(labels: Array, ignore_index: int | None) -> Array:
    """The labels as int64, 0 in place of the ignored one."""
    xp = array_namespace(labels)
    labels = xp.astype(labels, xp.int64, copy=False)
    if ignore_index is None:
        return labels
    return xp.where(labels == ignore_index, xp.zeros_like(labels), labels)


def _positions(logits: Array, labels: Array, ignore_index: int | None) -> Array:
    """Where each row's label stands in the flattened logits."""
    xp = array_namespace(labels)
    n, n_classes = logits.shape
    starts = xp.arange(n, dtype=xp.int64, device=labels.device) * n_classes
    return starts + _known(labels, ignore_index)


def _total(row_weights: Any, labels: Array) -> Any:
    """The sum of the row weights: what the mean divides by."""
    if isinstance(row_weights, float):
        return labels.shape[0] * row_weights
    return array_namespace(row_weights).sum(row_weights)


def _refuse_zero(total: Any) -> Any:
    """The total weight. Raises EmptyReductionError where it is zero; reads it from the device."""
    if float(total) == 0.0:
        raise EmptyReductionError(
            "cross_entropy: the mean must be over at least one row of nonzero weight, got none "
            '(all labels are ignore_index, or of weight 0); use reduction="sum"'
        )
    return total


def _column(x: Array) -> Array:
    """One value for each row, beside a matrix; a scalar stays one."""
    return x[:, None] if x.ndim else x
