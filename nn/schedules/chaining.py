"""Schedules made of schedules: one after the other, times each other, after a warm-up."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from ...backend.errors import HyperparameterError
from ..optimizers.hyperparameters import count, non_negative
from .checks import increasing_counts
from .decay import Schedule


def sequence(schedules: Sequence[Schedule], milestones: Sequence[int]) -> Schedule:
    """The first schedule before milestones[0], then the next one, which counts from 0 there.

    torch's SequentialLR. Raises HyperparameterError unless there is one schedule more than there
    are milestones, and these are whole numbers that increase.
    """
    starts = [0, *increasing_counts("sequence: milestones", milestones)]
    if len(schedules) != len(starts):
        raise HyperparameterError(
            f"sequence: there must be one schedule more than milestones, got {len(schedules)} "
            f"schedules and {len(starts) - 1} milestones"
        )
    listed = [checked("sequence", schedule) for schedule in schedules]

    def schedule(step: float) -> float:
        i = max(0, bisect_right(starts, step) - 1)
        return listed[i](step - starts[i])

    return schedule


def product(*schedules: Schedule) -> Schedule:
    """All schedules at the same step, multiplied: torch's ChainedScheduler.

    One of them has the learning rate, the others are factors: product(exponential(0.1, 0.9),
    linear(1.0, n_steps=4)). Raises HyperparameterError.
    """
    listed = [checked("product", schedule) for schedule in schedules]
    return lambda step: math.prod(schedule(step) for schedule in listed)


def warm_up(schedule: Schedule, n_steps: int, start_factor: float = 0.0) -> Schedule:
    """A line from start_factor schedule(0) up to schedule(0) in n_steps, then the schedule.

    The schedule counts from 0 after the warm-up. Raises HyperparameterError.
    Source: Goyal and others 2017, section 2.2.
    """
    after, n = checked("warm_up", schedule), count("warm_up: n_steps", n_steps)
    start = non_negative("warm_up: start_factor", start_factor)
    peak = after(0)

    def warmed(step: float) -> float:
        return peak * (start + (1.0 - start) * step / n) if step < n else after(step - n)

    return warmed


def checked(caller: str, schedule: Schedule) -> Schedule:
    """The schedule. Raises HyperparameterError for anything that cannot be called."""
    if not callable(schedule):
        raise HyperparameterError(
            f"{caller}: a schedule must be a function of the step, got {schedule!r}; "
            "e.g. nn.schedules.cosine(0.1, n_steps=100)"
        )
    return schedule
