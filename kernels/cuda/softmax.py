"""softmax and log_softmax on CuPy: one launch forward, one backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ..fused import Fused
from .arrays import contiguous, empty, serves
from .rows import team_for
from .source import FLOATING, Source

SOFTMAX = Source("softmax.cu", headers=("common.cuh", "rows.cuh"))


def forward(in_logs: bool) -> Callable[..., Any]:
    """The forward pass; it declines other axes than the last, and arrays not in C order."""

    def softmax_forward(x: Array, *, axis: int = -1) -> Any:
        if axis not in (-1, x.ndim - 1) or not serves(x, FLOATING):
            return NotImplemented
        y = empty(x.shape, x.dtype, x)
        _launch("softmax_forward", x, y, in_logs)
        return y

    return softmax_forward


def backward(in_logs: bool) -> Callable[..., tuple[Array]]:
    """The backward pass."""

    def softmax_backward(dy: Array, y: Array) -> tuple[Array]:
        dx = empty(y.shape, y.dtype, y)
        _launch("softmax_backward", contiguous(dy), y, dx, in_logs)
        return (dx,)

    return softmax_backward


def _launch(kernel: str, *args: Any) -> None:
    """The kernel for short rows or the one for long rows, over all rows of args[0]."""
    x, *_, in_logs = args
    n = x.shape[-1]
    team = team_for(x.size // n, n)
    sizes = (np.bool_(in_logs), np.int64(x.size // n), np.int64(n))
    name = f"{kernel}_{team.name}"
    SOFTMAX.launch(name, x.dtype, team.grid, team.block, (*args[:-1], *sizes))


SOFTMAX_CUPY = Fused(forward(in_logs=False), backward(in_logs=False))
LOG_SOFTMAX_CUPY = Fused(forward(in_logs=True), backward(in_logs=True))
