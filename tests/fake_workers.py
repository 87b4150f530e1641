"""Candidates that are not there: workers with planned answers, results of planned times."""

from __future__ import annotations

from isograd.benchmarks.bench.candidates import Candidate
from isograd.benchmarks.bench.conductor import Block, Conductor, Measured, Plan
from isograd.benchmarks.bench.results import FORMAT
from isograd.benchmarks.bench.run import summaries
from isograd.benchmarks.bench.workload import Workload

OURS = Candidate("isograd", "cpu")
PEER = Candidate("torch", "cpu")
THIRD = Candidate("numpy", "cpu")
PLAN = Plan(
    passes=1,
    rounds=4,
    block_seconds=0.0,
    warm_up_seconds=0.0,
    seconds=1e9,
    retry_seconds=100.0,
)
ANSWERS = {
    "load": {"import_s": 0.1, "versions": {"python": "3"}},
    "set_up": {
        "set_up_s": 0.1,
        "first_call_s": 0.2,
        "variant": "",
        "note": "",
        "tried": {},
        "outputs": {"y": [1.0, 2.0]},
    },
    "warm": {"calls": 10},
    "block": {"seconds": 1.0, "lost": 0.0},
    "tear_down": {},
    "memory": {"bytes": 1000, "device_bytes": None},
    "install_size": {"bytes": 2000},
}


class FakeWorker:
    """Answers as planned: for a question one answer, or a list of them that is used up in turn."""

    def __init__(self, name, plan, log):
        self.name, self.plan, self.log, self.is_alive = name, plan, log, True

    def ask(self, do, **inputs):
        self.log.append((self.name, do))
        answer = self.plan.get(do, ANSWERS[do])
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else ANSWERS[do]
        if isinstance(answer, BaseException):
            raise answer
        if answer == "dies":
            self.is_alive = False
            answer = {"error": "out of memory", "reason": "the system killed the process"}
        return dict(answer)

    def close(self):
        self.log.append((self.name, "close"))
        self.is_alive = False


def workload(name="group/one", libraries=("isograd", "torch", "numpy"), **settings):
    """A Workload that these libraries have."""
    return Workload(name, f"the {name}", dict.fromkeys(libraries, None), **settings)


def conductor(tmp_path, plans=None, candidates=(OURS, PEER), plan=PLAN):
    """(a Conductor with loaded fake workers, what they were asked)."""
    log = []
    plans = plans or {}

    def launch(candidate):
        return FakeWorker(candidate.library, plans.get(candidate.library, {}), log)

    made = Conductor(launch, tmp_path, plan, 2, pause=lambda seconds: None)
    left_out = made.load(candidates)
    made.left_out = left_out
    return made, log


def _passes(blocks):
    """Passes as they are given, or one for each block."""
    passes = blocks if isinstance(blocks[0], list) else [[block] for block in blocks]
    return [[Block(seconds) for seconds in one] for one in passes]


def results(times, machine="one processor", threads=2, workloads=None, **more):
    """Results with planned blocks. times: {workload name: {Candidate: [seconds, ...]}}."""
    chosen = workloads or [workload(name) for name in times]
    present = list(dict.fromkeys(candidate for mine in times.values() for candidate in mine))
    facts = {"calls_a_block": 1, "note": "", "tried": {}, "largest_difference": 0.0}
    table = {
        name: {one.name: Measured(_passes(blocks), dict(facts)) for one, blocks in mine.items()}
        for name, mine in times.items()
    }
    records = [candidate.record(threads, {}) for candidate in present]
    return {
        "format": FORMAT,
        "command": "isograd bench",
        "date": "2025-11-20T18:00:00+00:00",
        "finished": True,
        "machine": {"processor": machine, "cores": 2, "system": "Linux", "gpus": []},
        "settings": {"threads": threads, "precision": "float32"},
        "candidates": records,
        **summaries(chosen, table, present, records),
        **more,
    }
