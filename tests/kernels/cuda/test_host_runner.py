"""The host runner does what CUDA does, and refuses what a GPU would not take."""

import numpy as np
import pytest
from host_compiler import SCHEDULES, HostCompiler

from isograd.backend.errors import KernelError

pytestmark = pytest.mark.host_only

TEXT = """
constexpr unsigned ALL = 0xffffffffu;
struct Pair { int a, b; };

extern "C" __global__ void __launch_bounds__(2 * 32, 1) lanes(int* y) {
  const int t = threadIdx.x, lane = t % 32;
  y[t] = __shfl_sync(ALL, t, 5);
  y[64 + t] = __shfl_down_sync(ALL, t, 3, 8);
  y[128 + t] = __shfl_up_sync(ALL, t, 3, 8);
  y[192 + t] = __shfl_xor_sync(ALL, t, 9);
  y[256 + t] = (int)__ballot_sync(ALL, lane % 3 == 0);
  y[320 + t] = __any_sync(ALL, t == 40) + 2 * __all_sync(ALL, t < 40);
  y[384 + t] = __syncthreads_count(t < 40) + 100 * __syncthreads_or(t == 7);
  if (lane < 8) y[448 + t] = __shfl_xor_sync(0xffu, t, 1);
}

extern "C" __global__ void __launch_bounds__(32) halves(
    const unsigned short* bits, float* wide, unsigned short* narrow, long long n) {
  for (long long i = threadIdx.x; i < n; i += 32) {
    wide[i] = host::float_from_half(bits[i]);
    narrow[i] = host::half_from_float(wide[i]);
  }
}

extern "C" __global__ void __launch_bounds__(32) rounded(
    const float* x, unsigned short* y, long long n) {
  for (long long i = threadIdx.x; i < n; i += 32) y[i] = host::half_from_float(x[i]);
}

extern "C" __global__ void places(int* y, int width) {
  const int i = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const int t = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  y[i * width + t] += 100 * i + t;
}

extern "C" __global__ void added(Pair pair, bool twice, int* y, float* nothing) {
  if (threadIdx.x == 0) y[0] = (pair.a + pair.b) * (twice ? 2 : 1) + (nothing == nullptr);
}

extern "C" __global__ void __launch_bounds__(32) shifted(float* x, const float* y) {
  const float before = y[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = before;
}
"""
TOO_MUCH_SHARED = """
extern "C" __global__ void f(float* y) {
  __shared__ float rows[40][512];
  rows[threadIdx.x][0] = y[0];
  __syncthreads();
  y[0] = rows[0][0];
}
"""


@pytest.fixture(scope="module")
def kernel(host):
    return lambda name, shared=0: host.compiler.kernel(name, TEXT, (), "runner.cu", shared)


def test_lanes_see_each_other_as_in_the_cuda_manual(kernel):
    y = np.zeros(512, np.int32)
    kernel("lanes")((1,), (64,), (y,))
    rows = y.reshape(8, 64)
    t = np.arange(64)
    lane, warp = t % 32, t // 32 * 32
    np.testing.assert_array_equal(rows[0], warp + 5)
    np.testing.assert_array_equal(rows[1], np.where(t % 8 + 3 < 8, t + 3, t))
    np.testing.assert_array_equal(rows[2], np.where(t % 8 - 3 >= 0, t - 3, t))
    np.testing.assert_array_equal(rows[3], warp + (lane ^ 9))
    np.testing.assert_array_equal(rows[4], sum(1 << i for i in range(0, 32, 3)))
    np.testing.assert_array_equal(rows[5], np.where(t < 32, 2, 1))
    np.testing.assert_array_equal(rows[6], 140)
    np.testing.assert_array_equal(rows[7], np.where(lane < 8, t ^ 1, 0))


def test_halves_become_floats_and_back_for_every_bit_pattern(kernel):
    bits = np.arange(2**16, dtype=np.uint16)
    wide, narrow = np.empty(2**16, np.float32), np.empty(2**16, np.uint16)
    kernel("halves")((1,), (32,), (bits, wide, narrow, np.int64(bits.size)))
    expected = bits.view(np.float16)
    np.testing.assert_array_equal(wide, expected.astype(np.float32))
    np.testing.assert_array_equal(narrow, np.where(np.isnan(expected), 0x7FFF, bits))


def test_floats_are_rounded_to_halves_as_numpy_does(kernel):
    exact = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    between = (exact[:-1] + exact[1:]) / 2
    x = np.concatenate([np.nextafter(between, np.float32(0)), between, -between, [65519, 65520]])
    x = np.concatenate([x, np.nextafter(between, np.float32(9e9)), [-1e-30, 1e30, np.inf]])
    x, y = x.astype(np.float32), np.empty(x.size, np.uint16)
    kernel("rounded")((1,), (32,), (x, y, np.int64(x.size)))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(y, x.astype(np.float16).view(np.uint16))


def test_blocks_and_threads_have_three_dimensions(kernel):
    y = np.zeros((12, 30), np.int32)
    kernel("places")((2, 3, 2), (5, 3, 2), (y, np.int32(30)))
    np.testing.assert_array_equal(y, 100 * np.arange(12)[:, None] + np.arange(30))


def test_structs_booleans_and_null_pointers_are_passed(kernel):
    y = np.zeros(1, np.int32)
    pair = np.array((3, 4), [("a", "i4"), ("b", "i4")])[()]
    kernel("added")((1,), (32,), (pair, np.True_, y, np.uint64(0)))
    assert y[0] == 15


def test_arrays_that_overlap_stay_one_memory(kernel):
    x = np.arange(40, dtype=np.float32)
    kernel("shifted")((1,), (32,), (x[8:], x[:32]))
    np.testing.assert_array_equal(x, [*range(8), *range(32)])


@pytest.mark.parametrize(
    ("name", "grid", "block", "shared", "message"),
    [
        ("places", (0,), (32,), 0, "a grid must be 1 to"),
        ("places", (1, 65536), (32,), 0, "a grid must be 1 to"),
        ("places", (1,), (2, 2, 65), 0, "a block must be 1 to"),
        ("places", (1,), (32, 33), 0, "1024 threads, got 1056"),
        ("lanes", (1,), (96,), 0, "__launch_bounds__ allow 64 threads, got 96"),
        ("places", (1,), (32,), 48 * 1024 + 4, "49152 bytes of dynamic shared memory, got 49156"),
    ],
)
def test_a_launch_that_a_gpu_would_refuse_is_refused(kernel, name, grid, block, shared, message):
    args = (np.zeros(4096, np.int32), np.int32(32))[: len(kernel(name).parameters)]
    with pytest.raises(KernelError, match=f"^{name}: .*{message}"):
        kernel(name)(grid, block, args, shared_mem=shared)


def test_more_shared_memory_is_given_where_it_was_asked_for(kernel):
    y = np.zeros(32, np.int32)
    kernel("places", 100_000)((1,), (32,), (y, np.int32(32)), shared_mem=100_000)
    assert y[31] == 31


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((np.zeros(1, "i4"),), "takes 2 arguments, got 1"),
        ((np.zeros(1, "i8"), np.int32(1)), "parameter 0 is a pointer to int32, got an array"),
        ((np.zeros(1, "i4"), np.int64(1)), "parameter 1 is int32, got int64"),
        ((np.zeros(1, "i4"), 1), "parameter 1 is int32, got int 1"),
        ((np.uint64(4096), np.int32(1)), "no array is at the address 0x1000"),
    ],
)
def test_arguments_that_do_not_fit_the_parameters_are_refused(kernel, args, message):
    with pytest.raises(KernelError, match=f"^places: {message}"):
        kernel("places")((1,), (1,), args)


def test_a_kernel_that_is_not_there_is_named(kernel):
    with pytest.raises(KernelError, match=r"runner\.cu has no kernel softmax"):
        kernel("softmax")


def test_a_text_that_does_not_compile_shows_the_compilers_words(host):
    with pytest.raises(KernelError, match=r"wrong\.cu does not compile with A=1(.|\n)*expected"):
        host.compiler.kernel("f", "int f(", ("A=1",), "wrong.cu")


def test_more_static_shared_memory_than_a_block_gets_is_refused(host):
    with pytest.raises(KernelError, match=r"f in big\.cu declares 81920 bytes of shared memory"):
        host.compiler.kernel("f", TOO_MUCH_SHARED, (), "big.cu")


def test_a_recording_keeps_launches_and_replays_them_on_the_same_memory(host):
    compiler = HostCompiler(SCHEDULES[:1])
    kernel = compiler.kernel("places", TEXT, (), "runner.cu")
    y = np.zeros(32, np.int32)
    compiler.begin_recording()
    kernel((1,), (32,), (y, np.int32(32)))
    recording = compiler.end_recording()
    assert [launch.kernel.name for launch in recording.launches] == ["places"]
    assert not y.any()
    recording.replay()
    recording.replay()
    np.testing.assert_array_equal(y, 2 * np.arange(32))
    assert compiler.launched == ["places", "places"]
