"""Work that is one pass over memory: softmax, cross entropy, activations, dropout, draws."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from ..bench.clocks import Call
from ..bench.workloads.numbers import integers
from .numbers import many
from .run import Run

FLOAT = 4  # bytes
Op = Callable[[Any], Any]


def passes(run: Run) -> None:
    """Each op by itself; bytes count what must be read and written once."""
    _rows(run)
    _cross_entropy(run)
    _elements(run)
    _draws(run)


def _rows(run: Run) -> None:
    """softmax and log_softmax: x read, y written; backward y and dy read, dx written."""
    shape = run.sizes.rows
    moved = float(FLOAT * math.prod(shape))
    for name in ("softmax", "log_softmax"):
        last = {"axis": -1} if run.is_ours else {"dim": -1}
        op = functools.partial(getattr(run.side.functional, name), **last)
        title = f"{name} {'x'.join(map(str, shape))}"
        run.measure(title, "forward", _forward(run, op, *shape), bytes=2 * moved)
        run.measure(title, "forward, backward", _both(run, op, *shape), bytes=5 * moved)


def _cross_entropy(run: Run) -> None:
    """The loss of many classes and its gradient; labels are checked as each library does."""
    rows, classes = run.sizes.classes

    def make() -> Call:
        side = run.side
        logits = side.variable(many("logits", rows, classes))
        labels = side.array(integers("labels", classes, rows))

        def call() -> None:
            side.forget_gradients(logits)
            side.functional.cross_entropy(logits, labels).backward()

        return call

    moved = 3.0 * FLOAT * rows * classes
    run.measure(f"cross entropy {rows}x{classes}", "forward, backward", make, bytes=moved)


def _elements(run: Run) -> None:
    """Activations and dropout: x read, y written."""
    ops, n = run.side.functional, run.sizes.elements
    chosen: dict[str, Op] = {
        "relu": ops.relu,
        "gelu": ops.gelu,
        "silu": ops.silu,
        "dropout 0.1": lambda x: ops.dropout(x, 0.1),
    }
    for name, op in chosen.items():
        run.measure(f"{name} {n:,}", "forward", _forward(run, op, n), bytes=2.0 * FLOAT * n)


def _draws(run: Run) -> None:
    """Random numbers of each library's own stream; those of isograd are the CPU's bit for bit."""
    n = run.sizes.elements
    for name, draw in (_our_draws(n) if run.is_ours else _torch_draws(n, run.side.device)).items():
        moved = float(n * (1 if name == "bernoulli" else FLOAT))
        run.measure(f"{name} {n:,}", "draw", functools.partial(_itself, draw), bytes=moved)


def _our_draws(n: int) -> dict[str, Call]:
    from ...backend.random import Generator

    generator = Generator(0)
    return {
        "uniform": lambda: generator.random(n),
        "normal": lambda: generator.normal(n),
        "bernoulli": lambda: generator.bernoulli(0.25, n),
    }


def _torch_draws(n: int, device: str) -> dict[str, Call]:
    import torch

    return {
        "uniform": lambda: torch.rand(n, device=device),
        "normal": lambda: torch.randn(n, device=device),
        "bernoulli": lambda: torch.empty(n, dtype=torch.bool, device=device).bernoulli_(0.25),
    }


def _itself(call: Call) -> Call:
    return call


def _forward(run: Run, op: Op, *shape: int) -> Callable[[], Call]:
    def make() -> Call:
        x = run.side.array(many("x", *shape))
        return lambda: op(x)

    return make


def _both(run: Run, op: Op, *shape: int) -> Callable[[], Call]:
    def make() -> Call:
        x, dy = run.side.variable(many("x", *shape)), run.side.array(many("dy", *shape))

        def call() -> None:
            run.side.forget_gradients(x)
            op(x).backward(dy)

        return call

    return make
