"""repr of a model and summary: the tables as a person reads them."""

from __future__ import annotations

import numpy as np
import pytest

from isograd import nn

TABLE = """\
Sequential
  path  layer                             arrays                      parameters
  0     Flatten()
  1     Linear(6, 4, activation='relu')   weight (4, 6), bias (4,)            28
  2     Dropout(p=0.1)
  3     Linear(4, 1000, bias=False)       weight (1000, 4)                 4,000
4,028 parameters, float32 on cpu"""

SUMMARY = """\
Sequential
  path  layer                            output     arrays                    parameters
  0     Flatten()                        (5, 6)
  1     Linear(6, 4, activation='relu')  (5, 4)     weight (4, 6), bias (4,)          28
  2     Dropout(p=0.1)                   (5, 4)
  3     Linear(4, 1000, bias=False)      (5, 1000)  weight (1000, 4)               4,000
4,028 parameters, float32 on cpu"""


def model():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(6, 4, activation="relu"),
        nn.Dropout(0.1),
        nn.Linear(4, 1000, bias=False),
    )


def squeezed(text):
    """The text with every run of blanks as one."""
    return [" ".join(line.split()) for line in text.splitlines()]


def test_repr_shows_layers_shapes_and_counts():
    assert squeezed(repr(model())) == squeezed(TABLE)


def test_summary_also_shows_what_each_layer_puts_out():
    text = nn.summary(model(), np.zeros((5, 2, 3), dtype=np.float32))
    assert text == SUMMARY


def test_summary_leaves_the_model_as_it_was():
    layers = model()
    layers[2].eval()
    before = [vars(module).copy() for module in layers.modules()]
    nn.summary(layers, np.zeros((5, 2, 3), dtype=np.float32))
    assert [vars(module) for module in layers.modules()] == [
        {"training": layers.modules()[i].training, **attributes}
        for i, attributes in enumerate(before)
    ]
    assert [module.training for module in layers.modules()] == [True, True, True, False, True]


def test_summary_restores_the_model_when_the_input_does_not_fit():
    layers = model()
    with pytest.raises(ValueError, match="in_features"):
        nn.summary(layers, np.zeros((5, 2, 2), dtype=np.float32))
    assert all("forward" not in vars(module) and module.training for module in layers.modules())


def test_a_layer_alone_is_a_table_of_one_line():
    lines = repr(nn.Linear(2, 3)).splitlines()
    assert len(lines) == 4
    assert squeezed(lines[2]) == ["Linear(2, 3) weight (3, 2), bias (3,) 9"]


def test_a_layer_without_parameters_says_so():
    assert squeezed(repr(nn.ReLU()))[-2:] == ["ReLU()", "no parameters"]


def test_frozen_shared_and_buffer_are_said_and_shared_ones_counted_once():
    layers = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    layers[1].weight = layers[0].weight
    layers[0].weight.requires_grad = False
    layers[0].mean = np.zeros(2)
    lines = squeezed(repr(layers))
    assert "weight (2, 2) frozen, mean (2,) buffer 4" in lines[2]
    assert lines[3].endswith("weight (2, 2) frozen shared")
    assert lines[4] == "4 parameters (4 frozen), float32 on cpu"


def test_a_layer_that_does_not_run_has_no_output():
    class Half(nn.Module):
        def __init__(self):
            self.used, self.unused = nn.ReLU(), nn.ReLU()

        def forward(self, x):
            return self.used(x), [x, 1]

    lines = squeezed(nn.summary(Half(), np.zeros((2, 3))))
    assert lines[2:4] == ["used ReLU() (2, 3)", "unused ReLU() -"]
