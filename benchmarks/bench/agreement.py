"""Whether runs agree: `python -m isograd.benchmarks.bench.agreement A.json B.json C.json`.

They agree on a ratio where the spreads that they state for it have a number in common.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

from ...backend.errors import ConfigurationError, IsogradError
from ..report import table
from .compare import check_machine
from .results import read

DISAGREE = 1  # the exit status


@dataclass(frozen=True)
class Shared:
    """One ratio in every run; runs: as in results, without what tells the pair."""

    workload: str
    ours: str
    other: str
    runs: tuple[Mapping[str, Any], ...]

    @property
    def gap(self) -> float:
        """The highest lower end over the lowest upper end; above 1 the runs do not agree."""
        return max(run["lower"] for run in self.runs) / min(run["upper"] for run in self.runs)


def shared_ratios(runs: Sequence[Mapping[str, Any]]) -> list[Shared]:
    """Every ratio that all of the results have."""
    tables = [
        {
            (workload["name"], one["ours"], one["other"]): one
            for workload in results["workloads"]
            for one in workload["ratios"]
        }
        for results in runs
    ]
    keys = [key for key in tables[0] if all(key in found for found in tables)]
    return [Shared(*key, tuple(found[key] for found in tables)) for key in keys]


def describe(found: Sequence[Shared]) -> str:
    """How many agree, a table of those that do not, and how good the stated spreads are."""
    apart = sorted((one for one in found if one.gap > 1.0), key=lambda one: -one.gap)
    n_runs = len(found[0].runs)
    lines = [f"{len(found) - len(apart)} of {len(found)} ratios agree in {n_runs} runs"]
    lines += [_foretold(found), _apart(found)]
    if apart:
        head = ("workload", "of", "to", *(f"run {i + 1}" for i in range(n_runs)), "apart")
        lines += ["", table([head, *map(_row, apart)])]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what agrees; 1 where something does not, 2 on bad input."""
    options = _parser().parse_args(arguments)
    try:
        if len(options.results) < 2:
            raise ConfigurationError("name two results or more: with whom should one run agree?")
        runs = [read(name) for name in options.results]
        if not options.other_machine:
            for other in runs[1:]:
                check_machine(runs[0], other)
        found = shared_ratios(runs)
        if not found:
            raise ConfigurationError("the results have no ratio in common")
    except IsogradError as error:
        print(f"agreement: {error}", file=sys.stderr)
        return 2
    print(describe(found))
    return DISAGREE if any(one.gap > 1.0 for one in found) else 0


def _foretold(found: Sequence[Shared]) -> str:
    """How often the ratio of one run lies within the spread of another."""
    cases = [
        a["lower"] <= b["ratio"] <= a["upper"]
        for one in found
        for a, b in permutations(one.runs, 2)
    ]
    return f"{sum(cases) / len(cases):.1%} of ratios lie within the spread of another run"


def _apart(found: Sequence[Shared]) -> str:
    """How far two runs are from each other in the middle, and at most."""
    factors = sorted(
        max(a["ratio"] / b["ratio"], b["ratio"] / a["ratio"])
        for one in found
        for a, b in combinations(one.runs, 2)
    )
    middle, most = factors[len(factors) // 2], factors[-1]
    return f"two runs differ by a factor of {middle:.3f} in the middle, of {most:.2f} at most"


def _row(one: Shared) -> tuple[str, ...]:
    cells = [f"{run['ratio']:.2f} ({run['lower']:.2f}-{run['upper']:.2f})" for run in one.runs]
    return one.workload, one.ours, one.other, *cells, f"{one.gap:.2f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m isograd.benchmarks.bench.agreement",
        description="Whether the ratios of several runs agree within the spreads that they state.",
    )
    parser.add_argument("results", nargs="+", help=".json files of isograd bench, or saved NAMEs")
    parser.add_argument("--other-machine", action="store_true", help="of several machines, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
