"""Copies between the CPU and a device with memory of its own."""

from __future__ import annotations

from typing import Any

from ..sides.side import Side
from ..workload import Prepared, Workload
from .numbers import count, normal

SIZES = (1000, 1_000_000, 16_000_000)  # float32 numbers


def _there(side: Side, n: int) -> Prepared:
    x = normal("x", n)

    def call() -> Any:
        y = side.array(x)
        side.wait()
        return y

    return Prepared(call, lambda: {"y": call()})


def _back(side: Side, n: int) -> Prepared:
    x = side.array(normal("x", n))
    return Prepared(lambda: side.to_numpy(x), lambda: {"y": x})


def _workloads(n: int) -> list[Workload]:
    size = f"{count(4 * n)}B"
    return [
        Workload(
            f"transfer/{name}-{size}",
            f"{size} {words}",
            {"isograd": build, "torch": build, "jax": build},
            {"n": n},
            bytes=4.0 * n,
            quick=n == SIZES[1],
            on="gpu",
        )
        for name, words, build in (
            ("to-device", "from the CPU to the device", _there),
            ("to-cpu", "from the device to the CPU", _back),
        )
    ]


WORKLOADS = [workload for n in SIZES for workload in _workloads(n)]
