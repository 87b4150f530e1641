"""How long `import isograd` takes and what it brings: `python -m isograd.benchmarks.import_time`.

Each import is timed inside a fresh process, whose own start does not count; numpy alone, which is
most of it, in turn with it. The budget is 150 ms.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .report import ROOT, table

BUDGET = 0.150
MODULES = ("numpy", "isograd")
TIMED_IMPORT = """\
import sys, time
before = set(sys.modules)
started = time.perf_counter()
import {module}
print(time.perf_counter() - started)
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}})
"""


def measure(n_processes: int = 15) -> dict[str, Any]:
    """Median, quartiles in seconds and the packages loaded, for numpy and for isograd."""
    seconds: dict[str, list[float]] = {module: [] for module in MODULES}
    packages: dict[str, list[str]] = {}
    with importable() as environment:
        for module in MODULES:
            _timed_import(module, environment)  # compiles the byte code, brings the files to memory
        for _ in range(n_processes):
            for module in MODULES:
                taken, packages[module] = _timed_import(module, environment)
                seconds[module].append(taken)
    return {module: _summary(seconds[module]) | {"loads": packages[module]} for module in MODULES}


def describe(results: Mapping[str, Any]) -> str:
    """A line for each module, and what isograd loaded beside the standard library."""
    rows = [("import, ms", "median", "quartiles", "budget", "")]
    for module, result in results.items():
        keys = ("median_s", "lower_quartile_s", "upper_quartile_s")
        median, lower, upper = (result[key] * 1e3 for key in keys)
        against = ("", "")
        if module == "isograd":
            verdict = "kept" if result["median_s"] <= BUDGET else "exceeded"
            against = (f"<= {BUDGET * 1e3:.0f}", verdict)
        rows.append((module, f"{median:.0f}", f"{lower:.0f}-{upper:.0f}", *against))
    return f"{table(rows)}\nimport isograd loads: {', '.join(results['isograd']['loads'])}"


@contextmanager
def importable() -> Iterator[dict[str, str]]:
    """An environment in which any Python finds this isograd, wherever the clone lies.

    Byte code is kept in the same temporary folder, as pip keeps it for an installed package.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(ROOT, os.path.join(folder, "isograd"), target_is_directory=True)
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONPYCACHEPREFIX": folder + "/pyc"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def _timed_import(module: str, environment: Mapping[str, str]) -> tuple[float, list[str]]:
    """Seconds of one import in a fresh process, and the packages it loaded."""
    command = [sys.executable, "-c", TIMED_IMPORT.format(module=module)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    seconds, names = run.stdout.splitlines()
    return float(seconds), sorted(set(names.split()) - set(sys.stdlib_module_names))


def _summary(seconds: list[float]) -> dict[str, Any]:
    lower, middle, upper = statistics.quantiles(seconds, n=4, method="inclusive")
    return {
        "median_s": middle,
        "lower_quartile_s": lower,
        "upper_quartile_s": upper,
        "processes": len(seconds),
    }


if __name__ == "__main__":
    print(describe(measure()))
