"""What must hold of class labels and class probabilities."""

from __future__ import annotations

from ..backend import Array, is_floating, is_integer
from ..backend.errors import DtypeError, LabelError, ShapeError
from ..backend.missing import check_indices


def check_class_targets(
    operation: str, shape: tuple[int, ...], targets: Array, weight: Array | None
) -> None:
    """Raises ShapeError or DtypeError unless the targets are labels or probabilities for logits."""
    if len(shape) < 2:
        raise ShapeError(
            f"{operation}: logits must have shape (batch, ..., classes), got {shape}; "
            "for one example use logits[None, :]"
        )
    got = tuple(targets.shape)
    if is_integer(targets) and got != shape[:-1]:
        what = f"integer targets must have the shape {shape[:-1]} of a label for each row of logits"
        raise ShapeError(f"{operation}: {what} {shape}, got {got}; {_label_remedy(shape, got)}")
    if not is_integer(targets) and (got == shape[:-1] or not is_floating(targets)):
        raise DtypeError(
            f"{operation}: labels must be integers, got {targets.dtype}; cast them, "
            "e.g. xp.astype(targets, xp.int64)"
        )
    if not is_integer(targets) and got != shape:
        raise ShapeError(
            f"{operation}: floating targets are probabilities and must have the shape {shape} "
            f"of the logits, got {got}"
        )
    if weight is not None and tuple(weight.shape) != shape[-1:]:
        raise ShapeError(
            f"{operation}: weight must have one number for each class, shape {shape[-1:]}, "
            f"got {tuple(weight.shape)}"
        )


def check_labels(operation: str, labels: Array, n_classes: int) -> None:
    """Raises LabelError for a label outside [0, n_classes); reads one scalar from the device."""
    try:
        check_indices(labels, n_classes, f"{operation}: targets")
    except LabelError as error:
        raise LabelError(
            f"{error}; labels count from 0, and rows without one need ignore_index="
        ) from None


def _label_remedy(shape: tuple[int, ...], got: tuple[int, ...]) -> str:
    if got == shape:
        return "one-hot targets must be floating, of the dtype of the logits: cast them"
    if got == (*shape[:-1], 1):
        return f"use reshape(targets, {shape[:-1]})"
    if got == (shape[0], *shape[2:]):
        return "classes are the last axis, not axis 1 as in torch: use moveaxis(logits, 1, -1)"
    return "give one label for each row"
