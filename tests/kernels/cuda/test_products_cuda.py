"""Products on CuPy: which kernel takes them, transposes, results written and added."""

import numpy as np
import pytest
from own_kernels import own_kernels_only

import isograd as ig
from isograd.backend.errors import KernelError, ShapeError
from isograd.kernels.cuda import chooser
from isograd.kernels.cuda.products import matmul


@pytest.fixture
def own_cupy(host_cupy, monkeypatch):
    """CuPy on host memory, where products run on our own kernels."""
    with own_kernels_only(monkeypatch):
        yield host_cupy


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_large_products_run_on_tensor_cores_where_lines_are_aligned(own_cupy, monkeypatch):
    """On a GPU of sm_90, as host_cupy says it is."""
    monkeypatch.setattr(chooser, "FILLS_A_GPU", 1)
    a, b = own_cupy.array(draw(66, 8)), own_cupy.array(draw(64, 8, seed=1))
    for kernel, left, right in (
        ("matmul_tensor_cores", a, b),
        ("matmul_simt", a[:, :3], b[:, :3]),
        ("matmul_tensor_cores", a.ravel()[4:516].reshape(64, 8), b),
        ("matmul_simt", a.ravel()[1:513].reshape(64, 8), b),
    ):
        y = matmul(left, right, transpose_b=True)
        assert own_cupy.compiler.launched[-1] == kernel
        expected = own_cupy.view(left) @ own_cupy.view(right).T
        np.testing.assert_allclose(own_cupy.view(y), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("transpose_a", [False, True])
def test_a_product_takes_transposes_by_word_and_by_stride(own_cupy, transpose_a, transpose_b):
    a, b = draw(5, 7), draw(7, 3, seed=1)
    for by_stride in (False, True):
        left, right = own_cupy.array(a), own_cupy.array(b)
        if transpose_a:
            left = left.T if by_stride else own_cupy.array(a.T.copy())
        if transpose_b:
            right = right.T if by_stride else own_cupy.array(b.T.copy())
        y = matmul(left, right, transpose_a, transpose_b)
        np.testing.assert_allclose(own_cupy.view(y), a @ b, rtol=1e-5, atol=1e-6)


def test_a_product_is_written_or_added_into_an_array(own_cupy):
    a, b, out = (own_cupy.array(draw(4, 4, seed=i)) for i in range(3))
    before, expected = own_cupy.view(out).copy(), own_cupy.view(a) @ own_cupy.view(b)
    assert matmul(a, b, out=out, accumulate=True) is out
    np.testing.assert_allclose(own_cupy.view(out), before + expected, rtol=1e-5, atol=1e-6)
    matmul(a, b, out=out)
    np.testing.assert_allclose(own_cupy.view(out), expected, rtol=1e-5, atol=1e-6)


def test_shapes_that_do_not_fit_are_named(own_cupy):
    a, b = own_cupy.array(draw(4, 5)), own_cupy.array(draw(4, 5))
    with pytest.raises(ShapeError, match=r"\(m, k\) and \(k, n\), got \(4, 5\) and \(4, 5"):
        matmul(a, b)
    with pytest.raises(ShapeError, match=r"into \(4, 5\)"):
        matmul(a, b, transpose_b=True, out=a)


def test_the_op_takes_rows_with_gaps_where_cublaslt_is_missing(own_cupy):
    a, b = draw(5, 9), draw(9, 7, seed=1)
    left, right = own_cupy.array(a)[:, 1:8], own_cupy.array(b)[1:8, ::2]
    y = (ig.Tensor(left) @ ig.Tensor(right)).data
    assert own_cupy.compiler.launched == ["matmul_simt"]
    np.testing.assert_allclose(own_cupy.view(y), a[:, 1:8] @ b[1:8, ::2], rtol=1e-5, atol=1e-6)


def test_a_product_that_nothing_serves_is_an_error(own_cupy, monkeypatch):
    monkeypatch.setattr(chooser, "choose", lambda *args: None)
    a = own_cupy.array(draw(2, 2))
    with pytest.raises(KernelError, match="nothing here can compute"):
        matmul(a, a)
