"""The workloads for pytest-benchmark: what `pytest benchmarks` measures."""

from __future__ import annotations

from typing import Any

from ...backend import find_device
from ..report import n_cores
from . import catalogue
from .sides import load_side


def names(device: str, quick: bool) -> list[str]:
    """The workloads of isograd on a device; the quick ones, or all.

    Raises UnknownDeviceError and DeviceUnavailableError.
    """
    find_device(device)
    return [
        workload.name
        for workload in catalogue.WORKLOADS
        if workload.runs_on("isograd", device) and (workload.quick or not quick)
    ]


def measure(benchmark: Any, name: str, device: str) -> None:
    """Let the benchmark fixture time one workload on a device.

    Its group is the workload; the device, and how many equal parts a call has, stand in extra_info.
    """
    workload = catalogue.workload_named(name)
    side = load_side("isograd", device, "default", n_cores())
    prepared = workload.prepare(side)
    call, wait = prepared.call, side.wait

    def finished_call() -> None:
        call()
        wait()

    benchmark.group = name
    benchmark.extra_info.update(device=device, parts=prepared.parts, **workload.sizes)
    benchmark(call if device == "cpu" else finished_call)
