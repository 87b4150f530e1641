"""The NumPy kernel of linear against its definition, and what it may write to."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance
from isograd.kernels.activation import BY_NAME
from isograd.kernels.linear import LINEAR_NUMPY, backward, forward

ACTIVATIONS = [None, *BY_NAME]
SHAPES = [(4,), (6, 4), (2, 3, 4)]


def inputs(shape=(6, 4), dtype="float32"):
    """x, weight, bias, dy; with a zero row of x and no bias there, where activations have kinks."""
    random = np.random.RandomState(4)
    x, weight = random.randn(*shape), random.randn(5, 4)
    bias, dy = random.randn(5), random.randn(*shape[:-1], 5)
    x.reshape(-1, 4)[0] = 0.0
    bias[:2] = 0.0
    return tuple(a.astype(dtype) for a in (x, weight, bias, dy))


def gradients(x, weight, bias, dy, activation):
    """y and the gradients by backward(), in the dtype and shape they came."""
    tensors = [ig.Tensor(a, requires_grad=True) for a in (x, weight, bias) if a is not None]
    y = nn.linear(*tensors, activation=activation)
    y.backward(dy)
    return [y.data, *(t.grad for t in tensors)]


def assert_close(actual, expected, dtype):
    bounds = tolerance(dtype)
    for a, b in zip(actual, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=bounds.rtol, atol=bounds.atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_kernel_agrees_with_the_definition(activation, shape, dtype):
    given = inputs(shape, dtype)
    found = gradients(*given, activation)
    with settings_override(disable_kernels=True):
        expected = gradients(*given, activation)
    assert_close(found, expected, dtype)


@pytest.mark.parametrize("activation", [None, "relu"])
def test_the_kernel_agrees_with_the_definition_without_a_bias(activation):
    x, weight, _, dy = inputs()
    found = gradients(x, weight, None, dy, activation)
    with settings_override(disable_kernels=True):
        expected = gradients(x, weight, None, dy, activation)
    assert_close(found, expected, "float32")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_neither_the_inputs_nor_dy_nor_y_are_written_to(activation):
    given = inputs()
    before = [a.copy() for a in given]
    x, weight, bias, dy = given
    y, saved = forward(x, weight, bias, activation=activation)
    y_before = y.copy()
    for _ in range(2):  # the graph may be walked twice
        found = backward(dy, x, weight, activation, saved, frozenset({"x", "weight", "bias"}), {})
    assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))
    assert np.array_equal(y, y_before)
    assert not any(np.shares_memory(a, b) for a in found for b in (x, weight, bias, dy, y))


def test_only_the_wanted_gradients_are_computed():
    x, weight, bias, dy = inputs()
    _, saved = forward(x, weight, bias, activation="relu")
    dx, dweight, dbias = backward(dy, x, weight, "relu", saved, frozenset({"bias"}), {})
    assert dx is None
    assert dweight is None
    np.testing.assert_allclose(dbias, (dy * (saved > 0)).sum(axis=0), rtol=1e-5)


def test_gradients_are_written_where_they_are_wanted():
    x, weight, bias, dy = inputs()
    into = {"weight": np.full_like(weight, np.nan), "bias": np.full_like(bias, np.nan)}
    _, dweight, dbias = backward(dy, x, weight, None, None, frozenset({"weight", "bias"}), into)
    assert dweight is into["weight"]
    assert dbias is into["bias"]
    np.testing.assert_allclose(dweight, dy.T @ x, rtol=1e-5)


def test_backward_leaves_weight_gradients_in_the_buffers_of_an_optimizer():
    layer = nn.Linear(4, 5, activation="tanh")
    optimizer = nn.SGD(layer.parameters())
    x, _, _, dy = inputs()
    layer(x).backward(dy)
    (arena,) = optimizer.param_groups[0].arenas
    assert np.shares_memory(layer.weight.grad, arena.layout.gradients)
    twin = nn.Linear(4, 5, activation="tanh")
    twin.load_state_dict(layer.state_dict())
    twin(x).backward(dy)
    assert np.array_equal(layer.weight.grad, twin.weight.grad)


def test_a_weight_used_twice_gets_the_sum_of_both_gradients_in_its_buffer():
    layer = nn.Linear(4, 4, bias=False)
    twin = nn.Linear(4, 4, bias=False)
    twin.load_state_dict(layer.state_dict())
    nn.SGD(layer.parameters())
    x = inputs()[0]
    for model in (layer, twin):
        y = model(model(x))
        y.backward(np.ones_like(x))
    np.testing.assert_allclose(layer.weight.grad, twin.weight.grad, rtol=1e-6)


@pytest.mark.parametrize(
    "declined",
    [
        {"x": np.ones((0, 4), np.float32)},
        {"x": np.ones((2, 4), np.float16), "weight": np.ones((5, 4), np.float16)},
        {"weight": np.ones((5, 4), np.float64)},
        {"activation": "elu"},
    ],
    ids=["empty", "half", "two dtypes", "elu"],
)
def test_what_the_kernel_does_not_serve_is_left_to_the_definition(declined):
    x, weight, bias, _ = inputs()
    options = {"x": x, "weight": weight, "bias": bias, **declined}
    assert forward(**options) is NotImplemented


def test_an_activation_without_a_kernel_still_runs_and_has_its_gradient():
    x, weight, bias, dy = inputs()
    y, dx, *_ = gradients(x, weight, bias, dy, "elu")
    np.testing.assert_allclose(y, nn.elu(x @ weight.T + bias), rtol=1e-6)
    assert dx.shape == x.shape


@pytest.mark.parametrize("activation", [None, "tanh", "gelu", "silu"])
def test_second_derivatives_go_through_the_definition(activation):
    x, weight, bias, _ = inputs(dtype="float64")
    ig.check_gradients(lambda x, w, b: nn.linear(x, w, b, activation=activation), x, weight, bias)


def test_the_kernel_is_attached():
    assert nn.linear._fused["numpy"] is LINEAR_NUMPY
