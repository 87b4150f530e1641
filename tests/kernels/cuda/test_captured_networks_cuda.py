"""Whole networks in captured steps: nothing in them is CuPy's cuBLAS or sent from the host."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.nn.attention import scaled_dot_product

TIME = 12  # more arrays than CuPy joins without sending their addresses


@pytest.fixture
def with_cublaslt(graphs, where, request):
    """Captured steps; cuBLASLt itself on a GPU, its emulation on host memory."""
    if where == "host":
        request.getfixturevalue("emulated_cublaslt")
    return graphs


def recurrent():
    return nn.LSTM(3, 4), (TIME, 2, 3)


def convolutional():
    return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten()), (2, 2, 5, 5)


def attentive():
    return nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True), (2, 6, 8)


def losses(make, wrap):
    """Of five steps of a training."""
    ig.random.seed(0)
    model, shape = make()
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    @wrap
    def step(x):
        optimizer.zero_grad()
        y = model(x)
        loss = ((y[0] if isinstance(y, tuple) else y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    found = [step(ig.random.Generator(seed).normal(shape)) for seed in range(5)]
    return [float(loss) for loss in found]


@pytest.mark.parametrize("make", [recurrent, convolutional, attentive])
def test_a_captured_network_has_the_losses_of_a_plain_one(with_cublaslt, make):
    found = losses(make, ig.capture)
    assert with_cublaslt.graphs.n_replays == 3
    np.testing.assert_allclose(found, losses(make, lambda step: step), rtol=1e-6)


def test_attention_in_blocks_is_captured_too(with_cublaslt, monkeypatch):
    monkeypatch.setattr(scaled_dot_product, "WHOLE_UP_TO", 0)
    found = losses(attentive, ig.capture)
    np.testing.assert_allclose(found, losses(attentive, lambda step: step), rtol=1e-6)
