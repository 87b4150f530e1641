"""Adam and AdamW over 1 to 100 million parameters: bytes a second, beside those of a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..bench.clocks import Call
from .numbers import many
from .run import Run
from .targets import ADAM_BYTES

LEARNING_RATE = 1e-7  # so small that the parameters stay normal numbers
TORCH_WAYS: dict[str, dict[str, bool]] = {
    "default": {},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


def optimizers(run: Run) -> None:
    """step() of each optimizer, on parameters in equal arrays that all have a gradient."""
    ways = {"step": {}} if run.is_ours else TORCH_WAYS
    for n in run.sizes.parameters:
        for name in ("Adam", "AdamW"):
            for how, options in ways.items():
                run.measure(
                    f"{name}, {n:,} parameters",
                    how,
                    _maker(run, name, n, options),
                    bytes=float(ADAM_BYTES * n),
                )


def _maker(run: Run, name: str, n: int, options: dict[str, bool]) -> Callable[[], Call]:
    def make() -> Call:
        side, parts = run.side, run.sizes.parts
        numbers = many("p", n // parts)
        parameters = [side.nn.Parameter(side.array(numbers)) for _ in range(parts)]
        optimizer = _optimizer_class(run, name)(parameters, lr=LEARNING_RATE, **options)
        slopes = side.array(many("dp", n // parts))
        for parameter in parameters:
            (parameter * slopes).sum().backward()
        return optimizer.step

    return make


def _optimizer_class(run: Run, name: str) -> Any:
    if run.is_ours:
        return getattr(run.side.nn, name)
    import torch

    return getattr(torch.optim, name)
