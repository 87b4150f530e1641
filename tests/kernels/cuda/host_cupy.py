"""Real cupy.ndarrays whose memory is the host's, so that launchers run where there is no GPU.

The fixture host_cupy of conftest.py is a HostCupy: it takes CuPy's memory, kernels and device away
for one test and gives them back.
"""

import ctypes
import importlib
from contextlib import contextmanager

import numpy as np
import pytest
from cupy_stand_ins import IN_PLACE, METHODS, OPERATORS, TO_HOST, StandIns
from host_compiler import HostCompiler
from host_memory import ALIGNMENT, Span, span_of

from isograd.backend import namespaces, one
from isograd.backend.libraries import CUPY
from isograd.kernels.cuda import late
from isograd.kernels.cuda.compiler import using_compiler

UNWRITTEN = 0xFF  # NaN in every float type: what nobody wrote is seen in the results


class Block:
    """Memory for one allocation, listed in `live` as long as it is held."""

    def __init__(self, n_bytes, live):
        self.memory = np.full(n_bytes + ALIGNMENT, UNWRITTEN, np.uint8)
        self.address = -(-self.memory.ctypes.data // ALIGNMENT) * ALIGNMENT
        self.live = live
        live[self.address] = n_bytes

    def __del__(self):
        self.live.pop(self.address, None)


class HostArrays:
    """Takes arrays from NumPy to CuPy and back; views share their memory."""

    def __init__(self, cupy):
        self.cupy = cupy
        self.live = {}  # bytes by address

    def allocate(self, n_bytes):
        """What cupy.cuda.set_allocator wants: a pointer to new memory."""
        block = Block(n_bytes, self.live)
        memory = self.cupy.cuda.UnownedMemory(block.address, n_bytes, block, 0)
        return self.cupy.cuda.MemoryPointer(memory, 0)

    def pinned(self, n_bytes):
        """What cupy.cuda.alloc_pinned_memory gives: memory with its address in .ptr."""
        block = Block(n_bytes, self.live)
        block.ptr = block.address
        return block

    def block_at(self, address):
        """The Span of the memory that is held at an address, None where none is."""
        for start, n_bytes in list(self.live.items()):
            if start <= address < start + n_bytes:
                return Span(start, n_bytes)
        return None

    def view(self, array):
        """A NumPy array on the memory of a CuPy array."""
        span = span_of(array)
        if span.n_bytes == 0:
            return np.empty(array.shape, array.dtype)
        memory = (ctypes.c_uint8 * span.n_bytes).from_address(span.address)
        memory.held = array  # NumPy's array holds this buffer, the buffer the CuPy array
        offset = array.data.ptr - span.address
        return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)

    def array(self, host):
        """A new CuPy array equal to a NumPy array, in C order."""
        host = np.asarray(host)
        array = self.cupy.empty(host.shape, host.dtype)
        self.view(array)[...] = host
        return array

    def to_numpy(self, tree):
        """CuPy arrays as views; everything else in a structure as it is."""
        if isinstance(tree, self.cupy.ndarray):
            return self.view(tree)
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return type(tree)(*(self.to_numpy(one) for one in tree))
        if type(tree) in (tuple, list):
            return type(tree)(self.to_numpy(one) for one in tree)
        return {k: self.to_numpy(v) for k, v in tree.items()} if type(tree) is dict else tree

    def to_cupy(self, tree):
        """NumPy's arrays and scalars as new CuPy arrays; everything else as it is."""
        if isinstance(tree, (np.ndarray, np.generic)):
            return self.array(tree)
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return type(tree)(*(self.to_cupy(one) for one in tree))
        if type(tree) in (tuple, list):
            return type(tree)(self.to_cupy(one) for one in tree)
        return tree


class HostCupy:
    """CuPy without a GPU.

    array(host): a CuPy array equal to a NumPy array. view(x): a NumPy array on x's memory.
    compiler: the HostCompiler behind the launchers; compiler.launched names the kernels that ran.
    used: the names of what NumPy computed in CuPy's place; empty where own kernels did all.
    cupy: the module. xp: the Array API namespace of its arrays here.
    """

    def __init__(self, cupy, compiler=None):
        self.cupy = cupy
        self.compiler = compiler or HostCompiler()
        self._arrays = HostArrays(cupy)
        self._stand_ins = StandIns(cupy, self._arrays, self.compiler)
        self.compiler.block_at = self._arrays.block_at
        self.array = self._arrays.array
        self.view = self._arrays.view
        self.used = self._stand_ins.used
        self.xp = self._stand_ins.namespace(
            importlib.import_module("array_api_compat.cupy"),
            importlib.import_module("array_api_compat.numpy"),
        )

    @contextmanager
    def installed(self):
        """Within the `with` block CuPy's memory, device, functions and operators are the host's."""
        before = self.cupy.cuda.get_allocator()
        self.cupy.cuda.set_allocator(self._arrays.allocate)
        try:
            with pytest.MonkeyPatch.context() as patch, using_compiler(self.compiler):
                self._replace_device(patch)
                self._replace_functions(patch)
                self._replace_methods(patch)
                yield self
        finally:
            self.cupy.cuda.set_allocator(before)

    def _replace_device(self, patch):
        """One GPU answers, number 0; isograd forgets what it knew of devices."""
        cuda = self.cupy.cuda
        patch.setattr(cuda, "Device", _device_class(cuda.Device))
        patch.setattr(cuda.device, "get_device_id", lambda: 0)
        patch.setattr(cuda, "get_current_stream", HostStream)
        patch.setattr(cuda, "alloc_pinned_memory", self._arrays.pinned)
        patch.setattr(late, "_bad_labels", None)
        patch.setattr(one, "_ones", {})
        patch.setattr(cuda.runtime, "getDeviceCount", lambda: 1)
        patch.setattr(cuda.runtime, "getDeviceProperties", lambda number: {"name": b"the host"})
        patch.setattr(cuda.runtime, "streamIsCapturing", lambda stream: self.compiler.is_recording)
        device = importlib.import_module("isograd.backend.device")
        for known in ("_device_by_name", "_device_by_request", "_configured_device"):
            patch.setattr(device, known, {})

    def _replace_functions(self, patch):
        """The functions of CuPy's modules, and the namespace that isograd takes for its arrays."""
        cupy, make = self.cupy, self._stand_ins
        for name, own in list(vars(cupy).items()):
            if make.is_needed(cupy, np, name):
                patch.setattr(cupy, name, make.function(name, getattr(np, name), own))
        patch.setattr(importlib.import_module("cupyx"), "scatter_add", make.scatter_add)
        patch.setattr(CUPY, "namespace", lambda: self.xp)
        patch.setitem(namespaces._namespace_by_type, cupy.ndarray, self.xp)
        wrapping = importlib.import_module("isograd.nn.autograd.namespace")
        patch.setattr(wrapping, "_wrapped", {})

    def _replace_methods(self, patch):
        """The operators and methods of CuPy's arrays."""
        make = self._stand_ins
        methods = {
            **{name: make.method(name) for name in (*OPERATORS, *METHODS)},
            **{name: make.in_place(name) for name in IN_PLACE},
            **{name: make.to_host(name) for name in TO_HOST},
            "__setitem__": make.set_item(),
            "__array_ufunc__": make.ufunc(),
            "__repr__": lambda x: repr(self.view(x)),
            "__str__": lambda x: str(self.view(x)),
        }
        for name, method in methods.items():
            if hasattr(self.cupy.ndarray, name):  # it has no __imatmul__ and no __index__
                patch.setattr(self.cupy.ndarray, name, method)


class HostStream:
    """cupy.cuda.get_current_stream(): nothing is ever behind."""

    ptr = 0

    def synchronize(self):
        pass


def _device_class(own):
    """cupy.cuda.Device without a driver."""

    class Device(own):
        compute_capability = "90"
        mem_info = (2**30, 2**30)

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def use(self):
            pass

        def synchronize(self):
            pass

    Device.__module__ = own.__module__
    return Device
