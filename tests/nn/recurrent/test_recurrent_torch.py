"""RNN, GRU, LSTM and their cells: outputs, states, gradients and names are those of torch 2.13."""

from __future__ import annotations

import numpy as np
import pytest
from torch_cases import assert_like_torch, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend import settings_override

CASES = torch_cases("recurrent")
LAYERS = [case for case in CASES.values() if case.settings["layer"] in ("RNN", "GRU", "LSTM")]
CELLS = [case for case in CASES.values() if case.settings["layer"].endswith("Cell")]
HOSTS = pytest.mark.parametrize("device", ["cpu", "strict", "torch"], indirect=True)
NOT_OPTIONS = ("layer", "state", "lengths", "single")


def made(case):
    """The layer of a case with the case's weights."""
    options = {k: v for k, v in case.settings.items() if k not in NOT_OPTIONS}
    module = getattr(nn, case.settings["layer"])(2, 3, **options, dtype="float64")
    module.load_state_dict(case.under("parameter"))
    return module


def state_of(inputs):
    """The state among the inputs as a layer takes it."""
    states = tuple(x for name, x in inputs.items() if name.startswith("state/"))
    return None if not states else states if len(states) > 1 else states[0]


def run_layer(module, inputs, constants):
    y, last = module(inputs["x"], state_of(inputs), lengths=constants.get("lengths"))
    last = last if isinstance(last, tuple) else (last,)
    return {"y": y, **{f"last/{i}": state for i, state in enumerate(last)}}


def run_cell(module, inputs, constants):
    last = module(inputs["x"], state_of(inputs))
    return {f"last/{i}": s for i, s in enumerate(last if isinstance(last, tuple) else (last,))}


@HOSTS
@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_a_layer_has_the_outputs_and_gradients_of_torch(case, device):
    assert_like_torch(made(case), case, run_layer)


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_so_has_the_definition_without_kernels(case):
    with settings_override(disable_kernels=True):
        assert_like_torch(made(case), case, run_layer)


@pytest.mark.parametrize("case", CELLS, ids=str)
def test_a_cell_has_the_outputs_and_gradients_of_torch(case, device):
    assert_like_torch(made(case), case, run_cell)


@pytest.mark.parametrize("case", LAYERS + CELLS, ids=str)
def test_names_shapes_and_order_of_the_weights_are_those_of_torch(case):
    state = made(case).state_dict()
    assert list(state) == list(case.under("parameter"))
    for name, array in case.under("parameter").items():
        assert state[name].shape == array.shape


def test_a_list_of_lengths_does_as_well(device):
    case = CASES["lstm-bidirectional=True-lengths=True"]

    def run(module, inputs, constants):
        lengths = [int(n) for n in case.arrays["lengths"]]
        return run_layer(module, inputs, {"lengths": lengths})

    assert_like_torch(made(case), case, run)


def test_lengths_leave_no_trace_of_what_stands_beyond_them():
    case = CASES["gru-bidirectional=True-lengths=True"]
    x = case.arrays["x"].copy()
    for b, length in enumerate(case.arrays["lengths"]):
        x[length:, b] = np.nan
    x = ig.Tensor(x, requires_grad=True)
    module = made(case)
    y, last = module(x, lengths=case.arrays["lengths"])
    y.backward(case.arrays["dy/y"], retain_graph=True)
    last.backward(case.arrays["dy/last/0"])
    np.testing.assert_allclose(x.grad, case.arrays["d/x"], rtol=1e-9, atol=1e-12)
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(parameter.grad, case.arrays[f"d/parameter/{name}"], rtol=1e-9)
