"""Sequential and Flatten: order, names, list manners, shapes."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend import tolerance
from isograd.backend.errors import HyperparameterError, ShapeError

MLP = oracles.torch_numbers()["mlp"]


class Add(nn.Module):
    def __init__(self, n):
        self.n = n

    def forward(self, x):
        return x + self.n


class Double(nn.Module):
    def forward(self, x):
        return x * 2.0


def test_layers_run_in_order():
    assert_array_equal(nn.Sequential(Add(1.0), Double())(np.ones(2)), [4.0, 4.0])
    assert_array_equal(nn.Sequential(Double(), Add(1.0))(np.ones(2)), [3.0, 3.0])


def test_without_layers_it_is_the_identity():
    x = np.ones(2)
    assert nn.Sequential()(x) is x


def test_layers_are_named_by_number_or_by_a_dict():
    assert [name for name, _ in nn.Sequential(Add(1), Add(2)).named_children()] == ["0", "1"]
    named = nn.Sequential({"first": nn.Linear(2, 2), "last": Add(1)})
    assert list(named.state_dict()) == ["first.weight", "first.bias"]


def test_it_behaves_as_a_list():
    layers = [Add(1), Double(), Add(3)]
    model = nn.Sequential(*layers)
    assert len(model) == 3
    assert list(model) == layers
    assert model[-1] is layers[2]
    assert list(model[1:]) == layers[1:]
    model[1] = Add(2)
    assert [layer.n for layer in model] == [1, 2, 3]
    assert model.append(Add(4)) is model
    assert [layer.n for layer in model] == [1, 2, 3, 4]
    with pytest.raises(IndexError):
        model[4]


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.ReLU, r"layer 0 must be a Module, got the class ReLU; call it: nn.ReLU\(...\)"),
        (nn.relu, "layer 0 must be a Module, got <op relu"),
        (None, "layer 0 must be a Module, got None"),
    ],
)
def test_what_is_no_layer_is_refused(layer, says):
    with pytest.raises(TypeError, match=says):
        nn.Sequential(layer)


@pytest.mark.parametrize("name", ["forward", "training", "_hidden", "a.b"])
def test_a_name_that_would_break_the_module_is_refused(name):
    with pytest.raises(HyperparameterError, match=f"'{name}' cannot name a layer"):
        nn.Sequential({name: nn.ReLU()})


@pytest.mark.parametrize("name", [*MLP["cases"]])
def test_a_network_has_the_loss_and_the_gradients_of_torch(name, device):
    case = MLP["cases"][name]
    layers = [nn.Linear(5, 4, dtype="float64"), nn.Linear(4, 4, dtype="float64")]
    between = [activation_layer(name), activation_layer(name)]
    last = nn.Linear(4, 3, dtype="float64")
    model = nn.Sequential(layers[0], between[0], layers[1], between[1], last)
    model.load_state_dict({**model.state_dict(), **MLP["parameters"]})
    logits = model(ig.array(MLP["x"]))
    loss = nn.cross_entropy(logits, ig.array(MLP["labels"]))
    loss.backward()
    near = tolerance("float64")
    assert_allclose(ig.to_numpy(logits.detach()), case["logits"], near.rtol, near.atol)
    assert_allclose(float(loss), case["loss"], near.rtol)
    for path, parameter in model.named_parameters():
        if path in case["gradients"]:
            dp = ig.to_numpy(parameter.grad)
            assert_allclose(dp, case["gradients"][path], near.rtol, near.atol, err_msg=path)


def activation_layer(name):
    kinds = {
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "prelu": lambda: nn.PReLU(dtype="float64"),
        "elu": nn.ELU,
        "gelu": nn.GELU,
        "gelu_tanh": lambda: nn.GELU("tanh"),
        "silu": nn.SiLU,
        "softplus": nn.Softplus,
    }
    return kinds[name]()


@pytest.mark.parametrize(
    ("axes", "shape"),
    [({}, (2, 60)), ({"start_axis": 0}, (120,)), ({"end_axis": 2}, (2, 12, 5))],
)
def test_flatten_joins_the_axes_and_keeps_the_order(axes, shape, device):
    x = np.arange(120.0).reshape(2, 3, 4, 5)
    y = nn.flatten(ig.array(x), **axes)
    assert tuple(y.shape) == shape
    assert_array_equal(ig.to_numpy(y), x.reshape(shape))
    assert tuple(nn.Flatten(**axes)(ig.array(x)).shape) == shape


def test_flatten_takes_an_empty_batch():
    assert nn.flatten(np.zeros((0, 3, 4))).shape == (0, 12)


@pytest.mark.parametrize(
    ("shape", "axes"), [((3,), {}), ((), {}), ((2, 3), {"start_axis": -1, "end_axis": 0})]
)
def test_flatten_refuses_axes_that_are_not_there(shape, axes):
    with pytest.raises(ShapeError, match="flatten: x must have the axes"):
        nn.flatten(np.zeros(shape), **axes)
