"""The README's table: `python -m isograd.benchmarks.bench.readme RESULTS --write README.md`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...backend.errors import IsogradError
from ..report import written
from .results import read
from .table import NOISE, main_ratio, quantity_of

MARKERS = "bench"
ROWS = (
    "overhead/chain",
    "step/tiny-mlp",
    "step/mlp-128",
    "step/cnn",
    "step/char-lstm",
    "step/gpt",
    "optimizer/adam-10M",
    "inference/mlp-1",
    "start/import",
    "start/install-size",
)
BEST = {"best": " at its best"}


def table(results: Mapping[str, Any]) -> str:
    """A Markdown table of the workloads in ROWS that the results have; medians.

    The last column: isograd on the first device against the fastest other library, with its spread.
    """
    candidates = results["candidates"]
    rows = [_head(results), ["---"] * (len(candidates) + 2)]
    for workload in results["workloads"]:
        if workload["name"] in ROWS:
            cells = [quantity_of(workload, candidate["name"]) for candidate in candidates]
            rows.append([workload["title"], *cells, _ratio(workload)])
    kept = _without_empty(rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in kept)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or write it into a file; 2 on bad input."""
    options = _parser().parse_args(arguments)
    try:
        content = table(read(options.results))
        if options.write is None:
            print(content)
        else:
            text = options.write.read_text(encoding="utf-8")
            options.write.write_text(written(text, MARKERS, content), encoding="utf-8")
    except (IsogradError, OSError) as error:
        print(f"readme: {error}", file=sys.stderr)
        return 2
    return 0


def _head(results: Mapping[str, Any]) -> list[str]:
    """What the columns are; the first tells of the machine."""
    threads, processor = results["settings"]["threads"], results["machine"]["processor"]
    several = len({one["device"] for one in results["candidates"]}) > 1
    names = [
        f"{one['library']}{BEST.get(one['mode'], '')}{', ' + one['device'] if several else ''}"
        for one in results["candidates"]
    ]
    used = f"{threads} thread{'s' * (threads > 1)} of {processor}"
    return [used, *names, "isograd / fastest other"]


def _ratio(workload: Mapping[str, Any]) -> str:
    """The ratio with its spread."""
    ratio = main_ratio(workload)
    if ratio is None:
        return ""
    mark = f" {NOISE}" if ratio["within_noise"] else ""
    return f"{ratio['ratio']:.2f} ({ratio['lower']:.2f}-{ratio['upper']:.2f}){mark}"


def _without_empty(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The rows without columns that have nothing below the line."""
    columns = [column for column in zip(*rows, strict=True) if any(column[2:])]
    return list(zip(*columns, strict=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m isograd.benchmarks.bench.readme", description="The README's table."
    )
    parser.add_argument("results", help="a .json file of isograd bench, or a saved NAME")
    parser.add_argument("--write", type=Path, metavar="README.md", help="rewrite the table in it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
