"""One section for one library: what times calls and writes down what was found."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..bench.clocks import Call, Clock, WallClock, calls_a_block
from ..bench.statistics import spread
from .records import Records, reason_of
from .sizes import FULL, TINY, Sizes

WARM_UP_CALLS = 4  # compile, fill pools, and are two warm-up calls of a captured step and its graph


class Run:
    """side: a Side of isograd bench, on the GPU; None where no library is measured.

    rehearses: whether there is no GPU, sizes are tiny and the clock is the host's.
    """

    def __init__(self, side: Any, records: Records, rehearses: bool = False) -> None:
        self.side = side
        self.records = records
        self.rehearses = rehearses
        self.sizes: Sizes = TINY if rehearses else FULL

    @property
    def is_ours(self) -> bool:
        return self.side.library == "isograd"

    def measure(
        self,
        workload: str,
        how: str,
        make: Callable[[], Call],
        *,
        precision: str = "float32",
        flops: float | None = None,
        bytes: float | None = None,
        error: Callable[[], float] | None = None,
    ) -> None:
        """Time the call that make() gives, and write the line; its failure is a line too.

        precision: what the arithmetic may do. flops, bytes: of a call. error: asked for once, after
        the first calls.
        """
        about = {"workload": workload, "how": how, "precision": precision}
        try:
            found = self._measured(make, error)
        except Exception as failure:
            self.records.add("time", **about, reason=reason_of(failure))
        else:
            self.records.add("time", **about, **found, flops=flops, bytes=bytes)
        gc.collect()

    def attempt(self, name: str, work: Callable[[], tuple[bool, str]]) -> None:
        """Write a check: work() says whether it passed, and the details; an error is a no."""
        try:
            passed, detail = work()
        except Exception as failure:
            passed, detail = False, reason_of(failure)
        self.records.check(name, passed, detail)

    def precisely(self, precision: str) -> AbstractContextManager[object]:
        """A context in which float32 products have this precision: "highest" or "high"."""
        if self.is_ours:
            from ...kernels.precision import matmul_precision

            return matmul_precision(precision)
        import torch

        torch.set_float32_matmul_precision(precision)
        return nullcontext()

    def _measured(
        self, make: Callable[[], Call], error: Callable[[], float] | None
    ) -> dict[str, Any]:
        """Spread of the seconds of a call over blocks of calls; a block ends when the GPU does."""
        call, sizes = make(), self.sizes
        for _ in range(WARM_UP_CALLS):
            call()
        found = None if error is None else error()
        clock: Clock = WallClock(self.side.wait) if self.rehearses else self.side.clock()
        n = calls_a_block(clock, call, sizes.block_seconds, sizes.warm_up_seconds)
        seconds = [clock.seconds(call, n) / n for _ in range(sizes.blocks)]
        return {**spread(seconds), "blocks": len(seconds), "calls_a_block": n, "error": found}
