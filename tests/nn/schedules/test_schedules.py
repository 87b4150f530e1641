"""Schedules as functions of the step against torch 2.13, and what sets them in an optimizer."""

import math

import numpy as np
import pytest
from torch_cases import torch_cases

from isograd import nn
from isograd.backend.errors import HyperparameterError, StateDictError
from isograd.nn import schedules

CASES = torch_cases("schedules")
FUNCTIONS = [name for name, case in CASES.items() if "schedule" in case.settings]
LR = 0.3
RTOL, ATOL = 1e-12, 1e-14  # torch's cosine and its factors are recursions: 0 comes out as 1e-15


def assert_gives(schedule, case, key="lr"):
    found = [schedule(int(step)) for step in case.arrays["step"]]
    np.testing.assert_allclose(found, case.arrays[key], rtol=RTOL, atol=ATOL)


def optimizer(**settings):
    return nn.SGD([nn.Parameter(np.ones(2))], **{"lr": 0.5, **settings})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_schedule_gives_torchs_learning_rates(name):
    settings = CASES[name].settings
    assert_gives(getattr(schedules, settings["schedule"])(**settings["settings"]), CASES[name])


@pytest.mark.parametrize("name", ["one_cycle", "one_cycle_linear", "one_cycle_three_phase"])
def test_the_momentum_of_one_cycle_is_torchs(name):
    settings = dict(CASES[name].settings["settings"])
    for other in ("max_lr", "div_factor", "final_div_factor"):
        settings.pop(other, None)
    assert_gives(schedules.one_cycle_momentum(**settings), CASES[name], "momentum")


def test_a_warm_up_before_a_cosine_is_torchs_sequential():
    case = CASES["warm_up_then_cosine"]
    cosine = schedules.cosine(LR, 980)
    assert_gives(schedules.warm_up(cosine, 20, start_factor=0.1), case)
    first = schedules.linear(LR, 20, start_factor=0.1)
    assert_gives(schedules.sequence([first, cosine], [20]), case)


def test_a_product_is_torchs_chained():
    factor = schedules.linear(1.0, 50, start_factor=0.2)
    assert_gives(schedules.product(schedules.exponential(LR, 0.99), factor), CASES["chained"])


@pytest.mark.parametrize("step", [0, 1, 399, 3999, 4000, 100_000])
def test_the_inverse_root_is_the_formula_of_the_transformer(step):
    d_model, n_warm_up = 512, 4000
    schedule = schedules.inverse_sqrt(1.0 / math.sqrt(d_model * n_warm_up), n_warm_up)
    s = step + 1
    assert schedule(step) == pytest.approx(
        d_model**-0.5 * min(s**-0.5, s * n_warm_up**-1.5), rel=1e-14
    )


def test_what_ends_stays_at_its_end():
    assert schedules.cosine(1.0, 10, 0.25)(25) == 0.25
    assert schedules.polynomial(1.0, 10, 2.0, 0.25)(25) == 0.25
    assert schedules.one_cycle(1.0, 10, div_factor=4.0, final_div_factor=8.0)(25) == 1.0 / 32.0


def test_fractions_of_a_step_are_taken_where_torch_takes_them():
    restarts = schedules.cosine_restarts(1.0, 10, multiple=2)
    assert restarts(10.0) == 1.0
    assert restarts(20.0) == pytest.approx(0.5)
    assert restarts(9.5) == pytest.approx(0.5 * (1.0 + math.cos(0.95 * math.pi)))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("constant", {"lr": -1.0}),
        ("step_decay", {"lr": 0.1, "step_size": 0}),
        ("step_decay", {"lr": 0.1, "step_size": 1.5}),
        ("step_decay", {"lr": math.nan, "step_size": 1}),
        ("multistep", {"lr": 0.1, "milestones": [3, 3]}),
        ("multistep", {"lr": 0.1, "milestones": 3}),
        ("exponential", {"lr": 0.1, "gamma": -0.1}),
        ("linear", {"lr": 0.1, "start_factor": math.inf}),
        ("polynomial", {"lr": 0.1, "power": 0.0}),
        ("cosine", {"lr": 0.1, "n_steps": -1}),
        ("cosine_restarts", {"lr": 0.1, "n_steps": 5, "multiple": 0}),
        ("one_cycle", {"max_lr": 0.1, "n_steps": 10, "pct_start": 1.1}),
        ("one_cycle", {"max_lr": 0.1, "n_steps": 10, "pct_start": 0.6, "three_phase": True}),
        ("one_cycle", {"max_lr": 0.1, "n_steps": 10, "anneal_strategy": "cosine"}),
        ("one_cycle", {"max_lr": 0.1, "n_steps": 10, "div_factor": 0.0}),
        ("one_cycle_momentum", {"n_steps": 10, "max_momentum": 1.0}),
        ("inverse_sqrt", {"lr": 0.1, "n_warm_up": True}),
        ("warm_up", {"schedule": 0.1, "n_steps": 10}),
        ("sequence", {"schedules": [abs], "milestones": [10]}),
    ],
)
def test_settings_out_of_range_are_refused_by_name(name, arguments):
    with pytest.raises(HyperparameterError, match=f"^{name}: "):
        getattr(schedules, name)(**arguments)


def test_a_scheduled_optimizer_starts_at_step_0_and_goes_on_by_one():
    sgd = optimizer()
    scheduled = schedules.ScheduledLR(sgd, schedules.exponential(1.0, 0.5))
    rates = [sgd.param_groups[0]["lr"]]
    for _ in range(3):
        scheduled.step()
        rates.append(sgd.param_groups[0]["lr"])
    assert rates == [1.0, 0.5, 0.25, 0.125]
    assert scheduled.last == [0.125]


def test_each_group_may_have_its_schedule_and_any_setting_may_follow_one():
    groups = [{"params": [nn.Parameter(np.ones(2))]} for _ in range(2)]
    sgd = nn.SGD(groups, lr=0.5, momentum=0.5)
    schedules.ScheduledLR(sgd, [schedules.constant(1.0), schedules.constant(2.0)])
    schedules.ScheduledLR(sgd, schedules.constant(0.75), setting="momentum")
    assert [(group["lr"], group["momentum"]) for group in sgd.param_groups] == [
        (1.0, 0.75),
        (2.0, 0.75),
    ]


def test_a_schedule_goes_on_from_its_state():
    first, second = optimizer(), optimizer()
    scheduled = schedules.ScheduledLR(first, schedules.cosine(1.0, 10))
    for _ in range(4):
        scheduled.step()
    resumed = schedules.ScheduledLR(second, schedules.cosine(1.0, 10))
    resumed.load_state_dict(scheduled.state_dict())
    assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"] < 1.0
    with pytest.raises(StateDictError, match="'n_steps'"):
        resumed.load_state_dict({"last_epoch": 3})


def test_a_scheduled_optimizer_refuses_what_cannot_be():
    for strange in (0.1, None):
        with pytest.raises(HyperparameterError, match="function of the step"):
            schedules.ScheduledLR(optimizer(), strange)
    with pytest.raises(HyperparameterError, match="each of the 1 groups of SGD, got 2"):
        schedules.ScheduledLR(optimizer(), [schedules.constant(0.1)] * 2)
    with pytest.raises(HyperparameterError, match="SGD: lr must be a finite number >= 0"):
        schedules.ScheduledLR(optimizer(), lambda step: -1.0)
    with pytest.raises(HyperparameterError, match="must be an Optimizer, got Parameter"):
        schedules.ScheduledLR(nn.Parameter([1.0]), schedules.constant(0.1))


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("plateau")])
def test_a_plateau_reduces_where_torch_does(name):
    case = CASES[name]
    sgd = optimizer(lr=LR)
    plateau = schedules.ReduceLROnPlateau(sgd, **case.settings["settings"])
    found, reduced = [], []
    for value in case.arrays["figures"]:
        reduced.append(plateau.step(value))
        found.append(sgd.param_groups[0]["lr"])
    np.testing.assert_allclose(found, case.arrays["lr"], rtol=RTOL)
    assert reduced == [new < old for old, new in zip([LR, *found], found, strict=False)]
    assert any(reduced)


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "close", "better"),
    [
        ("min", "rel", 6.1, 5.9),
        ("max", "rel", 9.9, 10.1),
        ("min", "abs", 7.8, 7.7),
        ("max", "abs", 8.2, 8.3),
    ],
)
def test_an_improvement_on_8_must_pass_a_quarter_of_it_or_of_1(mode, threshold_mode, close, better):
    plateau = schedules.ReduceLROnPlateau(
        optimizer(), mode, threshold=0.25, threshold_mode=threshold_mode
    )
    bests = []
    for value in (8.0, close, math.nan, better):
        plateau.step(value)
        bests.append(plateau.best)
    assert bests == [8.0, 8.0, 8.0, better]


def test_the_first_figure_is_the_best_so_far_also_with_a_threshold_of_all():
    plateau = schedules.ReduceLROnPlateau(optimizer(), threshold=1.0)
    plateau.step(8.0)
    assert plateau.best == 8.0


def test_a_plateau_goes_on_from_its_state():
    settings = {"patience": 1, "cooldown": 2, "factor": 0.5}
    sgd, twin = optimizer(lr=LR), optimizer(lr=LR)
    whole = schedules.ReduceLROnPlateau(sgd, **settings)
    for _ in range(4):
        whole.step(1.0)
    resumed = schedules.ReduceLROnPlateau(twin, **settings)
    twin.load_state_dict(sgd.state_dict())
    resumed.load_state_dict(whole.state_dict())
    for _ in range(6):
        assert whole.step(1.0) == resumed.step(1.0)
    with pytest.raises(StateDictError, match="best, n_bad, n_cooling, got best"):
        resumed.load_state_dict({"best": 1.0})


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "least"},
        {"threshold_mode": "relative"},
        {"threshold": -1.0},
        {"factor": 1.0},
        {"patience": 1.5},
        {"cooldown": -1},
        {"min_lr": math.nan},
    ],
)
def test_a_plateau_refuses_settings_out_of_range(settings):
    with pytest.raises(HyperparameterError, match=f"ReduceLROnPlateau: {next(iter(settings))} "):
        schedules.ReduceLROnPlateau(optimizer(), **settings)


def test_a_figure_must_be_one_number():
    plateau = schedules.ReduceLROnPlateau(optimizer())
    with pytest.raises(HyperparameterError, match=r"one number, got ndarray of shape \(2,\)"):
        plateau.step(np.ones(2))
