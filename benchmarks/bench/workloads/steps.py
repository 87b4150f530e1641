"""Whole training steps: MLPs, a CNN, an LSTM and a transformer over characters."""

from __future__ import annotations

from ..sides.side import Side
from ..workload import Build, Prepared, Workload
from . import jax_models, models
from .numbers import mlp_shapes
from .training import jax_step, sklearn_mlp, step, thinc_mlp

TINY = (64, 64, 10)
MIDDLE = (784, 512, 256, 10)
CNN_FLOPS = 2 * (28 * 28 * 16 * 9 + 14 * 14 * 32 * 16 * 9 + 7 * 7 * 32 * 128 + 1280)  # an image


def mlp_builds(sizes: tuple[int, ...]) -> dict[str, Build]:
    """A step of an MLP with these layers in every library, for a batch."""

    def ours(side: Side, batch: int) -> Prepared:
        return step(side, models.mlp(side, sizes), *models.labelled(sizes[0], sizes[-1], batch))

    def in_jax(side: Side, batch: int) -> Prepared:
        examples = models.labelled(sizes[0], sizes[-1], batch)
        return jax_step(side, jax_models.mlp, mlp_shapes(sizes), *examples)

    def in_thinc(side: Side, batch: int) -> Prepared:
        return thinc_mlp(side, sizes, *models.labelled(sizes[0], sizes[-1], batch))

    def in_sklearn(side: Side, batch: int) -> Prepared:
        return sklearn_mlp(side, sizes, *models.labelled(sizes[0], sizes[-1], batch))

    builds: dict[str, Build] = {"isograd": ours, "torch": ours, "jax": in_jax}
    return {**builds, "thinc": in_thinc, "sklearn": in_sklearn}


def mlp_flops(sizes: tuple[int, ...], batch: int) -> float:
    """Of the products in a step: forward, and backward twice, but not into the first layer."""
    products = [n_in * n_out for n_in, n_out in zip(sizes, sizes[1:], strict=False)]
    return 2.0 * batch * (3 * sum(products) - products[0])


def _mlp(name: str, sizes: tuple[int, ...], batch: int, quick: bool) -> Workload:
    return Workload(
        f"step/{name}",
        f"training step of {'-'.join(map(str, sizes))}, batch {batch}",
        mlp_builds(sizes),
        {"batch": batch},
        flops=mlp_flops(sizes, batch),
        quick=quick,
        compiles=True,
    )


def _cnn(side: Side, batch: int) -> Prepared:
    return step(side, models.cnn(side), *models.images(batch))


def _jax_cnn(side: Side, batch: int) -> Prepared:
    return jax_step(side, jax_models.cnn, jax_models.CNN_SHAPES, *models.images(batch))


def _char_lstm(side: Side, batch: int, time: int, features: int) -> Prepared:
    return step(side, models.char_lstm(side, features), *models.text(batch, time))


def _jax_char_lstm(side: Side, batch: int, time: int, features: int) -> Prepared:
    shapes = jax_models.char_lstm_shapes(features)
    return jax_step(side, jax_models.char_lstm, shapes, *models.text(batch, time))


def _gpt(side: Side, batch: int, time: int, features: int, layers: int, heads: int) -> Prepared:
    return step(side, models.gpt(side, layers, features, heads, time), *models.text(batch, time))


def _jax_gpt(side: Side, batch: int, time: int, features: int, layers: int, heads: int) -> Prepared:
    def scores(parameters: jax_models.Parameters, characters: object) -> object:
        return jax_models.gpt(parameters, characters, layers, heads)

    shapes = jax_models.gpt_shapes(layers, features, time)
    return jax_step(side, scores, shapes, *models.text(batch, time))


def _gpt_flops(batch: int, time: int, features: int, layers: int) -> float:
    """Of the products: 12 features^2 weights a layer, and attention over half of the places."""
    weights = layers * 12 * features**2 + models.CHARACTERS * features
    return 6.0 * batch * time * (weights + layers * time * features)


WORKLOADS = [
    _mlp("tiny-mlp", TINY, 32, quick=True),
    *(_mlp(f"mlp-{batch}", MIDDLE, batch, quick=batch == 128) for batch in (32, 128, 1024)),
    Workload(
        "step/cnn",
        "training step of a CNN after LeNet, batch 64",
        {"isograd": _cnn, "torch": _cnn, "jax": _jax_cnn},
        {"batch": 64},
        flops=3.0 * 64 * CNN_FLOPS,
        quick=True,
        compiles=True,
    ),
    Workload(
        "step/char-lstm",
        "training step of an LSTM over characters, 128 units, 64 characters, batch 32",
        {"isograd": _char_lstm, "torch": _char_lstm, "jax": _jax_char_lstm},
        {"batch": 32, "time": 64, "features": 128},
        flops=6.0 * 32 * 64 * (8 * 128**2 + 128 * models.CHARACTERS),
        quick=True,
    ),
    Workload(
        "step/gpt",
        "training step of a GPT, 4 layers of 128, 128 characters, batch 8",
        {"isograd": _gpt, "torch": _gpt, "jax": _jax_gpt},
        {"batch": 8, "time": 128, "features": 128, "layers": 4, "heads": 4},
        flops=_gpt_flops(8, 128, 128, 4),
        quick=True,
        compiles=True,
    ),
]
