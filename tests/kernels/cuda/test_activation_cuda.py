"""The activations as kernels, against their definitions in float64."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

import isograd as ig
from isograd import nn
from isograd.backend.dtypes import tolerance
from isograd.kernels.cuda.activation import ACTIVATION, KEEP_X, KEEP_Y, THREADS

OPS = {
    "Relu": nn.relu,
    "LeakyRelu": nn.leaky_relu,
    "Sigmoid": nn.sigmoid,
    "Elu": nn.elu,
    "Silu": nn.silu,
    "Gelu": nn.gelu,
    "GeluTanh": lambda x: nn.gelu(x, approximate="tanh"),
    "Softplus": nn.softplus,
    "LogSigmoid": nn.log_sigmoid,
}


def inputs(n, dtype="float32"):
    x = np.random.default_rng(0).normal(scale=4.0, size=n)
    x[:3] = (0.0, 25.0, -25.0)[:n]
    return x.astype(dtype)


def by_definition(name, x, dy):
    """(y, dx) in float64."""
    tensor = ig.Tensor(x.astype(np.float64), requires_grad=True)
    y = OPS[name](tensor)
    y.backward(dy.astype(np.float64))
    return y.data, tensor.grad


def run(host, name, x, dy, dtype, empty):
    y, dx = (np.full_like(x, empty) for _ in range(2))
    n = np.int64(x.size)
    host(ACTIVATION, "activation_forward", dtype, (2,), (THREADS,), (x, y, n), ACTIVATION=name)
    kept = y if name in KEEP_Y else x
    args = (dy, kept, dx, n)
    host(ACTIVATION, "activation_backward", dtype, (2,), (THREADS,), args, ACTIVATION=name)
    return y, dx


def test_every_struct_has_its_op():
    assert set(OPS) == {*KEEP_Y, *KEEP_X}


# A build for each takes two seconds: all structs in one dtype, the other dtypes for one struct.
BUILDS = [*((name, "float32") for name in OPS), ("Gelu", "float64"), ("Elu", "float16")]


@pytest.mark.parametrize(("name", "dtype"), BUILDS)
def test_value_and_slope_are_those_of_the_definition(host, name, dtype):
    x, dy = inputs(1300, dtype), np.random.default_rng(1).standard_normal(1300).astype(dtype)
    found = run(host, name, x, dy, dtype, np.nan)
    near = tolerance(dtype, 4)
    for got, expected in zip(found, by_definition(name, x, dy), strict=True):
        np.testing.assert_allclose(got, expected, rtol=near.rtol, atol=near.atol)


def test_bfloat16_is_computed_in_float32(host):
    x, dy = bits_of_bfloat16(inputs(70)), bits_of_bfloat16(np.ones(70, np.float32))
    y, dx = map(from_bfloat16, run(host, "Gelu", x, dy, "bfloat16", 0xFFFF))
    expected = by_definition("Gelu", from_bfloat16(x), from_bfloat16(dy))
    near = tolerance("bfloat16")
    np.testing.assert_allclose(y, expected[0], rtol=near.rtol, atol=near.atol)
    np.testing.assert_allclose(dx, expected[1], rtol=near.rtol, atol=near.atol)


@pytest.mark.parametrize("name", OPS)
def test_nan_stays_and_no_finite_input_overflows(host, name):
    x = np.array([np.nan, 3e38, -3e38, 100.0, -100.0], np.float32)
    y, dx = run(host, name, x, np.ones_like(x), "float32", 7.0)
    assert np.isnan(y[0])
    assert np.isfinite(y[1:]).all()
    assert np.isfinite(dx[3:]).all()


@pytest.mark.parametrize("name", OPS)
def test_the_op_on_cupy_is_one_launch_each_way(host_cupy, name):
    x = inputs(50).reshape(5, 10)
    tensor = ig.Tensor(host_cupy.array(x), requires_grad=True)
    y = OPS[name](tensor)
    y.backward(host_cupy.array(np.ones_like(x)))
    assert host_cupy.compiler.launched == ["activation_forward", "activation_backward"]
    assert host_cupy.used == []
    near = tolerance("float32", 4)
    expected = by_definition(name, x, np.ones_like(x))
    for got, want in zip((y.data, tensor.grad), expected, strict=True):
        np.testing.assert_allclose(host_cupy.view(got), want, rtol=near.rtol, atol=near.atol)


def test_other_settings_take_the_definition(host_cupy):
    x = host_cupy.array(inputs(8))
    nn.leaky_relu(x, negative_slope=0.3)
    nn.elu(x, alpha=2.0)
    nn.softplus(x, beta=2.0)
    assert host_cupy.compiler.launched == []
    nn.leaky_relu(x, negative_slope=0.01)
    assert host_cupy.compiler.launched == ["activation_forward"]
