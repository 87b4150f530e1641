"""Two runs on one machine: what became slower, what became faster, what is noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...backend.errors import ConfigurationError
from ..report import table
from .results import other_machine
from .statistics import BETWEEN_PROCESSES, FEWEST_PASSES, quantile
from .table import NOISE, quantity

YARDSTICK = "numpy"  # plain NumPy does not change with isograd: its times tell of the machine


@dataclass(frozen=True)
class Change:
    """One workload of one candidate, then and now.

    ratio: of the medians, now over then. certain: the spreads (deciles) do not meet, not even if
    one was 10 % off, where fewer than three processes were measured. drift: the same ratio for
    plain NumPy, over all workloads: how much slower the machine itself is; None where NumPy was not
    measured, and for what is no time.
    """

    workload: str
    candidate: str
    unit: str
    then: float
    now: float
    certain: bool
    drift: float | None

    @property
    def ratio(self) -> float:
        return self.now / self.then

    def is_slower_than(self, limit: float) -> bool:
        """Whether it is slower by that factor for certain, and not because the machine is."""
        return self.certain and min(self.ratio, self.ratio / (self.drift or 1.0)) > limit


def changes(
    then: Mapping[str, Any], now: Mapping[str, Any], other_machine_too: bool = False
) -> list[Change]:
    """Every workload of ours that both results have.

    Raises ConfigurationError for results of another machine, unless told to take them.
    """
    if not other_machine_too:
        check_machine(then, now)
    drift = _drift(then, now)
    pairs = _pairs(then, now, "isograd")
    return [
        _change(workload, name, old, new, drift)
        for workload, name, old, new in pairs
        if old["status"] == new["status"] == "ok"
    ]


def check_machine(then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise ConfigurationError unless both are of one machine, used in the same way.

    now: results, or what run.here() says before there are any.
    """
    difference = other_machine(then, now)
    if difference:
        raise ConfigurationError(
            f"the results are of another machine, or of other settings ({difference}): their times "
            "do not compare. --other-machine compares them all the same"
        )


def failures(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """A sentence for each workload of ours that was measured then and failed now."""
    return [
        f"{workload['name']}, {name}: {new['status']}: {new['reason']}"
        for workload, name, old, new in _pairs(then, now, "isograd")
        if old["status"] == "ok" and new["status"] not in ("ok", "stopped")
    ]


def slower(found: Sequence[Change], limit: float) -> list[Change]:
    """The changes that --fail-above `limit` is about."""
    return [change for change in found if change.is_slower_than(limit)]


def describe(found: Sequence[Change]) -> str:
    """A table, and how the machine itself was."""
    if not found:
        return "no workload is in both results"
    rows: list[tuple[str, ...]] = [("workload", "on", "then", "now", "ratio", "")]
    for change in found:
        times = [quantity(value, change.unit) for value in (change.then, change.now)]
        more, less = ("slower", "faster") if change.unit == "s" else ("more", "less")
        word = more if change.ratio > 1.0 else less
        mark = word if change.certain else NOISE
        rows.append((change.workload, change.candidate, *times, f"{change.ratio:.2f}", mark))
    drift = next((change.drift for change in found if change.drift is not None), None)
    legend = f"{NOISE}: within noise."
    if drift is not None:
        legend = f"plain NumPy took {drift:.2f} times as long as then, on the same work. {legend}"
    return f"{table(rows)}\n\n{legend}"


def _pairs(then: Mapping[str, Any], now: Mapping[str, Any], library: str) -> list[tuple]:
    """(workload, candidate, its result then, now) of a library, for what both results have."""
    names = [one["name"] for one in now["candidates"] if one["library"] == library]
    before = {workload["name"]: workload["results"] for workload in then["workloads"]}
    return [
        (workload, name, old, new)
        for workload in now["workloads"]
        for name in names
        for old, new in [
            (before.get(workload["name"], {}).get(name), workload["results"].get(name))
        ]
        if old is not None and new is not None
    ]


def _change(
    workload: Mapping, name: str, old: Mapping, new: Mapping, drift: float | None
) -> Change:
    tells = min(len(old["blocks_a_pass"]), len(new["blocks_a_pass"])) >= FEWEST_PASSES
    factor = 1.0 if tells else math.exp(BETWEEN_PROCESSES)
    is_more = new["lower_decile"] > factor * old["upper_decile"]
    apart = is_more or factor * new["upper_decile"] < old["lower_decile"]
    times = (old["median"], new["median"])
    is_time = workload["unit"] == "s"
    return Change(
        workload["name"], name, workload["unit"], *times, apart, drift if is_time else None
    )


def _drift(then: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """The median over all timed workloads of plain NumPy's ratio; None without any."""
    ratios = [
        new["median"] / old["median"]
        for workload, _, old, new in _pairs(then, now, YARDSTICK)
        if workload["unit"] == "s" and old["status"] == new["status"] == "ok"
    ]
    return quantile(ratios, 0.5) if ratios else None
