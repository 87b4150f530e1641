"""linear on CuPy: its backward kernels against float64, and the op from end to end."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16
from own_kernels import own_kernels_only

import isograd as ig
from isograd import nn
from isograd.backend import settings_override
from isograd.backend.dtypes import tolerance
from isograd.kernels.cuda import products
from isograd.kernels.cuda.arrays import NULL
from isograd.kernels.cuda.columns import LEAST_ROWS, ROWS_ALONE, THREADS
from isograd.kernels.cuda.linear import (
    KEEP_Y,
    KEEP_Z,
    LINEAR_BACKWARD,
    LINEAR_CUPY,
    forward,
)
from isograd.kernels.cuda.matmul_kernels import ACTIVATIONS
from isograd.kernels.cuda.reduction import REDUCTION

NAMES = [None, *KEEP_Y, *KEEP_Z]


@pytest.fixture
def own_cupy(host_cupy, monkeypatch):
    """CuPy on host memory, where products run on our own kernels."""
    with own_kernels_only(monkeypatch):
        yield host_cupy


# ---- dz and the gradient of the bias ----


def slopes(y):
    """leaky_relu's, in float64."""
    return np.where(y > 0, 1.0, 0.01)


def launch_dz(host, dy, kept, dz, partial, dbias, rows_a_block, pack=1, dtype="float32"):
    m, n = dy.shape
    grid = (-(-n // (32 * pack)), -(-m // rows_a_block))
    args = (dy, kept, dz, partial, dbias, *map(np.int64, (m, n, rows_a_block)))
    macros = {"ACTIVATION": "LeakyRelu", "IS_PACKED": int(pack > 1)}
    host(LINEAR_BACKWARD, "linear_backward_dz", dtype, grid, (THREADS,), args, **macros)


def launch_dbias(host, partial, dbias, pack=1, dtype="float32"):
    n_parts, n = partial.shape
    args = (partial, dbias, np.float32(1.0), np.int64(n_parts), np.int64(n))
    grid, macros = (-(-n // (32 * pack)),), {"IS_PACKED": int(pack > 1)}
    host(REDUCTION, "column_totals", dtype, grid, (THREADS,), args, **macros)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("m", "n", "rows", "pack"),
    [(1, 1, 1, 1), (3, 31, 3, 1), (9, 33, 4, 1), (70, 68, 33, 4), (41, 260, 8, 4)],
)
def test_dz_and_its_column_sums_are_those_of_float64(host, m, n, rows, pack):
    dy, y = draw(m, n), draw(m, n, seed=1)
    n_parts = -(-m // rows)
    dz, dbias = np.full_like(dy, np.nan), np.full(n, np.nan, np.float32)
    partial = np.full((n_parts, n), np.nan, np.float32)
    launch_dz(host, dy, y, dz, partial if n_parts > 1 else NULL, dbias, rows, pack)
    if n_parts > 1:
        assert np.isnan(dbias).all()
        launch_dbias(host, partial, dbias, pack)
    expected = dy.astype(np.float64) * slopes(y)
    np.testing.assert_allclose(dz, expected, rtol=1e-6)
    np.testing.assert_allclose(dbias, expected.sum(axis=0), rtol=1e-5, atol=1e-5)


def test_what_is_not_wanted_is_not_written(host):
    dy, y = draw(5, 40), draw(5, 40, seed=1)
    dz, dbias = np.full_like(dy, np.nan), np.full(40, np.nan, np.float32)
    launch_dz(host, dy, y, dz, NULL, NULL, 5)
    launch_dz(host, dy, y, NULL, NULL, dbias, 5)
    np.testing.assert_allclose(dbias, (dy.astype(np.float64) * slopes(y)).sum(axis=0), atol=1e-5)
    np.testing.assert_allclose(dz, dy * slopes(y), rtol=1e-6)


def test_column_sums_of_float16_are_added_up_in_float32(host):
    dy = np.full((3000, 8), 1.0, np.float16)  # float16 has no odd numbers above 2048
    dbias, partial = np.zeros(8, np.float16), np.zeros((2, 8), np.float32)
    launch_dz(host, dy, dy, NULL, partial, NULL, 1500, 8, "float16")
    launch_dbias(host, partial, dbias, 8, "float16")
    assert (partial == 1500).all()
    assert (dbias == 3000).all()


def test_dz_in_bfloat16(host):
    dy, y = (from_bfloat16(bits_of_bfloat16(draw(9, 16, seed=i))) for i in range(2))
    dz, dbias = np.zeros((9, 16), np.uint16), np.zeros(16, np.uint16)
    bits = bits_of_bfloat16(dy), bits_of_bfloat16(y)
    launch_dz(host, *bits, dz, NULL, dbias, 9, 8, "bfloat16")
    expected = dy.astype(np.float64) * slopes(y)
    np.testing.assert_allclose(from_bfloat16(dz), expected, rtol=2**-8)
    np.testing.assert_allclose(from_bfloat16(dbias), expected.sum(axis=0), rtol=2**-8, atol=1e-6)


# ---- the op ----


def inputs(shape=(6, 20), n_out=12, dtype="float32"):
    """x, weight, bias, dy; with a zero row of x and no bias there, where activations have kinks."""
    random = np.random.default_rng(4)
    x, weight = random.standard_normal(shape), random.standard_normal((n_out, shape[-1]))
    bias, dy = random.standard_normal(n_out), random.standard_normal((*shape[:-1], n_out))
    x.reshape(-1, shape[-1])[0] = 0.0
    bias[:2] = 0.0
    return [a.astype(dtype) for a in (x, weight, bias, dy)]


def gradients(activation, *arrays, to_array=lambda x: x, view=lambda x: x):
    """y and the gradients of x, weight and bias (if it is not None)."""
    *given, dy = arrays
    tensors = [ig.Tensor(to_array(a), requires_grad=True) for a in given if a is not None]
    y = nn.linear(*tensors, activation=activation)
    y.backward(to_array(dy))
    return [view(y.data), *(view(t.grad) for t in tensors)]


def by_definition(activation, *arrays):
    """The same in float64, by the definition on NumPy."""
    with settings_override(disable_kernels=True):
        wide = [a if a is None else a.astype(np.float64) for a in arrays]
        return gradients(activation, *wide)


def assert_close(found, expected, dtype="float32", factor=4.0):
    """factor: results are sums of up to 20 products."""
    near = tolerance(dtype, factor)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=near.rtol, atol=near.atol)


def test_every_activation_keeps_y_or_the_value_before_it():
    assert {*KEEP_Y, *KEEP_Z, "none"} == set(ACTIVATIONS)
    for name in (*KEEP_Y, *KEEP_Z):
        struct = LINEAR_BACKWARD.text.split(f"struct {ACTIVATIONS[name]} ")[1]
        keeps_y = struct.split("KEEPS_Y = ")[1].split(";")[0]
        assert keeps_y == str(name in KEEP_Y).lower()


@pytest.mark.parametrize("activation", NAMES)
def test_the_op_on_cupy_runs_own_kernels_alone(own_cupy, activation):
    given = inputs()
    found = gradients(activation, *given, to_array=own_cupy.array, view=own_cupy.view)
    assert_close(found, by_definition(activation, *given))
    assert own_cupy.used == []
    assert len(own_cupy.compiler.launched) == 4
    assert own_cupy.compiler.launched[1] == "linear_backward_dz"


@pytest.mark.parametrize("is_recorded", [False, True])
def test_the_value_before_gelu_is_written_only_where_a_derivative_may_follow(
    own_cupy, monkeypatch, is_recorded
):
    written = []

    def matmul(*args, z=None, **kwargs):
        written.append(z is not None)
        return product(*args, z=z, **kwargs)

    product = products.matmul
    monkeypatch.setattr(products, "matmul", matmul)
    x, weight, bias, _ = inputs((2, 3, 20))
    tensors = [ig.Tensor(own_cupy.array(a), requires_grad=is_recorded) for a in (x, weight, bias)]
    y = nn.linear(*tensors, activation="gelu")
    assert written == [is_recorded]
    with settings_override(disable_kernels=True):
        assert_close([own_cupy.view(y.data)], [nn.linear(x, weight, bias, activation="gelu")])


def test_without_bias_and_activation_there_are_three_products(own_cupy):
    x, weight, _, dy = inputs()
    found = gradients(None, x, weight, None, dy, to_array=own_cupy.array, view=own_cupy.view)
    assert_close(found, by_definition(None, x, weight, None, dy))
    assert len(own_cupy.compiler.launched) == 3
    assert own_cupy.used == []


@pytest.mark.parametrize("shape", [(20,), (2, 3, 20)])
def test_leading_axes_are_rows(own_cupy, shape):
    given = inputs(shape)
    found = gradients("relu", *given, to_array=own_cupy.array, view=own_cupy.view)
    assert_close(found, by_definition("relu", *given))


def test_many_rows_are_added_up_by_several_blocks(own_cupy):
    given = inputs((ROWS_ALONE + 1, 4), 3)
    found = gradients("relu", *given, to_array=own_cupy.array, view=own_cupy.view)
    assert_close(found, by_definition("relu", *given), factor=40.0)  # sums of 257 products
    assert own_cupy.compiler.launched[1:3] == ["linear_backward_dz", "column_totals"]
    assert LEAST_ROWS < ROWS_ALONE


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_the_op_in_other_dtypes(own_cupy, dtype):
    given = inputs((6, 16), 8, dtype=dtype)
    found = gradients("relu", *given, to_array=own_cupy.array, view=own_cupy.view)
    assert all(one.dtype == dtype for one in found)
    assert_close(found, by_definition("relu", *given), dtype)


def test_arrays_with_gaps_and_transposed_ones_are_served(own_cupy):
    x, weight, bias, dy = inputs((6, 16), 8)
    rows = own_cupy.array(x.T.copy()).T
    columns = own_cupy.array(np.repeat(weight, 2, axis=1))[:, ::2]
    gradient = own_cupy.array(dy.T.copy()).T
    tensors = [ig.Tensor(a, requires_grad=True) for a in (rows, columns, own_cupy.array(bias))]
    y = nn.linear(*tensors, activation="relu")
    y.backward(gradient)
    found = [own_cupy.view(a) for a in (y.data, *(t.grad for t in tensors))]
    assert_close(found, by_definition("relu", x, weight, bias, dy))


@pytest.mark.host_only
def test_gradients_are_written_into_the_buffers_of_an_optimizer(own_cupy):
    given = inputs()
    with ig.using("cuda"):
        layer = nn.Linear(20, 12, activation="tanh")
        optimizer = nn.SGD(layer.parameters())
        layer(own_cupy.array(given[0])).backward(own_cupy.array(given[3]))
        (arena,) = optimizer.param_groups[0].arenas
        for parameter in (layer.weight, layer.bias):
            assert arena.layout.gradients.data.mem is parameter.grad.data.mem
        weight, bias = (own_cupy.view(p.data).copy() for p in (layer.weight, layer.bias))
        found = [own_cupy.view(p.grad).copy() for p in (layer.weight, layer.bias)]
    expected = by_definition("tanh", given[0], weight, bias, given[3])
    assert_close(found, expected[2:])


def test_only_the_wanted_gradients_are_computed(own_cupy):
    x, weight, bias, dy = map(own_cupy.array, inputs())
    y, kept = forward(x, weight, bias, activation="relu")
    own_cupy.compiler.launched.clear()
    found = LINEAR_CUPY.backward(dy, x, weight, "relu", kept, frozenset({"bias"}), {})
    assert own_cupy.compiler.launched == ["linear_backward_dz"]
    assert found[0] is found[1] is None
    dz = own_cupy.view(dy) * (own_cupy.view(y) > 0)
    np.testing.assert_allclose(own_cupy.view(found[2]), dz.sum(axis=0), rtol=1e-5)


def test_gradients_are_written_at_once_where_they_are_wanted(own_cupy):
    x, weight, _, dy = map(own_cupy.array, inputs())
    into = {"weight": own_cupy.cupy.empty((12, 20), "f4"), "bias": own_cupy.cupy.empty(12, "f4")}
    needs = frozenset({"weight", "bias"})
    dx, dweight, dbias = LINEAR_CUPY.backward(dy, x, weight, None, None, needs, into)
    assert dx is None
    assert dweight is into["weight"]
    assert dbias is into["bias"]
    expected = own_cupy.view(dy).T @ own_cupy.view(x)
    np.testing.assert_allclose(own_cupy.view(dweight), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "declined",
    [
        {"x": np.ones((0, 4), np.float32)},
        {"x": np.ones((2, 4), np.int32), "weight": np.ones((5, 4), np.int32), "bias": None},
        {"weight": np.ones((5, 4), np.float64)},
        {"activation": "elu"},
    ],
    ids=["empty", "integers", "two dtypes", "elu"],
)
def test_what_the_kernel_does_not_serve_is_left_to_the_definition(host_cupy, declined):
    ones = {"x": (2, 4), "weight": (5, 4), "bias": (5,)}
    options = {name: np.ones(shape, np.float32) for name, shape in ones.items()} | declined
    options = {
        name: host_cupy.array(value) if isinstance(value, np.ndarray) else value
        for name, value in options.items()
    }
    assert forward(**options) is NotImplemented


def test_the_kernel_is_attached():
    assert nn.linear._fused["cupy"] is LINEAR_CUPY
