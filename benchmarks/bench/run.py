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
from .results import FORMAT, Results, ceilings, without_paths, workload_record
from .statistics import curves
from .workload import Workload
from .workloads.startup import WORKLOADS as STARTUP

PROCESSES = {True: 3, False: 5}  # fresh ones for what a start costs: quick, full
EVERYTHING = [*STARTUP, *catalogue.WORKLOADS]
PRECISION = "float32"
SECONDS_A_START = 2.0  # roughly, of one process that is started for what a start costs


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
    records = [one.record(threads, conductor.versions[one], plan.compiles) for one in present]
    return without_paths(
        {
            "format": FORMAT,
            "command": command,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(),
            "finished": finished,
            "load_average_before": load,
            "versions": versions(),
            **_surroundings_after(surroundings, plan, quick, conductor.n_passes),
            "candidates": records,
            **summaries(chosen, table, present, records),
        }
    )


def _surroundings_after(before: Results, plan: Plan, quick: bool, passes: int) -> Results:
    """The parts "machine" and "settings" when all is measured."""
    machine, settings = before["machine"], before["settings"]
    return {
        "machine": {**machine, "gpus": with_clocks_after(machine["gpus"])},
        "settings": {
            **settings,
            "quick": quick,
            "passes": passes,
            "rounds": plan.rounds,
            "block_seconds": plan.block_seconds,
        },
    }


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
    plan = conductor.plan
    weights = [_weight(workload, i) for i in range(plan.passes) for workload in in_turn]
    longest = plan.limit_seconds + SECONDS_A_START * n_starts
    progress = Remaining(sum(weights) + SECONDS_A_START * n_starts, longest)
    try:
        _pass_by_pass(conductor, in_turn, table, progress)
        if at_start:
            processes, warm = PROCESSES[quick], bool(in_turn)
            for line in startup.measure(conductor, at_start, processes, table, warm):
                progress.begin(line)
                progress.end(SECONDS_A_START)
    finally:
        progress.close()


def _pass_by_pass(
    conductor: Conductor, workloads: Sequence[Workload], table: Table, progress: Remaining
) -> None:
    """The passes, one after another, until they are done or their time is up."""
    plan, until = conductor.plan, monotonic() + conductor.plan.limit_seconds
    for i in range(plan.passes):
        for workload in workloads:
            if monotonic() > until:
                conductor.end_all()
                return
            conductor.n_passes = i + 1
            told = f", pass {i + 1} of {plan.passes}" if plan.passes > 1 else ""
            progress.begin(f"{workload.name}{told}")
            conductor.measure(workload, table[workload.name])
            progress.end(_weight(workload, i))
        conductor.end_all()  # a fresh process may be faster or slower: that is spread, too


def _weight(workload: Workload, i: int) -> float:
    """How many seconds it takes in pass i, roughly: the first one also compares and compiles."""
    heavy = workload.group in ("step", "growth") or (workload.bytes or 0.0) > 1e9
    return (2.0 if heavy else 1.0) * (2.0 if i == 0 else 1.0)


def _memory_bytes() -> int | None:
    """The machine's memory; None where the system does not tell."""
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
