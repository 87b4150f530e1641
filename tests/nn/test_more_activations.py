"""Hard, smooth and gated activations, and the dropouts of channels and of selu networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from torch_cases import assert_near, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import HyperparameterError, ShapeError

CASES = torch_cases("more_activations")
DROPOUTS = {
    "dropout1d": ((64, 8, 5), (64, 8, 1), nn.Dropout1d),
    "dropout2d": ((64, 8, 3, 2), (64, 8, 1, 1), nn.Dropout2d),
    "dropout3d": ((64, 8, 2, 1, 2), (64, 8, 1, 1, 1), nn.Dropout3d),
    "alpha_dropout": ((64, 40), (64, 40), nn.AlphaDropout),
    "feature_alpha_dropout": ((64, 8, 5), (64, 8, 1), nn.FeatureAlphaDropout),
}
# torch 2.13 rounds 1/6, and celu's 1/alpha, to float32 in these derivatives.
ROUNDED = ("Hardsigmoid", "CELU-alpha=0.4")
each_dropout = pytest.mark.parametrize("name", DROPOUTS)


def generator(seed=0):
    return ig.random.Generator(seed)


@pytest.mark.parametrize("name", CASES)
def test_layers_have_the_values_and_gradients_of_torch(name, device):
    case = CASES[name]
    layer = getattr(nn, case.settings["layer"])(**case.settings["options"]).eval()
    x = ig.Tensor(ig.array(case.arrays["x"]), requires_grad=True)
    y = layer(x)
    y.backward(ig.array(case.arrays["dy/y"]))
    assert_near(y, case.arrays["y"], 1e-9, "y")
    assert_near(x.grad, case.arrays["d/x"], 1e-7 if name in ROUNDED else 1e-9, "dx")
    for option, value in case.settings["options"].items():
        assert f"{option}={value}" in repr(layer)


def test_the_first_shapes_without_batch_or_rows_are_taken(device):
    assert nn.Softmax2d()(ig.array(np.ones((3, 2, 2)))).shape == (3, 2, 2)
    assert nn.glu(ig.array(np.ones((0, 4)))).shape == (0, 2)
    assert nn.dropout1d(ig.array(np.ones((3, 2)))).shape == (3, 2)


def test_slopes_of_rrelu_lie_between_the_bounds_and_the_gradient_has_them(device):
    x = ig.Tensor(ig.array(np.linspace(-2.0, 2.0, 400)), requires_grad=True)
    layer = nn.RReLU(0.2, 0.6, generator=generator())
    y = layer(x)
    y.backward(ig.array(np.ones(400)))
    slopes = ig.to_numpy(x.grad)
    assert_array_equal(slopes[200:], np.ones(200))
    assert 0.2 <= slopes[:200].min() < 0.25
    assert 0.55 < slopes[:200].max() <= 0.6
    assert_allclose(ig.to_numpy(y.detach()), slopes * np.linspace(-2.0, 2.0, 400), rtol=1e-14)


@each_dropout
def test_whole_channels_are_dropped_with_probability_p(name, device):
    shape, choices, _ = DROPOUTS[name]
    y = ig.to_numpy(getattr(nn, name)(ig.array(np.ones(shape)), 0.3, generator=generator()))
    values = sorted(set(np.round(y, 12).reshape(-1).tolist()))
    assert len(values) == 2
    first = y[tuple(slice(0, 1) if n == 1 else slice(None) for n in choices)]
    assert_array_equal(y, np.broadcast_to(first, shape))
    n = math.prod(choices)
    dropped = (np.abs(first - values[0]) < 1e-9).mean()
    assert_allclose(dropped, 0.3, atol=4 * math.sqrt(0.21 / n))  # 4 sigma


@each_dropout
def test_layers_drop_in_training_alone_and_draw_from_their_generator(name):
    shape, _, layer_type = DROPOUTS[name]
    x = np.ones(shape)
    layer = layer_type(0.4, generator=generator(3))
    assert_array_equal(layer(x), getattr(nn, name)(x, 0.4, generator=generator(3)))
    assert layer.eval()(x) is x
    assert getattr(nn, name)(x, 0.0) is x
    assert_array_equal(getattr(nn, name)(x, 1.0), np.zeros(shape))
    assert "(p=0.4)" in repr(layer)


def test_alpha_dropout_keeps_mean_and_variance():
    x = generator(1).normal((200_000,), dtype="float64")
    y = nn.alpha_dropout(x, 0.4, generator=generator(2))
    assert_allclose([y.mean(), y.var()], [0.0, 1.0], atol=0.02)


def test_alpha_dropout_puts_the_lowest_value_of_selu_in_place():
    y = nn.alpha_dropout(np.zeros(100), 0.25, generator=generator())
    lowest = float(nn.selu(np.array(-1e3)))
    a = 1.0 / math.sqrt(0.75 * (1.0 + 0.25 * lowest**2))
    expected = sorted([a * lowest - a * lowest * 0.25, -a * lowest * 0.25])
    assert_allclose(np.unique(np.round(y, 12)), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.dropout1d(np.ones(3)), r"dropout1d: x must have 2 axes .*got shape \(3,\)"),
        (lambda: nn.dropout2d(np.ones((3, 2))), "dropout2d: x must have 3 axes"),
        (lambda: nn.feature_alpha_dropout(np.ones(3)), r"\(batch, channels, \.\.\.\)"),
        (lambda: nn.glu(np.ones((2, 3))), "even length along axis -1"),
        (lambda: nn.glu(np.ones((2, 4)), axis=2), "must have the axis 2"),
        (lambda: nn.Softmax2d()(np.ones((2, 4))), "Softmax2d: x must have shape"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Hardtanh(1.0, 1.0), "Hardtanh: min_val must be less than max_val"),
        (lambda: nn.Hardtanh(math.nan), "min_val must be a finite number"),
        (lambda: nn.Hardshrink(-0.1), "Hardshrink: lambd must be at least 0"),
        (lambda: nn.Softshrink(math.nan), "lambd must be a finite number"),
        (lambda: nn.Threshold(0.0, math.inf), "Threshold: value must be a finite number"),
        (lambda: nn.CELU(0.0), "CELU: alpha must not be 0"),
        (lambda: nn.RReLU(0.5, 0.2), "RReLU: lower must be at most upper"),
        (lambda: nn.AlphaDropout(1.5), r"AlphaDropout: p, .*in \[0, 1\]"),
        (lambda: nn.dropout3d(np.ones((1, 1, 1, 1)), -0.5), "dropout3d: p, "),
        (lambda: nn.softshrink(np.ones(2), lambd=-1.0), "softshrink: lambd must be at least 0"),
        (lambda: nn.hardtanh(np.ones(2), min_val=2.0), "hardtanh: min_val must be less"),
    ],
)
def test_a_setting_of_no_use_is_refused(make, message):
    with pytest.raises(HyperparameterError, match=message):
        make()
