"""Answers of a trained model: one example at a time, and many; nothing is recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Prepared, Workload
from . import jax_models, models
from .numbers import mlp_shapes, weights
from .steps import CNN_FLOPS, MIDDLE


def _answers(side: Side, model: Any, x: np.ndarray) -> Prepared:
    """In isograd or torch."""
    model.eval()
    inputs = side.array(x)
    if x.ndim == 4:
        inputs = side.images_last(inputs)
    compute = side.compiled(model)
    if side.library == "torch":
        from torch import inference_mode as silent
    else:
        from .... import no_grad as silent

    def call() -> Any:
        with silent():
            scores = compute(inputs)
        side.wait()  # whoever asks waits for the answer, on a GPU too
        return scores

    return Prepared(call, lambda: {"scores": call()})


def _mlp(side: Side, batch: int) -> Prepared:
    return _answers(side, models.mlp(side, MIDDLE), models.labelled(MIDDLE[0], 10, batch)[0])


def _cnn(side: Side, batch: int) -> Prepared:
    return _answers(side, models.cnn(side), models.images(batch)[0])


def _numpy_mlp(side: Side, batch: int) -> Prepared:
    state, x = weights(mlp_shapes(MIDDLE)), models.labelled(MIDDLE[0], 10, batch)[0]
    layers = [(state[f"{i}.weight"].T, state[f"{i}.bias"]) for i in (0, 2, 4)]
    zero = np.float32(0.0)

    def call() -> Any:
        y = x
        for weight, bias in layers[:-1]:
            y = np.maximum(y @ weight + bias, zero)
        return y @ layers[-1][0] + layers[-1][1]

    return Prepared(call, lambda: {"scores": call()})


def _in_jax(side: Any, scores: Any, shapes: Any, x: np.ndarray) -> Prepared:
    run, inputs = side.finished(scores), side.array(x)
    parameters = {name: side.array(w) for name, w in weights(shapes).items()}

    def call() -> Any:
        answers = run(parameters, inputs)
        side.wait()
        return answers

    return Prepared(call, lambda: {"scores": call()})


def _jax_mlp(side: Side, batch: int) -> Prepared:
    x = models.labelled(MIDDLE[0], 10, batch)[0]
    return _in_jax(side, jax_models.mlp, mlp_shapes(MIDDLE), x)


def _jax_cnn(side: Side, batch: int) -> Prepared:
    return _in_jax(side, jax_models.cnn, jax_models.CNN_SHAPES, models.images(batch)[0])


def _workload(name: str, title: str, build: Any, batch: int, flops: float, quick: bool) -> Workload:
    return Workload(
        f"inference/{name}-{batch}",
        f"{title}, {'one example' if batch == 1 else f'batch {batch}'}, nothing recorded",
        build,
        {"batch": batch},
        flops=flops * batch,
        quick=quick,
        compiles=True,
    )


_MLP_FLOPS = 2.0 * (784 * 512 + 512 * 256 + 256 * 10)
_MLP = {"isograd": _mlp, "numpy": _numpy_mlp, "torch": _mlp, "jax": _jax_mlp}
_CNN = {"isograd": _cnn, "torch": _cnn, "jax": _jax_cnn}
WORKLOADS = [
    *(_workload("mlp", "MLP 784-512-256-10", _MLP, n, _MLP_FLOPS, n == 1) for n in (1, 1024)),
    *(_workload("cnn", "CNN after LeNet", _CNN, n, CNN_FLOPS, n == 1) for n in (1, 256)),
]
