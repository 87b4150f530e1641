"""The NumPy kernels of the norms, with and without compiled loops, against their definitions."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance
from isograd.kernels import batch_normalization, normalization
from isograd.kernels.batch_normalization import BATCH_NORM_NUMPY
from isograd.kernels.normalization import LAYER_NORM_NUMPY
from isograd.kernels.threads import threads


def batch_norm(x, weight, bias):
    return nn.batch_norm(x, None, None, weight, bias, training=True)


def evaluated(x, weight, bias):
    n = x.shape[1]
    mean = np.linspace(-1.0, 1.0, n).astype(x.dtype)
    return nn.batch_norm(x, mean, mean**2 + 0.5, weight, bias)


OPS = {
    "layer": lambda x, w, b: nn.layer_norm(x, w.shape, w, b),
    "rms": lambda x, w, b: nn.rms_norm(x, w.shape, w, eps=1e-5),
    "group": lambda x, w, b: nn.group_norm(x, 2, w, b),
    "instance": lambda x, w, b: nn.instance_norm(x, w, b),
    "batch": batch_norm,
    "evaluated": evaluated,
}
BY_LAYER = [
    ((1, 7), (7,)),
    ((5, 1), (1,)),
    ((3, 70), (70,)),
    ((2, 3, 5), (3, 5)),
    ((2, 9000), (9000,)),
]
BY_CHANNEL = [
    ((5, 16), (16,)),
    ((4, 6, 7), (6,)),
    ((3, 2, 9000), (2,)),
    ((70, 8, 3, 5), (8,)),
]
CASES = [
    *((name, *shapes) for name in ("layer", "rms") for shapes in BY_LAYER),
    *((name, *shapes) for name in ("group", "batch", "evaluated") for shapes in BY_CHANNEL),
    *(("instance", *shapes) for shapes in BY_CHANNEL[1:]),
]


def inputs(shape, parameters, dtype):
    """x with a mean far from 0, dy, weight and bias."""
    random = np.random.RandomState(4)
    x = (random.randn(*shape) * 2.0 + 3.0).astype(dtype)
    dy, weight, bias = (random.randn(*s).astype(dtype) for s in (shape, parameters, parameters))
    return x, dy, weight, bias


def results(op, x, dy, weight, bias):
    """y, dx, dweight and, where the op has a bias, dbias."""
    tensors = [ig.Tensor(a, requires_grad=True) for a in (x, weight, bias)]
    y = op(*tensors)
    y.backward(dy)
    return [y.data, *(t.grad for t in tensors if t.grad is not None)]


def assert_near(found, expected, dtype, factor=1.0):
    """Within the dtype's tolerance of the largest number in each array: sums have many terms."""
    bounds = tolerance(dtype)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        atol = factor * (bounds.atol + bounds.rtol * np.max(np.abs(b)))
        np.testing.assert_allclose(a, b, rtol=0.0, atol=atol)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "shape", "parameters"), CASES)
def test_a_kernel_agrees_with_its_definition_in_float64(name, shape, parameters, dtype):
    given = inputs(shape, parameters, dtype)
    before = [a.copy() for a in given]
    found = results(OPS[name], *given)
    with settings_override(disable_kernels=True):
        expected = results(OPS[name], *(a.astype("float64") for a in given))
    assert all(a.dtype == dtype for a in found)
    assert_near(found, expected, dtype)
    for a, b in zip(given, before, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", ["layer", "rms", "group", "instance", "batch", "evaluated"])
def test_without_weight_and_bias_they_are_ones_and_zeros(name):
    x, dy, _, _ = inputs((6, 4, 10), (10,), "float32")
    n = 10 if name in ("layer", "rms") else 4
    ones, zeros = np.ones(n, np.float32), np.zeros(n, np.float32)
    plain = {
        "layer": lambda x: nn.layer_norm(x, 10),
        "rms": lambda x: nn.rms_norm(x, 10, eps=1e-5),
        "group": lambda x: nn.group_norm(x, 2),
        "instance": nn.instance_norm,
        "batch": lambda x: nn.batch_norm(x, training=True),
        "evaluated": lambda x: evaluated(x, None, None),
    }
    expected = results(OPS[name], x, dy, ones, zeros)
    tensor = ig.Tensor(x, requires_grad=True)
    y = plain[name](tensor)
    y.backward(dy)
    assert_near([y.data, tensor.grad], expected[:2], "float32")


@pytest.mark.usefixtures("compiled")
def test_numbers_of_groups_and_features_may_be_numpy_integers():
    x, dy, *_ = inputs((6, 8), (8,), "float32")
    for op, n in [(nn.layer_norm, 8), (nn.rms_norm, 8), (nn.group_norm, 2)]:
        found, expected = (
            results(lambda x, *_, op=op, n=n: op(x, n), x, dy, x, x) for n in (np.int64(n), n)
        )
        assert_near(found, expected, "float32")
    assert nn.layer_norm(x, (np.int64(8),)).shape == x.shape


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", ["layer", "group", "batch", "evaluated"])
def test_transposed_and_broadcast_arrays_are_served(name):
    x, dy, weight, bias = inputs((8, 6, 5, 4), (4,) if name == "layer" else (6,), "float32")
    expected = results(OPS[name], x, np.broadcast_to(dy[:1], dy.shape).copy(), weight, bias)
    strided = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    found = results(OPS[name], strided, np.broadcast_to(dy[:1], dy.shape), weight, bias)
    assert_near(found, expected, "float32")


def test_batch_norm_keeps_channels_last_in_memory():
    x, dy, weight, bias = inputs((8, 6, 5, 4), (6,), "float32")
    strided = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    y, dx, *_ = results(batch_norm, strided, dy, weight, bias)
    assert y.strides == dx.strides == strided.strides


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", OPS)
def test_a_mean_a_thousand_times_the_deviation_costs_few_digits(name):
    """Catches a variance by mean(x^2) - mean^2, which has no digit left here."""
    parameters = (50,) if name in ("layer", "rms") else (6,)
    x, dy, weight, bias = inputs((40, 6, 50), parameters, "float32")
    x = (x + 1000.0).astype(np.float32)
    found = results(OPS[name], x, dy, weight, bias)
    with settings_override(disable_kernels=True):
        expected = results(OPS[name], *(a.astype("float64") for a in (x, dy, weight, bias)))
    assert_near(found, expected, "float32", factor=20.0)


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("layer", (1500, 300), (300,)),
        ("group", (70, 8, 400), (8,)),
        ("batch", (9000, 40), (40,)),
        ("batch", (70, 8, 700), (8,)),
    ],
)
def test_the_number_of_threads_changes_no_bit(name, shape, parameters, loops, monkeypatch):
    for module in (normalization, batch_normalization):
        monkeypatch.setattr(module, "PART", 2**17)
    given, found = inputs(shape, parameters, "float32"), []
    for n in (1, 2, 3):
        with threads(n):
            found.append(results(OPS[name], *given))
    for more in found[1:]:
        for one, other in zip(found[0], more, strict=True):
            assert np.array_equal(one, other)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("name", ["layer", "group", "batch"])
def test_parts_come_together(name, monkeypatch):
    shape, parameters = ((31, 12), (12,)) if name == "layer" else ((31, 4, 9), (4,))
    given = inputs(shape, parameters, "float32")
    expected = results(OPS[name], *given)
    for module in (normalization, batch_normalization):
        monkeypatch.setattr(module, "PART", 100)
    assert_near(results(OPS[name], *given), expected, "float32")


@pytest.mark.parametrize("kernel", [LAYER_NORM_NUMPY, BATCH_NORM_NUMPY])
@pytest.mark.parametrize("x", [np.ones((2, 3), np.float16), np.ones((0, 3), np.float32)])
def test_half_precision_and_empty_arrays_are_left_to_the_definition(kernel, x):
    assert kernel.forward(x, *((3,) if kernel is LAYER_NORM_NUMPY else ())) is NotImplemented


X, ROW, CHANNELS = np.ones((4, 6), np.float32), np.ones(4, np.float32), np.ones(6, np.float32)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: f.normalized(X, CHANNELS, CHANNELS, X[:3], ROW, ROW, 6, 0.0, 1), "argument 3"),
        (lambda f: f.normalized(X, CHANNELS, ROW, X, ROW, ROW, 6, 0.0, 1), "argument 2"),
        (lambda f: f.normalized(X, CHANNELS, CHANNELS, X, ROW, ROW[:2], 6, 0.0, 1), "argument 5"),
        (lambda f: f.normalized(X, CHANNELS, CHANNELS, X, ROW, ROW, 5, 0.0, 1), "not 4 rows of 5"),
        (lambda f: f.normalized(X, CHANNELS, CHANNELS, X, ROW, ROW, 0, 0.0, 1), "rows of 0"),
        (lambda f: f.normalized(X, X[:0], X[:0], X, ROW, ROW, 6, 0.0, 1), "with 0 weights"),
        (lambda f: f.normalized(X[:0], ROW, ROW, X[:0], ROW, ROW, 4, 0.0, 1), "0 numbers"),
        (
            lambda f: f.dnormalized(X, X[:2], CHANNELS, ROW, ROW, X, CHANNELS, CHANNELS, 6, 1),
            "argument 1",
        ),
        (
            lambda f: f.dnormalized(X, X, CHANNELS, ROW, ROW, X, CHANNELS, ROW, 6, 1),
            "argument 7",
        ),
        (lambda f: f.channel_moments(X, CHANNELS, ROW, 1), "argument 2"),
        (lambda f: f.channel_moments(X, CHANNELS, CHANNELS, 5), "channels with 5 each"),
        (lambda f: f.channel_moments(X, X[:0], X[:0], 1), "0 channels"),
        (lambda f: f.channels_scaled(X, CHANNELS, CHANNELS, ROW, X, 1), "argument 3"),
        (lambda f: f.channels_scaled(X, CHANNELS, CHANNELS, CHANNELS, X[:2], 1), "argument 4"),
        (lambda f: f.channel_sums(X, X[:2], CHANNELS, CHANNELS, CHANNELS, 1), "argument 1"),
        (lambda f: f.channel_sums(X, X, CHANNELS, CHANNELS, ROW, 1), "argument 4"),
        (lambda f: f.dchannels(X, X, CHANNELS, CHANNELS, CHANNELS, ROW, X, 1), "argument 5"),
        (lambda f: f.dchannels(X, X, CHANNELS, CHANNELS, CHANNELS, CHANNELS, ROW, 1), "argument 6"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(loops, call, says):
    with pytest.raises(ValueError, match=says):
        call(loops)
