"""Adam and AdamW over 1 to 100 million parameters: bytes a second, beside those of a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..bench.clocks import Call
from .numbers import many
from .products import in_dtype
from .run import Run
from .targets import ADAM_BYTES

LEARNING_RATE = 1e-7  # so small that the parameters stay normal numbers
TORCH_WAYS: dict[str, dict[str, bool]] = {
    "default": {},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


def optimizers(run: Run) -> None:
    """step() of each optimizer, on parameters in equal arrays that all have a gradient.

    bfloat16: with float32 masters and moments, which torch's optimizers leave to their user.
    """
    ways = {"step": {}} if run.is_ours else TORCH_WAYS
    for n in run.sizes.parameters:
        for name in ("Adam", "AdamW"):
            for dtype, bytes_of_one in ADAM_BYTES.items():
                for how, options in ways.items():
                    run.measure(
                        f"{name}, {n:,} parameters",
                        how,
                        _maker(run, name, n, dtype, options),
                        precision=dtype,
                        bytes=float(bytes_of_one * n),
                    )


def _maker(run: Run, name: str, n: int, dtype: str, options: dict[str, bool]) -> Callable[[], Call]:
    def make() -> Call:
        parts = run.sizes.parts
        start = _filled(run, "p", n // parts, dtype)
        parameters = [_parameter(run, start) for _ in range(parts)]
        slopes = _filled(run, "dp", n // parts, dtype)
        by_hand = not run.is_ours and dtype == "bfloat16"
        own = [one.detach().float() for one in parameters] if by_hand else parameters
        optimizer = _optimizer_class(run, name)(own, lr=LEARNING_RATE, **options)
        for parameter in parameters:
            (parameter * slopes).sum().backward()
        return _with_masters(optimizer, own, parameters) if by_hand else optimizer.step

    return make


def _filled(run: Run, name: str, n: int, dtype: str) -> Any:
    return in_dtype(run, run.side.array(many(name, n)), dtype)


def _parameter(run: Run, values: Any) -> Any:
    return run.side.nn.Parameter(values if run.is_ours else values.clone())


def _optimizer_class(run: Run, name: str) -> Any:
    if run.is_ours:
        return getattr(run.side.nn, name)
    import torch

    return getattr(torch.optim, name)


def _with_masters(optimizer: Any, masters: list[Any], parameters: list[Any]) -> Call:
    """A step as torch's users write it: gradients to float32, the update, its values rounded."""
    import torch

    for master in masters:
        master.grad = torch.empty_like(master)

    def call() -> None:
        grads = [master.grad for master in masters]
        torch._foreach_copy_(grads, [parameter.grad for parameter in parameters])
        optimizer.step()
        with torch.no_grad():
            torch._foreach_copy_(parameters, masters)

    return call
