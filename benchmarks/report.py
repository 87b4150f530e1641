"""What belongs beside a figure: the machine, the versions, the commit and the date; as JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ..backend.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("numpy", "array-api-compat", "cupy", "cupy-cuda12x", "cupy-cuda13x", "torch")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def report(command: str, results: Mapping[str, Any], load: float | None) -> dict[str, Any]:
    """A measurement with all that is needed to judge it and to repeat it, ready for JSON.

    command: what a person types to repeat it. results: the figures. load: load_average() from
    before the measurement.
    """
    return {
        "command": command,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "load_average_before": load,
        "versions": versions(),
        "results": dict(results),
    }


def write_report(path: Path, content: Mapping[str, Any]) -> None:
    """Write a report as indented JSON."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Processor, cores this process may use, system, and variables that set numbers of threads."""
    return {
        "processor": processor(),
        "cores": n_cores(),
        "system": platform.platform(),
        "threads": {name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ},
    }


def processor() -> str:
    """The processor's model where the system tells, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def n_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> float | None:
    """How many processes wanted a core in the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def versions() -> dict[str, str]:
    """The versions of Python, isograd and the array libraries that are installed."""
    from .. import __version__

    found = {"python": platform.python_version(), "isograd": __version__}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The commit of the clone, with "+changes" where files differ from it; "" outside a clone."""
    if not (ROOT / ".git").exists():  # an installed copy may lie in somebody else's clone
        return ""
    revision = _git("rev-parse", "HEAD")
    return revision + ("+changes" if revision and _git("status", "--porcelain") else "")


def command_of(module: str, arguments: Sequence[str] | None = None) -> str:
    """What a person types to run a benchmark module with these words, else with this process's."""
    words = sys.argv[1:] if arguments is None else arguments
    return " ".join(["python", "-m", f"isograd.benchmarks.{module}", *words])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines of aligned columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def written(text: str, name: str, content: str) -> str:
    """The text with the content between its markers of that name, as in the README.

    Raises ConfigurationError where the text has no such markers.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ConfigurationError(f"the file must hold the lines {begin} and {end}")
    return f"{before}{begin}\n{content}\n{end}{after}"


def _git(*words: str) -> str:
    try:
        run = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True)
    except OSError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
