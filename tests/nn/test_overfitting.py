"""Every layer and every loss learns a tiny task: its gradients lead where they should.

The weights of a layer are learned until it puts out what another one of its kind does; where there
are no weights, its input is, until it puts out what it did for another. A loss has its prediction
learned until it is near its least value.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import RandomState

import isograd as ig
from isograd import nn

LENGTHS = (4, 4, 2)
ROWS, IMAGE, TIME = (3, 4), (2, 2, 4, 4), (3, 2, 4)  # TIME: (time, batch, features)
BLOCK = {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 0.0}


def axes(n, channels=2):
    """(batch, channels, n spatial axes)."""
    return (2, channels, *LENGTHS[:n])


def of(shape, *settings, make=None, call=lambda layer, x: layer(x), **options):
    """(shape of the input, settings of the layer, how it is made and called)."""
    return shape, settings, options, make, call


def first(layer, x):
    """The first of several outputs."""
    return layer(x)[0]


def both(layer, x):
    """A layer of two inputs."""
    return layer(x, 1.5 - x)


def to_constant(layer, x):
    """A layer of two inputs, of which one is given."""
    return layer(x, np.array([[1.0, -2.0, 3.0, 1.0]], np.float32))


def words(layer, x):
    """A layer of indices; x is not looked at."""
    return layer(np.array([[0, 2], [1, 2]]))


def unpooled(layer, x):
    """Every element at the first place of its window."""
    lengths = tuple(2 * n for n in x.shape[2:])
    places = np.arange(np.prod(lengths)).reshape(lengths)
    corners = places[tuple(slice(None, None, 2) for _ in lengths)]
    return layer(x, np.broadcast_to(corners, x.shape))


ELEMENTWISE = (
    *("CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh"),
    *("Identity", "LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU"),
    *("ReLU6", "SELU", "SiLU", "Sigmoid", "Softmax", "Softmin", "Softplus", "Softshrink"),
    *("Softsign", "Tanh", "Tanhshrink"),
)
PADS = ("Circular", "Reflection", "Replication", "Zero")
AXES = (1, 2, 3)
LAYERS = {
    **{name: of(ROWS) for name in ELEMENTWISE},
    "Threshold": of(ROWS, -0.4, -0.4),
    "Softmax2d": of(IMAGE),
    "Linear": of(ROWS, 4, 3),
    "Bilinear": of(ROWS, 4, 4, 2, call=both),
    **{name: of((1,), 3, 4, call=words) for name in ("Embedding", "EmbeddingBag")},
    "Residual": of(ROWS, make=lambda: nn.Residual(nn.Linear(4, 4))),
    "Sequential": of(ROWS, make=lambda: nn.Sequential(nn.Linear(4, 6), nn.Tanh())),
    "Flatten": of(IMAGE),
    "Unflatten": of(ROWS, 1, (2, 2)),
    **{f"Conv{n}d": of(axes(n), 2, 3, 2) for n in AXES},
    **{f"ConvTranspose{n}d": of(axes(n), 2, 3, 2) for n in AXES},
    **{f"MaxPool{n}d": of(axes(n), 2) for n in AXES},
    **{f"MaxUnpool{n}d": of(axes(n), 2, call=unpooled) for n in AXES},
    **{f"AvgPool{n}d": of(axes(n), 2) for n in AXES},
    **{f"LPPool{n}d": of(axes(n), 2.0, 2) for n in AXES},
    **{f"AdaptiveAvgPool{n}d": of(axes(n), 2) for n in AXES},
    **{f"AdaptiveMaxPool{n}d": of(axes(n), 2) for n in AXES},
    "GlobalAvgPool": of(IMAGE),
    "GlobalMaxPool": of(IMAGE),
    **{f"BatchNorm{n}d": of(axes(n), 2) for n in AXES},
    **{f"InstanceNorm{n}d": of(axes(n), 2, affine=True) for n in AXES},
    "GroupNorm": of(axes(1, 4), 2, 4),
    "LayerNorm": of(ROWS, 4),
    "RMSNorm": of(ROWS, 4),
    "LocalResponseNorm": of(axes(1, 4), 3, 1.0),
    **{f"{kind}Pad{n}d": of(axes(n), 1) for kind in PADS for n in AXES},
    **{f"ConstantPad{n}d": of(axes(n), 1, 0.5) for n in AXES},
    "PixelShuffle": of(axes(2, 4), 2),
    "PixelUnshuffle": of(IMAGE, 2),
    "ChannelShuffle": of(axes(1, 4), 2),
    "Upsample": of(IMAGE, 6, mode="bilinear"),
    "Unfold": of(IMAGE, 2),
    "Fold": of((2, 8, 9), 4, 2),
    "CosineSimilarity": of(ROWS, call=to_constant),
    "PairwiseDistance": of(ROWS, call=to_constant),
    **{name: of(TIME, 4, 3, call=first) for name in ("RNN", "GRU", "LSTM")},
    **{f"{name}Cell": of(ROWS, 4, 3) for name in ("RNN", "GRU")},
    "LSTMCell": of(ROWS, 4, 3, call=first),
    "MultiheadAttention": of(TIME, 4, 2, call=lambda layer, x: layer(x, x, x)[0]),
    "TransformerEncoderLayer": of(TIME, **BLOCK),
    "TransformerDecoderLayer": of(TIME, **BLOCK, call=both),
    "TransformerEncoder": of(
        TIME, make=lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(**BLOCK), 1)
    ),
    "TransformerDecoder": of(
        TIME, make=lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(**BLOCK), 1), call=both
    ),
    "Transformer": of(TIME, **BLOCK, num_encoder_layers=1, num_decoder_layers=1, call=both),
    "Rotary": of(ROWS, 4),
    "SinusoidalPositions": of(ROWS, 4, 3),
    "Dropout": of(ROWS, 0.2),
    "AlphaDropout": of(ROWS, 0.1),
    **{f"Dropout{n}d": of(axes(n), 0.2) for n in AXES},
    "FeatureAlphaDropout": of(IMAGE, 0.1),
}
DROPS = [name for name in LAYERS if "Dropout" in name]

TARGET = RandomState(2).uniform(0.2, 0.9, (3, 4)).astype(np.float32)
SIGNS = np.where(RandomState(3).randn(3, 4) > 0, 1.0, -1.0).astype(np.float32)
CLASSES = np.array([0, 3, 1])
SEVERAL = np.array([[0, 2, -1, 0], [3, -1, 0, 0], [1, 2, 3, -1]])
OTHERS = (3.0 * RandomState(4).randn(2, 3, 4)).astype(np.float32)
CHANCES = nn.softmax(OTHERS[0])


def against(*targets, of_x=lambda x: x):
    """How a loss is called with a prediction, and what else it is given."""
    return lambda loss, x: loss(of_x(x), *targets)


# How a loss is called; its least value is 0, or that of the prediction that stands beside it.
LOSSES = {
    **{f"{name}Loss": (against(TARGET), None) for name in ("MSE", "L1", "Huber", "SmoothL1")},
    "BCELoss": (against((SIGNS + 1.0) / 2.0, of_x=nn.sigmoid), None),
    "BCEWithLogitsLoss": (against((SIGNS + 1.0) / 2.0), None),
    "FocalLoss": (against((SIGNS + 1.0) / 2.0), None),
    "CrossEntropyLoss": (against(CLASSES), None),
    "NLLLoss": (against(CLASSES, of_x=nn.log_softmax), None),
    "KLDivLoss": (against(CHANCES, of_x=nn.log_softmax), None),
    "PoissonNLLLoss": (against(TARGET), np.log(TARGET)),
    "GaussianNLLLoss": (against(TARGET, np.full_like(TARGET, 0.3)), TARGET),
    "HingeEmbeddingLoss": (against(SIGNS, of_x=nn.relu), None),
    "SoftMarginLoss": (against(SIGNS), None),
    "MarginRankingLoss": (against(OTHERS[0], SIGNS), None),
    "CosineEmbeddingLoss": (against(OTHERS[0], SIGNS[:, 0]), None),
    "TripletMarginLoss": (against(*OTHERS), None),
    "TripletMarginWithDistanceLoss": (against(*OTHERS), None),
    "MultiMarginLoss": (against(CLASSES), None),
    "MultiLabelMarginLoss": (against(SEVERAL), None),
    "MultiLabelSoftMarginLoss": (against((SIGNS + 1.0) / 2.0), None),
    "CTCLoss": (against(np.array([2, 1]), 3, 2, of_x=nn.log_softmax), None),
}


def start(shape):
    """An input that no activation is flat at."""
    return nn.Parameter(RandomState(0).uniform(0.55, 0.95, shape).astype(np.float32))


def steps_to(limit, loss_of, parameters, n_steps=300):
    """Whether so many steps of Adam bring the loss below the limit."""
    optimizer = nn.Adam(parameters, lr=0.05)
    for _ in range(n_steps):
        loss = loss_of()
        if float(loss.data) < limit:
            return True
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return False


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_learns_what_another_one_does(name):
    shape, settings, options, make, call = LAYERS[name]
    layer, teacher = (make() if make else getattr(nn, name)(*settings, **options) for _ in "12")
    random = RandomState(1)
    own = layer.parameters()
    for parameters in zip(own, teacher.parameters(), strict=True):
        for parameter in parameters:
            parameter.data[...] = 0.5 * random.randn(*parameter.shape)
    other = ig.Tensor(random.uniform(-1.0 if own else 0.1, 1.0, shape).astype(np.float32))
    x = other if own else start(shape)
    target = call(teacher.eval() if name in DROPS else teacher, other).detach().data
    before = float(nn.mse(call(layer.eval(), x), target).data)
    assert before > 1e-4
    layer.train()

    def loss():
        return nn.mse(call(layer, x), target)

    if name in DROPS:  # what is dropped is missed in training; evaluation counts
        steps_to(0.0, loss, [x], n_steps=60)
        assert float(nn.mse(call(layer.eval(), x), target).data) < 0.3 * before
    else:
        assert steps_to(0.01 * before, loss, own or [x])


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_brought_near_its_least_value(name):
    call, best = LOSSES[name]
    loss, x = getattr(nn, name)(), start((3, 4))
    least = 0.0 if best is None else float(call(loss, best))
    before = float(call(loss, x).data) - least
    assert before > 0.01
    share = 0.05 if best is None else 0.002
    assert steps_to(least + share * before, lambda: call(loss, x), [x])
    if best is not None:
        assert np.abs(x.data - best).max() < 0.5


def test_no_layer_and_no_loss_is_left_out():
    classes = [getattr(nn, name) for name in nn.__all__]
    modules = {c.__name__ for c in classes if isinstance(c, type) and issubclass(c, nn.Module)}
    assert modules - {"Module", "ModuleDict", "ModuleList"} == {*LAYERS, *LOSSES}
