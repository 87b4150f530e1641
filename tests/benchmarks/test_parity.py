"""isograd parity: planted faults are named, rounding is not one, bad input gets a sentence."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.__main__ import main
from isograd.backend import array_namespace
from isograd.backend.random import Generator
from isograd.benchmarks.parity.models import MODELS
from isograd.benchmarks.parity.run import parity, two_devices
from isograd.kernels.fused import Fused

CPU_AND_STRICT = "cpu,strict"


def halving(forward=1.0, backward=1.0):
    """x / 2, whose NumPy kernels are wrong by these factors."""

    @ig.differentiable
    def halve(x):
        return x * 0.5

    halve.fused_by(
        numpy=Fused(
            lambda x: x * np.float32(0.5 * forward), lambda dy: (dy * np.float32(0.5 * backward),)
        )
    )
    return halve


class Between(nn.Module):
    """Linear, a function, linear."""

    def __init__(self, function):
        self.before, self.after = nn.Linear(4, 8), nn.Linear(8, 1)
        self._function = function

    def forward(self, x):
        return self.after(self._function(self.before(x)))


def squared_error(model, x, y):
    return nn.mse(model(x), y)


def batch():
    return Generator(0).normal((5, 4)), Generator(1).normal((5, 1))


@pytest.fixture
def planted(monkeypatch):
    """A function that makes functions of the user's, and the name of their module with a colon."""
    module = ModuleType("planted_models")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def plant(**builds):
        vars(module).update(builds)
        return module.__name__ + ":"

    return plant


def outcome_of(planted, build, **options):
    return parity(planted(build=build) + "build", two_devices("strict,cpu"), **options)


@pytest.mark.parametrize("model", MODELS)
def test_the_built_in_models_agree(model):
    outcome = parity(model, two_devices(CPU_AND_STRICT), n_steps=1)
    assert outcome.agrees
    assert outcome.losses[0][1] == pytest.approx(outcome.losses[0][0], rel=1e-6)
    for phase in ("forward", "backward", "update"):
        assert 0 < len(outcome.of(phase, "own")) <= len(outcome.findings)
        assert max(f.comparison.ulp for f in outcome.of(phase, "own")) < 16


def test_two_copies_on_one_device_are_bit_equal():
    outcome = parity("mlp", two_devices("cpu,cpu"), dtype="float64")
    assert all(finding.bit_equal for finding in outcome.findings)


def test_a_wrong_kernel_is_named_with_its_layer_and_the_side_that_is_wrong(planted):
    outcome = outcome_of(planted, lambda: (Between(halving(1.001)), batch(), squared_error))
    found = outcome.starts
    assert (found.step, found.phase, found.layer) == (0, "forward", "(model)")
    assert (found.what, found.number) == ("halve", 1)
    reference, wrong = found.note.removeprefix("from the result in float64: ").split(", ")
    assert reference.startswith("strict:cpu 0 ulp")
    assert float(wrong.split()[1]) > 1000
    assert not outcome.agrees


def test_a_wrong_derivative_is_named_although_the_results_are_right(planted):
    outcome = outcome_of(planted, lambda: (Between(halving(1.0, 1.001)), batch(), squared_error))
    found = outcome.starts
    assert (found.phase, found.what) == ("backward", "halve, dx")
    assert all(finding.bit_equal for finding in outcome.of("forward", "own") if not finding.step)


def test_the_part_of_an_op_that_is_wrong_is_named(planted):
    halve = halving(1.001)

    @ig.differentiable
    def outer(x):
        return array_namespace(x).tanh(halve(x) + 1.0)

    outcome = outcome_of(planted, lambda: (Between(outer), batch(), squared_error))
    assert outcome.starts.what == "outer > halve"


def test_a_wrong_update_is_named_with_its_parameter(planted):
    class Wrong(nn.SGD):
        kernels = {"numpy": lambda p, dp, *moments, **numbers: np.subtract(p, dp, out=p)}

    def build():
        model = Between(nn.relu)
        return model, batch(), squared_error, Wrong(model.parameters(), lr=0.5)

    found = outcome_of(planted, build).starts
    assert (found.phase, found.layer) == ("update", "before")
    assert found.what == "before.weight"


def test_every_update_starts_from_the_state_of_the_first_device(planted):
    calls = []

    def forgets_once(p, dp, moment, **numbers):
        kernel(p, dp, moment, **numbers)
        calls.append(p)
        moment *= np.float32(0.5 if len(calls) <= 2 else 1.0)  # cpu's own update, and its twin's

    class Forgetful(nn.SGD):
        kernels = {"numpy": forgets_once}

    kernel = nn.SGD.kernels["numpy"]

    def build():
        model = Between(nn.relu)
        optimizer = Forgetful(model.parameters(), lr=0.1, momentum=0.9)
        return model, batch(), squared_error, optimizer

    outcome = outcome_of(planted, build)
    assert outcome.starts.what.startswith("before.weight, ")  # its moment: it itself is right
    assert {f.step for f in outcome.of("update", "own") if f.beyond} == {0}


def test_a_difference_that_grows_is_told_from_one_that_starts(planted):
    halve = halving(1.0 + 2.0**-20)  # 8 units in the last place, as another order of sums may give

    def cancel(x):
        return (halve(x) - x * 0.5) * 1000.0

    outcome = outcome_of(planted, lambda: (Between(cancel), batch(), squared_error))
    assert outcome.starts is None
    assert (outcome.grows.phase, outcome.grows.what) == ("forward", "multiply")
    assert not outcome.agrees


def test_a_sum_that_cancels_is_no_fault(planted):
    """Its result is small, and so far from the other device's in its own units."""

    @ig.differentiable
    def total(x):
        xp = array_namespace(x)
        return xp.sum(x - xp.mean(x), axis=-1, keepdims=True)

    def one_after_the_other(x):
        return np.cumsum(x - np.mean(x), axis=-1, dtype="float32")[..., -1:]

    total.fused_by(numpy=Fused(one_after_the_other))

    def build():
        return nn.Linear(64, 64), (Generator(0).normal((1, 64)),), lambda m, x: total(m(x))[0, 0]

    outcome = outcome_of(planted, build, n_steps=1)
    found = [f for f in outcome.of("forward", "own") if f.what == "total"]
    assert found[0].comparison.n_beyond == 1  # in units of the result itself
    assert not found[0].beyond


def test_devices_that_apply_different_ops_are_told(planted):
    def loss(model, x, y):
        return squared_error(model, x, y) if ig.device_of(x) == "cpu" else nn.l1(model(x), y)

    outcome = outcome_of(planted, lambda: (Between(nn.relu), batch(), loss))
    assert outcome.apart == "step 1: strict:cpu applies l1 in (loss), cpu applies mse in (loss)"


def test_the_default_generator_is_left_as_it_was():
    ig.random.seed(5)
    before = ig.random.default_generator().state
    parity("mlp", two_devices("cpu,cpu"), n_steps=1)
    assert ig.random.default_generator().state == before


def test_the_table_shows_what_is_bit_equal_and_the_status_is_0(capsys):
    assert main(["parity", "mlp", "--devices", CPU_AND_STRICT, "--steps", "1"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("mlp: strict:cpu against cpu, float32, 1 steps, seed 0\n")
    assert "bit-equal by itself: 4 of 4 results" in text
    assert "AGREE: everything is within the tolerance of float32" in text


def test_a_difference_is_told_and_the_status_is_1(planted, capsys):
    name = planted(build=lambda: (Between(halving(1.001)), batch(), squared_error))
    assert main(["parity", f"{name}build", "--devices", "strict,cpu", "--steps", "1"]) == 1
    text = capsys.readouterr().out
    assert "STARTS: step 1, forward, layer (model), halve (op 1): 40 of 40 elements" in text
    assert main(["parity", f"{name}build", "--devices", "strict,cpu", "--factor", "1000"]) == 0


def test_json_has_what_the_table_has(planted, capsys):
    name = planted(build=lambda: (Between(halving(1.001)), batch(), squared_error))
    words = ["parity", f"{name}build", "--devices", "strict,cpu", "--steps", "1", "--json"]
    assert main(words) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["devices"] == ["strict:cpu", "cpu"]
    assert (found["starts"]["what"], found["starts"]["op"]) == ("halve", 1)
    assert found["layers"]["before"]["forward"]["own"]["bit_equal"] == 1


def test_a_model_that_ends_in_nan_on_both_is_no_agreement(planted, capsys):
    def build():
        model = Between(nn.relu)
        return model, batch(), squared_error, nn.SGD(model.parameters(), lr=1e30)

    assert main(["parity", f"{planted(build=build)}build", "--devices", CPU_AND_STRICT]) == 2
    printed = capsys.readouterr()
    assert "NOT FINITE" in printed.out
    assert "the loss of step 2 is not, first in after, linear (op 2)" in printed.err


def test_a_batch_of_numpy_arrays_is_brought_to_each_device(planted):
    def build():
        x, y = batch()
        return Between(nn.relu), (ig.to_numpy(x), [ig.to_numpy(y), "name"]), loss

    def loss(model, x, targets):
        return squared_error(model, x, targets[0])

    assert main(["parity", f"{planted(build=build)}build", "--devices", "cpu,strict:device1"]) == 0


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: 3, "must return (model, batch, loss) or (model, batch, loss, optimizer), got int"),
        (lambda: (3, batch(), len), "model must be a Module with parameters, got int 3"),
        (lambda: (Between(nn.relu), (), len), "batch must hold arrays, e.g. (x, y), got a tuple"),
        (lambda: (Between(nn.relu), batch(), 3), "loss must be called as loss(model, *batch)"),
        (lambda: (Between(nn.relu), batch(), len, 3), "optimizer must be an nn.Optimizer, got int"),
        (
            lambda: (Between(nn.relu), batch(), lambda model, x, y: model(x)),
            "must return a scalar that was computed from the parameters, got a floating array",
        ),
        (
            lambda: (Between(nn.relu), ig.array(np.random.default_rng().random(4)), len),
            "must start from the same numbers each time it is called, but batch[0] differs",
        ),
    ],
)
def test_a_function_that_returns_the_wrong_thing_is_told_so(build, says, planted, capsys):
    name = f"{planted(build=build)}build"
    assert main(["parity", name, "--devices", CPU_AND_STRICT]) == 2
    assert capsys.readouterr().err.startswith(f"isograd parity: {name}: ")
    assert main(["parity", name, "--devices", CPU_AND_STRICT]) == 2
    assert says in capsys.readouterr().err


def test_what_a_function_raises_is_shown_and_is_no_difference_of_devices(planted, capsys):
    name = f"{planted(build=lambda: 1 // 0)}build"
    assert main(["parity", name, "--devices", CPU_AND_STRICT]) == 2
    said = capsys.readouterr().err
    assert "lambda: 1 // 0" in said  # the line, in a traceback
    assert said.endswith(f"isograd parity: {name}: it raised ZeroDivisionError, see above\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["mpl", "--devices", CPU_AND_STRICT], "got 'mpl'; did you mean 'mlp'?"),
        (["no_such_module:build", "--devices", CPU_AND_STRICT], "No module named 'no_such_module'"),
        (["planted_models:bulid", "--devices", CPU_AND_STRICT], "did you mean 'build'?"),
        (
            ["planted_models:build", "--devices", CPU_AND_STRICT, "--dtype", "float64"],
            "must take dtype= to be run in float64",
        ),
        (["mlp", "--devices", "cpu"], "--devices: must name two, e.g. cpu,cuda, got 'cpu'"),
        (["mlp", "--devices", "cpu,cdua"], "no device is called 'cdua'"),
    ],
)
def test_bad_words_get_a_sentence_and_the_status_2(words, says, planted, capsys):
    planted(build=lambda: (Between(nn.relu), batch(), squared_error))
    assert main(["parity", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("factor", ["0", "-1", "nan", "much"])
def test_a_factor_must_be_a_number_above_0(factor, capsys):
    with pytest.raises(SystemExit):
        main(["parity", "mlp", "--devices", CPU_AND_STRICT, "--factor", factor])
    assert f"must be a number above 0, got '{factor}'" in capsys.readouterr().err
