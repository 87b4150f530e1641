"""NumPy work on several cores: parts of arrays in a few Python threads, since NumPy frees the lock.

The parts are the same however many threads take them, so the bits of the results are too. For
elementwise work, and sums within a part. Not for products large enough for BLAS's own threads:
theirs would multiply with these. A thread that waits for Python's lock wakes up too late for a gap
of less than some 10 us: NumPy's calls in a part should be longer (100,000 numbers), or the threads
take turns. To wake a thread and to wait for it costs some 75 us on two virtual cores: work of less
than 200 us (some 500,000 numbers in a compiled loop) is one part.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from operator import itemgetter
from queue import SimpleQueue
from typing import Any

import numpy as np

# What sets the number of BLAS's threads sets ours: one who runs a process a core wants one of each.
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
MOST = 8  # more would wait for memory and for the interpreter's lock

MOST_KEPT = 2**22  # bytes of scratch by one name in one thread

_own = threading.local()  # busy: whether this thread is at work on a part
_chosen: int | None = None
_team: _Team | None = None


def n_threads() -> int:
    """How many threads share the work: as OMP_NUM_THREADS says, else one a core, at most MOST.

    The environment is read when first asked. 1 in a thread that is already at work on a part.
    """
    global _chosen
    if getattr(_own, "busy", False):
        return 1
    if _chosen is None:
        _chosen = _from_environment() or min(_n_cores(), MOST)
    return _chosen


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Within the `with` block n threads share the work, whoever gives it; for tests."""
    global _chosen
    before, _chosen = _chosen, n
    try:
        yield
    finally:
        _chosen = before


def in_parts(work: Callable[[int, int], Any], length: int, size: int) -> list[Any]:
    """[work(0, size), work(size, 2 size), ..., work(..., length)], made in several threads.

    work writes to its own part of arrays alone. Of the errors in it the first part's is raised,
    after all parts have ended. A work that calls in_parts itself stays in its thread there.
    """
    bounds = [(start, min(start + size, length)) for start in range(0, length, size)]
    n = min(n_threads(), len(bounds))
    team = _team_of(n) if n > 1 else None
    if team is None:
        return [work(start, stop) for start, stop in bounds]
    return team.share(_Task(work, bounds), n)


def in_slices(
    loop: Callable[..., Any], size: int, arrays: Sequence[np.ndarray], *numbers: float
) -> None:
    """loop(the same part of every array..., *numbers) for all parts, in several threads."""

    def work(start: int, stop: int) -> None:
        loop(*[array[start:stop] for array in arrays], *numbers)

    in_parts(work, len(arrays[0]), size)


class _Task:
    """The parts of one call: taken one after another by whichever thread is free."""

    def __init__(self, work: Callable[[int, int], Any], bounds: list[tuple[int, int]]) -> None:
        self.work = work
        self.context = copy_context()  # np.errstate, the current device
        self.waiting = deque(enumerate(bounds))
        self.ended: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()
        self.n_parts = len(bounds)

    def take_parts(self) -> None:
        """Work until no part waits."""
        _own.busy = True
        try:
            while True:
                i, pair = self.waiting.popleft()
                try:
                    self.ended.put((i, self.work(*pair), None))
                except BaseException as error:
                    self.ended.put((i, None, error))
        except IndexError:
            return
        finally:
            _own.busy = False

    def results(self) -> list[Any]:
        """What every part came to, once all have ended."""
        ended = sorted([self.ended.get() for _ in range(self.n_parts)], key=itemgetter(0))
        for _, _, error in ended:
            if error is not None:
                raise error
        return [result for _, result, _ in ended]


class _Team:
    """Threads that wait for tasks. They end with the process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.tasks: SimpleQueue[_Task] = SimpleQueue()
        self.size = 0

    def grow(self, size: int) -> bool:
        """Whether so many threads wait now; a system may refuse more."""
        while self.size < size:
            try:
                threading.Thread(target=self._work, name="isograd", daemon=True).start()
            except RuntimeError:
                return False
            self.size += 1
        return True

    def share(self, task: _Task, n: int) -> list[Any]:
        """The results of a task in this thread and n - 1 of the team, as far as they are free."""
        for _ in range(n - 1):
            self.tasks.put(task)
        try:
            task.take_parts()
            return task.results()
        finally:
            task.waiting.clear()  # some are left if Ctrl-C came

    def _work(self) -> None:
        while True:
            task = self.tasks.get()
            task.context.copy().run(task.take_parts)
            del task  # with the arrays that its work holds


def _team_of(n: int) -> _Team | None:
    """The process's team, with n - 1 threads beside the caller's; a fork does not inherit any."""
    global _team
    if _team is None or _team.process != os.getpid():
        _team = _Team()
    return _team if _team.grow(n - 1) else None


def own_scratch(name: str, size: int, dtype: Any) -> np.ndarray:
    """A 1-D array of this thread, kept for the next call with this name; it holds anything.

    One larger than MOST_KEPT is new at each call.
    """
    kept = getattr(_own, "scratch", None)
    if kept is None:
        kept = _own.scratch = {}
    found = kept.get((name, dtype))
    if found is None or len(found) < size:
        found = np.empty(size, dtype)
        if found.nbytes <= MOST_KEPT:
            kept[name, dtype] = found
    return found[:size]


def _from_environment() -> int | None:
    for variable in VARIABLES:
        text = os.environ.get(variable, "").partition(",")[0].strip()
        if text.isdecimal() and int(text) > 0:
            return int(text)
    return None


def _n_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
