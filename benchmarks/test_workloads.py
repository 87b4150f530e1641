"""Each workload of isograd bench as a benchmark of pytest-benchmark; see conftest.py."""

from importlib import import_module
from typing import Any


def test_workload(benchmark: Any, workload: str, device: str) -> None:
    """Time it; `isograd bench` is what compares results with other libraries."""
    import_module("isograd.benchmarks.bench.suite").measure(benchmark, workload, device)
