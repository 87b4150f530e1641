"""Captured training steps: replays give the bits of plain calls."""

import gc

import numpy as np
import pytest
from captured_steps import assert_same_bits, batches, plain

import isograd as ig
from isograd import nn
from isograd.backend.errors import CaptureError
from isograd.kernels.cuda.graph import StepGraph


def trained(optimizer_class, wrap, n_steps=8, schedule=None, clip=None, **settings):
    """(losses, weights) on the host after training with dropout, a wrapped step a batch."""
    generator = ig.random.Generator(0)
    model = nn.Sequential(
        nn.Linear(5, 16, activation="relu", generator=generator),
        nn.Dropout(0.25, generator=generator),
        nn.Linear(16, 3, generator=generator),
    )
    optimizer = optimizer_class(model.parameters(), **settings)
    scheduled = schedule and schedule(optimizer)

    @wrap
    def step(x, labels):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), labels)
        loss.backward()
        if clip is not None:
            nn.clip_grad_norm(model.parameters(), clip, error_if_nonfinite=False)
        optimizer.step()
        if scheduled is not None:
            scheduled.step()
        return loss

    losses = [float(step(*batch)) for batch in batches(n_steps)]
    return losses, [ig.to_numpy(p.data).copy() for p in model.parameters()]


def test_a_function_replays_with_new_arguments(graphs):
    step = ig.capture(lambda x: nn.softmax(x * 2.0), warm_up=1)
    for seed in range(4):
        x = ig.random.Generator(seed).normal((3, 4))
        y = ig.to_numpy(step(x))
        np.testing.assert_allclose(y, nn.softmax(ig.to_numpy(x) * 2.0), rtol=1e-6)
    assert graphs.graphs.n_replays == 3


def test_the_arrays_of_a_graph_live_as_long_as_it_does(graphs):
    step = ig.capture(lambda x: nn.softmax(nn.softmax(x)), warm_up=1)
    x = ig.random.Generator(0).normal((3, 4))
    first = ig.to_numpy(step(x))
    for _ in range(3):
        gc.collect()
        np.testing.assert_array_equal(ig.to_numpy(step(x)), first)


def test_dropout_goes_on_in_the_stream_of_its_generator(graphs):
    x = ig.array(np.ones(100, np.float32))
    results = []
    for wrap in (ig.capture, plain):
        generator = ig.random.Generator(4)
        step = wrap(lambda x, generator=generator: nn.dropout(x, 0.5, generator=generator))
        results.append(([ig.to_numpy(step(x)) for _ in range(6)], generator.state))
    (captured, state), (expected, expected_state) = results
    assert state == expected_state
    for got, want in zip(captured, expected, strict=True):
        np.testing.assert_array_equal(got, want)
    assert (captured[3] != captured[4]).any()


def test_reading_a_value_is_an_error_that_names_the_line(graphs):
    def step(x):
        return x * ig.to_numpy(nn.softmax(x))[0, 0]

    captured = ig.capture(step, warm_up=1)
    x = ig.random.Generator(0).normal((3, 4))
    captured(x)
    with pytest.raises(CaptureError, match=r"test_capture_cuda.py, line \d+, in step cannot be"):
        captured(x)
    captured(ig.random.Generator(0).normal((1, 4)))  # and the next capture is not disturbed


def test_a_failed_capture_leaves_plain_launches_alone(graphs):
    with pytest.raises(CaptureError):
        StepGraph(lambda: float(ig.array([1.0])))
    assert not graphs.compiler.is_recording
    nn.softmax(ig.random.Generator(0).normal((3, 4)))


OPTIMIZERS = {
    "sgd": (nn.SGD, {"lr": 0.1}),
    "nesterov": (nn.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": (nn.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    "adamw": (nn.AdamW, {"lr": 0.01}),
    "rmsprop": (nn.RMSprop, {"lr": 0.01, "momentum": 0.9, "centered": True}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_captured_training_gives_the_bits_of_plain_steps(graphs, name):
    optimizer, settings = OPTIMIZERS[name]
    found = trained(optimizer, ig.capture, **settings)
    assert graphs.graphs.n_replays == 6
    assert_same_bits(found, trained(optimizer, plain, **settings))


def test_a_schedule_goes_on_in_the_replays(graphs):
    def halved(optimizer):
        return nn.schedules.ScheduledLR(optimizer, nn.schedules.step_decay(0.2, 2, gamma=0.5))

    found = trained(nn.SGD, ig.capture, schedule=halved, lr=0.2)
    assert_same_bits(found, trained(nn.SGD, plain, schedule=halved, lr=0.2))
    assert found[0] != trained(nn.SGD, plain, lr=0.2)[0]


def test_a_setting_changed_between_replays_counts(graphs):
    def train(wrap):
        w = nn.Parameter(ig.array([1.0, 2.0]))
        optimizer = nn.SGD([w], lr=0.5)

        @wrap
        def step():
            optimizer.zero_grad()
            (w * w).backward(ones)
            optimizer.step()

        ones = ig.array(np.ones(2, np.float32))
        for n in range(6):
            optimizer.param_groups[0]["lr"] = 0.1 / (n + 1)
            step()
        return ig.to_numpy(w.data)

    np.testing.assert_array_equal(train(ig.capture), train(plain))


def test_running_statistics_go_on_in_the_replays(graphs):
    def followed(wrap):
        layer = nn.BatchNorm1d(4, momentum=None)
        step = wrap(lambda x: layer(x))
        for seed in range(6):
            step(ig.random.Generator(seed).normal((8, 4)))
        return [ig.to_numpy(x) for x in (layer.running_mean, layer.num_batches_tracked)]

    for got, want in zip(followed(ig.capture), followed(plain), strict=True):
        np.testing.assert_array_equal(got, want)


def test_an_optimizer_without_such_a_kernel_cannot_be_captured(graphs):
    with pytest.raises(CaptureError, match=r"Lion: step\(\) cannot be captured: it has no kernel"):
        trained(nn.Lion, ig.capture, lr=0.01)


def test_clipping_by_the_norm_goes_on_in_the_replays(graphs):
    found = trained(nn.SGD, ig.capture, clip=0.05, lr=0.5)
    assert_same_bits(found, trained(nn.SGD, plain, clip=0.05, lr=0.5))
    assert found[0] != trained(nn.SGD, plain, lr=0.5)[0]


def test_a_captured_step_cannot_look_whether_gradients_are_finite(graphs):
    w = nn.Parameter(ig.array([1.0, 2.0]))
    ones = ig.array(np.ones(2, np.float32))

    def step():
        (w * w).backward(ones)
        nn.clip_grad_norm([w], 1.0)

    captured = ig.capture(step, warm_up=1)
    captured()
    with pytest.raises(CaptureError, match="error_if_nonfinite=False"):
        captured()


def test_the_step_is_given_arrays_of_one_alignment_from_the_first_call_on(graphs):
    seen = []

    def step(x):
        seen.append(x.data.ptr % 256)
        return nn.softmax(x)

    captured = ig.capture(step, warm_up=2)
    data = ig.random.Generator(0).normal((8, 5))
    for i in range(3):
        captured(data[i + 1 : i + 2])
    assert len(set(seen)) == 1  # a plan or a kernel for another one could not be made in a capture


def test_plain_calls_between_replays_leave_the_running_statistics_in_their_place(graphs):
    def followed(wrap):
        layer = nn.BatchNorm1d(4)
        step = wrap(lambda x: layer(x))
        for seed, n in enumerate((8, 8, 8, 3, 8, 3, 8)):
            step(ig.random.Generator(seed).normal((n, 4)))
        return ig.to_numpy(layer.running_mean)

    np.testing.assert_array_equal(followed(ig.capture), followed(plain))


def test_a_loaded_state_reaches_the_replays(graphs):
    def followed(wrap):
        layer = nn.BatchNorm1d(4)
        before = layer.state_dict()
        step = wrap(lambda x: layer(x))
        for seed in range(4):
            step(ig.random.Generator(seed).normal((8, 4)))
        layer.load_state_dict(before)
        step(ig.random.Generator(9).normal((8, 4)))
        return ig.to_numpy(layer.running_mean)

    np.testing.assert_array_equal(followed(ig.capture), followed(plain))


def test_an_average_of_the_weights_goes_on_in_the_replays(graphs):
    def followed(wrap):
        model = nn.BatchNorm1d(4)
        average = nn.ExponentialMovingAverage(model, 0.5)
        optimizer = nn.SGD(model.parameters(), lr=0.1)

        @wrap
        def step(x):
            optimizer.zero_grad()
            model(x).backward(x)
            optimizer.step()
            average.update(model)

        for seed, n in enumerate((8, 8, 8, 3, 8, 8)):
            step(ig.random.Generator(seed).normal((n, 4)))
        found = average.state_dict()
        return found["n_updates"], {k: ig.to_numpy(v) for k, v in found["module"].items()}

    (n, state), (expected_n, expected) = followed(ig.capture), followed(plain)
    assert n == expected_n == 6
    for name, value in expected.items():
        np.testing.assert_array_equal(state[name], value)


def test_arguments_on_two_devices_are_refused(graphs):
    with pytest.raises(CaptureError, match="must be on one device, got arrays on cpu and cuda:0"):
        ig.capture(lambda x, y: x)(ig.random.Generator(0).normal((2,)), np.ones(2))


@pytest.mark.host_only
def test_a_launch_on_another_gpu_cannot_be_captured(graphs, monkeypatch):
    x = ig.random.Generator(0).normal((2, 2))

    def step():
        monkeypatch.setattr(graphs.cupy.cuda.device, "get_device_id", lambda: 1)
        nn.softmax(x)

    with pytest.raises(CaptureError, match="must stay on one GPU, cuda:1, got an array on cuda:0"):
        StepGraph(step)
