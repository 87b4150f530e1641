"""Our own matmul kernels against float64: sizes, layouts, dtypes, tiles, epilogues, accuracy."""

import math

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

from isograd.backend.errors import KernelError
from isograd.kernels.cuda.matmul_kernels import (
    ACTIVATIONS,
    LINE_BYTES,
    N_STAGES,
    SIDE,
    SIMT,
    TENSOR_CORES,
    TILES,
    fits,
    n_tiles,
    per_thread_for,
    plain_launch,
    tensor_core_launch,
    tile_for,
)
from isograd.kernels.cuda.problem import Problem

LARGE, MIDDLE, SMALL = TILES
MMA = "mma"

# Of the sum of |a| |b| (and |bias|): how far a product may be from the exact one. float32 and what
# is as accurate: a few roundings of 2^-24 = 6e-8. Others: both factors, and y, rounded once.
BOUND = {"float32": 5e-7, "float64": 1e-15, "float16": 1e-3, "bfloat16": 8e-3}
TF32_BOUND = 2.0**-10  # two factors rounded to 11 bits


class Kernel:
    """One build of a kernel: product() launches it. how: a Tile, or numbers a thread of SIMT."""

    def __init__(self, host, how, layout="nt", dtype="float32", n_terms=3, activation="none"):
        self.host, self.how, self.layout, self.dtype = host, how, layout, dtype
        self.n_terms, self.activation = n_terms if dtype == "float32" else 1, activation

    def product(self, a, b, y, bias=None, z=None, accumulate=False, batch=1):
        """Writes y = activation(op(a) op(b) + bias) of stored arrays."""
        m, n = y.shape[-2:]
        k = a.shape[-1] if self.layout[0] == "n" else a.shape[-2]
        problem = Problem(m, n, k, self.layout, self.dtype, activation=self.activation, batch=batch)
        batches = (a.ndim > 2, b.ndim > 2)
        if isinstance(self.how, int):
            launch = plain_launch(problem, self.how, batches)
        else:
            launch = tensor_core_launch(problem, self.n_terms, self.how, batches)
        source, kernel, macros, grid, block, shared, _ = launch
        args = launch.arguments(a, b, y, bias, z, accumulate)
        self.host(source, kernel, self.dtype, grid, block, args, shared, **macros)


def factors(m, n, k, dtype="float32", seed=0):
    """a (m, k), b (k, n) and bias (n,), as they are in float64 after rounding to the dtype."""
    random = np.random.default_rng(seed)
    return [rounded(random.standard_normal(shape), dtype) for shape in ((m, k), (k, n), (n,))]


def rounded(x, dtype):
    if dtype == "bfloat16":
        return from_bfloat16(bits_of_bfloat16(x)).astype(np.float64)
    return x.astype(dtype).astype(np.float64)


def stored(x, dtype, transposed=False):
    """The array that a kernel is given: in C order, bits for bfloat16."""
    x = np.ascontiguousarray(np.swapaxes(x, -1, -2) if transposed else x)
    return bits_of_bfloat16(x) if dtype == "bfloat16" else x.astype(dtype)


def unwritten(shape, dtype):
    return (
        np.full(shape, 0xFFFF, np.uint16) if dtype == "bfloat16" else np.full(shape, np.nan, dtype)
    )


def numbers(x, dtype):
    return (from_bfloat16(x) if dtype == "bfloat16" else x).astype(np.float64)


def assert_near(y, expected, scale, bound):
    """Each number within the bound times the sum of absolute products that led to it."""
    error = np.abs(y - expected) / scale
    assert error.max() <= bound, f"{error.max():.2e} > {bound:.2e}"


def check(kernel, m, n, k, bound=None):
    """A product with a bias is near that of float64."""
    dtype, layout = kernel.dtype, kernel.layout
    a, b, bias = factors(m, n, k, dtype)
    y = unwritten((m, n), dtype)
    kernel.product(
        stored(a, dtype, layout[0] == "t"),
        stored(b, dtype, layout[1] == "t"),
        y,
        bias=stored(bias, dtype),
    )
    scale = np.abs(a) @ np.abs(b) + np.abs(bias)
    assert_near(numbers(y, dtype), a @ b + bias, scale, bound or BOUND[dtype])


# ---- sizes and layouts ----


@pytest.mark.parametrize(
    "sizes", [(1, 1, 4), (3, 31, 36), (33, 33, 64), (64, 10, 100), (130, 1, 128)]
)
def test_tensor_cores_take_any_number_of_rows_and_of_columns(host, sizes):
    check(Kernel(host, SMALL), *sizes)


@pytest.mark.parametrize("sizes", [(1, 4, 4), (31, 36, 36), (129, 132, 64)])
def test_tensor_cores_multiply_nn(host, sizes):
    check(Kernel(host, SMALL, "nn"), *sizes)


@pytest.mark.parametrize("sizes", [(4, 4, 1), (36, 32, 3), (132, 68, 33)])
def test_tensor_cores_multiply_tn(host, sizes):
    check(Kernel(host, SMALL, "tn"), *sizes)


@pytest.mark.parametrize(
    ("tile", "layout", "sizes"),
    [(LARGE, "nt", (127, 130, 36)), (LARGE, "nt", (129, 3, 132)), (MIDDLE, "tn", (68, 60, 70))],
)
def test_larger_tiles_give_the_same_product(host, tile, layout, sizes):
    check(Kernel(host, tile, layout), *sizes)


@pytest.mark.parametrize("layout", ["nt", "nn", "tn"])
def test_tensor_cores_multiply_float16(host, layout):
    check(Kernel(host, SMALL, layout, "float16"), 40, 72, 136)


def test_a_large_tile_of_float16(host):
    check(Kernel(host, LARGE, "tn", "float16"), 136, 72, 70)


def test_tensor_cores_multiply_bfloat16(host):
    check(Kernel(host, SMALL, "nt", "bfloat16"), 33, 31, 72)


@pytest.mark.parametrize("layout", ["nt", "nn", "tn", "tt"])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (31, 33, 3), (64, 32, 33), (33, 65, 130)])
def test_plain_arithmetic_takes_any_sizes(host, sizes, layout):
    check(Kernel(host, 2, layout), *sizes)


@pytest.mark.parametrize(
    ("per_thread", "layout", "dtype"),
    [(4, "nn", "float32"), (8, "nt", "float32"), (4, "tn", "float64"), (2, "nt", "float16")],
)
def test_plain_arithmetic_in_larger_tiles_and_other_dtypes(host, per_thread, layout, dtype):
    for sizes in ((127, 130, 17), (3, 129, 31)):
        check(Kernel(host, per_thread, layout, dtype), *sizes)


def shifted(x, n):
    """A float32 copy of x that starts n elements behind a multiple of 16 bytes."""
    memory = np.empty(x.size + 8, np.float32)
    start = -memory.ctypes.data // 4 % 4 + n
    copy = memory[start : start + x.size].reshape(x.shape)
    copy[...] = x
    return copy


@pytest.mark.parametrize("moved", ["a", "b", "bias", "y", "z"])
def test_plain_arithmetic_takes_arrays_that_start_anywhere(host, moved):
    a, b, bias = factors(35, 36, 40)
    arrays = {"a": a, "b": b.T, "bias": bias, "y": np.zeros((35, 36)), "z": np.zeros((35, 36))}
    given = {name: shifted(x, int(name == moved)) for name, x in arrays.items()}
    Kernel(host, 4).product(**given)
    scale = np.abs(a) @ np.abs(b) + np.abs(bias)
    assert_near(given["y"], a @ b + bias, scale, BOUND["float32"])
    assert np.array_equal(given["y"], given["z"])


# ---- what follows the sums ----


@pytest.mark.parametrize("how", [SMALL, 2])
def test_the_value_before_the_activation_is_kept(host, how):
    a, b, bias = factors(33, 34, 36)
    y, z = unwritten((33, 34), "float32"), unwritten((33, 34), "float32")
    kernel = Kernel(host, how, activation="silu")
    kernel.product(np.float32(a), np.float32(b.T.copy()), y, bias=np.float32(bias), z=z)
    scale = np.abs(a) @ np.abs(b) + np.abs(bias)
    assert_near(z, a @ b + bias, scale, BOUND["float32"])
    np.testing.assert_allclose(y, z / (1 + np.exp(-z.astype(np.float64))), rtol=1e-6)


@pytest.mark.parametrize("how", [SMALL, 2])
def test_a_product_is_added_to_what_is_there(host, how):
    a, b, before = (factors(rows, 1, columns)[0] for rows, columns in ((8, 20), (8, 36), (20, 36)))
    y = np.float32(before)
    Kernel(host, how, "tn").product(np.float32(a), np.float32(b), y, accumulate=True)
    scale = np.abs(a).T @ np.abs(b) + np.abs(before)
    assert_near(y, a.T @ b + before, scale, BOUND["float32"])


@pytest.mark.parametrize("how", [SMALL, 2])
def test_a_batch_may_share_a_factor(host, how):
    random = np.random.default_rng(3)
    a = random.standard_normal((3, 33, 36)).astype(np.float32)
    b = random.standard_normal((36, 36)).astype(np.float32)
    y, z = unwritten((3, 33, 36), "float32"), unwritten((3, 33, 36), "float32")
    Kernel(host, how, "nn").product(a, b, y, z=z, batch=3)
    expected = a.astype(np.float64) @ b
    assert_near(y, expected, np.abs(a.astype(np.float64)) @ np.abs(b), BOUND["float32"])
    assert np.array_equal(y, z)


# A GPU's own NaN has all bits set, NumPy's one bit of its fraction.
@pytest.mark.parametrize("n_terms", [1, 3])
@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_nan_stays_in_its_row_and_column(host, bits, n_terms):
    a, b = (x.astype(np.float32) for x in factors(33, 32, 36)[:2])
    a[5, 7] = b[9, 3] = np.uint32(bits).view(np.float32)
    y = unwritten((33, 32), "float32")
    kernel = Kernel(host, SMALL, n_terms=n_terms, activation="relu")
    kernel.product(a, b.T.copy(), y)
    expected = np.zeros((33, 32), bool)
    expected[5], expected[:, 3] = True, True
    assert np.array_equal(np.isnan(y), expected)


def test_tf32_keeps_an_infinity(host):
    a, b = np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)
    a[0, 1] = -np.inf
    y = unwritten((1, 1), "float32")
    Kernel(host, SMALL, n_terms=1).product(a, b, y)
    assert y == -np.inf


# ---- accuracy ----


def test_three_terms_are_as_accurate_as_float32_and_tf32_is_not(host):
    a, b, _ = factors(32, 32, 1024)
    scale = np.abs(a) @ np.abs(b)
    errors = {}
    for n_terms in (3, 1):
        y = unwritten((32, 32), "float32")
        kernel = Kernel(host, SMALL, n_terms=n_terms)
        kernel.product(np.float32(a), np.float32(b.T.copy()), y)
        errors[n_terms] = np.linalg.norm(y - a @ b) / np.linalg.norm(a @ b)
        assert_near(y, a @ b, scale, BOUND["float32"] if n_terms == 3 else TF32_BOUND)
    assert errors[3] < 5e-7
    assert errors[1] > 200 * errors[3]


def test_the_error_of_three_terms_does_not_grow_with_k(host):
    """All numbers positive: sums that are cut off instead of rounded would drift down."""
    errors = []
    for k in (64, 2048):
        a, b, _ = (np.abs(x) for x in factors(16, 16, k))
        y = unwritten((16, 16), "float32")
        Kernel(host, SMALL).product(np.float32(a), np.float32(b.T.copy()), y)
        errors.append(np.abs(y / (a @ b) - 1).max())
    assert errors[1] < 4 * errors[0]
    assert errors[1] < 1e-6


def test_the_product_does_not_depend_on_the_tile(host):
    a, b, _ = factors(36, 68, 100)
    results = []
    for tile in (LARGE, SMALL):
        y = unwritten((36, 68), "float32")
        Kernel(host, tile).product(np.float32(a), np.float32(b.T.copy()), y)
        results.append(y)
    assert np.array_equal(*results)


# ---- shared memory ----

# Writes where chunk `chunk` of line `line` of the stretches named below is.
OFFSETS = """
template <class AnyStretch>
void offsets(int* out) {
  const int line = threadIdx.x / AnyStretch::N_CHUNKS, chunk = threadIdx.x % AnyStretch::N_CHUNKS;
  if (line < 8) out[threadIdx.x] = AnyStretch::offset(line, chunk);
}
extern "C" __global__ void along_k(int* out) { offsets<Stretch<32, true, false>>(out); }
extern "C" __global__ void along_32_rows(int* out) { offsets<Stretch<32, false, false>>(out); }
extern "C" __global__ void along_64_rows(int* out) { offsets<Stretch<64, false, false>>(out); }
"""


def offsets(host, scalar, kernel, n_chunks):
    """offset(line, chunk) in bytes, for 8 lines."""
    defines = [f"SCALAR={scalar}", "TILE_M=32", "TILE_N=32", "N_WARPS_M=2", "N_WARPS_N=2"]
    made = host.compiler.kernel(kernel, TENSOR_CORES.text + OFFSETS, defines, "offsets.cu")
    out = np.full((8, n_chunks), -1, np.int32)
    made((1,), (8 * n_chunks,), (out,))
    return out


@pytest.mark.host_only
@pytest.mark.parametrize(
    ("scalar", "kernel", "n_chunks"),
    [
        ("float", "along_k", 8),
        ("half_t", "along_k", 8),
        ("half_t", "along_32_rows", 4),
        ("half_t", "along_64_rows", 8),
    ],
)
def test_a_chunk_of_each_of_eight_lines_is_in_all_banks_once(host, scalar, kernel, n_chunks):
    """What ldmatrix reads at a time: 8 chunks of 16 bytes."""
    found = offsets(host, scalar, kernel, n_chunks)
    assert sorted(found.ravel()) == list(range(0, 128 * n_chunks, 16))
    for chunk in range(n_chunks):
        assert sorted(found[:, chunk] // 16 % 8) == list(range(8))


@pytest.mark.host_only
@pytest.mark.parametrize(("kernel", "n_chunks"), [("along_32_rows", 8), ("along_64_rows", 16)])
def test_eight_numbers_of_each_of_four_lines_are_in_all_banks_once(host, kernel, n_chunks):
    """What a warp reads of float lines along rows: two neighbouring chunks of 4 lines."""
    found = offsets(host, "float", kernel, n_chunks)
    for first in (0, 4):
        for chunk in range(0, n_chunks, 2):
            chunks = found[first : first + 4, chunk : chunk + 2].ravel()
            assert sorted(chunks // 16 % 8) == list(range(8))


# ---- which kernel serves what ----


def test_the_numbers_here_are_those_of_the_text():
    assert f"N_STAGES = {N_STAGES};" in TENSOR_CORES.text
    assert f"DEPTH = {LINE_BYTES} / sizeof(T);" in TENSOR_CORES.text
    assert f"SIDE = {SIDE};" in SIMT.text
    assert all(f"struct {name} {{" in SIMT.text for name in ACTIVATIONS.values())
    assert max(N_STAGES * (tile.m + tile.n) * LINE_BYTES for tile in TILES) <= 99 * 1024


@pytest.mark.host_only
@pytest.mark.host_only
def test_lines_that_do_not_start_at_multiples_of_16_bytes_are_not_for_tensor_cores(host):
    a, b, _ = factors(4, 4, 6)
    with pytest.raises(KernelError, match="multiple of 16"):
        Kernel(host, SMALL).product(np.float32(a), np.float32(b.T.copy()), unwritten((4, 4), "f4"))
    assert not fits("mma_3xtf32", Problem(4, 4, 6, aligned=False, arch=90))
    assert fits("simt", Problem(4, 4, 6, aligned=False, arch=90))


@pytest.mark.parametrize(
    ("name", "problem", "expected"),
    [
        ("mma_3xtf32", Problem(8, 8, 8, arch=80), True),
        ("mma_3xtf32", Problem(8, 8, 8, arch=75), False),
        ("mma_3xtf32", Problem(8, 8, 8, dtype="float16", arch=80), False),
        ("mma_tf32", Problem(8, 8, 8, arch=90), False),
        ("mma_tf32", Problem(8, 8, 8, precision="high", arch=90), True),
        ("mma_half", Problem(8, 8, 8, dtype="bfloat16", arch=90), True),
        ("mma_half", Problem(8, 8, 8, arch=90), False),
        ("simt", Problem(8, 8, 8, dtype="float64"), True),
        ("simt", Problem(8, 8, 8, activation="elu"), False),
        ("simt", Problem(2**31, 8, 8), False),
        ("cublaslt", Problem(8, 8, 8, arch=90), False),
    ],
)
def test_what_a_candidate_serves(name, problem, expected):
    assert fits(name, problem) == expected


def test_small_products_are_cut_into_small_tiles():
    assert tile_for(Problem(8192, 4096, 64)) == LARGE
    assert tile_for(Problem(1024, 1024, 64)) == MIDDLE
    assert tile_for(Problem(128, 512, 784)) == SMALL
    assert tile_for(Problem(128, 128, 64, batch=256)) == LARGE
    assert [per_thread_for(Problem(m, 1024, 64)) for m in (8192, 1024, 64)] == [8, 4, 2]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (9, 3), (8, 5), (17, 2)])
def test_every_tile_of_y_is_computed_once(host, m, n):
    """Bands of eight tiles, the last of them lower; a tile that two blocks wrote would hold 2."""
    m, n = 32 * m - 1, 32 * n - 1
    y = np.zeros((m, n), np.float32)
    one = np.ones((max(m, n), 1), np.float32)
    Kernel(host, 2).product(one[:m], one[:n], y, accumulate=True)
    assert np.array_equal(y, np.ones((m, n)))
    assert math.ceil(m / 32) * math.ceil(n / 32) == n_tiles(Problem(m, n, 1), 32, 32)
