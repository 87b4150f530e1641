"""Penalties on the size of weights."""

from __future__ import annotations

from collections.abc import Iterable

from ..backend import Array, array_namespace
from ..backend.errors import EmptyReductionError, HyperparameterError


def l1_penalty(weights: Iterable[Array], strength: float) -> Array:
    """strength times the sum of the absolute values of all the weights: add it to the loss.

    weights: floating arrays, the weights only. It pulls each weight by strength towards 0, whatever
    its size, so that many become small enough to leave out; at 0 its derivative is 0.
    Raises HyperparameterError unless strength >= 0 and finite, EmptyReductionError for no weights.
    Source: Tibshirani 1996, Regression shrinkage and selection via the lasso.
    """
    _check_strength("l1_penalty", strength)
    sizes = [array_namespace(w).sum(array_namespace(w).abs(w)) for w in weights]
    return strength * _total("l1_penalty", sizes)


def l2_penalty(weights: Iterable[Array], strength: float) -> Array:
    """strength / 2 times the sum of the squares of all the weights: add it to the loss.

    weights: floating arrays, the weights only: biases are left out by the course and by most. With
    strength = lambda / m this is the course's cost lambda / (2 m) * sum of W^2, whose gradient is
    (lambda / m) W. An optimizer's weight_decay shrinks weights without the sum.
    Raises HyperparameterError unless strength >= 0 and finite, EmptyReductionError for no weights.
    Source: Krogh and Hertz 1991, A simple weight decay can improve generalization.
    """
    _check_strength("l2_penalty", strength)
    squares = [array_namespace(w).sum(w * w) for w in weights]
    return 0.5 * strength * _total("l2_penalty", squares)


def _check_strength(operation: str, strength: float) -> None:
    if not 0.0 <= strength < float("inf"):
        raise HyperparameterError(
            f"{operation}: strength must be >= 0 and finite, got {strength!r}"
        )


def _total(operation: str, parts: list[Array]) -> Array:
    """The sum of the parts. Raises EmptyReductionError where there are none."""
    if not parts:
        raise EmptyReductionError(f"{operation}: there must be at least one array of weights")
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
