"""cuBLASLt itself where a GPU answers, its emulation on host memory: the same products."""

import numpy as np
import pytest

import isograd as ig
from isograd.kernels.cuda import cublaslt
from isograd.kernels.cuda.cublaslt_matmul import matmul

# Of the sum of |a| |b|, as in test_matmul_kernels_cuda.py; TF32 keeps 10 bits, bfloat16 7.
BOUND = {"float16": 1e-3, "float32": 5e-7, "float64": 1e-15}
PRECISION_BOUND = {"highest": 5e-7, "high": 2.0**-9, "medium": 2.0**-6}
GELU_BOUND = 5e-3  # cuBLASLt's tanh is the GPU's fast one


@pytest.fixture
def cupy_with_cublaslt(host_cupy, where, request):
    """CuPy, with the real cuBLASLt on a GPU."""
    if where == "host":
        request.getfixturevalue("emulated_cublaslt")
    assert cublaslt.is_available(0)
    return host_cupy


def normal(*shape, dtype="float32"):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def assert_near(cupy, y, a, b, bound, beside=0.0):
    """y is a b + beside, within the bound times the sum of absolute products."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    scale = np.abs(a) @ np.abs(b) + np.abs(beside)
    assert (np.abs(cupy.view(y) - a @ b - beside) / scale).max() <= bound


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("layout", ["nn", "nt", "tn", "tt"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 7, 6), (64, 48, 100)])
def test_products_are_those_of_float64(cupy_with_cublaslt, sizes, layout, dtype):
    cupy, (m, n, k) = cupy_with_cublaslt, sizes
    a, b = normal(m, k, dtype=dtype), normal(k, n, dtype=dtype)
    transposed = [letter == "t" for letter in layout]
    given = [x.T.copy() if t else x for x, t in zip((a, b), transposed, strict=True)]
    y = matmul(*map(cupy.array, given), transpose_a=transposed[0], transpose_b=transposed[1])
    assert_near(cupy, y, a, b, BOUND[dtype])


@pytest.mark.parametrize("precision", PRECISION_BOUND)
def test_each_precision_keeps_its_promise(cupy_with_cublaslt, precision):
    cupy, a, b = cupy_with_cublaslt, normal(64, 256), normal(256, 32)
    y = matmul(cupy.array(a), cupy.array(b), precision=precision)
    assert_near(cupy, y, a, b, PRECISION_BOUND[precision])


@pytest.mark.parametrize("shapes", [((4, 5, 6), (4, 6, 7)), ((2, 1, 5, 6), (3, 6, 7))])
def test_batches_are_multiplied_one_by_one(cupy_with_cublaslt, shapes):
    cupy, (a, b) = cupy_with_cublaslt, (normal(*shape) for shape in shapes)
    assert_near(cupy, matmul(cupy.array(a), cupy.array(b)), a, b, BOUND["float32"])


def test_relu_and_the_bias_come_with_the_product(cupy_with_cublaslt):
    cupy, a, b, bias = cupy_with_cublaslt, normal(16, 32), normal(32, 24), normal(24)
    y = matmul(*map(cupy.array, (a, b)), bias=cupy.array(bias), epilogue="relu")
    expected = np.maximum(a.astype(np.float64) @ b + bias, 0)
    np.testing.assert_allclose(cupy.view(y), expected, rtol=1e-5, atol=1e-5)


def test_gelu_keeps_the_value_before_it(cupy_with_cublaslt):
    cupy, a, b, bias = cupy_with_cublaslt, normal(16, 32), normal(32, 24), normal(24)
    z = cupy.array(np.zeros((16, 24), np.float32))
    y = matmul(*map(cupy.array, (a, b)), bias=cupy.array(bias), epilogue="gelu_tanh", aux=z)
    before = a.astype(np.float64) @ b + bias
    root = np.sqrt(2 / np.pi)
    after = before / 2 * (1 + np.tanh(root * (before + 0.044715 * before**3)))
    np.testing.assert_allclose(cupy.view(z), before, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(cupy.view(y), after, rtol=GELU_BOUND, atol=GELU_BOUND)


def test_beta_adds_to_what_out_holds(cupy_with_cublaslt):
    cupy, a, b, before = cupy_with_cublaslt, normal(8, 20), normal(20, 12), normal(8, 12)
    out = cupy.array(before)
    assert matmul(cupy.array(a), cupy.array(b), out=out, beta=1.0) is out
    assert_near(cupy, out, a, b, BOUND["float32"], before)


@pytest.mark.gpu
def test_a_captured_product_replays_with_new_numbers():
    with ig.using("cuda"):
        step = ig.capture(lambda x: (ig.Tensor(x) @ ig.Tensor(x).mT).data, warm_up=2)
        for seed in range(5):
            x = ig.random.Generator(seed).normal((3, 16, 32))
            host = ig.to_numpy(x).astype(np.float64)
            np.testing.assert_allclose(
                ig.to_numpy(step(x)), host @ host.swapaxes(1, 2), rtol=1e-4, atol=1e-4
            )
