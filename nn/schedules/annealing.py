"""Schedules along a cosine: once, with restarts, and the one cycle of up and down.

Each gives a function of the step, the number of updates or epochs so far, which begins at 0.
"""

from __future__ import annotations

import math

from ...backend.errors import HyperparameterError
from ..optimizers.hyperparameters import below_one, count, non_negative, positive, up_to_one
from .decay import Schedule

STRATEGIES = ("cos", "linear")


def cosine(lr: float, n_steps: int, minimum: float = 0.0) -> Schedule:
    """minimum + (lr - minimum) (1 + cos(pi step / n_steps)) / 2, and minimum from n_steps on.

    torch's CosineAnnealingLR, whose T_max is n_steps and eta_min is minimum; torch goes up again
    after n_steps. Raises HyperparameterError. Source: Loshchilov and Hutter 2017, eq. 5.
    """
    lr, n_steps = non_negative("cosine: lr", lr), count("cosine: n_steps", n_steps)
    minimum = non_negative("cosine: minimum", minimum)
    return lambda step: anneal_cosine(lr, minimum, min(step, n_steps) / n_steps)


def cosine_restarts(lr: float, n_steps: int, multiple: int = 1, minimum: float = 0.0) -> Schedule:
    """cosine() that begins anew when it is through, every time `multiple` times longer.

    torch's CosineAnnealingWarmRestarts, whose T_0 is n_steps, T_mult is multiple and eta_min is
    minimum. Raises HyperparameterError. Source: Loshchilov and Hutter 2017, SGDR, eq. 5.
    """
    lr, n_steps = (
        non_negative("cosine_restarts: lr", lr),
        count("cosine_restarts: n_steps", n_steps),
    )
    minimum = non_negative("cosine_restarts: minimum", minimum)
    multiple = count("cosine_restarts: multiple", multiple)

    def schedule(step: float) -> float:
        length = n_steps
        if multiple == 1:
            step = step % length
        while step >= length:
            step, length = step - length, length * multiple
        return anneal_cosine(lr, minimum, step / length)

    return schedule


def one_cycle(
    max_lr: float,
    n_steps: int,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """From max_lr / div_factor up to max_lr in pct_start of the steps, then far down to the end.

    The end is the start / final_div_factor, from step n_steps - 1 on. three_phase: first back to
    the start, as fast as it went up. anneal_strategy: "cos" or "linear".
    torch's OneCycleLR, whose total_steps is n_steps; that raises after the last step.
    Raises HyperparameterError. Source: Smith and Topin 2018; "cos" and two phases are fastai's.
    """
    max_lr = non_negative("one_cycle: max_lr", max_lr)
    start = max_lr / positive("one_cycle: div_factor", div_factor)
    end = start / positive("one_cycle: final_div_factor", final_div_factor)
    values = [start, max_lr, start, end] if three_phase else [start, max_lr, end]
    return _cycle("one_cycle", values, n_steps, pct_start, anneal_strategy)


def one_cycle_momentum(
    n_steps: int,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    three_phase: bool = False,
) -> Schedule:
    """The momentum beside one_cycle(): down to base_momentum while the learning rate goes up.

    Use it as ScheduledLR(optimizer, one_cycle_momentum(n_steps), setting="momentum").
    Raises HyperparameterError. Source: see one_cycle().
    """
    low = below_one("one_cycle_momentum: base_momentum", base_momentum)
    high = below_one("one_cycle_momentum: max_momentum", max_momentum)
    values = [high, low, high, high] if three_phase else [high, low, high]
    return _cycle("one_cycle_momentum", values, n_steps, pct_start, anneal_strategy)


def anneal_cosine(start: float, end: float, part: float) -> float:
    """start for part 0, end for part 1, along half a cosine between them."""
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * part))


def anneal_linear(start: float, end: float, part: float) -> float:
    """start for part 0, end for part 1, along a line between them."""
    return start + (end - start) * part


def _cycle(
    caller: str, values: list[float], n_steps: int, pct_start: float, anneal_strategy: str
) -> Schedule:
    """From value to value, the last one being reached at step n_steps - 1."""
    n_steps = count(f"{caller}: n_steps", n_steps)
    share = up_to_one(f"{caller}: pct_start", pct_start) * n_steps
    if anneal_strategy not in STRATEGIES:
        raise HyperparameterError(
            f"{caller}: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}"
        )
    n_rising = len(values) - 2
    if n_rising * share > n_steps:
        raise HyperparameterError(
            f"{caller}: pct_start must be at most 0.5 with three phases, got {pct_start}"
        )
    anneal = anneal_cosine if anneal_strategy == "cos" else anneal_linear
    stops = [i * share - i for i in range(1, n_rising + 1)] + [n_steps - 1.0]

    def schedule(step: float) -> float:
        step, before = min(float(step), n_steps - 1.0), 0.0
        for i, stop in enumerate(stops):
            if step <= stop:
                part = (step - before) / (stop - before) if stop != before else 1.0
                return anneal(values[i], values[i + 1], part)
            before = stop
        return values[-1]

    return schedule
