"""`python -m isograd tune`: time every way to a matrix product on this GPU, and write the table.

The chooser (kernels/cuda/chooser.py) reads it from the next start on. Each problem is computed by
all candidates that fit, in turn, each as a graph of several launches, so that the GPU's time counts
and not the host's; the median of the rounds is kept. A few minutes.
"""

from __future__ import annotations

import functools
import itertools
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..backend import Array, array_namespace, as_dtype, find_device, using
from ..backend.errors import DeviceUnavailableError, DtypeError
from ..backend.random import Generator
from ..kernels.cuda import chooser, cublaslt, gpu
from ..kernels.cuda.matmul_plan import NoAlgorithmError
from ..kernels.cuda.problem import Problem
from ..kernels.cuda.table import Entry, Table, file_name, user_folder, write_table
from .report import commit, machine, table, versions

Clock = Callable[[Callable[[], None]], float]  # microseconds of one call
Sizes = tuple[tuple[int, int, int], ...]
Candidates = dict[str, chooser.Candidate]

# Two octaves apart: no size in between is farther than table.FARTHEST from one of them.
ROWS = (32, 128, 512, 2048, 8192)
COLUMNS = (16, 64, 256, 1024, 4096)
SUMS = (64, 256, 1024, 4096)
KINDS = (
    ("float32", "highest"),
    ("float32", "high"),
    ("float32", "medium"),
    ("float16", "highest"),
    ("bfloat16", "highest"),
)
PASSES = (("nt", "none"), ("nt", "gelu_tanh"), ("nn", "none"), ("tn", "none"))

N_ROUNDS = 5
BURST = 1000.0  # microseconds that the launches of one graph should take together
MOST_CALLS = 50


def main(device: str = "cuda", output: Path | None = None) -> None:
    """Measure on a GPU, write the table where the chooser finds it or to `output`, say where.

    Raises DeviceUnavailableError where no GPU answers.
    """
    found = find_device(device)
    if found.library.name != "cupy":
        raise DeviceUnavailableError(f"{device!r} is no CUDA GPU: elsewhere nothing is to choose")
    with using(found):
        device_id = found.raw.id
        entries = tuple(measured(gpu.architecture(device_id), DeviceClock(), own_candidates()))
        name = gpu.product_name(device_id)
        path = output or user_folder() / file_name(name)
        write_table(Table(name, gpu.architecture(device_id), _made(), entries), path)
        chooser.forget()
    print(summary(entries))
    print(f"\n{len(entries)} products measured on {name}; the table is {path}")


def own_candidates() -> tuple[Candidates, chooser.Fits]:
    """All implementations, and which of them fits what."""
    from ..kernels.cuda.products import CANDIDATES, fits

    return dict(CANDIDATES), fits


def measured(
    arch: int, clock: Clock, ways: tuple[Candidates, chooser.Fits], sizes: Sizes | None = None
) -> Iterator[Entry]:
    """An entry for each problem that any candidate serves; prints a line for each dtype."""
    sizes = sizes or tuple(itertools.product(ROWS, COLUMNS, SUMS))
    for dtype, precision in KINDS:
        try:
            buffers = Buffers(dtype, sizes)
        except DtypeError as error:
            print(f"{dtype} is left out: {error}")
            continue
        n = 0
        for size, (layout, activation) in itertools.product(sizes, PASSES):
            problem = Problem(*size, layout, dtype, precision, activation, arch=arch)
            times = _times(problem, clock, *ways, buffers)
            if times:
                n += 1
                yield Entry(*size, layout, dtype, precision, activation, times)
        print(f"{dtype} {precision}: {n} products", flush=True)


def summary(entries: tuple[Entry, ...]) -> str:
    """How often each candidate was the fastest, a row for each dtype and precision."""
    names = sorted({name for entry in entries for name in entry.microseconds})
    rows = [["fastest", *names]]
    for kind in KINDS:
        times = [one.microseconds for one in entries if (one.dtype, one.precision) == kind]
        best = [min(one, key=one.__getitem__) for one in times]
        rows.append([" ".join(kind), *(str(best.count(name)) for name in names)])
    return table(rows)


class Buffers:
    """Random numbers of one dtype for a and b of all sizes, and room for y."""

    def __init__(self, dtype: str, sizes: Sizes) -> None:
        generator = Generator(0)
        lengths = (
            max(m * k for m, n, k in sizes),
            max(k * n for m, n, k in sizes),
            max(m * n for m, n, k in sizes),
        )
        self._flat = []
        for length in lengths:
            numbers = generator.normal((length,))
            xp = array_namespace(numbers)
            self._flat.append(xp.astype(numbers, as_dtype(xp, dtype)))

    def operands(self, problem: Problem) -> tuple[Array, Array, Array]:
        """a and b as the layout stores them, and y."""
        m, n, k = problem.m, problem.n, problem.k
        a_shape = (k, m) if problem.layout[0] == "t" else (m, k)
        b_shape = (n, k) if problem.layout[1] == "t" else (k, n)
        flat = zip(self._flat, (a_shape, b_shape, (m, n)), strict=True)
        a, b, y = (x[: rows * columns].reshape(rows, columns) for x, (rows, columns) in flat)
        return a, b, y


class DeviceClock:
    """Times launches by events of the GPU, many in one graph."""

    def __init__(self) -> None:
        import cupy

        self._cupy = cupy
        self._stream = cupy.cuda.Stream(non_blocking=True)

    def __call__(self, run: Callable[[], None]) -> float:
        """Microseconds of one call of run(), which must have run before."""
        from ..kernels.cuda.graph import StepGraph

        with self._stream:
            run()
            once = self._elapsed(run)
            n_calls = max(1, min(MOST_CALLS, round(BURST / max(once, 1.0))))
            graph = StepGraph(lambda: _repeat(run, n_calls))
            graph.replay()
            return self._elapsed(graph.replay) / n_calls

    def _elapsed(self, run: Callable[[], None]) -> float:
        """Microseconds on the current stream."""
        start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        start.record()
        run()
        end.record()
        end.synchronize()
        return float(self._cupy.cuda.get_elapsed_time(start, end)) * 1000.0


def _repeat(run: Callable[[], None], n: int) -> None:
    for _ in range(n):
        run()


def _times(
    problem: Problem, clock: Clock, candidates: Candidates, fits: chooser.Fits, buffers: Buffers
) -> dict[str, float]:
    """Microseconds of each candidate that serves the problem, the median of interleaved rounds."""
    operands = buffers.operands(problem)
    runs: dict[str, Callable[[], None]] = {}
    for name, way in candidates.items():
        if not fits(name, problem):
            continue
        run = functools.partial(way, problem, *operands)
        try:
            run()
        except NoAlgorithmError:
            continue
        runs[name] = run
    rounds = [{name: clock(run) for name, run in runs.items()} for _ in range(N_ROUNDS)]
    return {name: round(statistics.median(one[name] for one in rounds), 3) for name in runs}


def _made() -> dict[str, Any]:
    """Machine, versions, commit and date of a measurement."""
    return {
        "machine": machine(),
        "versions": {**versions(), "cublaslt": str(cublaslt.library().version())},
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
