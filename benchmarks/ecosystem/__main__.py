"""The command line: `python -m isograd.benchmarks.ecosystem [WORD ...]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...backend.errors import IsogradError
from ..report import command_of, load_average, report, write_report
from . import registry, table
from .case import Case
from .outcome import WRONG, Outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the cases, print a line for each; 1 if one is wrong, 2 on bad input."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.write and options.words:
        parser.error("--write needs all functions: leave out the words")
    load = load_average()
    try:
        registry.switch_on()
        found = registry.outcomes(registry.chosen(options.words), options.order, _tell)
        if options.results:
            results = {"packages": registry.installed(), "functions": found}
            content = report(command_of("ecosystem", arguments), results, load)
            write_report(options.results, content)
            page = table.page(found, registry.installed())
            options.results.with_suffix(".md").write_text(page, encoding="utf-8")
        if options.write:
            summary = table.summary(found, registry.installed())
            text = options.write.read_text(encoding="utf-8")
            options.write.write_text(table.written(text, summary), encoding="utf-8")
    except (IsogradError, OSError) as error:
        print(f"ecosystem: {error}", file=sys.stderr)
        return 2
    states = [table.state_of(text) for texts in found.values() for text in texts.values()]
    print("   ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)))
    return int(WRONG in states)


def _tell(case: Case, results: Mapping[str, Outcome]) -> None:
    """One line, or one for each array library where they differ."""
    lines = [str(result) for result in results.values()]
    if len(set(lines)) == 1:
        print(f"{case.title:45} {lines[0]}")
        return
    for library, line in zip(results, lines, strict=True):
        print(f"{case.title:45} {library}: {line}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m isograd.benchmarks.ecosystem",
        description="Try functions of SciPy, scikit-learn, array-api-extra and einops on Tensors.",
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="only functions whose path has it")
    parser.add_argument("--order", type=int, choices=(1, 2), default=2, help="of derivatives")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE.json",
        help="write the results, and a page about them beside them",
    )
    parser.add_argument("--write", type=Path, metavar="README.md", help="rewrite the table in it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
