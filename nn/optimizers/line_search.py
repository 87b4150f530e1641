"""A step along a direction that meets the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ...backend import Array

DECREASE = 1e-4  # c1: what the loss must fall by, as a part of the slope's promise
CURVATURE = 0.9  # c2: what the slope may keep of its first size
SHORTEST = 1e-9  # a bracket whose ends are nearer in every parameter is not divided further


@dataclass(frozen=True)
class Point:
    """What was found at the step t: the loss, its gradient, and its slope along the direction."""

    t: float
    loss: float
    gradient: Array
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, length: float, max_iter: int
) -> tuple[Point, int]:
    """A point with loss <= start's + c1 t slope and |its slope| <= c2 |slope|; and how many tried.

    start: at step 0, with a slope below 0; t: the first step to try; length: the largest size in
    the direction. After max_iter steps, or in a bracket that cannot be divided, it is the lowest
    point of the last bracket. Source: Nocedal and Wright 2006, algorithms 3.5 and 3.6 with equation
    3.59; the safeguards (bounds of the next step, 1/10 off the ends of the bracket) are torch's.
    """
    bracket, n_iter = _bracket(evaluate, start, t, max_iter)
    if len(bracket) == 1 or n_iter >= max_iter:
        return min(bracket, key=lambda point: point.loss), n_iter + 1
    found, n_zooms = _zoom(evaluate, start, bracket, length, max_iter - n_iter)
    return found, n_iter + 1 + n_zooms


def cubic_minimum(first: Point, second: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through both points and slopes has its minimum, brought into the bounds.

    The middle of the bounds, if it has none. Source: Nocedal and Wright 2006, equation 3.59.
    """
    left, right = (first, second) if first.t <= second.t else (second, first)
    low, high = bounds
    secant = (left.loss - right.loss) / (left.t - right.t)
    d1 = left.slope + right.slope - 3.0 * secant
    square = d1 * d1 - left.slope * right.slope
    if not (square >= 0.0 and math.isfinite(square)):
        return (low + high) / 2.0
    d2 = math.sqrt(square)
    divisor = right.slope - left.slope + 2.0 * d2
    if divisor == 0.0:
        return (low + high) / 2.0
    t = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / divisor)
    return min(max(t, low), high)


def _bracket(
    evaluate: Callable[[float], Point], start: Point, t: float, max_iter: int
) -> tuple[list[Point], int]:
    """Two points with a good one between them, or a good one alone: algorithm 3.5."""
    previous, point = start, evaluate(t)
    for n_iter in range(max_iter):
        # torch compares with the point before from the third one on; the book from the second.
        risen = n_iter > 1 and point.loss >= previous.loss
        if _is_high(point, start) or risen:
            return [previous, point], n_iter
        if _is_flat(point, start):
            return [point], n_iter
        if point.slope >= 0.0:
            return [previous, point], n_iter
        bounds = (point.t + 0.01 * (point.t - previous.t), 10.0 * point.t)
        previous, point = point, evaluate(cubic_minimum(previous, point, bounds))
    return [start, point], max_iter


def _zoom(
    evaluate: Callable[[float], Point],
    start: Point,
    bracket: list[Point],
    length: float,
    max_iter: int,
) -> tuple[Point, int]:
    """The lowest point of a bracket that has become small enough, or a good one: algorithm 3.6."""
    low, stalled, n_iter = _lower(bracket), False, 0
    while n_iter < max_iter and abs(bracket[1].t - bracket[0].t) * length >= SHORTEST:
        t, stalled = _inside(bracket, stalled)
        point = evaluate(t)
        n_iter += 1
        if _is_high(point, start) or point.loss >= bracket[low].loss:
            bracket[1 - low] = point
            low = _lower(bracket)
            continue
        if _is_flat(point, start):
            return point, n_iter
        if point.slope * (bracket[1 - low].t - bracket[low].t) >= 0.0:
            bracket[1 - low] = bracket[low]
        bracket[low] = point
    return bracket[low], n_iter


def _inside(bracket: list[Point], stalled: bool) -> tuple[float, bool]:
    """The next step to try, and whether it is near an end: the second such one is moved inwards."""
    left, right = sorted(point.t for point in bracket)
    t = cubic_minimum(bracket[0], bracket[1], (left, right))
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stalled and left < t < right:
        return t, True
    return (right - margin if right - t < t - left else left + margin), False


def _lower(bracket: list[Point]) -> int:
    return 0 if bracket[0].loss <= bracket[1].loss else 1


def _is_high(point: Point, start: Point) -> bool:
    """Whether the first Wolfe condition fails: too little decrease."""
    return point.loss > start.loss + DECREASE * point.t * start.slope


def _is_flat(point: Point, start: Point) -> bool:
    """Whether the second Wolfe condition holds."""
    return abs(point.slope) <= -CURVATURE * start.slope
