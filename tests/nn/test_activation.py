"""Activations: torch's numbers, the ends of the number range, kinks, PReLU's channels, layers."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend import tolerance
from isograd.backend.errors import HyperparameterError, ShapeError
from isograd.nn.activation import ACTIVATION_NAMES, BY_NAME
from isograd.nn.autograd.differentiable import Op

NUMBERS = oracles.torch_numbers()["activations"]
FUNCTIONS = ["leaky_relu", "elu", "gelu", "softplus", *BY_NAME, "log_sigmoid"]


def op_and_settings(name):
    """The op and the settings of one of torch's cases: "elu_0.7", "softplus_beta_2", ..."""
    function = next(known for known in FUNCTIONS if name.startswith(known))
    return getattr(nn, function), NUMBERS["cases"][name]["settings"]


def derivatives(name, x):
    """y, dy/dx and d2y/dx2 at every x, as NumPy arrays."""
    op, settings = op_and_settings(name)

    def total(x):
        return x.__array_namespace__().sum(op(x, **settings))

    first = ig.grad(total)
    second = ig.grad(lambda x: x.__array_namespace__().sum(first(x)))
    return [ig.to_numpy(y) for y in (op(x, **settings), first(x), second(x))]


@pytest.mark.parametrize("name", NUMBERS["cases"])
def test_values_and_two_derivatives_are_those_of_torch(name, device):
    x = ig.array(NUMBERS["x"])
    case = NUMBERS["cases"][name]
    near = tolerance("float64")
    # near.atol: torch's sigmoid and gelu, too, cancel where they are far below 1
    for y, key in zip(derivatives(name, x), ("y", "first", "second"), strict=True):
        expected = np.array(case[key])
        if name.startswith("elu") and key == "second":  # at 0 torch takes the one from the right
            expected[NUMBERS["x"] == 0] = case["settings"]["alpha"]
        assert_allclose(y, expected, near.rtol, near.atol, err_msg=key)


@pytest.mark.parametrize("name", ["sigmoid", "log_sigmoid", "softplus", "silu", "relu", "elu"])
def test_small_values_keep_their_relative_accuracy(name, device):
    x = NUMBERS["x"][np.abs(NUMBERS["x"]) < 700]
    y = ig.to_numpy(getattr(nn, name)(ig.array(x)))
    expected = oracles.elementwise(oracles.ACTIVATIONS[name], x)
    assert_allclose(y, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", [*BY_NAME, "log_sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_overflows_far_from_zero(name, dtype, device):
    op = BY_NAME.get(name) or getattr(nn, name)
    x = ig.Tensor(ig.array([-1e4, -100.0, 0.0, 100.0, 1e4], dtype), requires_grad=True)
    y = op(x)
    y.backward(x.__array_namespace__().ones_like(y))
    assert np.isfinite(ig.to_numpy(y.detach())).all()
    assert np.isfinite(ig.to_numpy(x.grad)).all()


@pytest.mark.parametrize(
    ("name", "slope_at_zero"),
    [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0), ("sigmoid", 0.25), ("gelu", 0.5)],
)
def test_derivative_at_zero_is_the_documented_one(name, slope_at_zero, device):
    dx = getattr(nn, name).backward(ig.array([1.0]), ig.array([0.0]))
    assert_allclose(ig.to_numpy(dx), [slope_at_zero])


def test_relu_lets_nothing_through_below_zero(device):
    dx = nn.relu.backward(ig.array([5.0, 5.0]), ig.array([-1.0, 1.0]))
    assert_array_equal(ig.to_numpy(dx), [0.0, 5.0])


def test_sigmoid_is_symmetric_about_one_half(device):
    x = ig.array(np.linspace(-30, 30, 61))
    total = nn.sigmoid(x) + nn.sigmoid(-x)
    assert_allclose(ig.to_numpy(total), 1.0, rtol=1e-15)


def test_softplus_is_x_above_its_threshold(device):
    x = ig.array(np.array([4.9, 5.1, 20.0]))
    y = ig.to_numpy(nn.softplus(x, threshold=5.0))
    assert_allclose(y, [math.log1p(math.exp(4.9)), 5.1, 20.0], rtol=1e-15)


def test_prelu_and_its_gradients_are_those_of_torch(device):
    case = NUMBERS["prelu"]
    x, weight, dy = (ig.array(case[key]) for key in ("x", "weight", "dy"))
    dx, dweight = nn.prelu.backward(dy, x, weight)
    for found, key in [(nn.prelu(x, weight), "y"), (dx, "dx"), (dweight, "dweight")]:
        assert_allclose(ig.to_numpy(found), case[key], rtol=1e-14)


def test_prelu_has_a_slope_for_each_index_of_axis_1(device):
    x = ig.array(-np.ones((2, 3, 2)))
    y = ig.to_numpy(nn.prelu(x, ig.array(np.array([1.0, 2.0, 3.0]))))
    assert_array_equal(y, np.broadcast_to([[-1.0], [-2.0], [-3.0]], (2, 3, 2)))


def test_prelu_refuses_slopes_that_are_not_one_a_channel():
    with pytest.raises(ShapeError, match=r"\(1,\) or \(3,\).* of shape \(2, 3\), got \(2,\)"):
        nn.prelu(np.zeros((2, 3)), np.zeros(2))


def test_gelu_refuses_an_approximation_that_is_not_known():
    for make in (lambda: nn.gelu(np.zeros(1), approximate="erf"), lambda: nn.GELU("erf")):
        with pytest.raises(HyperparameterError, match='"none" or "tanh", got \'erf\''):
            make()


def test_every_activation_that_takes_one_array_is_known_by_its_name():
    x = np.array([[-0.5, 2.0]])
    for name in ACTIVATION_NAMES:
        if name != "gelu_tanh":
            assert_array_equal(nn.activation_named(name)(x), getattr(nn, name)(x))
    files = ("activation", "hard_activation", "smooth_activation", "gated_activation", "softmax")
    modules = {f"isograd.nn.{file}" for file in files} | {"isograd.nn.autograd.ops.softmax"}
    ops = [op for name in nn.__all__ if isinstance(op := getattr(nn, name), Op)]
    there = {op.__name__ for op in ops if op.__module__ in modules}
    assert there - set(ACTIVATION_NAMES) == {"prelu", "threshold"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rleu", "got 'rleu'; did you mean 'relu' or "),
        ("GELU", r"got 'GELU'; did you mean 'gelu'"),
        ("hard_swish", r"got 'hard_swish'; did you mean 'hardswish'"),
        ("swish", r"got 'swish'; did you mean 'silu'\?"),
        ("", "one of relu, .*, softmin; got ''$"),
        (None, "one of relu, .*, softmin; got None$"),
        (["relu"], r"got \['relu'\]; did you mean 'relu'"),
        ("prelu", "got 'prelu'; did you mean 'relu'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_near_ones(name, says):
    with pytest.raises(HyperparameterError, match=says):
        nn.activation_named(name)


LAYERS = [
    (nn.Identity("whatever", a=1), lambda x: x, "Identity()"),
    (nn.Sigmoid(), nn.sigmoid, "Sigmoid()"),
    (nn.LogSigmoid(), nn.log_sigmoid, "LogSigmoid()"),
    (nn.Tanh(), nn.tanh, "Tanh()"),
    (nn.ReLU(), nn.relu, "ReLU()"),
    (
        nn.LeakyReLU(0.2),
        lambda x: nn.leaky_relu(x, negative_slope=0.2),
        "LeakyReLU(negative_slope=0.2)",
    ),
    (nn.PReLU(), lambda x: nn.leaky_relu(x, negative_slope=0.25), "PReLU(1)"),
    (nn.ELU(0.5), lambda x: nn.elu(x, alpha=0.5), "ELU(alpha=0.5)"),
    (nn.GELU(), nn.gelu, "GELU()"),
    (nn.GELU("tanh"), lambda x: nn.gelu(x, approximate="tanh"), "GELU(approximate='tanh')"),
    (nn.SiLU(), nn.silu, "SiLU()"),
    (
        nn.Softplus(2.0, 3.0),
        lambda x: nn.softplus(x, beta=2.0, threshold=3.0),
        "Softplus(beta=2.0, threshold=3.0)",
    ),
]


@pytest.mark.parametrize(("layer", "function", "text"), LAYERS, ids=[row[2] for row in LAYERS])
def test_a_layer_computes_its_function_and_shows_its_settings(layer, function, text):
    x = np.linspace(-3, 3, 7, dtype=np.float32)
    y = layer(x)
    y = ig.to_numpy(y.detach()) if isinstance(y, ig.Tensor) else y
    assert_allclose(y, function(x), rtol=1e-6)
    assert text in repr(layer)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.LeakyReLU(math.nan),
        lambda: nn.LeakyReLU("0.1"),
        lambda: nn.ELU(math.inf),
        lambda: nn.Softplus(beta=0.0),
        lambda: nn.Softplus(threshold=-1.0),
        lambda: nn.PReLU(0),
        lambda: nn.PReLU(3, math.nan),
    ],
)
def test_a_layer_refuses_settings_out_of_range(make):
    with pytest.raises(HyperparameterError, match="must be"):
        make()


def test_prelu_learns_its_slopes():
    layer = nn.PReLU(2)
    layer(np.array([[-1.0, 3.0]], dtype=np.float32)).backward(np.ones((1, 2), dtype=np.float32))
    assert_array_equal(layer.weight.grad, [-1.0, 0.0])
