"""When a figure of merit has improved: what schedules and early stopping ask."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..backend.errors import HyperparameterError
from .optimizers.hyperparameters import non_negative

MODES = ("min", "max")
THRESHOLD_MODES = ("rel", "abs")


@dataclass(frozen=True)
class Improvement:
    """What counts as better: lower ("min") or higher ("max") than the best by a threshold.

    threshold_mode "abs": by more than threshold; "rel": best (1 - threshold), or (1 + threshold)
    for "max", must be passed, as in torch. NaN is never better. Raises HyperparameterError.
    """

    mode: str
    threshold: float
    threshold_mode: str
    caller: str

    def __post_init__(self) -> None:
        for name, allowed in (("mode", MODES), ("threshold_mode", THRESHOLD_MODES)):
            if getattr(self, name) not in allowed:
                raise HyperparameterError(
                    f"{self.caller}: {name} must be {' or '.join(map(repr, allowed))}, got "
                    f"{getattr(self, name)!r}"
                )
        non_negative(f"{self.caller}: threshold", self.threshold)

    @property
    def worst(self) -> float:
        """What every number is better than."""
        return math.inf if self.mode == "min" else -math.inf

    def is_better(self, value: float, best: float) -> bool:
        """Whether value improves on best."""
        if math.isinf(best):
            return value < best if self.mode == "min" else value > best
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            bound = best * (1.0 + sign * self.threshold)
        else:
            bound = best + sign * self.threshold
        return value < bound if self.mode == "min" else value > bound


def figure(caller: str, value: Any) -> float:
    """float(value) of a number or an array of one number. Raises HyperparameterError."""
    try:
        return float(value.data if hasattr(value, "requires_grad") else value)
    except (TypeError, ValueError):
        shape = tuple(getattr(value, "shape", ()))
        raise HyperparameterError(
            f"{caller}: the figure must be one number, got {type(value).__name__} of shape {shape}"
        ) from None
