"""What is timed: a Workload, and what a library makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Call = Callable[[], object]
SMALLEST_DEVIATION = 1e-30  # so that results which are zero everywhere can be compared


@dataclass(frozen=True)
class Prepared:
    """A workload that a library has made ready on a device.

    call: what is timed. results: outputs and gradients by name, in the library's own arrays, for
    the same inputs in every library; called once, before anything is timed. parts: a call consists
    of so many equal ones, and the time of one is reported.
    """

    call: Call
    results: Callable[[], Mapping[str, Any]]
    parts: int = 1


Build = Callable[..., Prepared]  # takes a Side, and the sizes by name


@dataclass(frozen=True)
class Curve:
    """A row of workloads that differ in one size.

    name: of the row. title: for a reader. along: the size's name. largest_expected: the slope of
    log(time) over log(size) that the arithmetic asks for.
    """

    name: str
    title: str
    along: str
    largest_expected: float = 1.0


@dataclass(frozen=True)
class Workload:
    """One line of the table.

    name: group/variant. build: by library, how it is made ready. flops, bytes: what a call computes
    and moves at least. quick: part of --quick. tolerance: how far results may differ, as a part of
    the largest number in them. budget: seconds that isograd may add to NumPy's time. compiles:
    torch's best mode also tries torch.compile. on: "any" device; "gpu": those with memory of their
    own. unit: "s", or "B" for bytes.
    """

    name: str
    title: str
    build: Mapping[str, Build]
    sizes: Mapping[str, int] = field(default_factory=dict)
    flops: float | None = None
    bytes: float | None = None
    curve: Curve | None = None
    quick: bool = False
    tolerance: float = 1e-4
    budget: float | None = None
    compiles: bool = False
    on: str = "any"
    unit: str = "s"

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]

    def runs_on(self, library: str, device: str) -> bool:
        """Whether this library has it, on this device."""
        return library in self.build and (self.on == "any" or device != "cpu")

    def prepare(self, side: Any) -> Prepared:
        """What the Side's library makes of it."""
        return self.build[side.library](side, **self.sizes)


def largest_difference(
    results: Mapping[str, Any], expected: Mapping[str, Any]
) -> tuple[float, str]:
    """(largest |x - expected| over largest |expected|, the name where), over all arrays.

    Arrays are NumPy's. A name that only one side has, another shape, and a NaN that the other side
    has not are infinitely far.
    """
    import numpy as np

    worst, where = 0.0, ""
    for name in {**expected, **results}:
        if name not in results or name not in expected:
            return float("inf"), name
        x, y = np.asarray(results[name], np.float64), np.asarray(expected[name], np.float64)
        if x.shape != y.shape or not np.array_equal(np.isfinite(x), np.isfinite(y)):
            return float("inf"), name
        finite = np.isfinite(y)
        scale = max(float(np.max(np.abs(y), where=finite, initial=0.0)), SMALLEST_DEVIATION)
        deviation = float(np.max(np.abs(x - y), where=finite, initial=0.0)) / scale
        if deviation > worst:
            worst, where = deviation, name
    return worst, where
