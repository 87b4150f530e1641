"""Fixtures for CUDA kernels, on this CPU and on a GPU, and how a kernel is tested.

Every kernel of isograd/kernels/cuda has three kinds of test; test_softmax_cuda.py is the model.

1. host: the kernel itself, compiled by g++, on NumPy arrays, against a slow float64 oracle.

       def test_the_sums_of_rows_are_those_of_float64(host):
           x = np.random.default_rng(0).standard_normal((5, 37), np.float32)
           y = np.full(5, np.nan, np.float32)               # unwritten elements stay NaN
           host(ROWS, "row_sums", "float32", (5,), (128,), (x, y, np.int64(5), np.int64(37)))
           assert_close(y, x.astype(np.float64).sum(axis=1))

   host(source, kernel, dtype, grid, block, args, shared=0, **variant) is Source.launch for NumPy
   arrays, written to in place. It runs the kernel in four orders of threads and raises KernelError
   for the mistakes that host_compiler.py lists. Sizes to try: 1, one below and one above each tile
   and block size, a size that needs more than one block. bfloat16 arrays are given as uint16 bits:
   bits_of_bfloat16(x), from_bfloat16(bits).

2. NVRTC: nothing to write. test_nvrtc.py finds every .cu file and compiles it for every
   architecture, and for every dtype and variant of its Source. Its registers stand in
   register_budgets.json: `python tests/kernels/cuda/nvrtc.py --write NAME.cu`, then read the
   difference.

3. host_cupy: the launcher and the op, on real cupy.ndarrays whose memory is the host's.

       def test_softmax_on_cupy_runs_one_kernel(host_cupy):
           x = host_cupy.array(rows)                        # a cupy.ndarray
           y = nn.softmax(ig.Tensor(x))
           assert_close(host_cupy.view(y.data), softmax_in_float64(rows))
           assert host_cupy.compiler.launched == ["softmax_forward_short"]
           assert host_cupy.used == []                      # NumPy computed nothing in CuPy's place

   What CuPy cannot do without a GPU (sums, ones_like, x + y) NumPy computes on the same memory, so
   that whole training steps run; host_cupy.used names what it did. ig.use("cuda") works too.
   Recording of launches, for captured steps: see host_compiler.py.

Where a GPU answers, every test with one of these fixtures runs there too ([gpu], by on_gpu.py):
host() then sends the arrays and brings them back, host_cupy is CuPy as it is, view() a copy, used
always empty. A test that says something of the CPU's side alone is marked host_only; so is, by
itself, one of cuBLASLt without a driver.

Where g++, CuPy or NVRTC are missing the tests are skipped with the reason; under
ISOGRAD_REQUIRE_KERNEL_TESTS=1, as in `.ci/run kernels`, they fail.
"""

import importlib.util

import pytest
from emulated_cublaslt import EmulatedFunctions, why_no_cublaslt
from host_build import why_no_compiler
from host_compiler import SCHEDULES, HostCompiler
from host_graphs import HostGraphs
from needs import skip_because

import isograd as ig
from isograd.kernels.cuda.cublaslt import CublasLt, using_library
from isograd.kernels.cuda.graph import using_graph_maker

HOST, GPU = "host", pytest.param("gpu", marks=pytest.mark.gpu)


def pytest_generate_tests(metafunc):
    """Run a kernel's test in both places, unless it is about the host's side alone."""
    if "where" in metafunc.fixturenames:
        is_marked = metafunc.definition.get_closest_marker("host_only")
        without_driver = "real_cublaslt" in metafunc.fixturenames
        places = [HOST] if is_marked or without_driver else [HOST, GPU]
        metafunc.parametrize("where", places, indirect=True, scope="session")


@pytest.fixture(scope="session")
def where(request):
    """Where kernels run: "host" or "gpu"."""
    return request.param


@pytest.fixture(scope="session")
def host(where):
    """Launches a kernel on NumPy arrays: host(source, kernel, dtype, grid, block, args, ...)."""
    if where == "gpu":
        from on_gpu import GpuLaunches

        return GpuLaunches(importlib.import_module("cupy"))
    skip_because(why_no_compiler())
    return Host()


class Host:
    """compiler: the HostCompiler that makes the kernels."""

    def __init__(self):
        self.compiler = HostCompiler()

    def __call__(self, source, kernel, dtype, grid, block, args, shared=0, **variant):
        """Source.launch for NumPy arrays."""
        defines = source.defines(dtype, variant)
        made = self.compiler.kernel(kernel, source.text, defines, source.file, shared)
        made(grid, block, args, shared_mem=shared)


@pytest.fixture
def host_cupy(where):
    """CuPy for one test: on host memory a HostCupy of host_cupy.py, on the GPU a RealCupy."""
    if where == "gpu":
        from on_gpu import RealCupy as Cupy
    else:
        skip_because(why_no_compiler())
        skip_because("" if importlib.util.find_spec("cupy") else "cupy is not installed")
        from host_cupy import HostCupy as Cupy

    with Cupy(importlib.import_module("cupy")).installed() as made:
        yield made


@pytest.fixture
def graphs(host_cupy, where):
    """Graphs that count their replays, on host memory or on the GPU; "cuda" is the device."""
    if where == "gpu":
        from on_gpu import CountingGraphs

        made = CountingGraphs()
    else:
        made = HostGraphs(host_cupy)
        host_cupy.compiler.schedules = SCHEDULES[:1]  # the kernels have tests of their own
    host_cupy.graphs = made
    with using_graph_maker(made), ig.using("cuda"):
        yield host_cupy


@pytest.fixture(scope="session")
def real_cublaslt():
    """The functions of cuBLASLt for CUDA 13 or 12; its descriptors need no driver."""
    found, reason = why_no_cublaslt()
    skip_because(reason)
    return found


@pytest.fixture
def emulated_cublaslt(host_cupy, real_cublaslt):
    """EmulatedFunctions behind all products of cuBLASLt on host_cupy's arrays."""
    functions = EmulatedFunctions(real_cublaslt, host_cupy.compiler)
    with using_library(CublasLt(functions)):
        yield functions
