"""`pytest benchmarks`: the workloads of isograd bench under pytest-benchmark.

    pytest benchmarks --bench-devices cpu,cuda -k "step or adam" --benchmark-group-by=param:device
    pytest benchmarks --benchmark-autosave; pytest benchmarks --benchmark-compare

Groups are workloads unless --benchmark-group-by says otherwise; the parameters are called workload
and device.
"""

from importlib import import_module
from typing import Any


def pytest_addoption(parser: Any) -> None:
    """Which devices, and how many workloads."""
    group = parser.getgroup("isograd bench")
    group.addoption("--bench-devices", default="cpu", metavar="LIST", help="cpu,cuda,...")
    group.addoption("--bench-full", action="store_true", help="all workloads, not the quick ones")


def pytest_configure(config: Any) -> None:
    """One process: tests side by side would disturb each other, and xdist turns benchmarks off."""
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses, config.option.dist, config.option.tx = 0, "no", []


def pytest_generate_tests(metafunc: Any) -> None:
    """A benchmark for each workload on each device."""
    import pytest

    if not {"workload", "device"} <= set(metafunc.fixturenames):
        return
    suite = import_module("isograd.benchmarks.bench.suite")
    devices = metafunc.config.getoption("--bench-devices").split(",")
    quick = not metafunc.config.getoption("--bench-full")
    try:
        pairs = [(name, device) for device in devices for name in suite.names(device, quick)]
    except (ValueError, RuntimeError) as error:  # isograd's errors about devices are both kinds
        raise pytest.UsageError(f"--bench-devices: {error}") from None
    metafunc.parametrize(("workload", "device"), pairs, ids=[f"{n}-{d}" for n, d in pairs])
