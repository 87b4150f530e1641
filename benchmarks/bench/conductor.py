"""Brings the candidates together: they agree first, then take turns block by block."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any, Protocol

from ...backend.errors import DeviceUnavailableError
from .candidates import Candidate
from .clocks import LOST_AT_MOST
from .statistics import FEWEST_PASSES, ratio, spread
from .workload import Workload, largest_difference

FEWEST_ROUNDS = 3
# Between blocks: a process that stands still is quiet at once, threads of another one spin.
SETTLING_SECONDS = 0.001 if hasattr(signal, "SIGSTOP") else 0.005


class Answering(Protocol):
    """A worker: a Process, or what a test puts in its place."""

    def ask(self, do: str, **inputs: Any) -> dict[str, Any]:
        """The answer to a question."""

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked again."""

    def close(self) -> None:
        """The end of it."""


Launch = Callable[[Candidate], Answering]


@dataclass(frozen=True)
class Plan:
    """How long is measured.

    passes: over all workloads, each with fresh processes: two processes of one library differ by
    more than two blocks of one process, so five short passes say more than one long one. rounds:
    blocks of each candidate in a pass. seconds: of blocks for one workload and candidate in one
    pass, at most, but three rounds in any case. retry_seconds: of disturbed blocks beside these,
    which are measured again. limit_seconds: of all passes; no workload begins later. compiles: a
    mode may choose to compile.
    """

    passes: int = 5
    rounds: int = 5
    block_seconds: float = 0.01
    warm_up_seconds: float = 0.03
    seconds: float = 0.2
    retry_seconds: float = 0.1
    limit_seconds: float = 660.0
    compiles: bool = True


QUICK = Plan(
    passes=1,
    rounds=9,
    block_seconds=0.01,
    warm_up_seconds=0.02,
    seconds=0.4,
    retry_seconds=0.1,
    limit_seconds=75.0,
    compiles=False,
)
FULL = Plan()


@dataclass(frozen=True)
class Block:
    """Seconds a call (or bytes), and whether other processes disturbed it and all its retries."""

    seconds: float
    is_disturbed: bool = False


@dataclass
class Measured:
    """What is known of one candidate in one workload; grows with every pass."""

    passes: list[list[Block]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    disturbed: int = 0
    variant: str | None = None  # what the mode chose in the first pass
    status: str = "ok"
    reason: str = ""

    @property
    def blocks(self) -> list[Block]:
        """Those of all passes."""
        return [block for one in self.passes for block in one]

    def record(self) -> dict[str, Any]:
        """A RESULT as results.py describes it."""
        if self.status != "ok":
            return {"status": self.status, "reason": self.reason}
        if not self.blocks:
            return {"status": "stopped", "reason": "the run was stopped before it was measured"}
        seconds = [block.seconds for block in self.blocks]
        quiet = [block.seconds for block in self.blocks if not block.is_disturbed]
        return {
            "status": "ok",
            **spread(quiet if 2 * len(quiet) >= len(seconds) else seconds),
            "blocks": seconds,
            "blocks_a_pass": [len(one) for one in self.passes],
            "disturbed": self.disturbed,
            "kept_disturbed": len(seconds) - len(quiet),
            **self.facts,
        }

    def fail(self, answer: Mapping[str, Any]) -> None:
        """From now on there is only a reason."""
        self.status, self.reason = answer["error"], answer["reason"]
        if self.status not in ("out of memory", "disagrees"):
            self.status = "failed"


Table = dict[str, dict[str, Measured]]  # workload -> candidate -> what was measured


class Conductor:
    """Measures workloads with all candidates that have them.

    launch: starts a worker. folder: where workers leave results. pause: how to let them settle.
    """

    def __init__(
        self,
        launch: Launch,
        folder: Path,
        plan: Plan,
        threads: int,
        pause: Callable[[float], object] = sleep,
    ) -> None:
        self.launch, self.folder, self.plan, self.threads = launch, folder, plan, threads
        self.pause = pause
        self.n_passes = 0  # that were begun
        self.versions: dict[Candidate, dict[str, str]] = {}
        self._workers: dict[Candidate, Answering] = {}

    def load(self, candidates: Iterable[Candidate]) -> list[str]:
        """Start a worker for each; returns why a peer takes no part, a sentence for each.

        Raises DeviceUnavailableError when one of ours cannot.
        """
        left_out = []
        for candidate in candidates:
            answer = self.start(candidate)
            if "error" not in answer:
                self.versions[candidate] = answer["versions"]
            elif candidate.is_ours:
                raise DeviceUnavailableError(answer["reason"])
            else:
                left_out.append(f"{candidate.name} takes no part: {answer['reason']}")
        return left_out

    def start(self, candidate: Candidate) -> dict[str, Any]:
        """A new worker in place of the old one; its answer."""
        self.end(candidate)
        worker = self._workers[candidate] = self.launch(candidate)
        answer = worker.ask(
            "load",
            library=candidate.library,
            device=candidate.device,
            mode=candidate.mode,
            threads=self.threads,
        )
        if "error" in answer:
            self.end(candidate)
        return answer

    def ask(self, candidate: Candidate, do: str, **inputs: Any) -> dict[str, Any]:
        """The answer of its worker, of a new one if the old one has ended."""
        if candidate not in self._workers or not self._workers[candidate].is_alive:
            answer = self.start(candidate)
            if "error" in answer:
                return answer
        return self._workers[candidate].ask(do, **inputs)

    def end(self, candidate: Candidate) -> None:
        """Its worker is gone."""
        worker = self._workers.pop(candidate, None)
        if worker is not None:
            worker.close()

    def end_all(self) -> None:
        """All workers are gone."""
        for candidate in list(self._workers):
            self.end(candidate)

    def measure(self, workload: Workload, measured: dict[str, Measured]) -> None:
        """One pass over a workload: set up, agree, warm up, blocks in turn; into `measured`."""
        taking_part = [
            candidate
            for candidate in self.versions
            if workload.runs_on(candidate.library, candidate.device)
            and measured.setdefault(candidate.name, Measured()).status == "ok"
        ]
        agreeing = self._agreeing(workload, taking_part, measured)
        ready = [one for one in agreeing if self._warm(one, measured[one.name])]
        self._take_turns(ready, measured)
        for candidate in taking_part:
            if measured[candidate.name].status == "ok":
                self.ask(candidate, "tear_down")
            else:  # what is left of it may be in the way: memory, a GPU's error
                self.end(candidate)

    def _agreeing(
        self, workload: Workload, candidates: Sequence[Candidate], measured: dict[str, Measured]
    ) -> list[Candidate]:
        """Those that are set up and whose results, in the first pass, are those of the first."""
        agreeing: list[Candidate] = []
        expected: Mapping[str, Any] = {}
        for candidate in candidates:
            mine = measured[candidate.name]
            is_new = not mine.facts
            path = self.folder / "results.npz"
            answer = self.ask(
                candidate,
                "set_up",
                workload=workload.name,
                compiles=self.plan.compiles,
                results=str(path) if is_new else "",
                variant=mine.variant,
            )
            if "error" in answer:
                mine.fail(answer)
                continue
            mine.variant = answer.pop("variant")
            if not is_new:
                agreeing.append(candidate)
                continue
            results = answer.pop("outputs", None) or _read(path)
            expected = expected or results
            difference, where = largest_difference(results, expected)
            mine.facts = {**answer, "largest_difference": difference}
            if difference > workload.tolerance:
                said = f"{where} differs by {difference:.1e} of its largest number"
                reason = f"{said} from {agreeing[0].name}, more than {workload.tolerance:.0e}"
                mine.fail({"error": "disagrees", "reason": reason})
                continue
            agreeing.append(candidate)
        return agreeing

    def _warm(self, candidate: Candidate, mine: Measured) -> bool:
        """Whether it is warm and knows how many calls are a block."""
        plan = self.plan
        answer = self.ask(
            candidate,
            "warm",
            block_seconds=plan.block_seconds,
            warm_up_seconds=plan.warm_up_seconds,
        )
        if "error" in answer:
            mine.fail(answer)
            return False
        mine.facts["calls_a_block"] = answer["calls"]
        return True

    def _take_turns(self, candidates: list[Candidate], measured: dict[str, Measured]) -> None:
        """A block of each, round after round; the first of a round is another one each time."""
        budget = self.plan.seconds * len(candidates)
        spare = dict.fromkeys(candidates, self.plan.retry_seconds)
        for candidate in candidates:
            measured[candidate.name].passes.append([])
        for i in range(self.plan.rounds):
            if i >= FEWEST_ROUNDS and budget <= 0.0:
                return
            round_: dict[Candidate, Block] = {}
            for candidate in _turned(candidates, i + self.n_passes):
                mine = measured[candidate.name]
                tries = self._block(candidate, mine, spare)
                if tries:
                    lost, seconds = min(tries)
                    round_[candidate] = Block(seconds, lost > LOST_AT_MOST)
                    budget -= mine.facts["calls_a_block"] * tries[-1][1]
            candidates = [one for one in candidates if one in round_]
            for candidate, block in round_.items():
                measured[candidate.name].passes[-1].append(block)

    def _block(
        self, candidate: Candidate, mine: Measured, spare: dict[Candidate, float]
    ) -> list[tuple[float, float]]:
        """(share lost to others, seconds a call) of each try, until one was left alone.

        Empty when the worker could not. spare: seconds left for more tries; this takes from it.
        """
        tries: list[tuple[float, float]] = []
        while True:
            self.pause(SETTLING_SECONDS)
            answer = self.ask(candidate, "block")
            if "error" in answer:
                mine.fail(answer)
                return []
            tries.append((answer["lost"], answer["seconds"]))
            if answer["lost"] <= LOST_AT_MOST:
                return tries
            mine.disturbed += 1
            if spare[candidate] <= 0.0:
                return tries
            spare[candidate] -= mine.facts["calls_a_block"] * answer["seconds"]


def ratios(table: Mapping[str, Measured], candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Every one of ours against each other library on its device, and against ours before it."""
    good = {
        candidate: table[candidate.name].passes
        for candidate in candidates
        if candidate.name in table and table[candidate.name].record()["status"] == "ok"
    }
    ours = [candidate for candidate in good if candidate.is_ours]
    return [
        {"ours": one.name, "other": other.name, **ratio(_pairs(good[one], good[other]))}
        for i, one in enumerate(ours)
        for other in good
        if other in ours[:i] or (not other.is_ours and other.device == one.device)
    ]


def _pairs(ours: Sequence[list[Block]], others: Sequence[list[Block]]) -> list[list[float]]:
    """Ratios of neighbouring blocks by pass; of the quiet ones, where enough passes have any.

    A pass that Ctrl-C cut short may have none at all.
    """
    passes = [list(zip(*both, strict=False)) for both in zip(ours, others, strict=False)]
    quiet = [[(x, y) for x, y in one if not x.is_disturbed | y.is_disturbed] for one in passes]
    enough = min(FEWEST_PASSES, len(passes))
    used = quiet if sum(map(bool, quiet)) >= enough else passes
    return [[x.seconds / y.seconds for x, y in one] for one in used if one]


def _turned(candidates: Sequence[Candidate], by: int) -> list[Candidate]:
    """The candidates in turn, beginning further on each time."""
    start = by % len(candidates) if candidates else 0
    return [*candidates[start:], *candidates[:start]]


def _read(path: Path) -> dict[str, Any]:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        found = dict(arrays)
    path.unlink()
    return found
