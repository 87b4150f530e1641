"""The table of op samples: one line an op, and test_contract.py asks of each what every op owes.

A sample names its op ("exp": of the differentiable namespace, "nn.relu": of isograd.nn), says where
its inputs lie, and how many orders of derivatives central differences can confirm there (0 for
results that have none). A new op adds a line and has its tests.
"""

from __future__ import annotations

from typing import Any

from extension_samples import EXTENSION_NO_OPS, EXTENSIONS
from loss_samples import MORE_ACTIVATIONS, MORE_LOSSES
from sample_kinds import (
    ABOVE_ONE,
    BOOLEANS,
    CHANCES,
    COUNTS,
    CUBE,
    INDICES,
    INTEGERS,
    LABELS,
    LOGITS,
    MATRIX,
    OFF_ZERO,
    ORDER,
    POSITIVE,
    REAL,
    SMOOTH,
    VECTOR,
    WITHIN_ONE,
    Input,
    Sample,
    differentiable_namespace,
    each,
    of,
)
from spatial_samples import SPATIAL

import isograd as ig
from isograd.backend import array_namespace

__all__ = ["NO_OPS", "SAMPLES", "differentiable_namespace"]

UNIQUE = ("unique_all", "unique_counts", "unique_inverse")

TURN = 0.6 + 0.8j  # makes a complex number of a real one

COMPLEX = [
    of("real", order=SMOOTH, call=lambda op, x: op(TURN * x * x)),
    of("imag", order=SMOOTH, call=lambda op, x: op(TURN * x * x)),
    of("conj", order=SMOOTH, call=lambda op, x: abs(op(TURN * x * x) + x)),
]
ARITHMETIC = [
    each("add", REAL, REAL),
    each("subtract", REAL, REAL),
    each("multiply", REAL, REAL),
    each("divide", REAL, OFF_ZERO),
    each("negative"),
    each("positive"),
    each("reciprocal", OFF_ZERO),
    each("square"),
    each("remainder", OFF_ZERO, ABOVE_ONE),
    each("pow", POSITIVE, REAL),
    of("pow", REAL, order=SMOOTH, call=lambda op, x: op(x, 3)),
    of("pow", POSITIVE, order=SMOOTH, call=lambda op, x: op(2.0, x)),
]
FUNCTIONS = [
    each("exp"),
    each("expm1"),
    each("log", POSITIVE),
    each("log1p", POSITIVE),
    each("log2", POSITIVE),
    each("log10", POSITIVE),
    each("logaddexp", REAL, REAL),
    each("sqrt", POSITIVE),
    each("hypot", OFF_ZERO, REAL),
    each("sin"),
    each("cos"),
    each("tan", WITHIN_ONE),
    each("asin", WITHIN_ONE),
    each("acos", WITHIN_ONE),
    each("atan"),
    each("atan2", OFF_ZERO, REAL),
    each("sinh"),
    each("cosh"),
    each("tanh"),
    each("asinh"),
    each("acosh", ABOVE_ONE),
    each("atanh", WITHIN_ONE),
]
KINKS = [
    each("abs", OFF_ZERO, order=ORDER),
    each("maximum", REAL, REAL, order=ORDER),
    each("minimum", REAL, REAL, order=ORDER),
    each("copysign", OFF_ZERO, OFF_ZERO, order=ORDER),
    each("clip", REAL, order=ORDER, min=-1.0, max=1.0),
    of("clip", MATRIX, Input((4,), high=-0.2), Input((3, 1), 0.2)),
    of("clip", MATRIX, VECTOR, call=lambda op, x, high: op(x, max=high)),
    each("nextafter", REAL, REAL, order=ORDER),
    each("where", BOOLEANS, REAL, REAL, order=ORDER),
]
CONSTANT = [
    *(each(name, OFF_ZERO, order=0) for name in ("ceil", "floor", "round", "trunc", "sign")),
    *(each(name, order=0) for name in ("signbit", "isfinite", "isinf", "isnan")),
    *(each(name, REAL, REAL, order=0) for name in ("equal", "not_equal", "less", "less_equal")),
    *(each(name, REAL, REAL, order=0) for name in ("greater", "greater_equal")),
    each("floor_divide", OFF_ZERO, ABOVE_ONE, order=0),
    each("logical_not", BOOLEANS, order=0),
    *(each(f"logical_{name}", BOOLEANS, BOOLEANS, order=0) for name in ("and", "or", "xor")),
    each("bitwise_invert", INTEGERS, order=0),
    *(each(f"bitwise_{name}", INTEGERS, INTEGERS, order=0) for name in ("and", "or", "xor")),
    each("bitwise_left_shift", INTEGERS, INTEGERS, order=0),
    each("bitwise_right_shift", INTEGERS, INTEGERS, order=0),
]
CREATION = [
    of("zeros_like", order=0),
    of("ones_like", order=0),
    of("full_like", order=0, call=lambda op, x: op(x, 2.5)),
    of("astype", call=lambda op, x: op(x, x.dtype)),
    of("asarray", call=lambda _, x: array_namespace(x).asarray(x, copy=True)),
]
SHAPES = [
    of("reshape", call=lambda op, x: op(x, (3, 2))),
    of("permute_dims", CUBE, call=lambda op, x: op(x, (2, 0, 1))),
    of("matrix_transpose", CUBE),
    of("moveaxis", CUBE, call=lambda op, x: op(x, 0, -1)),
    of("expand_dims", axis=1),
    of("expand_dims", axis=(0, -1)),
    of("squeeze", Input((2, 1, 3)), call=lambda op, x: op(x, 1)),
    of("broadcast_to", Input((3, 1)), call=lambda op, x: op(x, (2, 3, 2))),
    of("meshgrid", VECTOR, Input((2,)), Input((3,))),
    of("meshgrid", VECTOR, Input((2,)), indexing="ij"),
    of("broadcast_arrays", Input((3, 1)), VECTOR),
    of("flip", MATRIX, axis=1),
    of("flip", MATRIX),
    of("roll", MATRIX, call=lambda op, x: op(x, (1, -2), axis=(0, 1))),
    of("roll", MATRIX, call=lambda op, x: op(x, 2)),
    of("tile", call=lambda op, x: op(x, (2, 1, 2))),
    of("concat", REAL, Input((1, 3)), call=lambda op, *xs: op(xs, axis=0)),
    of("concat", REAL, VECTOR, call=lambda op, *xs: op(xs, axis=None)),
    of("concatenate", REAL, REAL, call=lambda op, *xs: op(xs, axis=-1)),
    of("stack", REAL, REAL, call=lambda op, *xs: op(xs, axis=1)),
    of("unstack", MATRIX, axis=1),
    of("tril", MATRIX, k=1),
    of("triu", MATRIX, k=-1),
]
REDUCTIONS = [
    *(of("sum", CUBE, axis=axis) for axis in (None, 1, (0, -1))),
    of("sum", MATRIX, axis=0, keepdims=True),
    *(of("mean", CUBE, axis=axis) for axis in (None, -1, (0, 2))),
    *(of("max", CUBE, axis=axis) for axis in (None, 1)),
    *(of("min", CUBE, axis=axis) for axis in (None, (0, 1))),
    *(of("prod", OFF_ZERO, axis=axis) for axis in (None, 1)),
    *(of("var", CUBE, axis=axis) for axis in (None, (1, 2))),
    of("var", MATRIX, axis=0, correction=1.0, keepdims=True),
    *(of("std", CUBE, axis=axis) for axis in (None, 1)),
    of("cumulative_sum", MATRIX, axis=1),
    of("cumulative_sum", MATRIX, axis=0, include_initial=True),
    of("cumulative_prod", Input((3, 2), gap=0.3), axis=0),
    of("cumulative_prod", Input((5,)), include_initial=True),
    of("diff", MATRIX, axis=0, n=2),
    of("diff", MATRIX, Input((3, 1)), call=lambda op, x, first: op(x, prepend=first)),
    *(of(name, BOOLEANS, order=0, axis=1) for name in ("all", "any")),
    *(of(name, MATRIX, order=0, axis=1) for name in ("argmax", "argmin", "argsort")),
    of("count_nonzero", INTEGERS, order=0, axis=0),
]
INDEXING = [
    of("sort", MATRIX, axis=0),
    of("sort", MATRIX, descending=True),
    of("take", MATRIX, INDICES, call=lambda op, x, indices: op(x, indices, axis=1)),
    of("take_along_axis", MATRIX, Input((3, 2), 0, 4, dtype="int64")),
    of("[]", MATRIX, call=lambda op, x: op(x, (slice(None, None, 2), -1))),
    of("[]", MATRIX, call=lambda op, x: op(x, (None, 1, ..., slice(1, None, 2)))),
    of("[]", MATRIX, call=lambda op, x: op(x, x > 0.0)),
    of("[]", MATRIX, INDICES, call=lambda op, x, rows: op(x, (rows, rows))),
    of("[]=", MATRIX, VECTOR, call=lambda op, x, value: op(x, (1, ...), value)),
    of("[]=", MATRIX, REAL, call=lambda op, x, value: op(x, (slice(1, 3), slice(1, None)), value)),
    of("repeat", MATRIX, call=lambda op, x: op(x, 3, axis=-2)),
    of("repeat", MATRIX, COUNTS, call=lambda op, x, counts: op(x, counts, axis=1)),
    of("nonzero", BOOLEANS, order=0),
    of("isin", INTEGERS, INTEGERS, order=0),
    *(of(name, MATRIX, call=lambda op, x: op(x).values) for name in UNIQUE),
    of("unique_values", MATRIX),
    of("searchsorted", VECTOR, MATRIX, order=0, call=lambda op, x, v: op(x * 0.0, v)),
]
PRODUCTS = [
    of("matmul", MATRIX, Input((4, 2))),
    of("matmul", MATRIX, VECTOR),
    of("matmul", VECTOR, Input((4, 2))),
    of("matmul", VECTOR, VECTOR),
    of("matmul", Input((2, 1, 3)), Input((2, 3, 2))),
    of("matmul", CUBE, Input((2, 3))),
    of("matmul", Input((3,)), CUBE),
    of("vecdot", MATRIX, VECTOR),
    of("vecdot", CUBE, CUBE, axis=-2),
    of("tensordot", CUBE, Input((3, 2)), axes=((1, 2), (0, 1))),
    of("tensordot", MATRIX, Input((4, 2)), axes=1),
]
ACTIVATIONS = [
    each("nn.identity"),
    each("nn.sigmoid"),
    each("nn.log_sigmoid"),
    each("nn.tanh"),
    each("nn.relu", OFF_ZERO),
    each("nn.leaky_relu", OFF_ZERO),
    each("nn.leaky_relu", OFF_ZERO, negative_slope=1.5),
    each("nn.elu", OFF_ZERO, alpha=0.7),
    each("nn.gelu"),
    each("nn.gelu", approximate="tanh"),
    each("nn.silu"),
    each("nn.softplus"),
    each("nn.softplus", OFF_ZERO, beta=2.0, threshold=0.0),
    each("nn.erf"),
    of("nn.prelu", Input((2, 3, 2), gap=0.3), Input((3,))),
    of("nn.prelu", OFF_ZERO, Input((1,))),
    of("nn.softmax", MATRIX, order=SMOOTH),
    of("nn.softmax", MATRIX, axis=0),
    of("nn.log_softmax", MATRIX, order=SMOOTH),
    of("nn.log_softmax", MATRIX, axis=0),
]
LAYERS = [
    of("nn.linear", Input((2, 3)), Input((4, 3)), Input((4,))),
    of("nn.linear", Input((2, 2, 3)), Input((4, 3))),
    of("nn.linear", Input((3,)), Input((2, 3)), Input((2,))),
    *(
        of("nn.linear", Input((2, 3)), Input((2, 3)), Input((2,)), activation=name)
        for name in ("relu", "leaky_relu", "gelu", "gelu_tanh", "silu", "sigmoid", "tanh")
    ),
    of("nn.linear", Input((2, 3)), Input((2, 3)), Input((2,)), activation="softplus"),
    of("nn.linear", Input((2, 3)), Input((2, 3)), activation="elu"),
    of("nn.flatten", CUBE),
    of("nn.flatten", CUBE, start_axis=0, end_axis=1),
    of("nn.dropout", call=lambda op, x: op(x, 0.4, generator=ig.random.Generator(0))),
]
SEQUENCE = Input((2, 2, 3))
STATE = Input((2, 2), -0.9, 0.9)
ENDS = Input((2,), 1, 3, dtype="int64")


def recurrent(name: str, n_gates: int, n_states: int, *more: Input, **options: Any) -> Sample:
    """A recurrent function over two steps of two sequences, three numbers in and two units."""
    rows = 2 * n_gates
    weights = (Input((rows, 3)), Input((rows, 2)), Input((rows,)), Input((rows,)))
    x = Input((2, 3)) if name.endswith("cell") else SEQUENCE
    return of(name, x, *(STATE,) * n_states, *weights, *more, **options)


RECURRENT = [
    recurrent("nn.rnn_cell", 1, 1),
    recurrent("nn.rnn_cell", 1, 1, nonlinearity="relu"),
    recurrent("nn.gru_cell", 3, 1),
    recurrent("nn.lstm_cell", 4, 2),
    recurrent("nn.rnn", 1, 1),
    recurrent("nn.rnn", 1, 1, ENDS, nonlinearity="relu", reverse=True),
    recurrent("nn.gru", 3, 1),
    recurrent("nn.gru", 3, 1, ENDS, reverse=True),
    recurrent("nn.lstm", 4, 2),
    recurrent("nn.lstm", 4, 2, ENDS, reverse=True),
    of(
        "nn.lstm",
        *(SEQUENCE, Input((2, 1)), STATE, Input((8, 3)), Input((8, 1)), Input((1, 2)), ENDS),
        call=lambda op, *xs: op(*xs[:5], weight_hr=xs[5], lengths=xs[6]),
    ),
]
HEADS = Input((2, 3, 2))
BAGS = Input((2, 3), 0, 3, dtype="int64")
ATTENTION = [
    of("nn.embedding", Input((2, 3), 0, 4, dtype="int64"), Input((4, 2))),
    of("nn.embedding", Input((5,), 0, 2, dtype="int64"), Input((3, 2)), padding_idx=-1),
    *(of("nn.embedding_bag", BAGS, MATRIX, mode=mode) for mode in ("sum", "mean", "max")),
    *(
        of(
            "nn.embedding_bag",
            *(Input((6,), 0, 3, dtype="int64"), MATRIX, Input((2,), 0, 1, dtype="int64")),
            mode=mode,
            padding_idx=1,
        )
        for mode in ("mean", "max")
    ),
    of(
        "nn.embedding_bag",
        *(BAGS, MATRIX, REAL),
        call=lambda op, *xs: op(*xs[:2], None, xs[2], mode="sum"),
    ),
    of("nn.bilinear", Input((2, 3)), Input((2, 2)), Input((2, 3, 2)), Input((2,))),
    of("nn.rotary", Input((2, 3, 4))),
    of("nn.rotary", Input((3, 4)), Input((3,), 0, 9, dtype="int64"), interleaved=False),
    of("nn.scaled_dot_product_attention", HEADS, Input((2, 4, 2)), Input((2, 4, 3))),
    of("nn.scaled_dot_product_attention", HEADS, HEADS, HEADS, is_causal=True, scale=0.5),
    of("nn.scaled_dot_product_attention", HEADS, HEADS, HEADS, Input((3, 3), 0, 2, dtype="bool")),
    of("nn.scaled_dot_product_attention", HEADS, HEADS, HEADS, Input((3, 3))),
    of(
        "nn.scaled_dot_product_attention",
        *(Input((4, 3, 2)), HEADS, HEADS),
        call=lambda op, q, k, v: op(
            q, k, v, dropout_p=0.4, enable_gqa=True, generator=ig.random.Generator(0)
        ),
    ),
]
LOSSES = [
    *(of("nn.mse", MATRIX, MATRIX, reduction=how) for how in ("mean", "sum", "none")),
    of("nn.l1", MATRIX, MATRIX),
    of("nn.huber", MATRIX, MATRIX, delta=0.7),
    of("nn.binary_cross_entropy", CHANCES, CHANCES),
    of("nn.binary_cross_entropy_with_logits", LOGITS, CHANCES),
    of("nn.cross_entropy", LOGITS, LABELS),
    of("nn.cross_entropy", LOGITS, LABELS, label_smoothing=0.1),
    of("nn.cross_entropy", LOGITS, LABELS, ignore_index=1),
    of("nn.cross_entropy", LOGITS, LABELS, reduction="none"),
    of("nn.cross_entropy", LOGITS, CHANCES, reduction="sum"),
    of("nn.l2_penalty", MATRIX, VECTOR, call=lambda op, *weights: op(weights, 0.3)),
    of("nn.standardize", MATRIX),
]

SAMPLES = [
    *COMPLEX,
    *ARITHMETIC,
    *FUNCTIONS,
    *KINKS,
    *CONSTANT,
    *CREATION,
    *SHAPES,
    *REDUCTIONS,
    *INDEXING,
    *PRODUCTS,
    *ACTIVATIONS,
    *LAYERS,
    *RECURRENT,
    *ATTENTION,
    *SPATIAL,
    *LOSSES,
    *MORE_ACTIVATIONS,
    *MORE_LOSSES,
    *EXTENSIONS,
]

# Public functions that are no ops: what they return is no function of the values of arrays.
NO_OPS = {
    *EXTENSION_NO_OPS,
    *("arange", "empty", "empty_like", "eye", "from_dlpack", "full"),
    *("linspace", "ones", "zeros"),
    *("broadcast_shapes", "can_cast", "finfo", "iinfo", "isdtype", "result_type"),
    *("nn.accuracy", "nn.activation_named", "nn.clip_grad_norm", "nn.clip_grad_value"),
    *("nn.confusion_matrix", "nn.feature_statistics", "nn.load_digits", "nn.summary"),
    *("nn.sinusoidal_positions", "nn.train_test_split"),
}
