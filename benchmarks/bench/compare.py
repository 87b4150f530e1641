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
    measured, and for what is no time. others: the certain ratio, at least 1, of the other libraries
    at this workload (their median), or of NumPy at any, the larger: a neighbour on the second core
    slows down products on two threads alone. unsure: the factor by which processes alone may
    differ.
    """

    workload: str
    candidate: str
    unit: str
    then: float
    now: float
    certain: bool
    drift: float | None
    others: float = 1.0
    unsure: float = 1.0

    @property
    def ratio(self) -> float:
        return self.now / self.then

    def is_slower_than(self, limit: float) -> bool:
        """Whether it is slower by that factor for certain, and not because the machine is."""
        machine = max(1.0, self.drift or 1.0, self.others)
        return self.certain and self.ratio > limit * machine * self.unsure


def changes(
    then: Mapping[str, Any], now: Mapping[str, Any], other_machine_too: bool = False
) -> list[Change]:
    """Every workload of ours that both results have.

    Raises ConfigurationError for results of another machine, unless told to take them.
    """
    if not other_machine_too:
        check_machine(then, now)
    drift, numpy = _drift(then, now), _largest_of_numpy(then, now)
    others = _others(then, now)
    return [
        _change(workload, name, old, new, drift, max(numpy, others.get(workload["name"], 1.0)))
        for workload, name, old, new in _pairs(then, now, _of(now, "isograd"))
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
        for workload, name, old, new in _pairs(then, now, _of(now, "isograd"))
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
    others = max(change.others for change in found)
    if others > 1.0:
        legend += (
            f"\nother libraries, unchanged, took up to {others:.2f} times as long as then: there "
            "the machine is not as it was, and a slowdown by less cannot be told"
        )
    return f"{table(rows)}\n\n{legend}"


def _of(results: Mapping[str, Any], library: str) -> list[str]:
    """The names of a library's candidates."""
    return [one["name"] for one in results["candidates"] if one["library"] == library]


def _unchanged(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The candidates of other libraries that have the versions they had then."""
    before = {one["name"]: one["versions"] for one in then["candidates"]}
    return [
        one["name"]
        for one in now["candidates"]
        if one["library"] != "isograd" and before.get(one["name"]) == one["versions"]
    ]


def _pairs(then: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]) -> list[tuple]:
    """(workload, candidate, its result then, now) of candidates, for what both results have."""
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
    workload: Mapping, name: str, old: Mapping, new: Mapping, drift: float | None, others: float
) -> Change:
    times = (old["median"], new["median"])
    certain, unit = _is_certain(old, new), workload["unit"]
    if unit != "s":
        drift, others = None, 1.0
    return Change(workload["name"], name, unit, *times, certain, drift, others, _unsure(old, new))


def _unsure(old: Mapping, new: Mapping) -> float:
    """The factor by which times may differ for being measured in too few processes."""
    tells = min(len(old["blocks_a_pass"]), len(new["blocks_a_pass"])) >= FEWEST_PASSES
    return 1.0 if tells else math.exp(BETWEEN_PROCESSES)


def _is_certain(old: Mapping, new: Mapping) -> bool:
    """Whether the spreads do not meet."""
    factor = _unsure(old, new)
    is_more = new["lower_decile"] > factor * old["upper_decile"]
    return is_more or factor * new["upper_decile"] < old["lower_decile"]


def _others(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, float]:
    """The median slowdown of other libraries by workload."""
    found: dict[str, list[float]] = {}
    for workload, _, old, new in _timed(then, now, _unchanged(then, now)):
        found.setdefault(workload["name"], []).append(_slowdown(old, new))
    return {name: quantile(slowdowns, 0.5) for name, slowdowns in found.items()}


def _largest_of_numpy(then: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """The largest slowdown of plain NumPy over all workloads."""
    names = [name for name in _of(now, YARDSTICK) if name in _unchanged(then, now)]
    return max((_slowdown(old, new) for _, _, old, new in _timed(then, now, names)), default=1.0)


def _slowdown(old: Mapping, new: Mapping) -> float:
    """Now over then, at least 1; 1 where it is not certain."""
    return max(new["median"] / old["median"], 1.0) if _is_certain(old, new) else 1.0


def _timed(then: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]) -> list[tuple]:
    """The pairs that are times, measured on both sides."""
    return [
        pair
        for pair in _pairs(then, now, names)
        if pair[0]["unit"] == "s" and pair[2]["status"] == pair[3]["status"] == "ok"
    ]


def _drift(then: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """The median over all timed workloads of plain NumPy's ratio; None without any."""
    pairs = _timed(then, now, _of(now, YARDSTICK))
    ratios = [new["median"] / old["median"] for _, _, old, new in pairs]
    return quantile(ratios, 0.5) if ratios else None
