"""Products by cuBLASLt on CuPy's arrays, and the op matmul, by its emulation in NumPy."""

import numpy as np
import pytest
from emulated_cublaslt import check, gelu, gelu_slope, operands
from host_graphs import HostGraphs

import isograd as ig
from isograd.kernels.cuda import cublaslt
from isograd.kernels.cuda.cublaslt import CublasLt
from isograd.kernels.cuda.cublaslt_matmul import candidate, fits, matmul, relu_mask
from isograd.kernels.cuda.graph import using_graph_maker
from isograd.kernels.cuda.problem import Problem

# -- products ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("transpose_a", [False, True])
def test_row_major_products_come_out_of_a_column_major_library(
    host_cupy, emulated_cublaslt, transpose_a, transpose_b, dtype
):
    a, b = operands(host_cupy, dtype=dtype)
    expected = host_cupy.view(a).astype("f8") @ host_cupy.view(b).astype("f8")
    left = host_cupy.array(np.ascontiguousarray(host_cupy.view(a).T)) if transpose_a else a
    right = host_cupy.array(np.ascontiguousarray(host_cupy.view(b).T)) if transpose_b else b
    y = matmul(left, right, transpose_a=transpose_a, transpose_b=transpose_b)
    assert y.dtype == a.dtype
    check(host_cupy, y, expected)


def test_views_are_multiplied_where_they_lie(host_cupy, emulated_cublaslt):
    a, b = operands(host_cupy, 8, 6, 10)
    left, right = a[1:6, 2:9], b[2:9].T[1:, :].T  # gaps between rows; columns left out
    expected = host_cupy.view(left).astype("f8") @ host_cupy.view(right).astype("f8")
    check(host_cupy, matmul(left, right), expected)
    assert host_cupy.used == []  # nothing was copied


def test_a_view_with_gaps_in_its_rows_is_copied_first(host_cupy, emulated_cublaslt):
    a, b = operands(host_cupy, 5, 7, 12)
    left, right = a[:, ::2], b[::2]
    check(host_cupy, matmul(left, right), host_cupy.view(left).astype("f8") @ host_cupy.view(right))
    assert host_cupy.used == ["ascontiguousarray"]


@pytest.mark.parametrize(
    ("a_shape", "b_shape", "n_products"),
    [
        ((4, 5, 6), (4, 6, 7), 1),
        ((2, 4, 5, 6), (2, 4, 6, 7), 1),
        ((4, 5, 6), (6, 7), 1),
        ((2, 1, 5, 6), (3, 6, 7), 2),
    ],
)
def test_batches_are_one_call_where_a_stride_describes_them(
    host_cupy, emulated_cublaslt, a_shape, b_shape, n_products
):
    random = np.random.RandomState(2)
    a, b = (host_cupy.array(random.randn(*shape)) for shape in (a_shape, b_shape))
    check(host_cupy, matmul(a, b), np.matmul(host_cupy.view(a), host_cupy.view(b)))
    assert emulated_cublaslt.calls.count("cublasLtMatmul") == n_products


def test_heads_of_attention_are_multiplied_without_a_copy(host_cupy, emulated_cublaslt):
    x = host_cupy.array(np.random.RandomState(2).randn(2, 5, 3, 4)).transpose(0, 2, 1, 3)
    scores = matmul(x, x, transpose_b=True)
    check(host_cupy, scores, np.matmul(host_cupy.view(x), host_cupy.view(x).swapaxes(-1, -2)))
    check(host_cupy, matmul(scores, x), np.matmul(host_cupy.view(scores), host_cupy.view(x)))
    assert host_cupy.used == []


@pytest.mark.parametrize(
    ("epilogue", "activation"),
    [("none", lambda z: z), ("relu", lambda z: z * (z > 0)), ("gelu_tanh", gelu)],
    ids=["none", "relu", "gelu_tanh"],
)
def test_bias_and_activation_come_with_the_product(
    host_cupy, emulated_cublaslt, epilogue, activation
):
    a, b = operands(host_cupy, batch=(3,), dtype="float64")
    bias = host_cupy.array(np.arange(7.0))
    y = matmul(a, b, bias=bias, epilogue=epilogue)
    check(host_cupy, y, activation(host_cupy.view(a) @ host_cupy.view(b) + np.arange(7.0)))
    assert emulated_cublaslt.calls.count("cublasLtMatmul") == 1


def test_beta_adds_to_what_out_holds(host_cupy, emulated_cublaslt):
    a, b = operands(host_cupy, dtype="float64")
    out = host_cupy.array(np.ones((5, 7)))
    assert matmul(a, b, out=out, beta=1.0) is out
    check(host_cupy, out, host_cupy.view(a) @ host_cupy.view(b) + 1.0)


@pytest.mark.parametrize("n", [8, 136])
def test_relus_derivative_uses_the_mask_that_relu_wrote(host_cupy, emulated_cublaslt, n):
    a, b = operands(host_cupy, n=n, dtype="float64")
    mask = relu_mask(5, n, a)
    assert mask.shape == (5, 16 if n == 8 else 32)
    matmul(a, b, epilogue="relu", aux=mask)
    dz, weight = operands(host_cupy, n=n, dtype="float64")
    sums = host_cupy.array(np.zeros(n))
    dy = matmul(dz, weight, epilogue="drelu", aux=mask, sums=sums)
    expected = (host_cupy.view(dz) @ host_cupy.view(weight)) * (
        host_cupy.view(a) @ host_cupy.view(b) > 0
    )
    check(host_cupy, dy, expected)
    check(host_cupy, sums, expected.sum(axis=0))


def test_gelus_derivative_uses_the_input_that_gelu_kept(host_cupy, emulated_cublaslt):
    a, b = operands(host_cupy, n=8, dtype="float64")
    bias, kept = host_cupy.array(np.arange(8.0)), host_cupy.array(np.zeros((5, 8)))
    matmul(a, b, bias=bias, epilogue="gelu_tanh", aux=kept)
    z = host_cupy.view(a) @ host_cupy.view(b) + np.arange(8.0)
    check(host_cupy, kept, z)
    dy = matmul(a, b, epilogue="dgelu_tanh", aux=kept)
    check(host_cupy, dy, (host_cupy.view(a) @ host_cupy.view(b)) * gelu_slope(z))


def test_a_bias_gradient_comes_beside_that_of_its_weight(host_cupy, emulated_cublaslt):
    random = np.random.RandomState(4)
    dz, x = host_cupy.array(random.randn(9, 5)), host_cupy.array(random.randn(9, 6))
    dbias = host_cupy.array(np.zeros(5))
    dweight = matmul(dz, x, transpose_a=True, epilogue="sum_a", sums=dbias)
    check(host_cupy, dweight, host_cupy.view(dz).T @ host_cupy.view(x))
    check(host_cupy, dbias, host_cupy.view(dz).sum(axis=0))
    columns = host_cupy.array(np.zeros(6))
    matmul(dz, x, transpose_a=True, epilogue="sum_b", sums=columns)
    check(host_cupy, columns, host_cupy.view(x).sum(axis=0))


# -- the op matmul ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape1", "shape2"),
    [((5, 6), (6, 7)), ((6,), (6, 7)), ((5, 6), (6,)), ((6,), (6,)), ((2, 5, 6), (6, 7))],
)
def test_the_op_and_its_gradients_are_those_of_numpy(host_cupy, emulated_cublaslt, shape1, shape2):
    random = np.random.RandomState(5)
    hosts = [random.randn(*shape) for shape in (shape1, shape2)]
    ours = [ig.Tensor(host_cupy.array(host), requires_grad=True) for host in hosts]
    theirs = [ig.Tensor(host, requires_grad=True) for host in hosts]
    y, expected = ours[0] @ ours[1], theirs[0] @ theirs[1]
    dy = np.asarray(random.randn(*y.shape))
    y.backward(host_cupy.array(dy))
    expected.backward(dy)
    check(host_cupy, y.data, np.asarray(expected.data))
    for x, other in zip(ours, theirs, strict=True):
        check(host_cupy, x.grad, other.grad)
    assert "cublasLtMatmul" in emulated_cublaslt.calls


@pytest.mark.parametrize(
    "dtypes", [("int64", "int64"), ("float32", "float64"), ("complex64", "complex64")]
)
def test_the_op_leaves_other_dtypes_to_cupy(host_cupy, emulated_cublaslt, dtypes):
    x1, x2 = (host_cupy.array(np.ones((3, 3), dtype)) for dtype in dtypes)
    y = ig.Tensor(x1) @ ig.Tensor(x2)
    np.testing.assert_array_equal(host_cupy.view(y.data), np.full((3, 3), 3))
    assert emulated_cublaslt.calls == []


def test_the_op_leaves_empty_arrays_to_cupy(host_cupy, emulated_cublaslt):
    x1, x2 = host_cupy.array(np.ones((3, 0))), host_cupy.array(np.ones((0, 4)))
    np.testing.assert_array_equal(
        host_cupy.view((ig.Tensor(x1) @ ig.Tensor(x2)).data), np.zeros((3, 4))
    )


def _cubed(x):
    """x x^T x; a plain CuPy array would go to CuPy's own matmul."""
    x = ig.Tensor(x)
    return ((x @ x.mT) @ x).data


def test_products_are_part_of_a_captured_step(host_cupy, emulated_cublaslt):
    with using_graph_maker(HostGraphs(host_cupy)), ig.using("cuda"):
        step = ig.capture(_cubed, warm_up=1)
        for seed in range(4):
            x = ig.random.Generator(seed).normal((2, 3, 4), dtype="float64")
            y, host = ig.to_numpy(step(x)), ig.to_numpy(x)
            np.testing.assert_allclose(y, host @ host.swapaxes(1, 2) @ host, rtol=1e-12)
    n_products = emulated_cublaslt.calls.count("cublasLtMatmul")
    assert n_products == 2 + 2  # the warm-up and the capture; replays call nothing


def test_batches_are_left_to_cupy_where_no_driver_answers(host_cupy, real_cublaslt):
    x = host_cupy.array(np.ones((2, 3, 3)))
    with cublaslt.using_library(CublasLt(real_cublaslt)):
        y = ig.Tensor(x) @ ig.Tensor(x)
    np.testing.assert_array_equal(host_cupy.view(y.data), np.full((2, 3, 3), 3))


# -- as a candidate --------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["nn", "nt", "tn", "tt"])
def test_the_candidate_reads_its_layout_and_adds_where_it_should(
    host_cupy, emulated_cublaslt, layout
):
    a, b = operands(host_cupy, dtype="float64")
    stored_a = host_cupy.array(np.ascontiguousarray(host_cupy.view(a).T)) if layout[0] == "t" else a
    stored_b = host_cupy.array(np.ascontiguousarray(host_cupy.view(b).T)) if layout[1] == "t" else b
    y = host_cupy.array(np.ones((5, 7)))
    problem = Problem(5, 7, 6, layout, "float64")
    candidate(problem, stored_a, stored_b, y, accumulate=True)
    check(host_cupy, y, host_cupy.view(a) @ host_cupy.view(b) + 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"activation": "relu", "bias": True}, True),
        ({"activation": "silu"}, False),
        ({"activation": "relu", "saves": True}, False),
        ({"activation": "gelu_tanh", "saves": True}, True),
        ({"activation": "gelu_tanh", "saves": True, "n": 7}, False),
        ({"dtype": "bfloat16", "arch": 90}, True),
        ({"dtype": "bfloat16", "arch": 75}, False),
    ],
)
def test_the_candidate_says_what_it_serves(host_cupy, emulated_cublaslt, changes, expected):
    assert fits(Problem(16, 8, 32)._replace(**changes)) is expected


def test_the_candidate_serves_nothing_where_no_driver_answers(host_cupy, real_cublaslt):
    with cublaslt.using_library(CublasLt(real_cublaslt)):
        assert not fits(Problem(16, 8, 32))
