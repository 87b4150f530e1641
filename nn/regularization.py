"""Penalties on the size of weights."""

from __future__ import annotations

from collections.abc import Iterable

from ..backend import Array, array_namespace
from ..backend.errors import EmptyReductionError, HyperparameterError


def l2_penalty(weights: Iterable[Array], strength: float) -> Array:
    """strength / 2 times the sum of the squares of all the weights: add it to the loss.

    weights: floating arrays, the weights only: biases are left out by the course and by most. With
    strength = lambda / m this is the course's cost lambda / (2 m) * sum of W^2, whose gradient is
    (lambda / m) W. An optimizer's weight_decay shrinks weights without the sum.
    Raises HyperparameterError unless strength >= 0 and finite, EmptyReductionError for no weights.
    Source: Krogh and Hertz 1991, A simple weight decay can improve generalization.
    """
    if not 0.0 <= strength < float("inf"):
        raise HyperparameterError(f"l2_penalty: strength must be >= 0 and finite, got {strength!r}")
    squares = [array_namespace(w).sum(w * w) for w in weights]
    if not squares:
        raise EmptyReductionError("l2_penalty: there must be at least one array of weights")
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return 0.5 * strength * total
