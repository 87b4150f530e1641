"""The card, what is installed, and how fast it copies: what other figures are held against."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..bench.gpus import gpus
from .run import Run

COPY = "copy"  # the workload that gives the bandwidth


def machine(run: Run) -> None:
    """Facts about GPU and CUDA, and a copy on the device."""
    for name, value in _facts(run).items():
        run.records.fact(name, value)
    half = run.sizes.copied // 2

    def make() -> Any:
        from ...backend import assign

        x = run.side.array(np.zeros(half // 4, np.float32))
        y = run.side.array(np.zeros(half // 4, np.float32))
        return lambda: assign(y, x)

    run.measure(COPY, "read and write", make, bytes=float(run.sizes.copied))


def _facts(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {f"GPU {i}": str(one) for i, one in enumerate(gpus())}
    if run.rehearses:
        return {**found, "rehearsal": "no GPU: tiny sizes on host memory, times mean nothing"}
    import cupy

    from ...kernels.cuda import cublaslt

    runtime, device = cupy.cuda.runtime, cupy.cuda.Device()
    return {
        **found,
        "CuPy": cupy.__version__,
        "compute capability": device.compute_capability,
        "driver, CUDA": runtime.driverGetVersion(),
        "runtime, CUDA": runtime.runtimeGetVersion(),
        "NVRTC": ".".join(map(str, cupy.cuda.nvrtc.getVersion())),
        "cuBLASLt": str(cublaslt.library().version()) if cublaslt.is_available(0) else "missing",
    }
