"""linear and Linear: torch's numbers, shapes, first values, what is refused and how it is said."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance
from isograd.backend.errors import DeviceError, DtypeError, HyperparameterError, ShapeError
from isograd.nn.activation import ACTIVATION_NAMES

NUMBERS = oracles.torch_numbers()["linear"]


def test_values_and_gradients_are_those_of_torch(device):
    x, weight, bias, dy = (ig.array(NUMBERS[key]) for key in ("x", "weight", "bias", "dy"))
    dx, dweight, dbias = nn.linear.backward(dy, x, weight, bias)
    found = {
        "y": nn.linear(x, weight, bias),
        "y_without_bias": nn.linear(x, weight),
        "dx": dx,
        "dweight": dweight,
        "dbias": dbias,
    }
    near = tolerance("float64")
    for key, value in found.items():
        assert_allclose(ig.to_numpy(value), NUMBERS[key], near.rtol, near.atol, err_msg=key)


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
@pytest.mark.parametrize("disable_kernels", [False, True])
def test_an_activation_by_name_is_the_function_of_that_name(name, disable_kernels, device):
    random = np.random.RandomState(0)
    x, weight, bias = (ig.array(random.randn(*n)) for n in [(5, 3), (4, 3), (4,)])

    def apart(*arrays):
        return nn.activation_named(name)(nn.linear(*arrays))

    with settings_override(disable_kernels=disable_kernels):
        y, pull = ig.vjp(lambda *arrays: nn.linear(*arrays, activation=name), x, weight, bias)
        expected, pull_apart = ig.vjp(apart, x, weight, bias)
        found = [y, *pull(y)], [expected, *pull_apart(expected)]
    near = tolerance("float64")
    for one, other in zip(*found, strict=True):
        assert_allclose(ig.to_numpy(one), ig.to_numpy(other), near.rtol, near.atol)


def test_only_the_gradients_that_are_wanted_are_made():
    x, weight = np.ones((2, 3)), ig.Tensor(np.ones((4, 3)), requires_grad=True)
    bias = np.ones(4)
    y = nn.linear(x, weight, bias)
    y.backward(np.ones((2, 4)))
    assert_array_equal(weight.grad, np.full((4, 3), 2.0))


def test_an_empty_batch_has_gradients_of_zero(device):
    layer = nn.Linear(3, 2, activation="relu")
    y = layer(ig.array(np.zeros((0, 3), dtype=np.float32)))
    assert tuple(y.shape) == (0, 2)
    y.backward(y.detach())
    assert_array_equal(ig.to_numpy(layer.weight.grad), np.zeros((2, 3)))
    assert_array_equal(ig.to_numpy(layer.bias.grad), np.zeros(2))


def test_first_values_are_uniform_within_one_over_the_root_of_the_inputs():
    layer = nn.Linear(100, 400, generator=ig.random.Generator(0))
    weight, bias = layer.weight.data, layer.bias.data
    assert weight.shape == (400, 100)
    assert bias.shape == (400,)
    assert np.abs(weight).max() <= 0.1
    assert np.abs(bias).max() <= 0.1
    assert_allclose(weight.std(), 0.1 / np.sqrt(3.0), rtol=0.01)  # 40,000 draws: 0.4 % is 1 sigma
    assert_allclose(weight.mean(), 0.0, atol=0.001)


def test_first_values_are_the_same_on_every_device(device):
    there = nn.Linear(5, 3, generator=ig.random.Generator(7))
    here = nn.Linear(5, 3, generator=ig.random.Generator(7), device="cpu")
    assert ig.device_of(there.weight) == ig.current_device()
    for p, q in zip(there.parameters(), here.parameters(), strict=True):
        assert_array_equal(ig.to_numpy(p.data), q.data)


def test_the_default_generator_is_drawn_from_when_none_is_given():
    ig.random.seed(3)
    first = nn.Linear(2, 2).weight.data
    ig.random.seed(3)
    assert_array_equal(nn.Linear(2, 2).weight.data, first)


def test_dtype_and_bias_are_as_asked_for():
    layer = nn.Linear(2, 3, bias=False, dtype="float64")
    assert layer.weight.dtype == np.float64
    assert layer.bias is None
    assert nn.Linear(2, 3).weight.dtype == np.float32
    assert "Linear(2, 3, bias=False)" in repr(layer)


def shapes(*sizes):
    return [np.zeros(size, dtype=np.float32) for size in sizes]


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        (
            shapes((32, 28, 28), (10, 784)),
            r"linear: x.shape\[-1\] must equal in_features \(784\), got x of shape "
            r"\(32, 28, 28\); flatten it first, e.g. reshape\(x, \(32, 784\)\)",
        ),
        (shapes((28, 28), (10, 784)), r"flatten it first, e.g. reshape\(x, \(784,\)\)"),
        (shapes((3, 5), (10, 3)), r"transpose it first, e.g. x.mT"),
        (shapes((3, 5), (10, 4)), r"in_features \(4\), got x of shape \(3, 5\)$"),
        (shapes((), (10, 4)), r"got x of shape \(\)$"),
        (shapes((3, 4), (4,)), r"weight must be \(out, in\), got shape \(4,\)"),
        (shapes((3, 4), (2, 4), (4,)), r"\(out_features,\) = \(2,\), got \(4,\)"),
        (shapes((3, 4), (2, 4), (1, 2)), r"got \(1, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_the_remedy(arrays, says):
    with pytest.raises(ShapeError, match=says):
        nn.linear(*arrays)


@pytest.mark.parametrize("recorded", [False, True])
def test_two_dtypes_are_refused(recorded):
    layer = nn.Linear(3, 2)
    x = np.zeros((1, 3))
    with pytest.raises(DtypeError, match="linear: x must be float32 like weight, got float64"):
        layer(ig.Tensor(x, requires_grad=True) if recorded else x)
    with pytest.raises(DtypeError, match="linear: bias must be float32 like weight, got float64"):
        nn.linear(*shapes((1, 3), (2, 3)), np.zeros(2))


def test_integers_are_refused():
    with pytest.raises(DtypeError, match="linear: x must be float32 like weight, got int64"):
        nn.Linear(3, 2)(np.zeros((1, 3), dtype=np.int64))


@pytest.mark.parametrize(
    ("first", "second"),
    [("cpu", "strict"), ("strict", "strict:device1"), ("strict:device1", "cpu")],
)
def test_two_devices_are_refused_and_both_are_named(first, second):
    layer = nn.Linear(3, 2, device=first)
    with pytest.raises(DeviceError, match="linear: all arrays must be on one device") as caught:
        layer(ig.array([[1.0, 2.0, 3.0]], device=second))
    assert first in str(caught.value)
    assert second in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(-1, 3),
        lambda: nn.Linear(0, 3),
        lambda: nn.Linear(3, 2.0),
        lambda: nn.Linear(3, True),
        lambda: nn.Linear(3, None),
    ],
)
def test_sizes_that_are_no_positive_integers_are_refused(make):
    with pytest.raises(HyperparameterError, match="_features must be a positive integer, got"):
        make()


def test_an_unknown_activation_is_refused_at_once():
    with pytest.raises(HyperparameterError, match="did you mean 'gelu'"):
        nn.Linear(3, 2, activation="Gelu")
    with pytest.raises(HyperparameterError, match="one of relu"):
        nn.linear(*shapes((1, 3), (2, 3)), activation="step")
