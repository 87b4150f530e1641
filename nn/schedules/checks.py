"""What must hold of a schedule's settings."""

from __future__ import annotations

from typing import Any

from ...backend.errors import HyperparameterError
from ..optimizers.hyperparameters import non_negative


def count(name: str, value: Any, *, least: int = 1) -> int:
    """The value as an int, if it is a whole number >= least. Raises HyperparameterError."""
    number = non_negative(name, value)
    if not number.is_integer() or number < least:
        raise HyperparameterError(f"{name} must be a whole number >= {least}, got {value}")
    return int(number)


def positive(name: str, value: Any) -> float:
    """The value as a float, if it is finite and above 0. Raises HyperparameterError."""
    number = non_negative(name, value)
    if number == 0.0:
        raise HyperparameterError(f"{name} must be a finite number > 0, got {value}")
    return number


def increasing_counts(name: str, values: Any) -> list[int]:
    """A list of whole numbers >= 1, each above the one before. Raises HyperparameterError."""
    if not isinstance(values, list | tuple):
        raise HyperparameterError(f"{name} must be a list of whole numbers, got {values!r}")
    counts = [count(f"{name}[{i}]", value) for i, value in enumerate(values)]
    if any(left >= right for left, right in zip(counts, counts[1:], strict=False)):
        raise HyperparameterError(f"{name} must increase, got {counts}")
    return counts
