"""What all losses share: the reduction over their terms, and what must hold of their arguments."""

from __future__ import annotations

import math

from ..backend import (
    Array,
    array_namespace,
    dtype_name,
    is_array,
    is_floating,
    mixed_devices,
    unwrap,
)
from ..backend.errors import (
    DeviceError,
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    ShapeError,
)

REDUCTIONS = ("mean", "sum", "none")


def reduced(terms: Array, reduction: str) -> Array:
    """The mean of the terms, their sum, or the terms themselves ("none")."""
    if reduction == "none":
        return terms
    xp = array_namespace(terms)
    return xp.mean(terms) if reduction == "mean" else xp.sum(terms)


def dterms(dy: Array, shape: tuple[int, ...], reduction: str) -> Array:
    """The cotangent of every one of the terms, shape () or that of the terms."""
    return dy * (1.0 / math.prod(shape)) if reduction == "mean" else dy


def check_reduction(operation: str, reduction: str) -> None:
    """Raises HyperparameterError for a reduction that there is not."""
    if reduction not in REDUCTIONS:
        raise HyperparameterError(
            f"{operation}: reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}"
        )


def check_pair(operation: str, prediction: Array, target: Array, reduction: str) -> None:
    """What a loss of equally shaped arrays asks for: they never broadcast against each other.

    Raises DtypeError, DeviceError, ShapeError, HyperparameterError and, for a mean over nothing,
    EmptyReductionError.
    """
    check_reduction(operation, reduction)
    check_arrays(operation, prediction=prediction, target=target)
    check_same_dtype(operation, prediction=prediction, target=target)
    shape, target_shape = tuple(prediction.shape), tuple(target.shape)
    if shape != target_shape:
        raise ShapeError(
            f"{operation}: prediction and target must have the same shape, got {shape} and "
            f"{target_shape}; {_remedy(shape, target_shape)}"
        )
    check_not_empty(operation, shape, reduction)


def check_arrays(operation: str, **arrays: Array) -> None:
    """Raises DtypeError for an argument that is no array, DeviceError for two devices."""
    for name, x in arrays.items():
        if not is_array(x):
            raise DtypeError(
                f"{operation}: {name} must be an array, got {type(x).__name__}; "
                "make one with isograd.array(...)"
            )
    first, *others = [unwrap(x) for x in arrays.values()]
    for other in others:
        if type(other) is not type(first) and not _one_library(first, other):
            raise mixed_devices(tuple(arrays.values()), operation)
        if other.device != first.device:
            raise mixed_devices(tuple(arrays.values()), operation)


def check_same_dtype(operation: str, **arrays: Array) -> None:
    """Raises DtypeError unless all are of the floating dtype of the first."""
    (name, first), *others = arrays.items()
    if not is_floating(first):
        raise DtypeError(
            f"{operation}: {name} must be floating, got {first.dtype}; cast it, "
            f"e.g. xp.astype({name}, xp.float32)"
        )
    for other_name, other in others:
        if other.dtype != first.dtype:
            wanted, got = dtype_name(first.dtype), dtype_name(other.dtype)
            raise DtypeError(
                f"{operation}: {other_name} must be {wanted} like {name}, got {got}; "
                f"cast it, e.g. xp.astype({other_name}, xp.{wanted})"
            )


def check_not_empty(operation: str, shape: tuple[int, ...], reduction: str) -> None:
    """Raises EmptyReductionError for the mean over no terms."""
    if reduction == "mean" and 0 in shape:
        raise EmptyReductionError(
            f"{operation}: the mean must be over at least one term, got shape {shape}; "
            'leave empty batches out, or use reduction="sum"'
        )


def _one_library(first: Array, second: Array) -> bool:
    """Whether both are of one library, as NumPy's arrays and scalars are."""
    try:
        array_namespace(first, second)
    except DeviceError:
        return False
    return True


def _remedy(shape: tuple[int, ...], target_shape: tuple[int, ...]) -> str:
    """How to make the shapes equal, as far as they tell."""
    if math.prod(shape) == math.prod(target_shape):
        return f"use reshape(target, {shape})"
    return "a loss never broadcasts one against the other"
