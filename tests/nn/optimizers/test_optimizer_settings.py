"""What an optimizer refuses, when it is made and when a setting is changed."""

import math

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError

OPTIMIZERS = [nn.SGD, nn.RMSprop, nn.Adam, nn.AdamW]


def parameter(n=3):
    return nn.Parameter(np.ones(n, np.float32))


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("lr", [-1.0, math.nan, math.inf, "0.1", None, True, np.array([0.1])])
def test_a_learning_rate_must_be_a_finite_number_of_at_least_zero(kind, lr):
    with pytest.raises(HyperparameterError, match=f"{kind.__name__}: lr must be a finite number"):
        kind([parameter()], lr=lr)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (nn.SGD, {"momentum": 1.0}),
        (nn.SGD, {"momentum": -0.1}),
        (nn.SGD, {"dampening": 1.5}),
        (nn.SGD, {"weight_decay": -1e-4}),
        (nn.SGD, {"nesterov": 1}),
        (nn.SGD, {"nesterov": True}),
        (nn.SGD, {"ewma": True}),
        (nn.SGD, {"momentum": 0.9, "dampening": 0.1, "nesterov": True}),
        (nn.SGD, {"momentum": 0.9, "dampening": 0.1, "ewma": True}),
        (nn.RMSprop, {"alpha": 1.0}),
        (nn.RMSprop, {"eps": -1e-8}),
        (nn.RMSprop, {"momentum": math.nan}),
        (nn.RMSprop, {"centered": "yes"}),
        (nn.Adam, {"betas": (0.9, 1.0)}),
        (nn.Adam, {"betas": (-0.1, 0.999)}),
        (nn.Adam, {"betas": (0.9,)}),
        (nn.Adam, {"betas": 0.9}),
        (nn.Adam, {"eps": math.nan}),
        (nn.Adam, {"weight_decay": math.inf}),
        (nn.AdamW, {"weight_decay": -0.01}),
    ],
)
def test_settings_out_of_range_are_refused_when_made_and_when_set(kind, settings):
    with pytest.raises(HyperparameterError, match=kind.__name__):
        kind([parameter()], **settings)
    with pytest.raises(HyperparameterError, match=kind.__name__):
        kind([{"params": [parameter()], **settings}])
    optimizer = kind([parameter()])
    before = optimizer.param_groups[0].settings
    with pytest.raises(HyperparameterError, match=kind.__name__):
        optimizer.param_groups[0].update(settings)
    assert optimizer.param_groups[0].settings == before


def test_the_message_names_the_setting_what_must_hold_and_what_came():
    with pytest.raises(HyperparameterError, match=r"Adam: betas\[1\] must be .* \[0, 1\), got 1.0"):
        nn.Adam([parameter()], betas=(0.9, 1.0))
    with pytest.raises(HyperparameterError, match=r"array \(ndarray of shape \(1,\)\); give a Py"):
        nn.Adam([parameter()], lr=np.array([0.1]))


def test_an_unknown_setting_is_refused_with_those_there_are():
    with pytest.raises(HyperparameterError, match="'learning_rate'; there are lr, betas, eps"):
        nn.Adam([{"params": [parameter()], "learning_rate": 0.1}])
    with pytest.raises(HyperparameterError, match="'learning_rate'"):
        nn.Adam([parameter()]).param_groups[0]["learning_rate"] = 0.1


def test_a_learning_rate_set_between_steps_holds_for_its_group_alone():
    first, second = parameter(), parameter()
    optimizer = nn.SGD([{"params": [first]}, {"params": [second], "lr": 0.5}], lr=0.25)
    optimizer.param_groups[0]["lr"] = 0.125
    for p in (first, second):
        p.grad = np.ones(3, np.float32)
    optimizer.step()
    assert (first.data[0], second.data[0]) == (0.875, 0.5)


def test_numbers_of_numpy_are_taken_and_do_not_promote_the_parameters():
    p = parameter()
    optimizer = nn.Adam([p], lr=np.float64(0.1), eps=np.float32(1e-8), weight_decay=0)
    p.grad = np.ones(3, np.float32)
    optimizer.step()
    assert type(optimizer.param_groups[0]["lr"]) is float
    assert p.dtype == np.float32


def test_a_group_keeps_its_parameters_and_settings():
    group = nn.SGD([parameter()]).param_groups[0]
    with pytest.raises(HyperparameterError, match="cannot be exchanged"):
        group["params"] = []
    with pytest.raises(HyperparameterError, match="cannot be removed"):
        del group["lr"]


def test_a_group_may_be_added_later():
    first, second = parameter(), parameter()
    optimizer = nn.SGD([first], lr=0.25)
    optimizer.add_param_group({"params": [second], "lr": 0.5})
    second.grad = np.ones(3, np.float32)
    optimizer.step()
    assert (first.data[0], second.data[0]) == (1.0, 0.5)
    with pytest.raises(HyperparameterError, match="given once"):
        optimizer.add_param_group({"params": [first]})


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("params", [[], iter([]), None, 3, "params", {}, set(), [{"params": []}]])
def test_no_parameters_or_no_list_of_them_is_refused(kind, params):
    with pytest.raises(HyperparameterError, match=f"{kind.__name__}: params must"):
        kind(params)


@pytest.mark.parametrize(
    "stranger",
    [
        np.ones(3),
        1.0,
        ("weight", nn.Parameter([1.0])),
        ig.Tensor(np.ones(3, np.float32)),
        nn.Parameter([1.0]) * 2.0,
        nn.Linear(2, 2),
    ],
    ids=["array", "number", "pair", "constant", "result", "module"],
)
def test_anything_else_than_a_parameter_is_refused(stranger):
    with pytest.raises(HyperparameterError, match=r"SGD: params\[1\] must be a parameter"):
        nn.SGD([parameter(), stranger])


def test_a_module_in_place_of_its_parameters_is_refused_with_the_remedy():
    with pytest.raises(HyperparameterError, match=r"got Linear; e.g. Adam\(model.parameters\(\)\)"):
        nn.Adam(nn.Linear(2, 2))


def test_a_parameter_given_twice_is_refused_within_and_across_groups():
    p = parameter()
    with pytest.raises(HyperparameterError, match=r"params\[1\] of group 0, shape \(3,\), came"):
        nn.Adam([p, p])
    with pytest.raises(HyperparameterError, match=r"params\[0\] of group 1"):
        nn.Adam([{"params": [p]}, {"params": [p]}])


def test_a_refused_optimizer_has_moved_no_parameter():
    first, second = parameter(), parameter()
    homes = first.data, second.data
    with pytest.raises(HyperparameterError):
        nn.Adam([{"params": [first]}, {"params": [second], "lr": -1.0}])
    assert first.data is homes[0]
    assert second.data is homes[1]


def test_complex_parameters_are_refused_with_the_remedy():
    p = nn.Parameter(np.ones(3, np.complex64))
    with pytest.raises(DtypeError, match="or float64, got complex64; keep param"):
        nn.Adam([p])


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_printed_form_tells_settings_and_sizes(kind):
    text = repr(kind(nn.Linear(30, 40).parameters(), lr=0.125))
    assert text.startswith(f"{kind.__name__}(")
    assert "2 parameters, 1,240 numbers: lr=0.125" in text
