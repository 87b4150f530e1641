"""Convolution, pooling, normalization, padding, resampling: all numbers are those of torch 2.13."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from torch_cases import assert_like_torch, assert_near, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend import settings_override

CASES = list(torch_cases("spatial").values())
RUNNING = [case for case in CASES if case.under("after")]
SECOND_DEVICE = ("Conv2d", "ConvTranspose1d", "MaxPool2d", "AvgPool3d", "BatchNorm2d", "Upsample")
OTHERS = [case for case in CASES if case.settings["layer"] in SECOND_DEVICE]


def made(case):
    """The layer of a case with the case's parameters and buffers."""
    layer, options = case.settings["layer"], case.settings["options"]
    learned = bool(case.under("parameter"))
    module = getattr(nn, layer)(**options, **({"dtype": "float64"} if learned else {}))
    module.load_state_dict(case.under("parameter"))
    return module


def run(module, inputs, constants):
    return {"y": module(inputs["x"])}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_has_the_outputs_and_gradients_of_torch(case):
    assert_like_torch(made(case), case, run)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_so_has_the_definition_without_kernels(case):
    with settings_override(disable_kernels=True):
        assert_like_torch(made(case), case, run)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_so_it_has_by_the_standard_alone(case):
    with ig.using("strict"):
        assert_like_torch(made(case), case, run)


@pytest.mark.parametrize("case", OTHERS, ids=str)
def test_so_it_has_on_a_device_that_is_not_the_default(case):
    with ig.using("strict:device1"):
        assert_like_torch(made(case), case, run)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_state_has_the_names_and_the_order_of_torch(case):
    state = made(case).state_dict()
    assert list(state) == list(case.under("parameter"))


@pytest.mark.parametrize("case", RUNNING, ids=str)
@pytest.mark.parametrize("device", ["cpu", "strict:device1"], indirect=True)
def test_running_statistics_follow_two_batches_and_serve_evaluation(case, device):
    module, x = made(case), ig.array(case.arrays["x"])
    module(x)
    second = module(2.0 * x + 1.0)
    assert_near(second, case.arrays["second/y"], 1e-9, "second")
    assert_near(module.eval()(x), case.arrays["evaluated/y"], 1e-9, "evaluated")
    after = case.under("after")
    assert list(module.state_dict()) == list(after)
    for name, value in module.state_dict().items():
        assert value.dtype == ig.array(after[name]).dtype
        assert_near(value, after[name], 1e-9, name)


def test_evaluation_leaves_running_statistics_alone_and_so_does_an_empty_batch():
    layer = nn.BatchNorm2d(3)
    layer(np.ones((0, 3, 2, 2), np.float32))
    layer.eval()(np.ones((2, 3, 2, 2), np.float32))
    assert_array_equal(layer.running_mean, np.zeros(3))
    assert_array_equal(layer.running_var, np.ones(3))
    assert int(layer.num_batches_tracked) == 0


SMALL = {  # a layer of each kind, and the shape of one example
    "conv": (lambda: nn.Conv2d(3, 4, 2, padding=1), (3, 4, 4)),
    "strided conv": (lambda: nn.Conv1d(3, 6, 3, stride=2, groups=3), (3, 7)),
    "conv by the edges": (lambda: nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), (3, 4, 4)),
    "transposed conv": (lambda: nn.ConvTranspose2d(3, 2, 2, stride=2), (3, 3, 3)),
    "max pool": (lambda: nn.MaxPool2d(2), (3, 4, 4)),
    "max pool of even parts": (lambda: nn.AdaptiveMaxPool2d(3), (3, 4, 4)),
    "avg pool": (lambda: nn.AvgPool1d(3, 2, 1), (3, 7)),
    "lp pool": (lambda: nn.LPPool2d(2.0, 2), (3, 4, 4)),
    "avg pool of even parts": (lambda: nn.AdaptiveAvgPool2d((3, 2)), (3, 4, 4)),
    "global avg pool": (nn.GlobalAvgPool, (3, 4, 4)),
    "global max pool": (nn.GlobalMaxPool, (3, 4, 4)),
    "batch norm": (lambda: nn.BatchNorm2d(3), (3, 4, 4)),
    "layer norm": (lambda: nn.LayerNorm((3, 4)), (3, 4)),
    "rms norm": (lambda: nn.RMSNorm(4), (3, 4)),
    "group norm": (lambda: nn.GroupNorm(3, 6), (6, 5)),
    "instance norm": (lambda: nn.InstanceNorm1d(3, affine=True), (3, 5)),
    "bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (3, 4, 3)),
    "nearest": (lambda: nn.Upsample(5), (3, 4)),
    "reflection": (lambda: nn.ReflectionPad2d(1), (3, 4, 4)),
    "pixel shuffle": (lambda: nn.PixelShuffle(2), (4, 2, 2)),
    "unflatten": (lambda: nn.Unflatten(1, (3, 2)), (6, 2)),
}


@pytest.mark.parametrize("name", SMALL)
def test_an_empty_batch_goes_through_and_has_gradients_of_zero(name, device):
    make, shape = SMALL[name]
    layer = make()
    x = ig.Tensor(ig.array(np.zeros((0, *shape), np.float32)), requires_grad=True)
    y = layer(x)
    assert y.shape[0] == 0
    assert tuple(y.shape[1:]) == tuple(layer.eval()(ig.array(sample(shape, 1))).shape[1:])
    y.backward(y.detach())
    assert tuple(x.grad.shape) == (0, *shape)
    for parameter in layer.parameters():
        assert not np.any(ig.to_numpy(parameter.grad))


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_of_one_is_the_first_row_of_a_batch_of_three(name):
    make, shape = SMALL[name]
    layer, x = make().eval(), sample(shape, 3)
    assert_near(layer(x[:1]), ig.to_numpy(layer(ig.Tensor(x)).detach())[:1], 1e-6, name)


@pytest.mark.parametrize("name", SMALL)
def test_the_layout_in_memory_does_not_matter(name):
    make, shape = SMALL[name]
    layer, x = make(), sample(shape, 3)
    view = np.ascontiguousarray(x.T).T
    results = []
    for given in (x, view, np.repeat(x, 2, axis=-1)[..., ::2]):
        leaf = ig.Tensor(given, requires_grad=True)
        y = layer(leaf)
        y.backward(np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape))
        results.append((y.detach().data, leaf.grad))
    for y, dx in results[1:]:
        assert_near(y, results[0][0], 1e-5, "y")
        assert_near(dx, results[0][1], 1e-5, "dx")


def sample(shape, n):
    return np.abs(np.random.RandomState(0).randn(n, *shape)).astype(np.float32)


@pytest.mark.parametrize("name", [name for name in SMALL if SMALL[name][0]().parameters()])
def test_a_layer_learns_what_another_one_does(name):
    make, shape = SMALL[name]
    random, layer, teacher = np.random.RandomState(1), make(), make()
    for parameter in teacher.parameters():
        parameter.data[...] = random.randn(*parameter.shape)
    x = random.randn(8, *shape).astype(np.float32)
    target = teacher(ig.Tensor(x)).detach().data
    optimizer = nn.Adam(layer.parameters(), lr=0.1)
    for _ in range(150):
        loss = nn.mse(layer(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.data) < 1e-3 * float(np.mean(target**2))
