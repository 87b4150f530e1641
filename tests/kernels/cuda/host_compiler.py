"""CUDA kernels on this CPU: the Compiler of isograd.kernels.cuda that needs no GPU.

    with using_compiler(HostCompiler()):   # the launchers are as they are on a GPU
        ...

A launch takes NumPy arrays, or CuPy arrays on host memory (host_cupy.py). It runs in several orders
of blocks, warps and threads, each time on fresh copies of all arrays between guards, with shared
memory poisoned; the results must be the same to the bit. Raises KernelError, which names the
kernel, for

- arguments that do not fit the parameters in number, type or size, and too large a grid or block;
- undefined behaviour that g++ -fsanitize sees: indices, misaligned vectors, null, overflows;
- barriers and warp operations that not all threads reach;
- writes beside an array or behind dynamic shared memory;
- results that depend on the order of threads: a missing barrier, a race, shared memory or memory
  beside an array that was read without having been written.

Recording, as a CUDA graph records a stream:

    compiler.begin_recording()
    ...                                     # launches are checked and kept, not run
    recording = compiler.end_recording()    # a Recording: launches, a list in their order
    recording.replay()                      # runs them, on the memory of the same addresses

A Launch has kernel (a HostKernel with a name), grid, block, shared_mem and args: a Span (address
and size) for an array, the bytes of a scalar. As a CUDA graph does, it keeps no array alive:
compiler.block_at, a function of an address, says what memory is still held there (host_cupy.py
answers for CuPy arrays); an address given as np.uint64 stands for all from there to the end of its
block. What NumPy computes in CuPy's place is kept in the same list, as HostWork.
compiler.is_recording says whether a recording is under way.
"""

import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from host_build import build
from host_memory import GuardedCopy, Span, span_of, united

from isograd.backend.errors import KernelError

FORWARD, REVERSE, RANDOM, OTHER_RANDOM = range(4)
# The order of threads, and the byte that shared memory and guards are filled with. 0xff: NaN in
# every float type; 0x7f: 3.4e38, which a maximum does not pass over; 0xa5: -2.9e-16.
SCHEDULES = ((FORWARD, 0xFF), (REVERSE, 0x7F), (RANDOM, 0xFF), (OTHER_RANDOM, 0xA5))
MAX_GRID = (2**31 - 1, 65535, 65535)
MAX_BLOCK = (1024, 1024, 64)
MAX_THREADS = 1024
STATIC_SHARED = 48 * 1024  # bytes; for more a launcher has to ask when it takes the kernel
MAX_SHARED = 227 * 1024  # sm_90
SIGNATURE_KINDS = {"f": "f", "i": "i", "u": "u", "b": "b", "V": "s"}  # by NumPy's kind


class HostCompiler:
    """Makes kernels that run on this CPU.

    schedules: pairs (order, poison); SCHEDULES[:1] is four times as fast and sees less.
    launched: the names of the kernels launched so far, in order.
    """

    def __init__(self, schedules=SCHEDULES):
        self.schedules = schedules
        self.launched = []
        self.block_at: Callable[[int], Span | None] | None = None
        self._recording = None

    def kernel(self, name, text, defines=(), file="kernels.cu", shared=0):
        """As in isograd.kernels.cuda.compiler.Compiler."""
        library = _load(str(build(text, tuple(defines), file)))
        if not hasattr(library, f"host_launch_{name}"):
            raise KernelError(f"{file} has no kernel {name}")
        return HostKernel(self, name, library, shared)

    def begin_recording(self):
        """From now on launches are kept instead of run."""
        if self._recording is not None:
            raise RuntimeError("begin_recording: must not be called again before end_recording")
        self._recording = Recording()

    def end_recording(self):
        """The Recording of the launches since begin_recording."""
        recording, self._recording = self._recording, None
        if recording is None:
            raise RuntimeError("end_recording: must follow begin_recording")
        return recording

    @property
    def is_recording(self):
        """Whether launches are kept instead of run."""
        return self._recording is not None

    def take(self, launch):
        """Run a Launch or HostWork, or keep it while recording."""
        if self._recording is None:
            launch.run()
        else:
            self._recording.launches.append(launch)

    def run(self, launch):
        """Run a launch by every schedule; the arrays then hold its results."""
        self.launched.append(launch.kernel.name)
        spans = [arg for arg in launch.args if isinstance(arg, Span)]
        for span in spans:
            if not self._is_held(span):
                raise _error(launch, f"uses memory at {span.address:#x} that has been freed")
        first, *others = (_results(launch, united(spans), *pair) for pair in self.schedules)
        for other in others:
            for one, two in zip(first, other, strict=True):
                _check_equal(launch, one, two)
        for copy in first:
            copy.span.bytes()[...] = copy.contents

    def _is_held(self, span):
        """Whether all of a span is in memory that is held; not known for NumPy's arrays."""
        if self.block_at is None or span.n_bytes == 0:
            return True
        block = self.block_at(span.address)
        return block is not None and span.end <= block.end


@dataclass
class Recording:
    """Launches that were kept, to be run again and again."""

    launches: list = field(default_factory=list)

    def replay(self):
        """Run them, in order."""
        for launch in self.launches:
            launch.run()


@dataclass(frozen=True)
class Launch:
    """One launch: args are Spans, for arrays, and the bytes of scalars."""

    kernel: "HostKernel"
    grid: tuple
    block: tuple
    args: tuple
    shared_mem: int = 0

    def run(self):
        """Run it now."""
        self.kernel.compiler.run(self)


@dataclass(frozen=True)
class HostWork:
    """What the host computes on arrays in the place of a kernel."""

    name: str
    run: Callable[[], object]


class HostKernel:
    """One kernel of a library; called as a CuPy kernel is."""

    def __init__(self, compiler, name, library, shared):
        self.compiler = compiler
        self.name = name
        self.max_shared = max(shared, STATIC_SHARED)
        self.function = getattr(library, f"host_launch_{name}")
        self.function.restype = ctypes.c_char_p
        self.function.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self.max_threads = getattr(library, f"host_bounds_{name}")()
        signature = getattr(library, f"host_signature_{name}")
        signature.restype = ctypes.c_char_p
        self.parameters = signature().decode().split()

    def __call__(self, grid, block, args, *, shared_mem=0):
        grid, block = _three(grid), _three(block)
        self._check_sizes(grid, block, shared_mem)
        if len(args) != len(self.parameters):
            raise KernelError(
                f"{self.name}: takes {len(self.parameters)} arguments, got {len(args)}"
            )
        taken = tuple(self._taken(i, arg) for i, arg in enumerate(args))
        self.compiler.take(Launch(self, grid, block, taken, shared_mem))

    def _check_sizes(self, grid, block, shared_mem):
        for what, sizes, most in (("grid", grid, MAX_GRID), ("block", block, MAX_BLOCK)):
            if not all(1 <= n <= limit for n, limit in zip(sizes, most, strict=True)):
                raise KernelError(f"{self.name}: a {what} must be 1 to {most}, got {sizes}")
        n_threads = int(np.prod(block))
        if n_threads > min(MAX_THREADS, self.max_threads):
            raise KernelError(
                f"{self.name}: __launch_bounds__ allow {self.max_threads} threads, got {n_threads}"
            )
        if shared_mem > min(MAX_SHARED, self.max_shared):
            raise KernelError(
                f"{self.name}: may use {min(MAX_SHARED, self.max_shared)} bytes of dynamic shared "
                f"memory, got {shared_mem}"
            )

    def _taken(self, i, arg):
        """An argument as a Span or as bytes, if it fits parameter i."""
        parameter = self.parameters[i]
        is_array = not isinstance(arg, np.generic) and hasattr(arg, "dtype")
        if is_array and parameter[0] == "p" and _points_to(parameter[1:], arg.dtype):
            return span_of(arg)
        if isinstance(arg, np.generic):
            if parameter[0] == "p" and arg.dtype == np.uint64:
                return self._at_address(arg)
            if parameter == f"{SIGNATURE_KINDS.get(arg.dtype.kind)}{arg.dtype.itemsize}":
                return arg.tobytes()
        kind = f"an array of {arg.dtype}" if is_array else f"{type(arg).__name__} {arg!r}"
        raise KernelError(f"{self.name}: parameter {i} is {_in_words(parameter)}, got {kind}")

    def _at_address(self, address):
        """What np.uint64 for a pointer points to: nothing for 0, else the rest of its block."""
        if address == 0:
            return address.tobytes()
        find = self.compiler.block_at
        block = find(int(address)) if find else None
        if block is None:
            raise KernelError(f"{self.name}: no array is at the address {int(address):#x}")
        return Span(int(address), block.end - int(address))


class _LaunchSizes(ctypes.Structure):
    """host::Launch of host_threads.h."""

    _fields_ = [
        ("grid", ctypes.c_uint * 3),
        ("block", ctypes.c_uint * 3),
        ("shared_bytes", ctypes.c_ulonglong),
        ("order", ctypes.c_uint),
        ("poison", ctypes.c_uint),
    ]


def _results(launch, spans, order, poison):
    """The arrays' copies after the launch ran by one schedule."""
    copies = [GuardedCopy(span, poison) for span in spans]
    values = [_value(arg, copies) for arg in launch.args]
    addresses = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
    sizes = _LaunchSizes(launch.grid, launch.block, launch.shared_mem, order, poison)
    error = launch.kernel.function(ctypes.byref(sizes), addresses)
    if error:
        raise _error(launch, error.decode())
    for copy in copies:
        broken = copy.why_broken()
        if broken:
            raise _error(launch, f"{broken} ({_named(launch, copy.span)})")
    return copies


def _value(arg, copies):
    """What a kernel's parameter is read from."""
    if isinstance(arg, bytes):
        return (ctypes.c_char * max(len(arg), 1)).from_buffer_copy(arg)
    for copy in copies:
        if copy.span.address <= arg.address < copy.span.end:
            return ctypes.c_void_p(copy.address_of(arg.address))
    return ctypes.c_void_p(arg.address)  # no elements


def _check_equal(launch, one, two):
    different = np.flatnonzero(one.contents != two.contents)
    if different.size:
        raise _error(
            launch,
            f"results depend on the order of threads or on memory that nobody wrote: "
            f"{different.size} bytes differ, the first at byte {different[0]} of "
            f"{_named(launch, one.span)}",
        )


def _named(launch, span):
    """The arguments that lie in a span."""
    numbers = [
        str(i)
        for i, arg in enumerate(launch.args)
        if isinstance(arg, Span) and span.address <= arg.address < span.end
    ]
    return f"argument {' and '.join(numbers)}, {span.n_bytes} bytes"


def _error(launch, message):
    return KernelError(f"{launch.kernel.name}: {message}")


def _points_to(pointee, dtype):
    """Whether an array of the dtype may be given for a pointer to the described type."""
    kind, size = pointee[0], int(pointee[1:])
    if kind == "v":
        return True
    if kind == "s":  # a struct: half_t, float4, an optimizer's state
        return size % dtype.itemsize == 0
    same_kind = kind == SIGNATURE_KINDS.get(dtype.kind)
    return same_kind and size == dtype.itemsize


def _in_words(parameter):
    if parameter[0] == "p":
        return f"a pointer to {_in_words(parameter[1:])}"
    kind, size = parameter[0], int(parameter[1:])
    if kind == "s":
        return f"a struct of {size} bytes"
    names = {"f": "float", "i": "int", "u": "uint", "b": "bool", "v": "void"}
    return names[kind] if kind in "bv" else f"{names[kind]}{8 * size}"


def _three(sizes):
    return (*(int(n) for n in sizes), 1, 1)[:3]


@functools.cache
def _load(path):
    return ctypes.CDLL(path)
