"""ModuleList and ModuleDict: names, order, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from isograd import nn
from isograd.backend.errors import HyperparameterError


class Stack(nn.Module):
    """Layers in one of the containers, called in order."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers.values() if hasattr(self.layers, "values") else self.layers:
            x = layer(x)
        return x


def layers():
    return [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)]


@pytest.mark.parametrize(
    ("plain", "container"),
    [
        (list, nn.ModuleList),
        (lambda parts: dict(zip("abc", parts, strict=True)), nn.ModuleDict),
    ],
)
def test_a_container_has_the_names_and_outputs_of_a_plain_one(plain, container):
    parts, x = plain(layers()), np.ones((4, 2), np.float32)
    model = Stack(container(parts))
    assert list(model.state_dict()) == list(Stack(parts).state_dict())
    assert_array_equal(model(x).data, Stack(parts)(x).data)
    assert not any(layer.training for layer in model.eval().modules())


def test_a_list_of_modules_works_like_a_list():
    first, second, third = layers()
    modules = nn.ModuleList([first])
    modules.append(second).extend([third])
    modules += [nn.ReLU()]
    assert len(modules) == 4
    assert list(modules)[:3] == [first, second, third]
    assert modules[-2] is third
    assert isinstance(modules[1:3], nn.ModuleList)
    assert list(modules[1:3]) == [second, third]
    modules[1] = third
    assert [name for name, _ in modules.named_children()] == ["0", "1", "3"]  # third counts once
    assert modules[1] is third


def test_a_dict_of_modules_works_like_a_dict():
    first, second, third = layers()
    modules = nn.ModuleDict({"a": first, "b": second})
    modules["c"] = third
    modules.update({"a": second})
    assert list(modules) == list(modules.keys()) == ["a", "b", "c"]
    assert list(modules.values()) == [second, second, third]
    assert dict(modules.items())["c"] is modules["c"] is third
    del modules["b"]
    assert "b" not in modules
    assert len(modules) == 2
    for name in ("b", "training", "keys"):
        with pytest.raises(KeyError):
            modules[name]
        with pytest.raises(KeyError):
            del modules[name]


@pytest.mark.parametrize("name", ["keys", "training", "a.b", "_a", 3])
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(HyperparameterError, match=r"^ModuleDict: .* cannot name a module"):
        nn.ModuleDict({name: nn.ReLU()})


def test_what_is_no_module_is_refused_and_a_call_says_what_to_do():
    with pytest.raises(TypeError, match="ModuleList: 1 must be a Module, got the class ReLU"):
        nn.ModuleList([nn.Tanh(), nn.ReLU])
    with pytest.raises(TypeError, match="ModuleDict: a must be a Module, got 3"):
        nn.ModuleDict({"a": 3})
    with pytest.raises(NotImplementedError, match=r"ModuleList: .*or use nn\.Sequential"):
        nn.ModuleList(layers())(np.ones(2))
