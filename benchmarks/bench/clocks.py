"""How a block of calls is timed, and how much of it other processes took away."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

Call = Callable[[], object]
LONGEST_BLOCK = 1 << 24  # calls
LOST_AT_MOST = 0.05  # of a block, before it is measured again
LEAST_SHARE = 0.05  # of a block, for a thread to count as one that ran


class Clock(Protocol):
    """Anything that tells how long calls take."""

    def seconds(self, call: Call, n: int) -> float:
        """How long n calls in a row take."""


class WallClock:
    """The time that passes, until the device has done all that was asked of it."""

    def __init__(self, wait: Call) -> None:
        self._wait = wait

    def seconds(self, call: Call, n: int) -> float:
        self._wait()
        started = time.perf_counter()
        for _ in repeat(None, n):
            call()
        self._wait()
        return time.perf_counter() - started


class EventClock:
    """The time between two events in a GPU's stream, read when both have happened.

    new_event: makes one that has record(). milliseconds: between two recorded events.
    """

    def __init__(
        self, wait: Call, new_event: Callable[[], Any], milliseconds: Callable[[Any, Any], float]
    ) -> None:
        self._wait, self._new_event, self._milliseconds = wait, new_event, milliseconds

    def seconds(self, call: Call, n: int) -> float:
        begin, end = self._new_event(), self._new_event()
        self._wait()
        begin.record()
        for _ in repeat(None, n):
            call()
        end.record()
        self._wait()
        return self._milliseconds(begin, end) / 1e3


def calls_a_block(
    clock: Clock, call: Call, block_seconds: float, warm_up_seconds: float = 0.0
) -> int:
    """How many calls fill a block, found while warming up."""
    n, taken = 1, clock.seconds(call, 1)
    total = taken
    while taken < block_seconds or total < warm_up_seconds:
        n = min(2 * n, LONGEST_BLOCK) if taken < block_seconds else n
        taken = clock.seconds(call, n)
        total += taken
        if n == LONGEST_BLOCK:
            break
    return max(1, round(n * block_seconds / taken)) if taken else n


class Disturbance:
    """How much longer a block took because its threads waited for a processor.

    Where the system keeps that account (Linux), the longest time that a thread of this process was
    ready to run and had no processor; if more threads ran than there are processors, they also
    waited for each other, and what is beyond the least disturbed block is lost. Elsewhere, the main
    thread's time off the processor, beyond that of its least disturbed block: it also sleeps when
    it waits for its own helpers. Each workload has an account of its own.
    """

    def __init__(
        self, tasks: Path = Path("/proc/self/task"), processors: int | None = None
    ) -> None:
        self._tasks = tasks if (tasks / str(os.getpid()) / "schedstat").exists() else None
        self._processors = processors or _processors()
        self._least = 1.0
        self._before: dict[str, tuple[int, int]] = {}
        self._started = self._on_processor = 0.0

    def begin(self) -> None:
        """Start of a block."""
        self._before = self._times()
        self._started, self._on_processor = time.perf_counter(), time.thread_time()

    def end(self) -> float:
        """Share of the time since begin() that was lost to others, 0 to 1."""
        wall = max(time.perf_counter() - self._started, 1e-9)
        if self._tasks is None:
            off = max(0.0, 1.0 - (time.thread_time() - self._on_processor) / wall)
            return self._beyond_least(off)
        n_ran, waited = 0, 0
        for task, (on_processor, waiting) in self._times().items():
            ran_before, waited_before = self._before.get(task, (0, 0))
            n_ran += on_processor - ran_before > 1e9 * wall * LEAST_SHARE
            waited = max(waited, waiting - waited_before)
        lost = min(1.0, waited / 1e9 / wall)
        return self._beyond_least(lost) if n_ran > self._processors else lost

    def _beyond_least(self, lost: float) -> float:
        self._least = min(self._least, lost)
        return lost - self._least

    def _times(self) -> dict[str, tuple[int, int]]:
        """By thread, how many nanoseconds it has run and has waited for a processor."""
        if self._tasks is None:
            return {}
        times = {}
        for task in os.listdir(self._tasks):
            try:
                content = (self._tasks / task / "schedstat").read_text(encoding="ascii")
            except OSError:  # the thread has ended
                continue
            ran, waited = content.split()[:2]
            times[task] = (int(ran), int(waited))
        return times


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
