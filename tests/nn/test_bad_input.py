"""What every layer refuses at its door: no arrays, the wrong kind of number, the wrong shape."""

from __future__ import annotations

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend.errors import (
    DeviceError,
    DtypeError,
    HyperparameterError,
    IsogradError,
    ShapeError,
)


def single(*shape):
    return np.random.RandomState(0).randn(*shape).astype(np.float32)


class Twice(nn.Module):
    """layer(x, x)."""

    def __init__(self, layer):
        self.layer = layer

    def forward(self, x):
        return self.layer(x, x)


class Thrice(Twice):
    """layer(x, x, x)."""

    def forward(self, x):
        return self.layer(x, x, x)


LAYERS = {  # a layer of each kind that computes with floating numbers, and an input that it takes
    "linear": (lambda: nn.Linear(3, 2), (4, 3)),
    "conv": (lambda: nn.Conv1d(3, 2, 2), (4, 3, 5)),
    "transposed conv": (lambda: nn.ConvTranspose2d(3, 2, 2), (4, 3, 5, 5)),
    "max pool": (lambda: nn.MaxPool1d(2), (4, 3, 5)),
    "avg pool": (lambda: nn.AvgPool2d(2), (4, 3, 5, 5)),
    "lp pool": (lambda: nn.LPPool1d(2.0, 2), (4, 3, 5)),
    "adaptive pool": (lambda: nn.AdaptiveAvgPool1d(2), (4, 3, 5)),
    "batch norm": (lambda: nn.BatchNorm1d(3), (4, 3)),
    "instance norm": (lambda: nn.InstanceNorm1d(3), (4, 3, 5)),
    "layer norm": (lambda: nn.LayerNorm(3), (4, 3)),
    "rms norm": (lambda: nn.RMSNorm(3), (4, 3)),
    "group norm": (lambda: nn.GroupNorm(1, 3), (4, 3)),
    "rnn": (lambda: nn.RNN(3, 2), (5, 4, 3)),
    "gru": (lambda: nn.GRU(3, 2), (5, 4, 3)),
    "lstm": (lambda: nn.LSTM(3, 2), (5, 4, 3)),
    "rnn cell": (lambda: nn.RNNCell(3, 2), (4, 3)),
    "gru cell": (lambda: nn.GRUCell(3, 2), (4, 3)),
    "lstm cell": (lambda: nn.LSTMCell(3, 2), (4, 3)),
    "encoder": (lambda: nn.TransformerEncoderLayer(4, 2, 8), (5, 2, 4)),
    "dropout": (nn.Dropout, (4, 3)),
    "channel dropout": (nn.Dropout1d, (4, 3, 5)),
    "alpha dropout": (nn.AlphaDropout, (4, 3)),
    "softmax": (nn.Softmax, (4, 3)),
    "upsample": (lambda: nn.Upsample(7), (4, 3, 5)),
    "rotary": (lambda: nn.Rotary(4), (5, 4)),
    "prelu": (nn.PReLU, (4, 3)),
    "bilinear": (lambda: Twice(nn.Bilinear(3, 3, 2)), (4, 3)),
    "attention": (lambda: Thrice(nn.MultiheadAttention(4, 2)), (5, 2, 4)),
}
TAKE_ANY_SHAPE = {"dropout", "alpha dropout", "prelu"}
LEARNED = [name for name in LAYERS if LAYERS[name][0]().parameters()]


@pytest.mark.parametrize("name", LAYERS)
def test_a_list_is_no_array_and_the_message_says_how_to_make_one(name):
    make, shape = LAYERS[name]
    with pytest.raises(DtypeError, match=r"must be an array, got list; make one with"):
        make()(single(*shape).tolist())


@pytest.mark.parametrize("name", LAYERS)
def test_integers_are_not_promoted(name, device):
    make, shape = LAYERS[name]
    with pytest.raises(DtypeError, match=r"must be float.*got .*int64; cast"):
        make()(ig.array(np.ones(shape, np.int64)))


@pytest.mark.parametrize("name", LEARNED)
def test_another_dtype_than_the_weights_is_refused_and_the_input_is_what_to_cast(name, device):
    make, shape = LAYERS[name]
    with pytest.raises(DtypeError, match=r"must be float32 like .*got .*float64; cast it"):
        make()(ig.array(single(*shape).astype(np.float64)))


@pytest.mark.parametrize("name", LEARNED)
def test_an_array_of_another_library_is_refused(name):
    make, shape = LAYERS[name]
    with ig.using("strict"):
        x = ig.array(single(*shape))
    with pytest.raises(DeviceError, match="strict:cpu"):
        make()(x)


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - TAKE_ANY_SHAPE))
def test_a_number_without_axes_is_refused_by_an_error_that_says_so(name):
    make, _ = LAYERS[name]
    with pytest.raises(IsogradError, match=r"\(\)"):
        make()(np.array(1.0, np.float32))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.LSTM(3, 2)(single(5, 2, 3), lengths=[2.5, 1]), DtypeError, "2.5, 1"),
        (lambda: nn.GRU(3, 2)(single(5, 2, 3), [0.0]), DtypeError, "hidden must be an array"),
        (lambda: nn.LSTM(3, 2)(single(5, 2, 3), (0, 0)), DtypeError, "hidden must be an array"),
        (lambda: nn.LSTMCell(3, 2)(single(4, 3), single(4, 2)), ShapeError, r"pair \(hidden, cell"),
        (lambda: nn.Rotary(3), HyperparameterError, "features must be even, .* got 3"),
        (lambda: nn.LPPool1d(float("nan"), 2), HyperparameterError, "norm_type .* got nan"),
        (lambda: nn.AvgPool2d(2, divisor_override=0), HyperparameterError, "divisor_override .* 0"),
        (lambda: nn.PReLU(1.5), HyperparameterError, "num_parameters .* got 1.5"),
        (lambda: nn.pad([1.0], (1, 1)), DtypeError, "pad: x must be an array, got list"),
        (
            lambda: nn.ConvTranspose1d(3, 2, 2)(single(4, 3, 5), output_size=("6",)),
            HyperparameterError,
            "output_size must be an integer",
        ),
        (
            lambda: nn.cross_entropy(single(2, 3, 4, 5), np.zeros((2, 4, 5), np.int64)),
            ShapeError,
            "classes are the last axis, not axis 1 as in torch",
        ),
    ],
)
def test_the_message_names_what_is_wrong(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("which", ["attn_mask", "key_padding_mask"])
@pytest.mark.parametrize(
    ("dtype", "says"), [("int64", "boolean .* or floating"), ("float64", "float32 like")]
)
def test_a_mask_of_another_kind_is_refused_by_its_name(which, dtype, says, need_weights, device):
    layer, x = nn.MultiheadAttention(4, 2), ig.array(single(3, 3, 4))
    mask = ig.array(np.zeros((3, 3), dtype))
    with pytest.raises(DtypeError, match=f"{which} must be {says}"):
        layer(x, x, x, need_weights=need_weights, **{which: mask})
