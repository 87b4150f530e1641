"""One run: candidates and workloads in, results out; Ctrl-C keeps what is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import monotonic

from ...backend.errors import ConfigurationError
from ..report import commit, load_average, machine, n_cores, versions
from . import catalogue, startup
from .candidates import Candidate
from .conductor import Conductor, Plan, Table, ratios
from .gpus import gpus, with_clocks_after
from .process import launcher, thread_variables
from .remaining import Remaining
from .results import FORMAT, Results, ceilings, workload_record
from .statistics import curves
from .workload import Workload
from .workloads.startup import WORKLOADS as STARTUP

PROCESSES = {True: 3, False: 5}  # fresh ones for what a start costs: quick, full
EVERYTHING = [*STARTUP, *catalogue.WORKLOADS]
PRECISION = "float32"


def here(threads: int | None) -> Results:
    """The parts "machine" and "settings" of results that are known before anything is measured."""
    threads = threads or n_cores()
    return {
        "machine": {
            **machine(),
            "memory_bytes": _memory_bytes(),
            "threads": thread_variables(threads),
            "gpus": gpus(),
        },
        "settings": {"threads": threads, "precision": PRECISION},
    }


def choose(words: Sequence[str], quick: bool) -> list[Workload]:
    """The workloads that the words name; of all of them, or of the quick ones.

    A word that names none of the quick ones is looked for among all.
    Raises ValueError, with the nearest names, for a word that names none.
    """
    quick_ones = [workload for workload in EVERYTHING if workload.quick]
    if not words or not quick:
        return catalogue.chosen(words, quick_ones if quick else EVERYTHING)
    found = [catalogue.chosen([word], EVERYTHING) for word in words]
    kept = [one for some in found for one in ([w for w in some if w.quick] or some)]
    return [workload for workload in EVERYTHING if workload in kept]


def run(
    chosen: Sequence[Workload],
    candidates: Sequence[Candidate],
    plan: Plan,
    *,
    quick: bool,
    threads: int | None = None,
    command: str = "",
    tell: Callable[[str], object] = print,
) -> Results:
    """The results of these workloads; "finished" is False where Ctrl-C came before the end.

    tell: is given a sentence for each candidate that takes no part.
    Raises DeviceUnavailableError for one of our own devices that is not there.
    """
    load, surroundings = load_average(), here(threads)
    threads = surroundings["settings"]["threads"]
    chosen = _that_run(chosen, candidates)
    table: Table = {workload.name: {} for workload in chosen}
    finished = True
    with launcher(threads) as (launch, folder):
        conductor = Conductor(launch, folder, plan, threads)
        try:
            for sentence in conductor.load(candidates):
                tell(sentence)
            _measure_all(conductor, chosen, quick, table)
        except KeyboardInterrupt:
            finished = False
        finally:
            conductor.end_all()
    present = list(conductor.versions)
    records = [one.record(threads, conductor.versions[one]) for one in present]
    results: Results = {
        "format": FORMAT,
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "finished": finished,
        "machine": {
            **surroundings["machine"],
            "gpus": with_clocks_after(surroundings["machine"]["gpus"]),
        },
        "load_average_before": load,
        "versions": versions(),
        "settings": {
            **surroundings["settings"],
            "quick": quick,
            "passes": conductor.passes_done,
            "rounds": plan.rounds,
            "block_seconds": plan.block_seconds,
        },
        "candidates": records,
    }
    return results | summaries(chosen, table, present, records)


def summaries(
    chosen: Sequence[Workload], table: Table, present: Sequence[Candidate], records: Sequence
) -> Results:
    """The parts of the results that follow from the measurements: ceilings, workloads, growth."""
    workloads = [
        {
            **workload_record(workload),
            "results": {name: one.record() for name, one in table[workload.name].items()},
            "ratios": ratios(table[workload.name], present),
        }
        for workload in chosen
    ]
    expected = {workload.curve.name: workload.curve for workload in chosen if workload.curve}
    return {
        "ceilings": ceilings(workloads, records),
        "workloads": workloads,
        "growth": curves(workloads, expected),
    }


def _that_run(chosen: Sequence[Workload], candidates: Sequence[Candidate]) -> list[Workload]:
    """The workloads that a candidate has on its device.

    Raises ConfigurationError where there is none.
    """
    kept = [w for w in chosen if any(w.runs_on(one.library, one.device) for one in candidates)]
    if not kept:
        raise ConfigurationError(
            f"{chosen[0].name} and what else was chosen needs a GPU: --devices cpu,cuda"
        )
    return kept


def _measure_all(
    conductor: Conductor, chosen: Sequence[Workload], quick: bool, table: Table
) -> None:
    """All passes over all workloads, then what a start costs, with progress."""
    in_turn = [workload for workload in chosen if workload not in STARTUP]
    at_start = [workload for workload in chosen if workload in STARTUP]
    n_turns = PROCESSES[quick] + (not in_turn) if at_start else 0
    n_starts = n_turns * len(startup.taking_part(conductor))
    passes = conductor.plan.passes
    started, longest = monotonic(), 0.0
    progress = Remaining(passes * sum(map(_weight, in_turn)) + 2.0 * n_starts)
    try:
        for i in range(passes):
            begun = monotonic()
            if i > 0 and begun + longest - started > conductor.plan.limit_seconds:
                break
            for workload in in_turn:
                if workload.once and i > 0:
                    continue
                progress.begin(f"{workload.name}{f', pass {i + 1} of {passes}' * (passes > 1)}")
                conductor.measure(workload, table[workload.name])
                progress.end(_weight(workload))
            conductor.end_all()  # a fresh process may be faster or slower: that is spread, too
            conductor.passes_done += 1
            longest = max(longest, monotonic() - begun)
        if at_start:
            processes, warm = PROCESSES[quick], bool(in_turn)
            for line in startup.measure(conductor, at_start, processes, table, warm):
                progress.begin(line)
                progress.end(2.0)
    finally:
        progress.close()


def _weight(workload: Workload) -> float:
    """How long it takes, roughly: whole steps and 100 M parameters more than the others."""
    heavy = workload.group in ("step", "growth") or (workload.bytes or 0.0) > 1e9
    return 2.0 if heavy else 1.0


def _memory_bytes() -> int | None:
    """The machine's memory; None where the system does not tell."""
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
