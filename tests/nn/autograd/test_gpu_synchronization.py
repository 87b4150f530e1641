"""No op of the tape waits for the GPU: a step is only handed over to it."""

import pytest

import isograd as ig
from isograd import nn


@pytest.mark.gpu
def test_forward_and_backward_do_not_wait_for_the_gpu():
    cupyx = pytest.importorskip("cupyx")
    with ig.using("cuda"):
        x = ig.Tensor(ig.random.Generator(0).normal((16, 16)), requires_grad=True)
        weight = ig.Tensor(ig.random.Generator(1).normal((16, 16)), requires_grad=True)
        xp = x.__array_namespace__()

        def step():
            y = xp.tanh(xp.matmul(x, weight)) + xp.exp(-x * x)
            y = xp.where(y > 0.5, y, 0.1 * y) / (1.0 + xp.abs(x))
            xp.mean(xp.max(y, axis=1)).backward()

        step()  # compiles the kernels, which may wait
        x.grad = weight.grad = None
        with cupyx.allow_synchronize(False):
            step()
    assert x.grad.shape == weight.grad.shape == (16, 16)


@pytest.mark.gpu
def test_a_loss_layers_clipping_and_an_optimizer_do_not_wait_for_the_gpu():
    cupyx = pytest.importorskip("cupyx")
    with ig.using("cuda"):
        model = nn.Sequential(
            nn.Linear(16, 32, activation="gelu"), nn.Dropout(0.1), nn.Linear(32, 4)
        )
        optimizer = nn.AdamW(model.parameters())
        x = ig.random.Generator(0).normal((8, 16))
        labels = ig.random.Generator(1).integers(0, 4, (8,))

        def step():
            optimizer.zero_grad()
            nn.cross_entropy(model(x), labels).backward()
            nn.clip_grad_norm(model.parameters(), 1.0, error_if_nonfinite=False)
            optimizer.step()

        step()
        with cupyx.allow_synchronize(False):
            step()
        assert all(p.grad is not None for p in model.parameters())
