"""Captured steps: which launches there are, and what makes a new graph."""

import numpy as np
import pytest
from captured_steps import assert_same_bits, batches, plain
from own_kernels import own_kernels_only

import isograd as ig
from isograd import nn
from isograd.backend.errors import DeviceError, LabelError


@pytest.mark.host_only
def test_a_step_of_three_layers_is_thirteen_launches(graphs, monkeypatch):
    model = nn.Sequential(
        nn.Linear(5, 16, activation="relu"), nn.Linear(16, 16, activation="relu"), nn.Linear(16, 3)
    )
    optimizer = nn.Adam(model.parameters())

    def step(x, labels):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    layer = ["linear_backward_dz", "matmul_simt", "matmul_simt"]
    expected = ["matmul_simt"] * 3 + ["cross_entropy_whole"] + layer * 3
    expected[-1] = "adam_update"  # what comes in has no gradient
    (batch,) = batches(1)
    captured = ig.capture(step, warm_up=1)
    with own_kernels_only(monkeypatch):
        for run in (step, step, captured, captured, captured):
            graphs.compiler.launched.clear()
            graphs.used.clear()
            run(*batch)
            assert graphs.compiler.launched == expected
    assert graphs.used == ["asarray"]  # the copy of the loss that a replay gives out


def freeze(model, optimizer):
    model[0].weight.requires_grad = False


def set_momentum(model, optimizer):
    optimizer.param_groups[0]["momentum"] = 0.9


CHANGES = {
    "evaluation": lambda model, optimizer: model.eval(),
    "dropout": lambda model, optimizer: setattr(model[1], "p", 0.9),
    "activation": lambda model, optimizer: setattr(model[0], "activation", "relu"),
    "a layer": lambda model, optimizer: setattr(model[0], "bias", None),
    "momentum": set_momentum,
    "a frozen parameter": freeze,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_decides_about_launches_may_change_between_replays(graphs, change):
    def train(wrap):
        generator = ig.random.Generator(0)
        model = nn.Sequential(
            nn.Linear(5, 3, generator=generator), nn.Dropout(0.5, generator=generator)
        )
        optimizer = nn.SGD(model.parameters(), lr=0.1)

        @wrap
        def step(x, labels):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()
            return loss

        losses = []
        for n, batch in enumerate(batches(9)):
            if n == 4:
                change(model, optimizer)
            losses.append(float(step(*batch)))
        return losses, [ig.to_numpy(p.data).copy() for p in model.parameters()]

    found = train(ig.capture)
    assert graphs.graphs.n_replays == 5  # two calls warm up, before and after the change
    assert_same_bits(found, train(plain))


def test_a_change_that_is_taken_back_finds_the_graph_of_before(graphs):
    layer = nn.Dropout(0.5)
    step = ig.capture(lambda x: layer(x), warm_up=1)
    x = ig.array(np.ones(100, np.float32))
    kept = []
    for mode in (True, True, False, False, True, False, True):
        layer.train(mode)
        kept.append(int(ig.to_numpy(step(x) > 0).sum()))
    assert [n == 100 for n in kept] == [False, False, True, True, False, True, False]
    assert graphs.graphs.n_replays == 5


def test_what_a_module_counts_itself_is_no_setting(graphs):
    class Counting(nn.Module):
        n_calls = 0

        def forward(self, x):
            self.n_calls += 1
            return nn.softmax(x)

    layer = Counting()
    step = ig.capture(lambda x: layer(x), warm_up=1)
    for n in (3, 3, 3, 4, 3):
        step(ig.random.Generator(0).normal((n, 4)))
    assert graphs.graphs.n_replays == 3


def test_a_label_out_of_range_in_a_replay_is_the_error_of_the_next_call(graphs):
    step = ig.capture(nn.cross_entropy, warm_up=1)
    (x, good), *_ = batches(1)
    bad = ig.array(np.full(6, 5))
    for _ in range(2):
        assert np.isfinite(float(step(x, good)))
    assert np.isnan(float(step(x, bad)))
    with pytest.raises(LabelError, match="got 6 of an earlier call"):
        step(x, good)
    assert np.isfinite(float(step(x, good)))


@pytest.mark.host_only
def test_arguments_are_copied_without_a_kernel_unless_they_lie_otherwise(graphs):
    xp = graphs.xp
    step = ig.capture(lambda x, y: x - y, warm_up=1)
    x, y = (ig.random.Generator(seed).normal((3, 4)) for seed in (0, 1))
    for pair in ((x, y), (x, y), (y, x), (y, xp.asarray(x.T, copy=True).T), (x[:, ::-1], y)):
        expected = ig.to_numpy(pair[0]) - ig.to_numpy(pair[1])
        graphs.used.clear()
        np.testing.assert_array_equal(ig.to_numpy(step(*pair)), expected)
        assert graphs.used.count("__setitem__") == (not all(z.flags.c_contiguous for z in pair))
    assert graphs.graphs.n_copies == 6


def test_arguments_on_the_cpu_for_a_model_on_the_gpu_are_an_error(graphs):
    layer = nn.Linear(4, 3)
    step = ig.capture(lambda x: layer(x), warm_up=1)
    for _ in range(3):
        with pytest.raises(DeviceError, match="got cuda:0 and cpu"):
            step(np.ones((2, 4), np.float32))
