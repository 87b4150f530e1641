"""The moving average of weights, and early stopping."""

import math

import numpy as np
import pytest
from torch_cases import torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import HyperparameterError, StateDictError


def test_the_average_of_weights_is_torchs():
    case = torch_cases("schedules")["average"]
    model = nn.Linear(3, 2)
    model.weight = nn.Parameter(np.zeros((2, 3)))
    average = nn.ExponentialMovingAverage(model, case.settings["decay"])
    for weight, expected in zip(case.arrays["weights"], case.arrays["averages"], strict=True):
        model.load_state_dict({**model.state_dict(), "weight": weight})
        average.update(model)
        np.testing.assert_allclose(average.module.weight.data, expected, rtol=1e-12)


def test_the_average_has_memory_of_its_own_on_every_device(device):
    model = nn.Linear(3, 2)
    average = nn.ExponentialMovingAverage(model, 0.5)
    start = ig.to_numpy(model.weight.data).copy()
    average.update(model)
    optimizer = nn.SGD(model.parameters(), lr=1.0)
    model(ig.array(np.ones((4, 3), np.float32))).sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(ig.to_numpy(average.module.weight.data), start)
    average.update(model)
    middle = (start + ig.to_numpy(model.weight.data)) / 2.0
    np.testing.assert_allclose(ig.to_numpy(average.module.weight.data), middle, rtol=1e-6)


def test_buffers_are_those_of_the_last_update():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    average = nn.ExponentialMovingAverage(model, 0.9)
    model(np.linspace(-1.0, 1.0, 8, dtype=np.float32).reshape(4, 2))
    average.update(model)
    kept = average.module.state_dict()
    for name, buffer in model.named_buffers():
        np.testing.assert_array_equal(kept[name], buffer)
    mean = np.array(model.state_dict()["1.running_mean"])
    for _, buffer in model.named_buffers():
        buffer[...] = 7
    np.testing.assert_array_equal(average.module.state_dict()["1.running_mean"], mean)


def test_an_average_goes_on_from_its_state():
    model = nn.Linear(3, 2)
    average, resumed = (nn.ExponentialMovingAverage(model, 0.5) for _ in range(2))
    average.update(model)
    model.load_state_dict({name: x * 3.0 for name, x in model.state_dict().items()})
    resumed.load_state_dict(average.state_dict())
    for one in (average, resumed):
        one.update(model)
    np.testing.assert_array_equal(average.module.weight.data, resumed.module.weight.data)
    with pytest.raises(StateDictError, match="'n_updates' and 'module'"):
        resumed.load_state_dict({"module": {}})


def test_another_model_and_a_decay_out_of_range_are_refused():
    average = nn.ExponentialMovingAverage(nn.Linear(3, 2))
    with pytest.raises(StateDictError, match=r"weight was \(2, 3\) and is \(2, 4\)"):
        average.update(nn.Linear(4, 2))
    with pytest.raises(StateDictError, match=r"bias was .* and is None"):
        average.update(nn.Linear(3, 2, bias=False))
    for decay in (1.0, -0.1, math.nan, "0.9"):
        with pytest.raises(HyperparameterError, match="ExponentialMovingAverage: decay must be"):
            nn.ExponentialMovingAverage(nn.Linear(3, 2), decay)


@pytest.mark.parametrize("stranger", [None, {"weight": np.ones(2)}, nn.Parameter([1.0]), nn.Linear])
def test_the_average_of_what_is_no_module_is_refused(stranger):
    with pytest.raises(HyperparameterError, match="model must be a Module, got "):
        nn.ExponentialMovingAverage(stranger)
    average = nn.ExponentialMovingAverage(nn.Linear(3, 2))
    with pytest.raises(HyperparameterError, match="model must be a Module, got "):
        average.update(stranger)


def test_training_stops_after_patience_steps_without_improvement_and_the_best_comes_back():
    model = nn.Linear(2, 1)
    stopping = nn.EarlyStopping(model, patience=3)
    best = None
    stops = []
    for step, loss in enumerate([3.0, 2.0, 2.5, 1.0, math.nan, 1.0, 1.5]):
        model.load_state_dict({name: x + 1.0 for name, x in model.state_dict().items()})
        stops.append(stopping.step(loss))
        if step == 3:
            best = model.state_dict()
    assert stops == [False] * 6 + [True]
    assert (stopping.best, stopping.best_step, stopping.n_bad) == (1.0, 3, 3)
    stopping.restore()
    for name, x in model.state_dict().items():
        np.testing.assert_array_equal(x, best[name])


def test_an_improvement_must_pass_min_delta_in_the_direction_of_mode():
    stopping = nn.EarlyStopping(patience=2, min_delta=0.25, mode="max")
    assert [stopping.step(value) for value in (0.0, 0.25, 0.5, 0.75, 0.75)] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert stopping.best == 0.5


def test_a_loss_may_be_a_tensor():
    stopping = nn.EarlyStopping(patience=1)
    loss = nn.mse(ig.Tensor(np.ones(2), requires_grad=True), np.zeros(2))
    assert not stopping.step(loss)
    assert stopping.best == 1.0


@pytest.mark.parametrize(
    "settings",
    [{"patience": 0}, {"patience": 1.5}, {"min_delta": -1.0}, {"mode": "up"}, {"model": 3}],
)
def test_early_stopping_refuses_settings_out_of_range(settings):
    with pytest.raises(HyperparameterError, match=f"EarlyStopping: {next(iter(settings))} must be"):
        nn.EarlyStopping(**settings)


def test_nothing_can_be_restored_without_a_model():
    with pytest.raises(HyperparameterError, match=r"needs the model; make it with EarlyStopping\("):
        nn.EarlyStopping().restore()
