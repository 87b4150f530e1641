"""Timing without self-deception: warm-up apart, candidates taking turns, medians with their spread.

    timings = compare({"numpy": lambda: a * b, "isograd": lambda: x * y})
    timings["isograd"].median    # seconds a call

Candidates run in interleaved blocks, A B A B ..., so that a slow minute of the machine meets all of
them. The garbage collector stays on: a program runs with it too.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat

from ..backend.errors import HyperparameterError

Call = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds that one call took: the mean of each block of calls, in the order of measurement."""

    calls_a_block: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The lower and the upper quartile; the median twice when there is a single block."""
        if len(self.seconds) < 2:
            return self.median, self.median
        lower, _, upper = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return lower, upper

    def per(self, n: int) -> Timing:
        """The same for one of the n equal parts of a call."""
        return Timing(self.calls_a_block, tuple(seconds / n for seconds in self.seconds))

    def record(self) -> dict[str, object]:
        """What a report keeps: median, quartiles and how many blocks of how many calls."""
        lower, upper = self.quartiles
        return {
            "median_s": self.median,
            "lower_quartile_s": lower,
            "upper_quartile_s": upper,
            "blocks": len(self.seconds),
            "calls_a_block": self.calls_a_block,
        }


def compare(
    candidates: Mapping[str, Call],
    *,
    blocks: int = 31,
    block_seconds: float = 0.01,
    warm_up_seconds: float = 0.05,
    synchronize: Call | None = None,
) -> dict[str, Timing]:
    """The Timing of every candidate, by its name; blocks of them alternate.

    candidates: functions without arguments. blocks: how many of each. block_seconds: how long a
    block should at least take; it sets the number of calls in one. warm_up_seconds: how long each
    candidate runs before anything counts. synchronize: called before and after every block, e.g.
    isograd.synchronize for a GPU, which is otherwise still at work when the clock is read.
    Raises HyperparameterError for no block or a negative duration.
    """
    if blocks < 1 or block_seconds < 0 or warm_up_seconds < 0:
        raise HyperparameterError(
            "compare: blocks must be at least 1 and durations at least 0, got "
            f"blocks={blocks}, block_seconds={block_seconds}, warm_up_seconds={warm_up_seconds}"
        )
    wait = synchronize or _nothing
    calls = {
        name: _calls_a_block(call, block_seconds, warm_up_seconds, wait)
        for name, call in candidates.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(blocks):
        for name, call in candidates.items():
            seconds[name].append(_time_block(call, calls[name], wait) / calls[name])
    return {name: Timing(calls[name], tuple(seconds[name])) for name in candidates}


def _calls_a_block(call: Call, block_seconds: float, warm_up_seconds: float, wait: Call) -> int:
    """How many calls fill a block, found while warming up."""
    n, taken, total = 1, _time_block(call, 1, wait), 0.0
    while taken < block_seconds or total < warm_up_seconds:
        n = 2 * n if taken < block_seconds else n
        taken = _time_block(call, n, wait)
        total += taken
    return max(1, round(n * block_seconds / taken)) if taken else n


def _time_block(call: Call, n: int, wait: Call) -> float:
    """Seconds that n calls take, the waiting for the device included."""
    wait()
    started = time.perf_counter()
    for _ in repeat(None, n):
        call()
    wait()
    return time.perf_counter() - started


def _nothing() -> None:
    """Nothing to wait for: the CPU is never behind."""
