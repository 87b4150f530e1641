"""What must hold of the arguments of losses that are given labels, signs, weights and margins."""

from __future__ import annotations

import math

from ..backend import Array, array_namespace, unwrap
from ..backend.errors import DomainError, HyperparameterError, ShapeError
from .reduction import check_arrays, check_not_empty, check_reduction, check_same_dtype


def check_alike(operation: str, reduction: str, **arrays: Array) -> None:
    """What losses of several arrays ask for: one shape, floating dtype and device, not empty.

    Raises DtypeError, DeviceError, ShapeError, HyperparameterError and EmptyReductionError.
    """
    check_reduction(operation, reduction)
    check_arrays(operation, **arrays)
    check_same_dtype(operation, **arrays)
    (name, first), *others = arrays.items()
    for other, x in others:
        if tuple(x.shape) != tuple(first.shape):
            raise ShapeError(
                f"{operation}: {name} and {other} must have the same shape, got "
                f"{tuple(first.shape)} and {tuple(x.shape)}; a loss never broadcasts one against "
                "the other"
            )
    check_not_empty(operation, tuple(first.shape), reduction)


def check_weight(operation: str, name: str, weight: Array | None, x: Array) -> None:
    """Raises unless weight, where there is one, is like x and broadcasts to its shape."""
    if weight is None:
        return
    check_arrays(operation, prediction=x, **{name: weight})
    check_same_dtype(operation, prediction=x, **{name: weight})
    shape, got = tuple(x.shape), tuple(weight.shape)
    pairs = zip(reversed(got), reversed(shape), strict=False)
    if len(got) > len(shape) or any(n not in (1, whole) for n, whole in pairs):
        raise ShapeError(
            f"{operation}: {name} must broadcast to the shape {shape} of the prediction, got {got}"
        )


def check_class_weight(operation: str, weight: Array | None, scores: Array) -> None:
    """Raises ShapeError or DtypeError unless weight has one number for each class of scores."""
    if weight is None:
        return
    check_arrays(operation, scores=scores, weight=weight)
    check_same_dtype(operation, scores=scores, weight=weight)
    if tuple(weight.shape) != tuple(scores.shape[-1:]):
        raise ShapeError(
            f"{operation}: weight must have one number for each class, shape "
            f"{tuple(scores.shape[-1:])}, got {tuple(weight.shape)}"
        )


def check_signs(operation: str, target: Array) -> None:
    """Raises DomainError unless every target is 1 or -1; reads one scalar from the device."""
    values = unwrap(target)
    xp = array_namespace(values)
    if not bool(xp.all((values == 1.0) | (values == -1.0))):
        raise DomainError(
            f"{operation}: every target must be 1 or -1, got others; turn 0 and 1 into them by "
            "2.0 * target - 1.0"
        )


def check_finite(operation: str, **settings: float) -> None:
    """Raises HyperparameterError unless every setting is a finite number."""
    for name, value in settings.items():
        if not math.isfinite(value):
            raise HyperparameterError(f"{operation}: {name} must be finite, got {value!r}")


def check_positive(operation: str, **settings: float) -> None:
    """Raises HyperparameterError unless every setting is positive and finite."""
    for name, value in settings.items():
        if not 0.0 < value < math.inf:
            raise HyperparameterError(
                f"{operation}: {name} must be positive and finite, got {value!r}"
            )


def check_not_negative(operation: str, **settings: float) -> None:
    """Raises HyperparameterError unless every setting is finite and at least 0."""
    for name, value in settings.items():
        if not 0.0 <= value < math.inf:
            raise HyperparameterError(
                f"{operation}: {name} must be finite and at least 0, got {value!r}"
            )
