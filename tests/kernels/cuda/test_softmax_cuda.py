"""The softmax kernels; the model of a kernel's tests (conftest.py says what the fixtures do)."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

import isograd as ig
from isograd import nn
from isograd.backend.dtypes import tolerance
from isograd.kernels.cuda.rows import LONG_THREADS, SHORT_THREADS
from isograd.kernels.cuda.softmax import SOFTMAX

THREADS = {"short": SHORT_THREADS, "long": LONG_THREADS}


def softmax_in_float64(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax_in_float64(x):
    return np.log(softmax_in_float64(x))


def dx_in_float64(dy, y):
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def log_dx_in_float64(dy, y):
    return dy - np.exp(y) * dy.sum(axis=-1, keepdims=True)


def rows(n_rows, n, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal((n_rows, n)).astype(dtype)


def assert_close(actual, expected, dtype="float32", factor=1.0):
    near = tolerance(dtype, factor)
    np.testing.assert_allclose(actual, expected, rtol=near.rtol, atol=near.atol)


def launch(host, kernel, *arrays, in_logs=False, blocks=2, dtype="float32"):
    n_rows, n = arrays[0].shape
    args = (*arrays, np.bool_(in_logs), np.int64(n_rows), np.int64(n))
    host(SOFTMAX, kernel, dtype, (blocks,), (THREADS[kernel.split("_")[-1]],), args)


@pytest.mark.parametrize("in_logs", [False, True])
@pytest.mark.parametrize("team", ["short", "long"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 31), (9, 33), (11, 300)])
def test_forward_equals_float64(host, shape, team, in_logs):
    x = rows(*shape)
    y = np.full_like(x, np.nan)
    launch(host, f"softmax_forward_{team}", x, y, in_logs=in_logs)
    oracle = log_softmax_in_float64 if in_logs else softmax_in_float64
    assert_close(y, oracle(x.astype(np.float64)))


@pytest.mark.parametrize("in_logs", [False, True])
@pytest.mark.parametrize("team", ["short", "long"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 31), (9, 33), (11, 300)])
def test_backward_equals_float64(host, shape, team, in_logs):
    forward, oracle = (
        (log_softmax_in_float64, log_dx_in_float64)
        if in_logs
        else (softmax_in_float64, dx_in_float64)
    )
    dy, y = rows(*shape), forward(rows(*shape, "float64", seed=1)).astype(np.float32)
    dx = np.full_like(dy, np.nan)
    launch(host, f"softmax_backward_{team}", dy, y, dx, in_logs=in_logs)
    # log_softmax: the sum of 300 numbers of either sign stands beside the results
    assert_close(dx, oracle(dy.astype(np.float64), y.astype(np.float64)), factor=4)


def test_forward_in_float64(host):
    x = rows(3, 65, "float64")
    y = np.full_like(x, np.nan)
    launch(host, "softmax_forward_short", x, y, dtype="float64")
    assert_close(y, softmax_in_float64(x), "float64")


def test_forward_in_float16(host):
    x = rows(3, 65, "float16")
    y = np.full_like(x, np.nan)
    launch(host, "softmax_forward_short", x, y, dtype="float16")
    assert_close(y, softmax_in_float64(x.astype(np.float64)), "float16")


def test_forward_in_bfloat16(host):
    x = bits_of_bfloat16(rows(3, 65))
    y = np.full_like(x, 0xFFFF)
    launch(host, "softmax_forward_short", x, y, dtype="bfloat16")
    assert_close(from_bfloat16(y), softmax_in_float64(from_bfloat16(x).astype("d")), "bfloat16")


def test_large_logits_do_not_overflow_and_a_nan_stays_in_its_row(host):
    x = np.array([[1e4, 1e4], [np.nan, 0.0], [np.inf, 0.0], [-np.inf, 0.0]], np.float32)
    y = np.full_like(x, 7)
    launch(host, "softmax_forward_short", x, y)
    np.testing.assert_array_equal(y, [[0.5, 0.5], [np.nan, np.nan], [np.nan, np.nan], [0.0, 1.0]])


@pytest.mark.parametrize(("shape", "team"), [((6, 50), "short"), ((2, 3, 1500), "long")])
@pytest.mark.parametrize("op", [nn.softmax, nn.log_softmax])
def test_the_op_on_cupy_arrays_is_one_kernel_each_way(host_cupy, op, shape, team):
    x, dy = rows(*shape[-2:]), rows(*shape[-2:], seed=1)
    x, dy = (np.broadcast_to(one, shape).copy() for one in (x, dy))
    tensor = ig.Tensor(host_cupy.array(x), requires_grad=True)
    y = op(tensor)
    y.backward(host_cupy.array(dy))
    assert host_cupy.compiler.launched == [f"softmax_forward_{team}", f"softmax_backward_{team}"]
    assert host_cupy.used == []
    plain = ig.Tensor(x, requires_grad=True)
    expected = op(plain)
    expected.backward(dy)
    assert_close(host_cupy.view(y.data), expected.data)
    assert_close(host_cupy.view(tensor.grad), plain.grad, factor=8)


def test_other_axes_and_other_strides_take_the_definition(host_cupy):
    x = rows(6, 50)
    expected = softmax_in_float64(x.astype(np.float64))
    array = host_cupy.array(x.T.copy())
    assert_close(host_cupy.view(nn.softmax(array, axis=0)), expected.T)
    assert_close(host_cupy.view(nn.softmax(array.T)), expected)
    assert host_cupy.compiler.launched == []
