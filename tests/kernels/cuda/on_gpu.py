"""The fixtures of conftest.py where a GPU answers: the same tests on real CuPy."""

import functools
import importlib
from contextlib import contextmanager

import numpy as np
from host_memory import ALIGNMENT, span_of, united

from isograd.kernels.cuda import gpu
from isograd.kernels.cuda.compiler import CupyCompiler, using_compiler
from isograd.kernels.cuda.graph import CupyGraphMaker


class GpuLaunches:
    """The fixture host: NumPy arrays go to the GPU for a launch, and come back."""

    def __init__(self, cupy):
        self._cupy = cupy

    def __call__(self, source, kernel, dtype, grid, block, args, shared=0, **variant):
        """Source.launch for NumPy arrays; arrays that overlap do so on the GPU too."""
        spans = united(span_of(arg) for arg in args if isinstance(arg, np.ndarray))
        copies = [DeviceCopy(self._cupy, span) for span in spans]
        there = [_on_gpu(arg, copies) for arg in args]
        source.launch(kernel, dtype, grid, block, there, shared, **variant)
        for copy in copies:
            copy.span.bytes()[...] = copy.contents.get()


class DeviceCopy:
    """The bytes of a span on the GPU, at the same place relative to ALIGNMENT."""

    def __init__(self, cupy, span):
        self.span = span
        start = span.address % ALIGNMENT
        self.contents = cupy.empty(start + span.n_bytes, np.uint8)[start:]
        self.contents[...] = cupy.asarray(span.bytes())

    def part(self, span, dtype):
        """A span within this one as a flat array."""
        first = span.address - self.span.address
        return self.contents[first : first + span.n_bytes].view(dtype)


def _on_gpu(arg, copies):
    """An argument of a launch: for an array the bytes of its copy, else the argument itself."""
    if not isinstance(arg, np.ndarray):
        return arg
    span = span_of(arg)
    if not span.n_bytes:
        return np.uint64(0)
    copy = next(one for one in copies if one.span.address <= span.address < one.span.end)
    return copy.part(span, arg.dtype)


class RealCupy:
    """The fixture host_cupy, with what tests ask of HostCupy; view() gives a copy here."""

    def __init__(self, cupy):
        self.cupy = cupy
        self.xp = importlib.import_module("array_api_compat.cupy")
        self.compiler = _compiler()
        self.used = []  # NumPy computes nothing

    @contextmanager
    def installed(self):
        """Within the `with` block compiler.launched lists what is launched, nothing before."""
        self.compiler.launched.clear()
        with using_compiler(self.compiler):
            yield self

    def array(self, host):
        """A new CuPy array equal to a NumPy array, in C order."""
        return self.cupy.array(np.asarray(host), order="C")

    def view(self, array):
        """A NumPy array equal to a CuPy array."""
        return self.cupy.asnumpy(array)


class ListingCompiler:
    """launched: the names of the kernels launched so far, in order; in a capture, once."""

    def __init__(self, compiler):
        self._compiler = compiler
        self.launched = []

    def kernel(self, name, text, defines, file, shared):
        """As in isograd.kernels.cuda.compiler.Compiler."""
        made = self._compiler.kernel(name, text, defines, file, shared)

        def launch(grid, block, args, *, shared_mem=0):
            self.launched.append(name)
            made(grid, block, args, shared_mem=shared_mem)

        return launch

    @property
    def is_recording(self):
        """Whether launches are kept instead of run."""
        return gpu.is_capturing(gpu.current_stream())


@functools.cache
def _compiler():
    """One for all tests: what it made for one serves the next."""
    return ListingCompiler(CupyCompiler())


class CountingGraphs(CupyGraphMaker):
    """n_replays: how often a graph was launched."""

    def __init__(self):
        self.n_replays = 0

    def record(self, function):
        """As in GraphMaker."""
        launch, result = super().record(function)

        def replay():
            self.n_replays += 1
            launch()

        return replay, result
