"""Figures that tell how good predictions are; they have no derivative."""

from __future__ import annotations

import math

from ..backend import Array, array_namespace, is_floating, is_integer, unwrap
from ..backend.errors import DtypeError, EmptyReductionError, HyperparameterError, ShapeError
from ..backend.missing import check_indices, scatter_add
from .reduction import check_arrays


def accuracy(prediction: Array, labels: Array) -> float:
    """The share of predictions that are the label, in [0, 1].

    prediction: scores (batch, ..., classes), of which the largest counts (the first of equals), or
    predicted labels (batch, ...). labels: integer (batch, ...). Reads one scalar from the device.
    Raises ShapeError, DtypeError, DeviceError; EmptyReductionError for no labels.
    """
    predicted, labels = _predicted("accuracy", prediction, labels)
    xp = array_namespace(labels)
    if 0 in labels.shape:
        raise EmptyReductionError(
            f"accuracy: there must be at least one label, got shape {tuple(labels.shape)}"
        )
    n_right = int(xp.sum(xp.astype(predicted == labels, xp.int64)))
    return n_right / math.prod(labels.shape)


def confusion_matrix(prediction: Array, labels: Array, n_classes: int | None = None) -> Array:
    """How often each label (row) was predicted as each class (column): int64 (classes, classes).

    prediction, labels: as for accuracy. n_classes: must be given with predicted labels.
    Raises LabelError for a label or a prediction out of range, ShapeError, DtypeError, DeviceError,
    HyperparameterError.
    """
    if n_classes is None and is_floating(prediction):
        n_classes = prediction.shape[-1]
    if n_classes is None or n_classes < 1:
        raise HyperparameterError(
            f"confusion_matrix: n_classes must be at least 1, got {n_classes!r}"
        )
    predicted, labels = _predicted("confusion_matrix", prediction, labels)
    check_indices(labels, n_classes, "confusion_matrix: labels")
    check_indices(predicted, n_classes, "confusion_matrix: prediction")
    xp = array_namespace(labels)
    places = xp.reshape(labels * n_classes + predicted, (-1,))
    counts = scatter_add((n_classes**2,), places, xp.ones_like(places), check=False)
    return xp.reshape(counts, (n_classes, n_classes))


def _predicted(operation: str, prediction: Array, labels: Array) -> tuple[Array, Array]:
    """Predicted and true labels as plain int64 arrays of one shape."""
    check_arrays(operation, prediction=prediction, labels=labels)
    prediction, labels = unwrap(prediction), unwrap(labels)
    xp = array_namespace(labels)
    if not is_integer(labels):
        raise DtypeError(f"{operation}: labels must be integers, got {labels.dtype}; cast them")
    scores = not is_integer(prediction)
    shape = tuple(prediction.shape[:-1] if scores else prediction.shape)
    if tuple(labels.shape) != shape or (scores and prediction.ndim < 2):
        raise ShapeError(
            f"{operation}: prediction must be scores of shape (*labels.shape, classes) or integers "
            f"of the shape of labels, got {tuple(prediction.shape)} {prediction.dtype} for labels "
            f"{tuple(labels.shape)}"
        )
    predicted = xp.argmax(prediction, axis=-1) if scores else prediction
    return xp.astype(predicted, xp.int64), xp.astype(labels, xp.int64)
