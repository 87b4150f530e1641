"""What takes tests to a GPU, rehearsed on host memory."""

import numpy as np
import pytest
from host_compiler import HostCompiler
from host_memory import ALIGNMENT, span_of
from on_gpu import DeviceCopy, GpuLaunches, ListingCompiler, RealCupy

from isograd import nn
from isograd.kernels.cuda.sgd import FIELDS, SGD
from isograd.kernels.cuda.softmax import SOFTMAX

pytestmark = pytest.mark.host_only


def rows(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def softmax_launched(launch, x, y):
    sizes = [np.bool_(False), *map(np.int64, x.shape)]
    launch(SOFTMAX, "softmax_forward_short", "float32", (2,), (128,), (x, y, *sizes))


def test_a_launch_brings_its_results_back(host_cupy):
    x = rows(5, 9)
    y = np.full_like(x, np.nan)
    softmax_launched(GpuLaunches(host_cupy.cupy), x, y)
    np.testing.assert_allclose(y, nn.softmax(x), rtol=1e-6)
    assert host_cupy.compiler.launched == ["softmax_forward_short"]


def test_arrays_of_one_memory_stay_so(host_cupy):
    memory = np.zeros(46, np.float32)
    x = memory[1:].reshape(5, 9)
    x[...] = rows(5, 9)
    expected = nn.softmax(x)
    softmax_launched(GpuLaunches(host_cupy.cupy), x, x)
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    assert memory[0] == 0.0


def test_an_array_within_another_is_a_part_of_its_copy(host_cupy):
    memory = rows(100)
    beyond = (ALIGNMENT - memory.ctypes.data % ALIGNMENT) // 4 + 4  # 16 bytes after a boundary
    whole = memory[beyond : beyond + 20]
    copy = DeviceCopy(host_cupy.cupy, span_of(whole))
    part = copy.part(span_of(whole[3:7]), whole.dtype)
    np.testing.assert_array_equal(host_cupy.view(part), whole[3:7])
    assert (part.data.ptr - whole[3:].ctypes.data) % ALIGNMENT == 0


def test_structs_and_null_pointers_are_arguments_too(host_cupy):
    p, rest = rows(3), (np.uint64(0), np.ones(3, np.float32))
    expected = p - np.float32(0.5)
    struct = np.dtype([(name, "float32") for name in FIELDS])
    settings = np.zeros(1, struct)
    settings["lr"] = 0.5
    numbers = (settings[0], np.uint64(0), np.int64(0), np.int64(3))
    GpuLaunches(host_cupy.cupy)(SGD, "sgd_update", "float32", (1,), (128,), (p, *rest, *numbers))
    again = (np.zeros((), struct)[()], settings, np.int64(0), np.int64(3))
    GpuLaunches(host_cupy.cupy)(SGD, "sgd_update", "float32", (1,), (128,), (p, *rest, *again))
    np.testing.assert_allclose(p, expected - np.float32(0.5), rtol=1e-6)


def test_real_cupy_lists_what_is_launched(host_cupy):
    real = RealCupy(host_cupy.cupy)
    real.compiler = ListingCompiler(HostCompiler())
    for _ in range(2):
        with real.installed():
            y = nn.softmax(real.array(rows(3, 4)))
        assert real.compiler.launched == ["softmax_forward_short"]
    np.testing.assert_allclose(host_cupy.view(y), nn.softmax(rows(3, 4)), rtol=1e-6)
    assert real.used == []
