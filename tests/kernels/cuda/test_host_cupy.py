"""CuPy's arrays on host memory: what the tests of launchers stand on."""

import gc

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend.errors import KernelError

pytestmark = pytest.mark.host_only


def train(device):
    """Losses and weights of three steps of Adam on a small model with dropout."""
    rng = np.random.default_rng(0)
    with ig.using(device):
        ig.random.seed(0)
        model = nn.Sequential(
            nn.Linear(8, 16, activation="relu"), nn.Dropout(0.1), nn.Linear(16, 3)
        )
        optimizer = nn.Adam(model.parameters(), lr=1e-2)
        x = ig.array(rng.standard_normal((5, 8)).astype(np.float32))
        targets = ig.array([0, 1, 2, 0, 1])
        losses = []
        for _ in range(3):
            loss = nn.cross_entropy(model(x), targets)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(float(loss))
        assert ig.device_of(loss) == ("cpu" if device == "cpu" else "cuda:0")
        return losses, [ig.to_numpy(p.detach()) for p in model.parameters()]


def test_arrays_are_cupys_and_share_memory_with_their_views(host_cupy):
    x = host_cupy.array(np.arange(6, dtype=np.float32).reshape(2, 3))
    assert type(x) is host_cupy.cupy.ndarray
    host_cupy.view(x.T[1:, 1])[...] = 7
    np.testing.assert_array_equal(host_cupy.view(x), [[0, 1, 2], [3, 7, 7]])
    assert ig.device_of(x) == "cuda:0"
    assert host_cupy.used == []


def test_new_memory_is_nan(host_cupy):
    assert np.isnan(host_cupy.view(host_cupy.cupy.empty(5, np.float32))).all()


def test_what_needs_a_gpu_is_computed_by_numpy_and_named(host_cupy):
    x = host_cupy.array(np.arange(6, dtype=np.float32))
    y = 2 * x[::2] + host_cupy.cupy.sum(x)
    y += 1
    y[0] = -1
    assert type(y) is host_cupy.cupy.ndarray
    np.testing.assert_array_equal(y.get(), [-1, 20, 24])
    assert host_cupy.used == ["__rmul__", "sum", "__add__", "__iadd__", "__setitem__", "get"]


def test_a_model_trains_as_on_the_cpu(host_cupy):
    losses, weights = train("cuda")
    assert host_cupy.compiler.launched
    expected_losses, expected_weights = train("cpu")
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-5)
    for weight, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-4, atol=1e-5)


def test_a_recording_replays_kernels_and_stand_ins_with_new_inputs(host_cupy):
    x = host_cupy.array(np.zeros((2, 4), np.float32))
    host_cupy.compiler.begin_recording()
    y = nn.softmax(x) * 2
    y += 1
    recording = host_cupy.compiler.end_recording()
    assert len(recording.launches) == 3
    assert np.isnan(host_cupy.view(y)).all()
    for row in ([0, 0, 0, 0], [0, 1, 2, 3]):
        host_cupy.view(x)[...] = row
        recording.replay()
        expected = 1 + 2 * np.exp(row) / np.exp(row).sum()
        np.testing.assert_allclose(host_cupy.view(y), [expected, expected], rtol=1e-6)


def test_numbers_cannot_be_read_or_sent_while_recording(host_cupy):
    x = host_cupy.array(np.zeros(1, np.float32))
    host_cupy.compiler.begin_recording()
    for forbidden in (lambda: float(x), lambda: host_cupy.cupy.asarray(np.ones(1))):
        with pytest.raises(RuntimeError, match="StreamCaptureUnsupported"):
            forbidden()
    host_cupy.compiler.end_recording()


def test_a_replay_on_memory_that_was_freed_is_an_error(host_cupy):
    x = host_cupy.array(np.zeros((2, 4), np.float32))
    host_cupy.compiler.begin_recording()
    y = nn.softmax(x)
    recording = host_cupy.compiler.end_recording()
    recording.replay()
    del y
    gc.collect()
    with pytest.raises(KernelError, match=r"uses memory at 0x.* that has been freed"):
        recording.replay()


def test_all_is_as_before_once_the_fixture_is_gone(host_cupy):
    from host_cupy import HostCupy

    cupy = host_cupy.cupy
    before = cupy.cuda.get_allocator(), cupy.zeros, cupy.ndarray.__add__
    with HostCupy(cupy).installed():
        assert cupy.zeros is not before[1]
    assert (cupy.cuda.get_allocator(), cupy.zeros, cupy.ndarray.__add__) == before
