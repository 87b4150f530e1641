"""Import, first step, memory and size: what a library costs before and beside its work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any

from .candidates import Candidate
from .conductor import Block, Conductor, Measured, Table
from .workload import Workload
from .workloads import startup as asked

TIMES = {"set_up_s": 0.0, "first_call_s": 0.0}  # they are what is measured
FACTS = {"calls_a_block": 1, **TIMES, "largest_difference": 0.0, "note": "", "tried": {}}
STEPS = 5  # until memory is what it stays


def measure(
    conductor: Conductor,
    workloads: Sequence[Workload],
    processes: int,
    table: Table,
    files_are_warm: bool = False,
) -> Iterable[str]:
    """Fresh processes of all candidates in turn; what each one showed goes into the table.

    workloads: those of workloads/startup.py that are asked for. files_are_warm: byte code is
    written and files are in memory; else a turn more, which does not count, sees to that. Yields a
    line before each turn.
    """
    wanted = {workload.name: workload for workload in workloads}
    for i in range(1 if files_are_warm else 0, processes + 1):
        for candidate in taking_part(conductor):
            names = {
                name for name, w in wanted.items() if w.runs_on(candidate.library, candidate.device)
            }
            if names:
                yield f"a fresh process of {candidate.name}"
                values = _values(conductor, candidate, names)
                _keep(table, candidate, names, {} if i == 0 else values)
    return None


def taking_part(conductor: Conductor) -> list[Candidate]:
    """The candidates that are started: modes of a library start in the same way."""
    return [candidate for candidate in conductor.versions if candidate.mode == "default"]


def _values(conductor: Conductor, candidate: Candidate, names: set[str]) -> dict[str, Any]:
    """What one fresh process shows, or an answer with an error, by the workloads' names."""
    started = perf_counter()
    answer = conductor.start(candidate)
    if "error" in answer:
        return dict.fromkeys(names, answer)
    values: dict[str, Any] = {asked.IMPORT: answer["import_s"]}
    if names & {asked.FIRST_STEP, asked.PEAK_MEMORY, asked.PEAK_DEVICE_MEMORY}:
        values |= _training(conductor, candidate, started)
    if asked.INSTALL_SIZE in names:  # at last: it looks at thousands of files, and that takes time
        size = conductor.ask(candidate, "install_size")
        values[asked.INSTALL_SIZE] = size.get("bytes", size)
    conductor.end(candidate)
    return values


def _training(conductor: Conductor, candidate: Candidate, started: float) -> dict[str, Any]:
    names = (asked.FIRST_STEP, asked.PEAK_MEMORY, asked.PEAK_DEVICE_MEMORY)
    answer = conductor.ask(candidate, "set_up", workload=asked.TRAINED, compiles=False, results="")
    first_step = perf_counter() - started
    if "error" in answer:
        return dict.fromkeys(names, answer)
    for _ in range(STEPS):
        conductor.ask(candidate, "block")
    memory = conductor.ask(candidate, "memory")
    if "error" in memory:
        return dict.fromkeys(names, memory)
    return dict(zip(names, (first_step, memory["bytes"], memory["device_bytes"]), strict=True))


def _keep(table: Table, candidate: Candidate, names: set[str], values: dict[str, Any]) -> None:
    for name in names:
        mine = table.setdefault(name, {}).setdefault(candidate.name, Measured())
        mine.facts = dict(FACTS)
        value = values.get(name)
        if isinstance(value, dict):
            mine.fail(value)
        elif value is not None:
            mine.passes.append([Block(float(value))])
