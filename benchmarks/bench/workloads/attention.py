"""Causal attention, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Build, Workload
from .differentiated import differentiated
from .numbers import normal


def _attention_inputs(batch: int, heads: int, time: int, width: int) -> tuple[np.ndarray, ...]:
    return tuple(normal(name, batch, heads, time, width) for name in ("dy", "q", "k", "v"))


def _attention(side: Side, q: Any, k: Any, v: Any) -> Any:
    return side.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def _jax_attention(xp: Any, q: Any, k: Any, v: Any) -> Any:
    from jax.nn import softmax

    scores = q @ xp.swapaxes(k, -1, -2) * q.shape[-1] ** -0.5
    may_look = xp.tril(xp.ones(scores.shape[-2:], bool))
    return softmax(xp.where(may_look, scores, -xp.inf)) @ v


def attention_builds() -> dict[str, Build]:
    """Causal attention in each library."""
    return differentiated(_attention_inputs, _attention, None, _jax_attention)


def _attention_workload(batch: int, heads: int, time: int, width: int) -> Workload:
    return Workload(
        f"attention/causal-{time}",
        f"causal attention, {heads} heads of {width} over {time} positions, batch {batch}, "
        "forward + backward",
        attention_builds(),
        {"batch": batch, "heads": heads, "time": time, "width": width},
        flops=12.0 * batch * heads * time**2 * width,
        quick=time == 128,
    )


WORKLOADS = [
    *(_attention_workload(8, 4, time, 32) for time in (128, 512)),
]
