"""What must hold of an optimizer's settings; checked when it is made and whenever one is set."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from ...backend.errors import HyperparameterError

Check = Callable[[str, Any], Any]


def non_negative(name: str, value: Any) -> float:
    """The value as a float, if it is finite and at least 0. Raises HyperparameterError."""
    return _number(name, value, "a finite number >= 0", lambda x: x >= 0)


def non_positive(name: str, value: Any) -> float:
    """The value as a float, if it is finite and at most 0. Raises HyperparameterError."""
    return _number(name, value, "a finite number <= 0", lambda x: x <= 0)


def positive(name: str, value: Any) -> float:
    """The value as a float, if it is finite and above 0. Raises HyperparameterError."""
    return _number(name, value, "a finite number > 0", lambda x: x > 0)


def at_least_one(name: str, value: Any) -> float:
    """The value as a float, if it is finite and at least 1. Raises HyperparameterError."""
    return _number(name, value, "a finite number >= 1", lambda x: x >= 1)


def finite(name: str, value: Any) -> float:
    """The value as a float, if it is finite. Raises HyperparameterError."""
    return _number(name, value, "a finite number", lambda x: True)


def count(name: str, value: Any, *, least: int = 1) -> int:
    """The value as an int, if it is a whole number >= least. Raises HyperparameterError."""
    allowed = f"a whole number >= {least}"
    return int(_number(name, value, allowed, lambda x: x.is_integer() and x >= least))


def below_one(name: str, value: Any) -> float:
    """The value as a float, if it is in [0, 1). Raises HyperparameterError."""
    return _number(name, value, "a number in [0, 1)", lambda x: 0 <= x < 1)


def up_to_one(name: str, value: Any) -> float:
    """The value as a float, if it is in [0, 1]. Raises HyperparameterError."""
    return _number(name, value, "a number in [0, 1]", lambda x: 0 <= x <= 1)


def two_below_one(name: str, value: Any) -> tuple[float, float]:
    """A pair of numbers in [0, 1), as a tuple of floats. Raises HyperparameterError."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise HyperparameterError(f"{name} must be two numbers in [0, 1), got {value!r}")
    first, second = value
    return below_one(f"{name}[0]", first), below_one(f"{name}[1]", second)


def one_of(*allowed: str | None) -> Check:
    """A check that a value is one of these. It raises HyperparameterError for anything else."""

    def check(name: str, value: Any) -> Any:
        if not isinstance(value, str | None) or value not in allowed:
            listed = ", ".join(repr(choice) for choice in allowed)
            raise HyperparameterError(f"{name} must be one of {listed}, got {value!r}")
        return value

    return check


def switch(name: str, value: Any) -> bool:
    """True or False. Raises HyperparameterError for anything else."""
    if not isinstance(value, bool):
        raise HyperparameterError(f"{name} must be True or False, got {value!r}")
    return value


def _number(name: str, value: Any, allowed: str, holds: Callable[[float], bool]) -> float:
    """float(value), if it is a number for which the condition holds."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise HyperparameterError(
            f"{name} must be {allowed}, got {_described(value)}; give a Python number"
        )
    if not math.isfinite(value) or not holds(float(value)):
        raise HyperparameterError(f"{name} must be {allowed}, got {value}")
    return float(value)


def _described(value: Any) -> str:
    """The value itself where it is short, else its type and shape."""
    if hasattr(value, "shape"):
        return f"an array ({type(value).__name__} of shape {tuple(value.shape)})"
    return repr(value)
