"""LBFGS against PyTorch 2.13, its line search against the Wolfe conditions, and its errors."""

import math

import numpy as np
import pytest
from torch_cases import torch_cases

import isograd as ig
from isograd import nn
from isograd.backend import array_namespace
from isograd.backend.errors import HyperparameterError, StaleArrayError, StateDictError
from isograd.nn.optimizers.line_search import Point, cubic_minimum, strong_wolfe

CASES = {name: case for name, case in torch_cases("lbfgs").items() if "loss" in case.settings}
FIXED, SEARCHES = torch_cases("lbfgs")["fixed"], torch_cases("lbfgs")["searches"]
RTOL = 1e-12


def springs(p, t):
    xp = array_namespace(*p.values())
    total = 0.0
    for key, values in p.items():
        a, b, c = (ig.array(FIXED.arrays[f"{name}/{key}"], dtype="float64") for name in "ABC")
        total = total + xp.sum(0.5 * a * (values - c) ** 2 + math.sin(t / 20.0) * b * values)
    return total


def valley(p, t):
    x, xp = p["x"], array_namespace(p["x"])
    return xp.sum(4.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def classes(p, t):
    x = ig.array(FIXED.arrays["x"], dtype="float64")
    xp = array_namespace(p["weight"])
    loss = nn.cross_entropy(nn.linear(x, p["weight"], p["bias"]), ig.array(FIXED.arrays["labels"]))
    return loss + 0.01 * xp.sum(p["weight"] * p["weight"])


LOSSES = {"springs": springs, "valley": valley, "classes": classes}


def start_of(case):
    if case.settings["loss"] == "springs":
        return FIXED.under("start")
    if case.settings["loss"] == "valley":
        return {"x": np.array([-1.2, 1.0] * 2)}
    return {"weight": np.zeros((3, 4)), "bias": np.zeros(3)}


def parameters(values):
    return {key: nn.Parameter(ig.array(x, dtype="float64")) for key, x in values.items()}


def assert_follows_torch(case, tensors, optimizer, first, last, n_calls=0):
    """Losses, calls and parameters of the steps first to last."""
    kept = case.arrays["step"].tolist()
    loss_of = LOSSES[case.settings["loss"]]
    for t in range(first, last + 1):

        def closure(t=t):
            nonlocal n_calls
            n_calls += 1
            optimizer.zero_grad()
            loss = loss_of(tensors, t)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        if t in kept:
            row = kept.index(t)
            assert n_calls == case.arrays["calls"][row]
            assert float(loss) == pytest.approx(case.arrays["loss"][row], rel=RTOL)
            for key, expected in case.under("after").items():
                found = ig.to_numpy(tensors[key].data)
                np.testing.assert_allclose(found, expected[row], rtol=RTOL)


@pytest.mark.parametrize("name", CASES)
def test_every_step_agrees_with_torch(name):
    case = CASES[name]
    tensors = parameters(start_of(case))
    optimizer = nn.LBFGS(tensors.values(), **case.settings["settings"])
    assert_follows_torch(case, tensors, optimizer, 1, int(case.arrays["step"][-1]))


def test_steps_agree_with_torch_on_every_device(device):
    case = CASES["valley"]
    tensors = parameters(start_of(case))
    optimizer = nn.LBFGS(tensors.values(), **case.settings["settings"])
    assert_follows_torch(case, tensors, optimizer, 1, 2)


@pytest.mark.parametrize("name", ["springs", "valley_short_memory", "classes_slow"])
def test_a_state_of_torch_from_half_way_leads_to_torchs_end(name):
    case = CASES[name]
    half = case.settings["half"]
    row = case.arrays["step"].tolist().index(half)
    tensors = parameters({key: values[row] for key, values in case.under("after").items()})
    optimizer = nn.LBFGS(tensors.values(), **case.settings["settings"])
    optimizer.load_state_dict({**optimizer.state_dict(), "state": {0: case.under("state")}})
    last = min(half + 200, int(case.arrays["step"][-1]))
    assert_follows_torch(case, tensors, optimizer, half + 1, last, int(case.arrays["calls"][row]))


def trained(n_steps=3, tensors=None, state=None, kind="valley", **settings):
    """Parameters and optimizer after some steps down the valley."""
    tensors = tensors or parameters({"x": np.array([-1.2, 1.0, 0.5])})
    optimizer = nn.LBFGS(tensors.values(), max_iter=2, line_search_fn="strong_wolfe", **settings)
    if state is not None:
        optimizer.load_state_dict(state)
    for _ in range(n_steps):
        optimizer.step(closure_of(tensors, optimizer, LOSSES[kind]))
    return tensors, optimizer


def closure_of(tensors, optimizer, loss_of):
    def closure():
        optimizer.zero_grad()
        loss = loss_of(tensors, 1)
        loss.backward()
        return loss

    return closure


def test_a_training_goes_on_bit_for_bit_from_its_state(device):
    tensors, optimizer = trained(n_steps=3)
    twins = {key: nn.Parameter(p.data) for key, p in tensors.items()}
    state = optimizer.state_dict()
    twins, twin = trained(n_steps=3, tensors=twins, state=state)
    for _ in range(3):
        optimizer.step(closure_of(tensors, optimizer, valley))
    for key, p in tensors.items():
        assert np.array_equal(ig.to_numpy(p.data), ig.to_numpy(twins[key].data))
    assert twin.memory.n_iter == optimizer.memory.n_iter > state["state"][0]["n_iter"] > 0


def test_a_parameter_without_a_gradient_stays_where_it_is():
    tensors = parameters({"x": np.array([-1.2, 1.0, 0.5]), "unused": np.ones(2)})
    trained(tensors=tensors)
    assert tensors["unused"].data.tolist() == [1.0, 1.0]


def test_a_loss_of_nan_beyond_a_wall_is_searched_back_from():
    """log(x) for x > 0, whose first step of 1 goes to x < 0."""
    p = nn.Parameter(np.array([0.6]))

    def loss_of(tensors, t):
        xp = array_namespace(p)
        return xp.sum(p - 0.25 * xp.log(p))  # its minimum is at 1/4

    optimizer = nn.LBFGS([p], lr=4.0, line_search_fn="strong_wolfe")
    with np.errstate(invalid="ignore", divide="ignore"):
        optimizer.step(closure_of({}, optimizer, loss_of))
    np.testing.assert_allclose(p.data, 0.25, rtol=1e-6)


def test_a_step_makes_graphs_recorded_before_it_stale():
    tensors, optimizer = trained(n_steps=1)
    loss = valley(tensors, 1)
    optimizer.step(closure_of(tensors, optimizer, valley))
    with pytest.raises(StaleArrayError, match="changed in place"):
        loss.backward()


def test_a_converged_step_calls_the_closure_once_and_moves_nothing():
    p = nn.Parameter(np.array([1e-9, -1e-9]))
    optimizer, calls = nn.LBFGS([p]), []

    def closure():
        calls.append(1)
        optimizer.zero_grad()
        loss = array_namespace(p).sum(p * p)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert len(calls) == 1
    assert p.data.tolist() == [1e-9, -1e-9]


FUNCTIONS = {  # of t: the loss and its slope
    "quartic": lambda t: ((t - 2.0) ** 4 - t, 4.0 * (t - 2.0) ** 3 - 1.0),
    "wave": lambda t: (0.1 * t * t - math.sin(3.0 * t), 0.2 * t - 3.0 * math.cos(3.0 * t)),
    "ripples": lambda t: (
        -0.7 * t - 0.6 * math.sin(10.7 * t - 0.6),
        -0.7 - 6.42 * math.cos(10.7 * t - 0.6),
    ),
    "corner": lambda t: (
        math.sqrt((t - 1.0) ** 2 + 1e-4),
        (t - 1.0) / math.sqrt((t - 1.0) ** 2 + 1e-4),
    ),
    "far": lambda t: (math.exp(-t) + 1e-3 * t, 1e-3 - math.exp(-t)),
}


def along(function):
    def evaluate(t):
        loss, slope = FUNCTIONS[function](t)
        return Point(t, loss, np.array([slope]), slope)

    return evaluate


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_search_tries_as_many_steps_as_torchs_and_finds_the_same(function):
    evaluate = along(function)
    for first, most, t, n in SEARCHES.arrays[f"{function}/found"].tolist():
        found, n_tried = strong_wolfe(evaluate, evaluate(0.0), first, 1.0, int(most))
        assert n_tried == n
        assert found.t == pytest.approx(t, rel=1e-9)  # cubic steps divide small differences


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 30.0])
def test_a_found_step_meets_both_wolfe_conditions(function, first):
    start = along(function)(0.0)
    found, _ = strong_wolfe(along(function), start, first, 1.0, 25)
    assert found.loss <= start.loss + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)


def test_a_search_that_may_not_go_on_gives_the_lowest_point_it_has():
    def evaluate(t):
        return Point(t, (t - 1.0) ** 2, np.array([2.0 * t - 2.0]), 2.0 * t - 2.0)

    found, n_tried = strong_wolfe(evaluate, evaluate(0.0), 100.0, 1.0, 0)
    assert (found.t, n_tried) == (0.0, 1)


def test_the_minimum_of_a_cubic_is_found_and_brought_into_its_bounds():
    def at(t):
        return Point(t, t**3 - 3.0 * t, np.zeros(1), 3.0 * t * t - 3.0)  # its minimum is at 1

    assert cubic_minimum(at(0.0), at(3.0), (0.0, 3.0)) == pytest.approx(1.0, rel=1e-12)
    assert cubic_minimum(at(3.0), at(0.0), (0.0, 3.0)) == pytest.approx(1.0, rel=1e-12)
    assert cubic_minimum(at(0.0), at(3.0), (2.0, 3.0)) == 2.0
    wall = Point(3.0, math.inf, np.zeros(1), math.nan)
    assert cubic_minimum(at(0.0), wall, (0.0, 3.0)) == 1.5
    line = [Point(t, -t, np.zeros(1), -1.0) for t in (0.0, 1.0)]
    assert cubic_minimum(*line, (0.0, 1.0)) == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": math.nan}, "LBFGS: lr must be a finite number >= 0, got nan"),
        ({"max_iter": 0}, "LBFGS: max_iter must be a whole number >= 1, got 0"),
        ({"max_eval": 2.5}, "LBFGS: max_eval must be a whole number >= 1, got 2.5"),
        ({"tolerance_grad": -1.0}, "LBFGS: tolerance_grad must be"),
        ({"tolerance_change": math.inf}, "LBFGS: tolerance_change must be"),
        ({"history_size": True}, "LBFGS: history_size must be"),
        ({"line_search_fn": "wolfe"}, "LBFGS: line_search_fn must be one of None, 'strong_wolfe'"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(HyperparameterError, match=message):
        nn.LBFGS([nn.Parameter(np.ones(2))], **settings)


def test_what_lbfgs_cannot_do_is_refused_with_the_reason():
    p, q = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2, np.float32))
    with pytest.raises(HyperparameterError, match=r"one dtype and device, got float32.*float64"):
        nn.LBFGS([p, q])
    with pytest.raises(HyperparameterError, match="must be one group, got 2"):
        nn.LBFGS([{"params": [p]}, {"params": [nn.Parameter(np.ones(1))]}])
    optimizer = nn.LBFGS([p])
    with pytest.raises(HyperparameterError, match="must be one group; give them at once"):
        optimizer.add_param_group({"params": [q]})
    with pytest.raises(HyperparameterError, match=r"step\(closure\) needs a function .* got None"):
        optimizer.step()
    with pytest.raises(HyperparameterError, match="must return the loss, one number, got NoneType"):
        optimizer.step(lambda: None)


def drop_row(state):
    state["ro"].pop()


def shorten(state):
    state["d"] = state["d"][:2]


def rename(state):
    state["exp_avg"] = state.pop("d")


def drop_gradient(state):
    del state["prev_flat_grad"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop_row, "must be equally many"),
        (shorten, r"d must have the shape \(3,\), a number for each .*, got \(2,\)"),
        (rename, "got 'exp_avg'; is it of another optimizer"),
        (drop_gradient, "must be there after n_iter > 0"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_nothing_is_changed(spoil, message):
    _, optimizer = trained()
    memory = optimizer.memory
    state = optimizer.state_dict()
    spoil(state["state"][0])
    state["param_groups"][0]["lr"] = 0.5
    with pytest.raises(StateDictError, match=message):
        optimizer.load_state_dict(state)
    assert optimizer.memory is memory
    assert optimizer.param_groups[0]["lr"] == 1.0


def test_the_state_of_another_optimizer_is_refused():
    p = nn.Parameter(np.ones(2))
    adam = nn.Adam([p])
    p.grad = np.ones(2)
    adam.step()
    with pytest.raises(StateDictError, match="'exp_avg'; is it of another optimizer"):
        nn.LBFGS([p]).load_state_dict(adam.state_dict())
    with pytest.raises(StateDictError, match="must hold a state"):
        nn.LBFGS([p]).load_state_dict({})
