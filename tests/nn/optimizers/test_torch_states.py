"""A training of torch goes on here: its optimizers' state_dicts load as they are."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from torch_cases import torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import StateDictError

CASES = torch_cases("optimizer_states")


def state_of(case):
    """The state_dict of torch, with arrays in the place of its tensors."""
    state = {}
    for name, array in case.under("state").items():
        i, _, key = name.partition("/")
        state.setdefault(int(i), {})[key] = array
    return {"state": state, "param_groups": copy.deepcopy(case.settings["groups"])}


def made(case):
    parameters = [nn.Parameter(ig.array(p)) for p in case.under("p").values()]
    return parameters, getattr(nn, case.settings["optimizer"])(parameters, lr=case.settings["lr"])


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_the_steps_after_loading_are_those_of_torch(case, device):
    parameters, optimizer = made(case)
    optimizer.load_state_dict(state_of(case))
    for number in range(3):
        for p, dp in zip(parameters, case.under(f"dp/{number}").values(), strict=True):
            p.grad = ig.array(dp)
        optimizer.step()
    for p, expected in zip(parameters, case.under("after").values(), strict=True):
        np.testing.assert_allclose(ig.to_numpy(p.data), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "key", "value", "says"),
    [
        ("SGD", "maximize", True, "SGD: maximize must be False, got True; let the loss be its"),
        ("Adam-weight_decay=0.1", "amsgrad", True, "amsgrad must be False, .*True is AMSGrad here"),
        ("AMSGrad-amsgrad=True", "amsgrad", False, "AMSGrad: amsgrad must be True, got False"),
        ("Adam-weight_decay=0.1", "decoupled_weight_decay", True, "True is AdamW here"),
    ],
)
def test_a_switch_of_torch_that_would_change_the_numbers_is_refused(name, key, value, says):
    _, optimizer = made(CASES[name])
    state, before = state_of(CASES[name]), optimizer.state_dict()
    state["param_groups"][0][key] = value
    with pytest.raises(StateDictError, match=says):
        optimizer.load_state_dict(state)
    assert optimizer.state_dict() == before


def test_ways_of_torch_to_compute_the_same_are_passed_over():
    case = CASES["SGD"]
    _, optimizer = made(case)
    state = state_of(case)
    ways = {"fused": True, "capturable": True, "differentiable": True, "initial_lr": 0.3}
    state["param_groups"][0].update(ways, lr=0.25)
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.25
    assert not ways.keys() & optimizer.state_dict()["param_groups"][0].keys()
