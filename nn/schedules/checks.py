"""What must hold of a schedule's settings, beside what optimizers check too."""

from __future__ import annotations

from typing import Any

from ...backend.errors import HyperparameterError
from ..optimizers.hyperparameters import count


def increasing_counts(name: str, values: Any) -> list[int]:
    """A list of whole numbers >= 1, each above the one before. Raises HyperparameterError."""
    if not isinstance(values, list | tuple):
        raise HyperparameterError(f"{name} must be a list of whole numbers, got {values!r}")
    counts = [count(f"{name}[{i}]", value) for i, value in enumerate(values)]
    if any(left >= right for left, right in zip(counts, counts[1:], strict=False)):
        raise HyperparameterError(f"{name} must increase, got {counts}")
    return counts
