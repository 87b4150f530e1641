"""LSTM and GRU over a batch of sequences, forward and backward."""

from __future__ import annotations

from typing import Any

from ..sides.side import Side
from ..workload import Build, Prepared, Workload
from .numbers import normal, weights


def recurrent_builds(kind: str) -> dict[str, Build]:
    """How isograd and torch run a recurrent layer over a batch of sequences."""

    def build(side: Side, batch: int, time: int, features: int) -> Prepared:
        layer = getattr(side.nn, kind)(features, features, batch_first=True)
        layer = side.load(layer, weights(side.shapes(layer)))
        x = side.variable(normal("x", batch, time, features))
        dy = side.array(normal("dy", batch, time, features))

        def call() -> Any:
            side.forget_gradients(x, *layer.parameters())
            y = layer(x)[0]
            y.backward(dy)
            return y

        def results() -> dict[str, Any]:
            y = call()
            named = {f"d{name}": p.grad for name, p in layer.named_parameters()}
            return {"y": y, "dx": x.grad, **named}

        return Prepared(call, results)

    return {"isograd": build, "torch": build}


def _recurrent_workload(kind: str, gates: int) -> Workload:
    batch, time, features = 32, 64, 128
    return Workload(
        f"recurrent/{kind.lower()}",
        f"{kind} with {features} units over {time} steps, batch {batch}, forward + backward",
        recurrent_builds(kind),
        {"batch": batch, "time": time, "features": features},
        flops=6.0 * batch * time * gates * features * 2 * features,
        quick=kind == "LSTM",
    )


WORKLOADS = [
    _recurrent_workload("LSTM", 4),
    _recurrent_workload("GRU", 3),
]
