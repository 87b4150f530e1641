"""Samples of the other losses, activations and dropouts for the table in samples.py."""

from __future__ import annotations

from typing import Any

from sample_kinds import (
    CHANCES,
    CUBE,
    LABELS,
    LOGITS,
    MATRIX,
    OFF_ZERO,
    VECTOR,
    Input,
    Sample,
    each,
    of,
)

import isograd as ig
from isograd.backend import array_namespace

FIRST = 1  # order where a composition of ops that have their own samples leaves nothing to check
FACTORS = Input((3,), 0.3)
ABOVE = Input((4, 3), 0.3)


def drawn(name: str, shape: tuple[int, ...] = (2, 3), **options: object) -> Sample:
    """A sample of a function that draws, from the same generator every time."""
    return of(
        f"nn.{name}",
        Input(shape, gap=0.3),
        order=FIRST,
        call=lambda op, x: op(x, generator=ig.random.Generator(0), **options),
    )


def signed(name: str, *inputs: Input, rows: bool = False, **options: object) -> Sample:
    """A loss whose last argument is 1 and -1 in turn: a function of the others."""

    def call(op, *arrays):
        space = array_namespace(arrays[0])
        numbers = space.reshape(space.arange(12, device=arrays[0].device), (3, 4))
        signs = space.astype(1 - 2 * (numbers % 2), arrays[0].dtype)
        return op(*arrays, signs[:, 1] if rows else signs, **options)

    return of(f"nn.{name}", *inputs, order=FIRST, call=call)


def alignment(op: Any, log_probs: Any, targets: Any) -> Any:
    """ctc_loss of two items of different lengths."""
    return op(log_probs, targets, [4, 3], [2, 1], reduction="none")


MORE_ACTIVATIONS = [
    each("nn.hardtanh", min_val=-0.7, max_val=1.1),
    each("nn.relu6", OFF_ZERO),
    each("nn.hardsigmoid", Input(low=-5.0, high=5.0)),
    each("nn.hardswish", Input(low=-5.0, high=5.0)),
    each("nn.hardshrink", lambd=0.6),
    each("nn.softshrink"),
    each("nn.threshold", OFF_ZERO, threshold=0.1, value=-1.5),
    each("nn.celu", OFF_ZERO, alpha=0.7),
    each("nn.selu", OFF_ZERO),
    each("nn.mish"),
    each("nn.softsign", OFF_ZERO),
    each("nn.tanhshrink"),
    of("nn.softmin", MATRIX, axis=0),
    of("nn.glu", MATRIX),
    of("nn.glu", MATRIX, call=lambda op, x: op(x[:2, ...], axis=0)),
    drawn("rrelu", training=True),
    drawn("dropout1d", (3, 2, 2)),
    drawn("dropout2d", (3, 2, 2, 1)),
    drawn("dropout3d", (3, 1, 2, 1)),
    drawn("alpha_dropout", p=0.3),
    drawn("feature_alpha_dropout", (3, 2, 2)),
]
MORE_LOSSES = [
    of("nn.ctc_loss", Input((4, 2, 3)), Input((2, 2), 1, 3, dtype="int64"), call=alignment),
    of("nn.nll", LOGITS, LABELS, FACTORS, order=FIRST),
    of("nn.nll", LOGITS, LABELS, ignore_index=1, order=FIRST),
    of("nn.kl_div", LOGITS, CHANCES, order=FIRST),
    of("nn.kl_div", LOGITS, LOGITS, log_target=True, reduction="batchmean", order=FIRST),
    of("nn.poisson_nll", LOGITS, Input((4, 3), 1.2, 3.0), full=True, order=FIRST),
    of("nn.poisson_nll", ABOVE, ABOVE, log_input=False, order=FIRST),
    of("nn.gaussian_nll", LOGITS, LOGITS, ABOVE, full=True, order=FIRST),
    of("nn.gaussian_nll", LOGITS, LOGITS, Input((4,), 0.3), order=FIRST),
    of("nn.smooth_l1", MATRIX, MATRIX, beta=0.6, order=FIRST),
    of("nn.focal", LOGITS, CHANCES, order=FIRST),
    of("nn.binary_cross_entropy", CHANCES, CHANCES, FACTORS),
    of("nn.binary_cross_entropy_with_logits", LOGITS, CHANCES, ABOVE, FACTORS),
    signed("hinge_embedding", Input((3, 4), 0.1)),
    signed("soft_margin", MATRIX),
    signed("margin_ranking", MATRIX, MATRIX, margin=0.3),
    signed("cosine_embedding", MATRIX, MATRIX, rows=True),
    of("nn.triplet_margin", MATRIX, MATRIX, MATRIX, order=FIRST),
    of("nn.triplet_margin", MATRIX, MATRIX, MATRIX, p=3.0, swap=True, reduction="sum", order=FIRST),
    of("nn.triplet_margin_with_distance", MATRIX, MATRIX, MATRIX, order=FIRST, swap=True),
    of("nn.cosine_similarity", MATRIX, MATRIX, order=FIRST),
    of("nn.pairwise_distance", MATRIX, VECTOR, order=FIRST, p=3.0, keepdims=True),
    of("nn.normalize", CUBE, order=FIRST, p=1.0),
    of("nn.l1_penalty", OFF_ZERO, VECTOR, call=lambda op, *weights: op(weights, 0.3)),
    of("nn.multi_margin", LOGITS, LABELS, FACTORS, p=2, order=FIRST),
    of("nn.multilabel_margin", LOGITS, Input((4, 3), -1, 3, dtype="int64"), order=FIRST),
    of("nn.multilabel_soft_margin", LOGITS, CHANCES, FACTORS, order=FIRST),
]
