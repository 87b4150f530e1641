"""One step at growing sizes: whether a cost grows faster than its arithmetic."""

from __future__ import annotations

from ..sides.side import Side
from ..workload import Curve, Prepared, Workload
from . import models
from .attention import attention_builds
from .recurrent import recurrent_builds
from .training import step

BATCH = Curve("batch", "training step of 784-256-10 over the batch", "batch", 1.0)
WIDTH = Curve("width", "training step of an MLP over the width of its layers", "width", 2.0)
DEPTH = Curve("depth", "training step of an MLP over its depth", "depth", 1.0)
LSTM_TIME = Curve("lstm-sequence", "LSTM over the length of the sequence", "time", 1.0)
ATTENTION_TIME = Curve("attention-sequence", "attention over the length", "time", 2.0)


def _mlp(side: Side, batch: int, width: int, depth: int) -> Prepared:
    """A step of an MLP with `depth` linear layers, all of one width but the last."""
    sizes = (*([width] * depth), 10)
    return step(side, models.mlp(side, sizes), *models.labelled(width, 10, batch))


def _along_batch(side: Side, batch: int) -> Prepared:
    model = models.mlp(side, (784, 256, 10))
    return step(side, model, *models.labelled(784, 10, batch))


_MLPS = {"isograd": _mlp, "torch": _mlp}
_BATCHES = {"isograd": _along_batch, "torch": _along_batch}


def _workload(curve: Curve, build: dict, sizes: dict[str, int], quick: bool = False) -> Workload:
    size = sizes[curve.along]
    return Workload(
        f"growth/{curve.name}-{size}",
        f"{curve.title}: {size}",
        build,
        sizes,
        curve=curve,
        quick=quick,
        tolerance=1e-3,  # sums over long axes, and deep networks
    )


WORKLOADS = [
    *(
        _workload(BATCH, _BATCHES, {"batch": n}, quick=n in (64, 256, 1024))
        for n in (16, 64, 256, 1024, 4096)
    ),
    *(
        _workload(WIDTH, _MLPS, {"batch": 128, "width": n, "depth": 3})
        for n in (64, 128, 256, 512, 1024)
    ),
    *(
        _workload(DEPTH, _MLPS, {"batch": 32, "width": 64, "depth": n}, quick=n in (8, 32, 128))
        for n in (2, 8, 32, 128)
    ),
    *(
        _workload(LSTM_TIME, recurrent_builds("LSTM"), {"batch": 16, "time": n, "features": 64})
        for n in (16, 64, 256, 1024)
    ),
    *(
        _workload(
            ATTENTION_TIME, attention_builds(), {"batch": 2, "heads": 4, "time": n, "width": 32}
        )
        for n in (64, 128, 256, 512, 1024)
    ),
]
