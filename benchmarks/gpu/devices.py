"""The same workloads on the CPU and on the GPU, by `isograd bench`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .children import last_lines, run_for
from .run import Run

PATIENCE = 200.0  # seconds
REHEARSED = ("--devices", "cpu", "--filter", "step/tiny-mlp")
COMPARED = ("--devices", "cpu,cuda")


def devices(run: Run) -> None:
    """`isograd bench --quick` without other libraries."""
    with tempfile.TemporaryDirectory(prefix="isograd-gpu-") as folder:
        file, output = Path(folder) / "bench.json", Path(folder) / "output.txt"
        words = [sys.executable, "-m", "isograd", "bench", "--quick", "--peers", "none"]
        words += [*(REHEARSED if run.rehearses else COMPARED), "--json", str(file)]
        note = run_for(words, PATIENCE, output)
        if not file.exists():
            raise RuntimeError(f"isograd bench wrote no results: {note} {last_lines(output)}")
        results = json.loads(file.read_text(encoding="utf-8"))
    for workload in results["workloads"]:
        for candidate, found in workload["results"].items():
            _write(run, workload, candidate, found)


def _write(run: Run, workload: Mapping[str, Any], how: str, found: Mapping[str, Any]) -> None:
    """A line of isograd bench as one of ours."""
    about = {"workload": workload["title"], "how": how, "precision": "float32"}
    if found["status"] != "ok":
        run.records.add("time", **about, reason=f"{found['status']}: {found['reason']}")
        return
    names = ("median", "lower_quartile", "upper_quartile", "lower_decile", "upper_decile")
    counts = {"flops": workload["flops"], "bytes": workload["bytes"], "error": None}
    blocks = {"blocks": len(found["blocks"]), "calls_a_block": found["calls_a_block"]}
    if workload["unit"] == "s":
        run.records.add("time", **about, **{n: found[n] for n in names}, **blocks, **counts)
