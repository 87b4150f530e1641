"""Module and Parameter: what is found under which name, modes, moves, copies, errors."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import (
    DeviceError,
    NotDifferentiableError,
    StaleArrayError,
    UnknownDeviceError,
)


class Scale(nn.Module):
    """x * weight, counting its calls in a buffer."""

    def __init__(self, n=3):
        self.weight = nn.Parameter(np.ones(n, dtype=np.float32))
        self.n_calls = np.zeros((), dtype=np.int64)
        self._cache = np.zeros(5)
        self.eps = np.float32(1e-5)
        self.name = "scale"

    def forward(self, x):
        return self.weight * x


class Tree(nn.Module):
    """Layers in lists, tuples and dicts, a shared one, and a way back up."""

    def __init__(self):
        self.first = Scale()
        self.blocks = [Scale(), (Scale(), {"inner": Scale()})]
        self.tied = self.first
        self.slopes = (nn.Parameter([0.5]),)
        self.statistics = {"mean": np.zeros(3)}
        self.blocks[0].parent = self

    def forward(self, x):
        return self.blocks[1][1]["inner"](self.blocks[0](self.first(x)))


def names(named):
    return [name for name, _ in named]


def test_parameters_are_found_in_attributes_lists_tuples_and_dicts_each_once():
    assert names(Tree().named_parameters()) == [
        "first.weight",
        "blocks.0.weight",
        "blocks.1.0.weight",
        "blocks.1.1.inner.weight",
        "slopes.0",
    ]
    assert len(Tree().parameters()) == 5


def test_modules_are_found_each_once_and_a_way_back_up_is_not_followed():
    tree = Tree()
    assert names(tree.named_modules()) == [
        "",
        "first",
        "blocks.0",
        "blocks.1.0",
        "blocks.1.1.inner",
    ]
    assert tree.modules()[0] is tree
    assert names(tree.named_children()) == names(tree.named_modules())[1:]
    assert tree.children()[0] is tree.first


def test_arrays_are_buffers_unless_their_name_begins_with_an_underscore():
    assert names(Scale().named_buffers()) == ["n_calls"]
    assert names(Tree().named_buffers())[-1] == "statistics.mean"
    assert Scale().buffers()[0].dtype == np.int64


def test_a_buffer_without_axes_is_still_saved_after_arithmetic(device):
    model = nn.Module()
    model.count = ig.array(0)
    for _ in range(2):
        model.count = model.count + 1  # NumPy makes a scalar of it, which is no array
    assert [int(x) for x in model.state_dict().values()] == [2]
    model.load_state_dict({"count": np.array(7)})
    assert int(model.count) == 7


def test_a_tensor_is_a_buffer_unless_a_recording_follows_it():
    layer = Scale()
    layer.constant = ig.Tensor(np.zeros(2))
    layer.state = layer(np.ones(3, dtype=np.float32))
    assert names(layer.named_buffers()) == ["n_calls", "constant"]
    assert type(layer.state_dict()["constant"]) is np.ndarray


def test_a_module_without_forward_says_what_to_define():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty: define forward\(self, x\)"):
        Empty()(1)


def test_train_and_eval_reach_every_module_and_return_the_model():
    tree = Tree()
    assert tree.training
    assert tree.eval() is tree
    assert [module.training for module in tree.modules()] == [False] * 5
    assert all(module.training for module in tree.train().modules())


def test_zero_grad_lets_go_of_every_gradient():
    tree = Tree()
    tree(np.ones(3, dtype=np.float32)).backward(np.ones(3, dtype=np.float32))
    assert tree.first.weight.grad is not None
    tree.slopes[0].requires_grad = False
    tree.zero_grad()
    assert all(parameter.grad is None for parameter in tree.parameters())


def test_a_frozen_parameter_stays_a_parameter_and_gets_no_gradient():
    layer = nn.Linear(3, 2)
    layer.weight.requires_grad = False
    layer(np.ones((1, 3), dtype=np.float32)).backward(np.ones((1, 2), dtype=np.float32))
    assert layer.weight.grad is None
    assert layer.bias.grad is not None
    assert names(layer.named_parameters()) == ["weight", "bias"]


def test_a_parameter_is_a_leaf_with_memory_of_its_own():
    data = np.ones(3)
    parameter = nn.Parameter(data)
    data[0] = 5.0
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert_array_equal(parameter.data, 1.0)
    assert repr(nn.Parameter([1.5])) == "Parameter(array([1.5], dtype=float32))"
    assert repr(nn.Parameter([1.5], requires_grad=False)).endswith("frozen)")


def test_a_parameter_must_be_floating_and_not_recorded():
    with pytest.raises(NotDifferentiableError, match="only floating arrays have gradients"):
        nn.Parameter([1, 2])
    with pytest.raises(NotDifferentiableError, match="must not be recorded"):
        nn.Parameter(nn.Parameter([1.0]) * 2.0)


def test_a_parameter_is_not_replaced_by_an_array_by_mistake():
    layer = Scale()
    with pytest.raises(TypeError, match=r"weight is a Parameter.*ndarray.*nn.Parameter\(value\)"):
        layer.weight = np.zeros(3)
    layer.weight = nn.Parameter(np.zeros(3))
    layer.weight = None
    assert layer.parameters() == []


def test_a_copied_model_has_leaves_of_its_own_and_shares_what_was_shared():
    tree = Tree()
    tree.first.weight.grad = np.ones(3, dtype=np.float32)
    twin = copy.deepcopy(tree)
    assert twin.tied is twin.first
    assert twin.blocks[0].parent is twin
    assert twin.first.weight.grad is None
    assert not np.shares_memory(twin.first.weight.data, tree.first.weight.data)
    twin(np.ones(3, dtype=np.float32)).backward(np.ones(3, dtype=np.float32))
    assert twin.first.weight.grad is not None
    assert tree.blocks[0].weight.grad is None


def test_a_parameter_that_two_modules_share_is_one_after_a_copy():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    twin = copy.deepcopy(model)
    assert twin[1].weight is twin[0].weight
    assert twin[0].weight is not model[0].weight


def test_to_moves_values_gradients_and_buffers_and_keeps_the_parameters():
    tree = Tree()
    tree.first.weight.grad = np.ones(3, dtype=np.float32)
    before = tree.parameters()
    assert tree.to("strict:device1") is tree
    assert all(p is q for p, q in zip(tree.parameters(), before, strict=True))
    arrays = [*(p.data for p in before), before[0].grad, *tree.buffers()]
    assert {ig.device_of(x).name for x in arrays} == {"strict:device1"}
    x = ig.array([1.0, 2.0, 3.0], device="strict:device1")
    assert_array_equal(ig.to_numpy(tree(x).detach()), [1.0, 2.0, 3.0])
    assert isinstance(tree.blocks[1], tuple)


def test_to_an_unknown_device_moves_nothing():
    layer = Scale()
    with pytest.raises(UnknownDeviceError, match="gpuu"):
        layer.to("gpuu")
    assert ig.device_of(layer.weight).name == "cpu"


def test_a_graph_from_before_a_move_is_refused():
    layer = nn.Linear(2, 1)
    y = layer(np.ones((1, 2), dtype=np.float32))
    layer.to("strict")
    with pytest.raises(StaleArrayError):
        y.backward(np.ones((1, 1), dtype=np.float32))


def test_an_optimizer_that_was_made_before_a_move_says_so():
    layer = nn.Linear(2, 1)
    optimizer = nn.SGD(layer.parameters(), lr=0.1)
    layer.to("strict")
    with pytest.raises(DeviceError, match=r"make the optimizer after model.to\(device\)"):
        optimizer.step()
    fresh = nn.SGD(layer.parameters(), lr=0.1)
    layer(ig.array([[1.0, 2.0]], device="strict")).backward(ig.array([[1.0]], device="strict"))
    fresh.step()


def test_a_trained_model_can_be_moved_and_differentiated_without_its_optimizer():
    layer = nn.Linear(2, 1)
    nn.SGD(layer.parameters(), lr=0.1)
    layer.to("strict")
    layer(ig.array([[1.0, 2.0]], device="strict")).backward(ig.array([[1.0]], device="strict"))
    assert_array_equal(ig.to_numpy(layer.weight.grad), [[1.0, 2.0]])


def test_a_model_that_holds_an_op_is_copied_with_the_same_op():
    layer = Scale()
    layer.activation = nn.relu
    assert copy.deepcopy(layer).activation is nn.relu


def test_an_error_names_the_layer_that_failed_seen_from_the_model():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.ReLU(), nn.Linear(4, 2)))
    with pytest.raises(ValueError, match=r"in_features \(4\)") as caught:
        model(np.zeros((2, 3), dtype=np.float32))
    assert caught.value.__notes__ == ["in model.1.1 (Linear)"]
    with pytest.raises(ValueError, match="in_features") as caught:
        model[1][1](np.zeros((2, 3), dtype=np.float32))
    assert caught.value.__notes__ == ["in model (Linear)"]


def test_an_error_in_a_layer_that_is_no_attribute_names_its_class():
    class Hidden(nn.Module):
        def forward(self, x):
            return nn.Linear(4, 2)(x)

    with pytest.raises(ValueError, match="in_features") as caught:
        Hidden()(np.zeros((2, 3), dtype=np.float32))
    assert caught.value.__notes__ == ["in model (Linear)"]
