"""The same ops in torch, in a process of its own: its thread pools and ours disturb each other."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from ..backend.errors import DeviceUnavailableError
from .import_time import importable
from .timing import Call, compare

CHAIN = 1000
CHAINED = "recorded op in a chain of 1000"


def measure_torch(python: str) -> dict[str, Any]:
    """{"version", "timings": by name}, measured by an interpreter that has torch.

    Raises DeviceUnavailableError when it does not run, or lacks torch, numpy or array-api-compat.
    """
    with importable() as environment:
        try:
            run = subprocess.run(
                [python, "-m", __spec__.name], env=environment, capture_output=True, text=True
            )
        except OSError as error:
            raise DeviceUnavailableError(f"--torch: {python} does not start: {error}") from error
    if run.returncode:
        reason = run.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise DeviceUnavailableError(
            f"--torch: {python} must have torch, numpy and array-api-compat: {reason[0]}"
        )
    return json.loads(run.stdout)


def main() -> None:
    """Print what measure_torch returns; torch's default threads first, then one thread."""
    import torch

    records = {}
    for n_threads in (torch.get_num_threads(), 1):
        torch.set_num_threads(n_threads)
        for dtype in ("float32", "float64"):
            timings = compare(_candidates(getattr(torch, dtype)))
            for name, timing in timings.items():
                timing = timing.per(CHAIN) if name == CHAINED else timing
                records[f"{name}, {dtype}, {n_threads} threads"] = timing.record()
    json.dump({"version": torch.__version__, "timings": records}, sys.stdout)


def _candidates(dtype: Any) -> dict[str, Call]:
    """What is measured, by the names of overhead.py."""
    import torch

    generator = torch.Generator().manual_seed(0)
    a, b, dy = (torch.rand((4, 4), generator=generator, dtype=dtype) + 0.5 for _ in range(3))
    one = torch.ones_like(a)
    x, w = a.clone().requires_grad_(), b.clone().requires_grad_()

    def recorded() -> None:
        x.grad = w.grad = None
        (x * w).backward(dy)

    def recorded_chain() -> None:
        x.grad = None
        y = x
        for _ in range(CHAIN):
            y = y * one
        y.backward(dy)

    return {
        "1 multiply": lambda: a * b,
        "recorded op, forward + backward": recorded,
        CHAINED: recorded_chain,
    }


if __name__ == "__main__":
    main()
