"""Schedules that go one way: constant, in steps, exponential, linear, polynomial, inverse root.

Each gives a function of the step, the number of updates or epochs so far, which begins at 0.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from ..optimizers.hyperparameters import count, non_negative, positive
from .checks import increasing_counts

Schedule = Callable[[float], float]


def constant(lr: float) -> Schedule:
    """lr at every step."""
    lr = non_negative("constant: lr", lr)
    return lambda step: lr


def step_decay(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """lr gamma^(step // step_size): torch's StepLR. Raises HyperparameterError."""
    lr, gamma = non_negative("step_decay: lr", lr), non_negative("step_decay: gamma", gamma)
    step_size = count("step_decay: step_size", step_size)
    return lambda step: lr * gamma ** (step // step_size)


def multistep(lr: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """lr gamma^(number of milestones <= step): torch's MultiStepLR.

    Raises HyperparameterError unless the milestones are whole numbers that increase.
    """
    lr, gamma = non_negative("multistep: lr", lr), non_negative("multistep: gamma", gamma)
    passed = increasing_counts("multistep: milestones", milestones)
    return lambda step: lr * gamma ** bisect_right(passed, step)


def exponential(lr: float, gamma: float) -> Schedule:
    """lr gamma^step: torch's ExponentialLR. Raises HyperparameterError."""
    lr, gamma = non_negative("exponential: lr", lr), non_negative("exponential: gamma", gamma)
    return lambda step: lr * gamma**step


def linear(
    lr: float, n_steps: int = 5, start_factor: float = 1.0 / 3.0, end_factor: float = 1.0
) -> Schedule:
    """lr times a factor that goes from start_factor to end_factor in n_steps, and stays there.

    torch's LinearLR, whose total_iters is n_steps. Raises HyperparameterError.
    """
    lr, n_steps = non_negative("linear: lr", lr), count("linear: n_steps", n_steps)
    start = non_negative("linear: start_factor", start_factor)
    end = non_negative("linear: end_factor", end_factor)
    return lambda step: lr * (start + (end - start) * min(step, n_steps) / n_steps)


def polynomial(lr: float, n_steps: int = 5, power: float = 1.0, minimum: float = 0.0) -> Schedule:
    """minimum + (lr - minimum) (1 - step / n_steps)^power, and minimum from n_steps on.

    torch's PolynomialLR, whose total_iters is n_steps and whose minimum is 0.
    Raises HyperparameterError.
    """
    lr, n_steps = non_negative("polynomial: lr", lr), count("polynomial: n_steps", n_steps)
    power, low = positive("polynomial: power", power), non_negative("polynomial: minimum", minimum)
    return lambda step: low + (lr - low) * (1.0 - min(step, n_steps) / n_steps) ** power


def inverse_sqrt(lr: float, n_warm_up: int) -> Schedule:
    """lr min(s / n_warm_up, sqrt(n_warm_up / s)) with s = step + 1: up to lr, then down slowly.

    The Transformer's schedule, whose lr is 1 / sqrt(d_model n_warm_up).
    Raises HyperparameterError. Source: Vaswani and others 2017, eq. 3.
    """
    lr, n = non_negative("inverse_sqrt: lr", lr), count("inverse_sqrt: n_warm_up", n_warm_up)
    return lambda step: lr * min((step + 1) / n, math.sqrt(n / (step + 1)))
