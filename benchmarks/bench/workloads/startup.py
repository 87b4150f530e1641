"""What a library costs before and beside its work; a fresh process for each measurement."""

from __future__ import annotations

from ..workload import Workload
from .steps import MIDDLE, mlp_builds

TRAINED = "step/mlp-128"  # the workload that first-step and peak-memory are about
_SHAPE = "-".join(map(str, MIDDLE))
_EVERYWHERE = {**mlp_builds(MIDDLE), "numpy": mlp_builds(MIDDLE)["isograd"]}  # never called
_TRAINERS = mlp_builds(MIDDLE)

IMPORT, FIRST_STEP, PEAK_MEMORY, PEAK_DEVICE_MEMORY, INSTALL_SIZE = (
    "start/import",
    "start/first-step",
    "start/peak-memory",
    "start/peak-device-memory",
    "start/install-size",
)
WORKLOADS = [
    Workload(IMPORT, "import", _EVERYWHERE, quick=True),
    Workload(
        FIRST_STEP,
        f"from the start of Python to the first training step of {_SHAPE}",
        _TRAINERS,
        quick=True,
        unit="s",
    ),
    Workload(
        PEAK_MEMORY,
        f"most memory of a process that trains {_SHAPE}, batch 128",
        _TRAINERS,
        quick=True,
        unit="B",
    ),
    Workload(
        PEAK_DEVICE_MEMORY,
        f"most of the device's memory, training {_SHAPE}, batch 128",
        _TRAINERS,
        on="gpu",
        unit="B",
    ),
    Workload(
        INSTALL_SIZE,
        "installed files, with everything needed",
        _EVERYWHERE,
        quick=True,
        unit="B",
    ),
]
