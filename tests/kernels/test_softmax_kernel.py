"""The NumPy kernels of softmax and log_softmax against their definitions."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance

OPS = {"softmax": nn.softmax, "log_softmax": nn.log_softmax}
CASES = [((7,), -1), ((5, 9), 1), ((5, 9), 0), ((2, 3, 4), -1), ((2, 3, 4), 1), ((3, 400), -1)]


def y_and_dx(op, x, dy, axis):
    tensor = ig.Tensor(x, requires_grad=True)
    y = op(tensor, axis=axis)
    y.backward(dy)
    return y.data, tensor.grad


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "axis"), CASES)
@pytest.mark.parametrize("name", OPS)
def test_the_kernel_agrees_with_the_definition(name, shape, axis, dtype):
    random = np.random.RandomState(2)
    x, dy = (random.randn(*shape).astype(dtype) for _ in range(2))
    before = x.copy(), dy.copy()
    found = y_and_dx(OPS[name], x, dy, axis)
    with settings_override(disable_kernels=True):
        expected = y_and_dx(OPS[name], x, dy, axis)
    bounds = tolerance(dtype)
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=bounds.rtol, atol=bounds.atol)
    assert np.array_equal(x, before[0])
    assert np.array_equal(dy, before[1])


@pytest.mark.parametrize("name", OPS)
def test_transposed_and_broadcast_arrays_are_served(name):
    random = np.random.RandomState(3)
    x, dy = random.randn(9, 5).T, np.broadcast_to(random.randn(9), (5, 9))
    found = y_and_dx(OPS[name], x, dy, -1)
    expected = y_and_dx(OPS[name], x.copy(), dy.copy(), -1)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", OPS)
def test_huge_differences_neither_overflow_nor_give_nan(name):
    x = np.array([[1e30, 0.0, -1e30]], np.float32)
    y, dx = y_and_dx(OPS[name], x, np.ones_like(x), -1)
    assert not np.any(np.isnan(y))
    assert not np.any(np.isnan(dx))


@pytest.mark.parametrize("name", OPS)
def test_half_precision_is_left_to_the_definition(name):
    x = np.array([[1.0, 2.0]], np.float16)
    assert OPS[name]._fused["numpy"].forward(x) is NotImplemented
    assert OPS[name](x).dtype == np.float16
