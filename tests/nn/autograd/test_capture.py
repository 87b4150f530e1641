"""capture() on the CPU, and its bookkeeping with a graph that runs its function again."""

import sys

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import settings_override
from isograd.backend.errors import CaptureError, HyperparameterError


class Rerun:
    """Stands for a graph: replay() runs the function again."""

    made = 0

    def __init__(self, function):
        Rerun.made += 1
        self._function = function

    def replay(self, inputs=()):
        for target, array in inputs:
            target[...] = array
        self.result = self._function()

    def is_current(self):
        return True


@pytest.fixture
def graphs(monkeypatch):
    """Every library has graphs; their number is Rerun.made."""
    module = sys.modules["isograd.nn.autograd.capture"]
    monkeypatch.setattr(module, "graph_maker", lambda library: Rerun)
    monkeypatch.setattr(Rerun, "made", 0)


def test_on_the_cpu_a_captured_step_is_the_step_itself(device):
    if device.startswith("cuda"):
        pytest.skip("a graph there")
    seen = []
    step = ig.capture(lambda x, *, scale: seen.append(scale) or (x * scale, "any value"))
    x = ig.array([1.0, 2.0])
    for _ in range(4):
        y, word = step(x, scale=2.0)
    assert ig.to_numpy(y).tolist() == [2.0, 4.0]
    assert (word, seen) == ("any value", [2.0] * 4)


def test_the_decorator_keeps_name_and_docstring():
    @ig.capture
    def step(x):
        """One step."""
        return x

    @ig.capture(warm_up=1)
    def other(x):
        return x

    assert (step.__name__, step.__doc__, other.__name__) == ("step", "One step.", "other")


def test_the_first_calls_run_the_step_and_the_next_ones_the_graph(graphs):
    step = ig.capture(lambda x: x + 1.0, warm_up=3)
    for n_graphs in (0, 0, 0, 1, 1, 1):
        assert ig.to_numpy(step(ig.array([1.0])))[0] == 2.0
        assert Rerun.made == n_graphs


def test_a_new_shape_dtype_or_value_gets_a_graph_of_its_own(graphs):
    step = ig.capture(lambda x, scale: x * scale, warm_up=1)
    kinds = [
        (np.ones(3, np.float32), 2.0),
        (np.ones(4, np.float32), 2.0),
        (np.ones(3, np.float64), 2.0),
        (np.ones(3, np.float32), 3.0),
    ]
    for x, scale in kinds * 3:
        assert step(x, scale).tolist() == (x * scale).tolist()
    assert Rerun.made == len(kinds)


def test_another_precision_of_products_gets_a_graph_of_its_own(graphs):
    step = ig.capture(lambda x: x, warm_up=1)
    for _ in range(3):
        step(np.ones(3))
        with ig.matmul_precision("high"):
            step(np.ones(3))
    assert Rerun.made == 2


def test_other_modes_get_a_graph_of_their_own(graphs):
    step = ig.capture(lambda x: x, warm_up=1)
    for _ in range(3):
        step(np.ones(3))
        with ig.no_grad():
            step(np.ones(3))
        with settings_override(disable_kernels=True):
            step(np.ones(3))
    assert Rerun.made == 3


def test_a_graph_for_other_settings_is_kept_and_a_new_one_warmed_up(graphs, monkeypatch):
    state = {"mode": "training"}

    class Relying(Rerun):
        def __init__(self, function):
            super().__init__(function)
            self.mode = state["mode"]

        def is_current(self):
            return self.mode == state["mode"]

    module = sys.modules["isograd.nn.autograd.capture"]
    monkeypatch.setattr(module, "graph_maker", lambda library: Relying)
    captured = ig.capture(lambda x: x, warm_up=2)
    made = []
    for mode in ["training"] * 3 + ["evaluation"] * 3 + ["training", "evaluation"]:
        state["mode"] = mode
        captured(np.ones(3))
        made.append(Rerun.made)
    assert made == [0, 0, 1, 1, 1, 2, 2, 2]


def test_no_more_graphs_are_kept_than_asked_for_and_the_oldest_goes(graphs):
    step = ig.capture(lambda x: x, warm_up=1, max_graphs=2)
    for n in (1, 1, 2, 2, 1, 3, 3):  # 3 takes the place of 2, for 1 was used after it
        step(np.ones(n))
    assert Rerun.made == 3
    step(np.ones(1))
    assert Rerun.made == 3
    step(np.ones(2))
    assert Rerun.made == 4


def test_results_have_memory_of_their_own(graphs):
    total = np.zeros(2)

    def step(x):
        np.add(total, x, out=total)
        return total

    captured = ig.capture(step, warm_up=1)
    results = [captured(np.ones(2)) for _ in range(4)]
    assert [result[0] for result in results] == [1.0, 2.0, 3.0, 4.0]


def test_the_graph_reads_its_arguments_from_where_every_call_puts_them(graphs):
    step = ig.capture(lambda batch: {"y": batch["x"] * 2.0}, warm_up=1)
    for value in (1.0, 5.0, 7.0):
        y = step({"x": np.full(2, value)})["y"]
        assert y.tolist() == [2.0 * value] * 2


def test_a_training_step_ends_up_where_plain_calls_do(graphs):
    def trained(wrap):
        generator = ig.random.Generator(0)
        model = nn.Sequential(
            nn.Linear(4, 8, activation="relu", generator=generator),
            nn.Dropout(0.5, generator=generator),
            nn.Linear(8, 3, generator=generator),
        )
        optimizer = nn.Adam(model.parameters(), lr=0.1)

        @wrap
        def step(x, labels):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        data = ig.random.Generator(1)
        losses = []
        for _ in range(6):
            losses.append(float(step(data.normal((5, 4)), data.integers(0, 3, (5,)))))
        return losses, optimizer.state_dict()["state"][0]["step"]

    assert trained(lambda step: ig.capture(step)) == trained(lambda step: step)


def test_results_are_constants(graphs):
    w = ig.Tensor(np.ones(2), requires_grad=True)
    step = ig.capture(lambda x: w * x, warm_up=1)
    results = [step(np.ones(2)) for _ in range(3)]
    assert [type(y) for y in results] == [ig.Tensor] * 3
    assert not any(y.requires_grad for y in results)


def test_a_recorded_argument_is_refused(graphs):
    w = ig.Tensor(np.ones(2), requires_grad=True)
    with pytest.raises(CaptureError, match="detach"):
        ig.capture(lambda x: x)(w * 2.0)


def test_an_argument_that_cannot_be_compared_is_refused(graphs):
    with pytest.raises(CaptureError, match="got set"):
        ig.capture(lambda x: None)({1, 2})


def test_a_result_that_a_replay_would_repeat_is_refused(graphs):
    with pytest.raises(CaptureError, match=r"got 0\.5 \(float\)"):
        ig.capture(lambda x: 0.5)(np.ones(2))


@pytest.mark.parametrize("setting", ["warm_up", "max_graphs"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_counts_that_are_no_positive_integers_are_refused(setting, value):
    with pytest.raises(HyperparameterError, match=f"{setting} must be a positive integer"):
        ig.capture(lambda x: x, **{setting: value})
