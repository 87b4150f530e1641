"""Layer, RMS and batch norm, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Workload
from .differentiated import differentiated
from .numbers import normal

EPS = 1e-5


def _norm_inputs(batch: int, features: int) -> tuple[np.ndarray, ...]:
    x, w = normal("x", batch, features), 1.0 + normal("w", features, scale=0.1)
    return normal("dy", batch, features), x, w, normal("b", features)


def _rms_inputs(batch: int, features: int) -> tuple[np.ndarray, ...]:
    return _norm_inputs(batch, features)[:3]


def _layer_norm(side: Side, x: Any, w: Any, b: Any) -> Any:
    return side.functional.layer_norm(x, (x.shape[-1],), w, b, eps=EPS)


def _rms_norm(side: Side, x: Any, w: Any) -> Any:
    return side.functional.rms_norm(x, (x.shape[-1],), w, eps=EPS)


def _batch_norm(side: Side, x: Any, w: Any, b: Any) -> Any:
    return side.functional.batch_norm(x, None, None, w, b, training=True, eps=EPS)


def _jax_layer_norm(xp: Any, x: Any, w: Any, b: Any) -> Any:
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    return centred / xp.sqrt(xp.mean(centred**2, axis=-1, keepdims=True) + EPS) * w + b


def _jax_rms_norm(xp: Any, x: Any, w: Any) -> Any:
    return x / xp.sqrt(xp.mean(x**2, axis=-1, keepdims=True) + EPS) * w


def _jax_batch_norm(xp: Any, x: Any, w: Any, b: Any) -> Any:
    centred = x - xp.mean(x, axis=0)
    return centred / xp.sqrt(xp.mean(centred**2, axis=0) + EPS) * w + b


def _norm(name: str, inputs: Any, function: Any, jax: Any) -> Workload:
    batch, features = 1024, 512
    return Workload(
        f"normalization/{name}",
        f"{name} norm, {batch} x {features}, forward + backward",
        differentiated(inputs, function, None, jax),
        {"batch": batch, "features": features},
        bytes=4.0 * 5 * batch * features,
        compiles=True,
        quick=name == "layer",
    )


WORKLOADS = [
    _norm("layer", _norm_inputs, _layer_norm, _jax_layer_norm),
    _norm("rms", _rms_inputs, _rms_norm, _jax_rms_norm),
    _norm("batch", _norm_inputs, _batch_norm, _jax_batch_norm),
]
