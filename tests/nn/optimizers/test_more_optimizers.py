"""Adagrad, Adadelta, Adamax, NAdam, RAdam, AMSGrad, Rprop and Lion against 1,000 kept steps."""

import math

import numpy as np
import pytest
from torch_cases import torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import HyperparameterError
from isograd.nn.optimizers.nadam import momentum, momentum_product
from isograd.nn.optimizers.radam import rectification

CASES = {name: case for name, case in torch_cases("more_optimizers").items() if name != "fixed"}
FIXED = torch_cases("more_optimizers")["fixed"]
KINDS = sorted({case.settings["optimizer"] for case in CASES.values()})
RTOL = 1e-12


def assert_follows(case, n_steps):
    """The gradient is A * (p - C) + sin(t) * B, as the oracle has it."""
    tensors = {
        key: nn.Parameter(ig.array(value, dtype="float64"))
        for key, value in FIXED.under("start").items()
    }
    fixed = {
        key: [ig.array(FIXED.arrays[f"{name}/{key}"], dtype="float64") for name in "ABC"]
        for key in tensors
    }
    kind = getattr(nn, case.settings["optimizer"])
    optimizer = kind(tensors.values(), **case.settings["settings"])
    for step in range(1, n_steps + 1):
        for key, p in tensors.items():
            a, b, c = fixed[key]
            p.grad = a * (p.data - c) + math.sin(step) * b
        optimizer.step()
        for key, expected in case.under(str(step)).items():
            np.testing.assert_allclose(ig.to_numpy(tensors[key].data), expected, rtol=RTOL)


@pytest.mark.parametrize("name", CASES)
def test_a_thousand_steps_agree_with_torch(name):
    assert_follows(CASES[name], n_steps=1000)


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("everything")])
def test_ten_steps_agree_with_torch_on_every_device(device, name):
    assert_follows(CASES[name], n_steps=10)


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_between_parameters_in_float32_stay_finite(kind):
    tensors = [nn.Parameter(np.ones(3, np.float32)), nn.Parameter(np.ones(2, np.float32))]
    optimizer = getattr(nn, kind)(tensors, lr=0.125)
    for _ in range(3):
        for p in tensors:
            p.grad = np.ones(p.shape, np.float32)
        optimizer.step()
    (arena,) = optimizer.param_groups[0].arenas
    assert np.isfinite(arena.layout.values).all()
    gap = arena.layout.values[3 : arena.layout.starts[1]]
    assert gap.size > 0
    assert not gap.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_bit_for_bit_from_its_state(kind):
    def steps(p, optimizer, first, last):
        for step in range(first, last):
            p.grad = p.data * 0.5 + math.sin(step)
            optimizer.step()

    p = nn.Parameter(np.linspace(-1.0, 1.0, 7))
    optimizer = getattr(nn, kind)([p])
    steps(p, optimizer, 0, 4)
    twin = nn.Parameter(p.data)
    resumed = getattr(nn, kind)([twin])
    resumed.load_state_dict(optimizer.state_dict())
    steps(p, optimizer, 4, 9)
    steps(twin, resumed, 4, 9)
    assert np.array_equal(p.data, twin.data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lr", [-1.0, math.nan, math.inf, "0.1", True])
def test_a_learning_rate_must_be_a_finite_number_of_at_least_zero(kind, lr):
    with pytest.raises(HyperparameterError, match=f"{kind}: lr must be a finite number"):
        getattr(nn, kind)([nn.Parameter(np.ones(3))], lr=lr)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (nn.Adagrad, {"lr_decay": -1.0}),
        (nn.Adagrad, {"initial_accumulator_value": math.nan}),
        (nn.Adagrad, {"eps": -1e-10}),
        (nn.Adadelta, {"rho": 1.1}),
        (nn.Adadelta, {"eps": math.inf}),
        (nn.Adamax, {"betas": (0.9, 1.0)}),
        (nn.NAdam, {"momentum_decay": -0.1}),
        (nn.NAdam, {"decoupled_weight_decay": 1}),
        (nn.RAdam, {"weight_decay": -0.1}),
        (nn.RAdam, {"betas": 0.9}),
        (nn.AMSGrad, {"betas": (1.0, 0.9)}),
        (nn.Lion, {"betas": (0.9, math.nan)}),
        (nn.Lion, {"weight_decay": None}),
        (nn.Rprop, {"etas": (0.5, 1.0)}),
        (nn.Rprop, {"etas": (0.0, 1.2)}),
        (nn.Rprop, {"etas": 1.2}),
        (nn.Rprop, {"step_sizes": (1.0, 0.5)}),
        (nn.Rprop, {"step_sizes": (-1.0, 0.5)}),
    ],
)
def test_settings_out_of_range_are_refused_when_made_and_when_set(kind, settings):
    p = nn.Parameter(np.ones(3))
    with pytest.raises(HyperparameterError, match=f"{kind.__name__}: {next(iter(settings))}"):
        kind([p], **settings)
    optimizer = kind([p])
    before = optimizer.param_groups[0].settings
    with pytest.raises(HyperparameterError, match=kind.__name__):
        optimizer.param_groups[0].update(settings)
    assert optimizer.param_groups[0].settings == before


def test_the_product_of_momenta_is_that_of_its_factors_across_blocks():
    for t in (1, 255, 256, 257, 600):
        slow = math.prod(momentum(i, 0.999, 0.004) for i in range(1, t + 1))
        assert momentum_product(t, 0.999, 0.004) == pytest.approx(slow, rel=1e-13)


def test_radam_with_the_usual_beta_is_not_rectified_before_its_sixth_step():
    assert [rectification(t, 0.999) is None for t in range(1, 8)] == [True] * 5 + [False] * 2


def test_lion_moves_every_number_by_the_learning_rate_whatever_the_gradient():
    p = nn.Parameter(np.zeros(3))
    optimizer = nn.Lion([p], lr=0.25)
    p.grad = np.array([1e-12, -1e12, 0.0])
    optimizer.step()
    assert p.data.tolist() == [-0.25, 0.25, 0.0]


def test_gradients_of_parts_of_a_batch_add_up_until_they_are_forgotten():
    x = np.linspace(-1.0, 1.0, 24).reshape(8, 3)
    whole, parts = nn.Parameter(np.ones((2, 3))), nn.Parameter(np.ones((2, 3)))
    optimizers = nn.Adam([whole], lr=0.5), nn.Adam([parts], lr=0.5)
    for _ in range(2):
        nn.mse(nn.linear(x, whole), x[:, :2]).backward()
        for half in (x[:4], x[4:]):
            (nn.mse(nn.linear(half, parts), half[:, :2]) / 2.0).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    np.testing.assert_allclose(parts.data, whole.data, rtol=1e-12)
