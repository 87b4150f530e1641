"""cuBLASLt itself, on a GPU: the numbers of every epilogue and precision, and capture."""

import numpy as np
import pytest
from emulated_cublaslt import gelu, gelu_slope

import isograd as ig
from isograd.kernels.cuda.cublaslt_matmul import matmul, relu_mask
from isograd.kernels.cuda.graph import StepGraph
from isograd.kernels.cuda.matmul_plan import NoAlgorithmError

pytestmark = pytest.mark.gpu

M, N, K = 96, 64, 160
# Of a result, by precision or dtype: a factor loses 2^-11 in TF32 and float16, 2^-8 in bfloat16.
RELATIVE = {"highest": 1e-6, "high": 1e-3, "medium": 1e-2, "float16": 2e-3, "float64": 1e-13}


@pytest.fixture
def cupy():
    with ig.using("cuda"):
        yield pytest.importorskip("cupy")


def operands(cupy, dtype="float32", batch=()):
    random = np.random.default_rng(3)
    hosts = [random.standard_normal((*batch, *shape)) for shape in ((M, K), (K, N))]
    return [cupy.asarray(host.astype(dtype)) for host in hosts]


def error(y, expected):
    """The largest error, relative to the size of the numbers."""
    return np.abs(y.get().astype("f8") - expected).max() / np.abs(expected).max()


def product(a, b):
    return a.get().astype("f8") @ b.get().astype("f8")


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_float32_products_are_as_accurate_as_asked(cupy, precision):
    a, b = operands(cupy)
    assert error(matmul(a, b, precision=precision), product(a, b)) < RELATIVE[precision]


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_batches_and_transposes_of_other_dtypes(cupy, dtype):
    a, b = operands(cupy, dtype, batch=(3,))
    left = cupy.ascontiguousarray(a.transpose(0, 2, 1))
    y = matmul(left, b, transpose_a=True)
    assert error(y, product(a, b)) < RELATIVE[dtype]


@pytest.mark.parametrize("epilogue", ["relu", "gelu_tanh"])
def test_bias_and_activation_come_with_the_product(cupy, epilogue):
    a, b = operands(cupy)
    bias = cupy.asarray(np.linspace(-20, 20, N, dtype="f4"))
    z = product(a, b) + bias.get()
    expected = np.maximum(z, 0) if epilogue == "relu" else gelu(z)
    # cuBLASLt's gelu may use the hardware's tanh, exact to 2^-11
    bound = 1e-6 if epilogue == "relu" else 1e-3
    assert error(matmul(a, b, bias=bias, epilogue=epilogue), expected) < bound


@pytest.mark.parametrize("precision", ["highest", "high"])
def test_derivatives_use_what_the_forward_pass_wrote(cupy, precision):
    a, b = operands(cupy)
    z, dy = product(a, b), product(a, b)
    for word, aux, slope in (
        ("relu", relu_mask(M, N, a), lambda z: z > 0),
        ("gelu_tanh", cupy.empty((M, N), "f4"), gelu_slope),
    ):
        try:
            matmul(a, b, epilogue=word, aux=aux, precision=precision)
            found = matmul(a, b, epilogue=f"d{word}", aux=aux, precision=precision)
        except NoAlgorithmError:
            continue  # that is an answer too: the chooser takes another way
        near_zero = np.abs(z) < 1e-2 * np.abs(z).max()  # where relu's mask may differ
        got = np.where(near_zero, 0, found.get())
        assert np.abs(got - np.where(near_zero, 0, dy * slope(z))).max() < 1e-2 * np.abs(dy).max()


def test_a_bias_gradient_comes_beside_that_of_its_weight(cupy):
    a, b = operands(cupy, "float16")
    sums = cupy.empty((M,), "float16")
    matmul(a, b, epilogue="sum_a", sums=sums)
    assert error(sums, a.get().astype("f8").sum(axis=1)) < RELATIVE["float16"]


def test_a_captured_product_replays_with_new_numbers_and_the_same_bits(cupy):
    a, b = operands(cupy, batch=(4,))
    out = cupy.empty((4, M, N), "f4")
    with cupy.cuda.Stream(non_blocking=True) as stream:
        matmul(a, b, out=out)
        graph = StepGraph(lambda: matmul(a, b, out=out))
        a[...] = a[::-1].copy()
        graph.replay()
        replayed = out.get()
        eager = matmul(a, b).get()
        stream.synchronize()
    np.testing.assert_array_equal(replayed, eager)
