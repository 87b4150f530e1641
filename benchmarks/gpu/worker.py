"""The process of one section and side: `python -m isograd.benchmarks.gpu.worker SECTION SIDE FILE`.

SIDE is "isograd", "torch" or "none"; --rehearse stands at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..bench.gpus import gpus
from ..bench.sides import load_side
from ..report import n_cores
from .records import Records, reason_of
from .rehearsal import pretended_gpu
from .run import Run
from .sections import OURS, SECTIONS, TORCH


def main(arguments: Sequence[str]) -> None:
    """Run a section; what ends it early is a check that failed."""
    section, side, file = arguments[:3]
    rehearses = "--rehearse" in arguments[3:]
    work = {one.name: one.work for one in SECTIONS}[section]
    records = Records(Path(file), section, "" if side == "none" else side)
    if side != "none" and find_spec(side) is None:
        records.fact("not run", f"{side} is not installed")
        return
    try:
        with _gpu(side, rehearses):
            work(Run(_side(side, rehearses), records, rehearses))
    except Exception as error:
        records.check("the section ran to its end", False, reason_of(error))
    for gpu in gpus():
        records.fact(f"clock of {gpu['name']} at the end, MHz", gpu["clock_mhz"])


def _gpu(side: str, rehearses: bool) -> AbstractContextManager[object]:
    """Where "cuda" is: on the GPU, or pretended for ours."""
    return pretended_gpu() if rehearses and side == OURS else nullcontext()


def _side(side: str, rehearses: bool) -> Any:
    """The library on the GPU; torch rehearses on the CPU."""
    if side not in (OURS, TORCH):
        return None
    on_cpu = rehearses and side == TORCH
    return load_side(side, "cpu" if on_cpu else "cuda", "default", n_cores())


if __name__ == "__main__":
    main(sys.argv[1:])
