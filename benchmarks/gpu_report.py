"""`python -m isograd.benchmarks.gpu_report`: tests and measurements on the GPU at hand.

    python -m isograd.benchmarks.gpu_report                  8 minutes, into benchmarks/results
    python -m isograd.benchmarks.gpu_report --only kernels,products --minutes 5 --out .
    python -m isograd.benchmarks.gpu_report --rehearse --out .        no GPU: does it all run?

Writes gpu.json and gpu.md, anew after every section; what a report of the same commit there says of
other sections stays. Exit status: 0 when everything passed, 1 when something failed, 2 without a
GPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..backend.errors import ConfigurationError
from ..testing import why_no_gpu
from .gpu.conductor import run_sections
from .gpu.records import Record, read
from .gpu.sections import SECTIONS, Section, chosen
from .gpu.tables import describe, failures
from .report import ROOT, command_of, commit, load_average, report, write_report

MINUTES = 8.0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; what goes wrong before anything ran is one line."""
    options = _parser().parse_args(arguments)
    reason = _why_not_rehearsed() if options.rehearse else why_no_gpu()
    if reason:
        print(f"gpu_report: {reason}", file=sys.stderr)
        return 2
    try:
        sections = chosen(word.strip() for word in options.only.split(",") if word.strip())
    except ConfigurationError as error:
        print(f"gpu_report: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    return _report(sections, options, command_of("gpu_report", arguments))


def _report(sections: list[Section], options: argparse.Namespace, command: str) -> int:
    """Run, write, print; the files are complete after every section."""
    name = "gpu-rehearsal" if options.rehearse else "gpu"
    json_file, page = options.out / f"{name}.json", options.out / f"{name}.md"
    earlier, load = _earlier(json_file, sections), load_average()
    with tempfile.TemporaryDirectory(prefix="isograd-gpu-") as folder:
        file = Path(folder) / "records.jsonl"

        def write() -> None:
            results = {"rehearsal": options.rehearse, "records": [*earlier, *read(file)]}
            made = report(command, results, load)
            write_report(json_file, made)
            page.write_text(describe(made), encoding="utf-8")

        run_sections(sections, file, 60 * options.minutes, options.rehearse, _teller(write))
        write()
        records = read(file)
    bad = failures(records)
    print(page.read_text(encoding="utf-8"))
    print(f"{len(records)} lines, {len(bad)} of them failures; {json_file} and {page}")
    return 1 if bad else 0


def _earlier(path: Path, sections: list[Section]) -> list[Record]:
    """What a report of the same commit says of sections that are not measured now."""
    if not path.exists():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    now = {section.name for section in sections}
    records = before["results"]["records"] if before["commit"] == commit() else []
    return [record for record in records if record["section"] not in now]


def _teller(write: Callable[[], None]) -> Callable[[str], None]:
    def tell(sentence: str) -> None:
        write()
        print(f"gpu_report: {sentence}", file=sys.stderr, flush=True)

    return tell


def _why_not_rehearsed() -> str:
    """What a rehearsal lacks, "" for nothing."""
    if not (ROOT / "tests" / "kernels" / "cuda").is_dir():
        return "--rehearse must have the tests: run it in a clone of isograd"
    return "" if importlib.util.find_spec("cupy") else "--rehearse must have CuPy installed"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m isograd.benchmarks.gpu_report", description="Test and measure a GPU."
    )
    names = ", ".join(section.name for section in SECTIONS)
    results = ROOT / "benchmarks" / "results"
    add = parser.add_argument
    add("--out", type=Path, default=results, metavar="DIR", help="default benchmarks/results")
    add("--only", default="", metavar="SECTION,...", help=f"of {names}")
    add("--minutes", type=float, default=MINUTES, metavar="N", help="for all together; default 8")
    add("--rehearse", action="store_true", help="without a GPU: tiny sizes on host memory")
    return parser


if __name__ == "__main__":
    sys.exit(main())
