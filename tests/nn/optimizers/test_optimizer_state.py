"""state_dict and load_state_dict: a training goes on bit for bit, and bad states change nothing."""

import copy

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend.errors import CastOverflowError, HyperparameterError, StateDictError

KINDS = {
    "sgd": lambda p: nn.SGD(p, lr=0.1),
    "momentum": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, dampening=0.5),
    "rmsprop": lambda p: nn.RMSprop(p, momentum=0.5, centered=True),
    "adam": lambda p: nn.Adam(p, lr=0.1, betas=(0.8, 0.9)),
    "adamw": lambda p: nn.AdamW(p, lr=0.1),
    "adafactor": lambda p: nn.Adafactor(p, lr=0.1),
}


def parameters():
    generator = ig.random.Generator(5)
    return [nn.Parameter(generator.normal(shape)) for shape in ((2, 3), (4,), (1,))]


def train(tensors, optimizer, start, stop):
    """Steps whose gradients differ; the last parameter has one only in every other step."""
    for step in range(start, stop):
        for i, p in enumerate(tensors):
            if i < 2 or step % 2:
                p.grad = p.data * (0.5 + i) + float(step % 3 - 1)
        optimizer.step()
        optimizer.zero_grad()


def trained(kind, n_steps=5):
    tensors = parameters()
    optimizer = KINDS[kind](tensors)
    train(tensors, optimizer, 0, n_steps)
    return tensors, optimizer


def resumed(kind, tensors, state):
    """A new optimizer of new parameters with the same values, which has loaded the state."""
    twins = [nn.Parameter(ig.array(ig.to_numpy(p.data))) for p in tensors]
    optimizer = KINDS[kind](twins)
    optimizer.load_state_dict(state)
    return twins, optimizer


def flattened(state):
    """Every number of a state_dict under its path, to compare with ==."""
    found = {}
    for i, entry in state["state"].items():
        for name, value in entry.items():
            found[i, name] = ig.to_numpy(value).tolist() if hasattr(value, "shape") else value
    return found, state["param_groups"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_bit_for_bit_after_saving_and_loading(device, kind):
    tensors, optimizer = trained(kind)
    twins, twin = resumed(kind, tensors, optimizer.state_dict())
    train(tensors, optimizer, 5, 10)
    train(twins, twin, 5, 10)
    for p, other in zip(tensors, twins, strict=True):
        assert np.array_equal(ig.to_numpy(p.data), ig.to_numpy(other.data))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_loaded_is_what_is_saved(kind):
    tensors, optimizer = trained(kind)
    _, twin = resumed(kind, tensors, optimizer.state_dict())
    assert flattened(twin.state_dict()) == flattened(optimizer.state_dict())


def test_the_state_of_adam_has_the_names_and_numbers_of_torch():
    p = nn.Parameter(np.ones(2, np.float32))
    optimizer = nn.Adam([p], lr=0.1)
    p.grad = np.array([1.0, -2.0], np.float32)
    optimizer.step()
    state = optimizer.state_dict()
    assert state["param_groups"] == [
        {"params": [0], "lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    ]
    assert state["state"][0]["step"] == 1
    np.testing.assert_allclose(state["state"][0]["exp_avg"], [0.1, -0.2], rtol=1e-6)
    np.testing.assert_allclose(state["state"][0]["exp_avg_sq"], [0.001, 0.004], rtol=1e-5)


def test_a_saved_state_is_a_copy_that_later_steps_leave_alone():
    tensors, optimizer = trained("adam")
    state = optimizer.state_dict()
    before = flattened(state)
    train(tensors, optimizer, 5, 7)
    assert flattened(state) == before


@pytest.mark.parametrize("kind", ["adam", "adafactor"])
def test_loading_forgets_what_was_there_before(kind):
    fresh = KINDS[kind](parameters()).state_dict()
    tensors, optimizer = trained(kind)
    optimizer.load_state_dict(fresh)
    twins = [nn.Parameter(p.data) for p in tensors]
    train(tensors, optimizer, 0, 3)
    train(twins, KINDS[kind](twins), 0, 3)
    assert all(np.array_equal(p.data, q.data) for p, q in zip(tensors, twins, strict=True))


def test_a_state_of_wider_arrays_is_cast_to_the_parameters():
    tensors, optimizer = trained("adam")
    state = optimizer.state_dict()
    wide = copy.deepcopy(state)
    for entry in wide["state"].values():
        entry["exp_avg"] = entry["exp_avg"].astype(np.float64)
    _, twin = resumed("adam", tensors, wide)
    assert twin.state_dict()["state"][0]["exp_avg"].dtype == np.float32


def drop_group(state):
    state["param_groups"].pop()


def drop_parameter(state):
    state["param_groups"][0]["params"].pop()


def add_entry(state):
    state["state"][7] = state["state"][0]


def reshape_moment(state):
    state["state"][1]["exp_avg"] = state["state"][1]["exp_avg"].reshape(2, 2)


def number_for_moment(state):
    state["state"][1]["exp_avg"] = 0.5


def rename_moment(state):
    state["state"][1]["momentum_buffer"] = state["state"][1].pop("exp_avg")


def half_step(state):
    state["state"][2]["step"] = 1.5


def drop_key(state):
    del state["state"]


def nan_setting(state):
    state["param_groups"][0]["lr"] = float("nan")


def strange_setting(state):
    state["param_groups"][0]["momentum"] = 0.9


def too_large_moment(state):
    state["state"][2]["exp_avg"] = np.array([1e300])


BAD_STATES = {
    drop_group: (StateDictError, "must have 1 groups as here, got 0"),
    drop_parameter: (StateDictError, "group 0 must have 3 parameters, got 2"),
    add_entry: (StateDictError, "must be of parameters in param_groups, got 7"),
    reshape_moment: (StateDictError, r"exp_avg of parameter 1 must have the shape \(4,\), got"),
    number_for_moment: (StateDictError, r"exp_avg of parameter 1 must have the shape \(4,\)"),
    rename_moment: (StateDictError, "got 'momentum_buffer'; is it of another optimizer"),
    half_step: (StateDictError, "step of parameter 2 must be a count, got 1.5"),
    drop_key: (StateDictError, "has the keys"),
    nan_setting: (HyperparameterError, "lr must be"),
    strange_setting: (HyperparameterError, "no setting is called 'momentum'"),
    too_large_moment: (CastOverflowError, "float32"),
}


@pytest.mark.parametrize("spoil", BAD_STATES)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_changed(spoil):
    _, optimizer = trained("adam")
    _, other = trained("adam", n_steps=3)
    before = flattened(optimizer.state_dict())
    state = other.state_dict()
    spoil(state)
    kind, message = BAD_STATES[spoil]
    with pytest.raises(kind, match=message):
        optimizer.load_state_dict(state)
    assert flattened(optimizer.state_dict()) == before


def test_a_bad_setting_of_the_last_group_leaves_the_first_group_as_it_was():
    first, second = parameters()[:2]
    optimizer = nn.SGD([{"params": [first]}, {"params": [second]}], lr=0.1)
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = 0.5
    state["param_groups"][1]["lr"] = -1.0
    with pytest.raises(HyperparameterError):
        optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.1
