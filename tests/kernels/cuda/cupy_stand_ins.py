"""What NumPy computes in CuPy's place while there is no GPU: functions, operators and methods.

Reshaping, slicing, transposing and making empty arrays need no GPU: CuPy's own do it. The rest of a
library's work is computed by NumPy on the same memory, so that the engine runs around the kernels.
"""

import functools
from types import ModuleType

import numpy as np
from host_compiler import HostWork

from isograd import Tensor


def names(text):
    """The words of a text."""
    return text.split()


BINARY = names("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift")
OPERATORS = [
    *(f"__{name}__" for name in BINARY),
    *(f"__r{name}__" for name in BINARY),
    *(f"__{name}__" for name in names("neg pos abs invert lt le gt ge eq ne")),
]
IN_PLACE = [f"__i{name}__" for name in BINARY]
METHODS = names(
    "sum prod mean var std max min argmax argmin all any cumsum cumprod clip conj conjugate dot "
    "round take repeat nonzero argsort astype copy flatten reshape ravel "
    "__copy__ __deepcopy__ __getitem__"
)
TO_HOST = names("get item tolist __float__ __int__ __bool__ __index__ __complex__")
# These give views where they can; CuPy's own is tried first.
VIEWS = names(
    "reshape permute_dims transpose matrix_transpose expand_dims squeeze broadcast_to moveaxis "
    "swapaxes broadcast_arrays ravel asarray ascontiguousarray astype flip __getitem__"
)
# These need no GPU, or are no functions of arrays.
OWN = names(
    "empty empty_like isdtype can_cast result_type finfo iinfo may_share_memory shares_memory "
    "is_available get_array_module asnumpy show_config"
)
MODULES = ("linalg", "fft")
# CuPy refuses its cuBLAS while a stream is captured (cupy#6290).
CUBLAS = names("matmul dot vdot inner tensordot einsum vecdot __matmul__ __rmatmul__")
# Of more than FEW arrays CuPy sends the addresses from the host.
JOINING = names("concatenate concat stack hstack vstack")
FEW = 8


class StandIns:
    """Makes the stand-ins. `used` lists the names of those that ran.

    arrays: HostArrays of host_cupy.py, which takes arrays across. compiler: the HostCompiler, which
    keeps what is computed while it records. latest: those that were made last compute for all:
    isograd's ops remember functions of an earlier test.
    """

    latest = None

    def __init__(self, cupy, arrays, compiler):
        StandIns.latest = self
        self.cupy = cupy
        self.arrays = arrays
        self.compiler = compiler
        self.used = []

    def namespace(self, own, numpys):
        """A copy of a namespace of CuPy's with NumPy's functions for those that need a GPU."""
        copy = ModuleType(own.__name__)
        for name, value in vars(own).items():
            if name in MODULES and isinstance(value, ModuleType):
                setattr(copy, name, self.namespace(value, getattr(numpys, name)))
            elif self.is_needed(own, numpys, name):
                setattr(copy, name, self.function(name, getattr(numpys, name), value))
            elif name[:2] != "__" or name.startswith("__array"):
                setattr(copy, name, value)
        return copy

    def is_needed(self, own, numpys, name):
        """Whether a name of a module is a function of arrays that NumPy has too."""
        value = getattr(own, name)
        is_function = callable(value) and not isinstance(value, type)
        return is_function and name[0] != "_" and name not in OWN and hasattr(numpys, name)

    def function(self, name, numpys, own=None):
        """NumPy's function for CuPy's arrays; a view by CuPy's own where it can make one."""

        def stand_in(*args, **kwargs):
            if own is not None and name in VIEWS and not self._comes_from_host(name, args):
                try:
                    return own(*args, **kwargs)
                except self.cupy.cuda.runtime.CUDARuntimeError:
                    pass  # it takes a copy, and with that a kernel
            return self.compute(name, numpys, args, kwargs)

        return functools.update_wrapper(stand_in, own or numpys)

    def method(self, name):
        """A method or an operator of NumPy's arrays for CuPy's; a Tensor beside it is asked."""
        own = getattr(self.cupy.ndarray, name, None)
        stand_in = self.function(name, getattr(np.ndarray, name), own if name in VIEWS else None)
        if name not in OPERATORS:
            return stand_in

        def operator(x, *others):
            return own(x, *others) if _has_tensors(others) else stand_in(x, *others)

        return functools.update_wrapper(operator, own)

    def in_place(self, name):
        """x += y and the like."""
        numpys = getattr(np.ndarray, name)

        def stand_in(x, other):
            self.compute(name, numpys, (x, other), {}, changes=x)
            return x

        return stand_in

    def to_host(self, name):
        """What brings numbers to the host; CUDA refuses it while it records."""
        numpys = np.array if name == "get" else getattr(np.ndarray, name)

        def stand_in(x, *args, **kwargs):
            self.used.append(name)
            self._refuse_while_recording(name)
            return numpys(self.arrays.view(x), *args)

        return stand_in

    def ufunc(self):
        """__array_ufunc__: np.float32(2) * x."""

        def stand_in(x, ufunc, method, *args, **kwargs):
            if _has_tensors(args):
                return NotImplemented  # as CuPy's, so that the Tensor is asked
            return self.compute(ufunc.__name__, getattr(ufunc, method), args, kwargs)

        return stand_in

    def set_item(self):
        """x[key] = value."""

        def stand_in(x, key, value):
            self.compute("__setitem__", np.ndarray.__setitem__, (x, key, value), {}, changes=x)

        return stand_in

    def scatter_add(self, x, indices, values):
        """cupyx.scatter_add."""
        self.compute("scatter_add", np.add.at, (x, indices, values), {}, changes=x)

    def compute(self, name, function, args, kwargs, changes=None):
        """The function's result on views of the memory, as CuPy arrays.

        changes: the array that it changes in place; while recording it is left for the replay.
        """
        self = StandIns.latest
        self.used.append(name)
        if self._comes_from_host(name, args) or name in CUBLAS:
            self._refuse_while_recording(name)
        kwargs = {key: value for key, value in kwargs.items() if key not in ("device", "stream")}
        out = kwargs.get("out")
        inputs, options = self.arrays.to_numpy(args), self.arrays.to_numpy(kwargs)
        if isinstance(out, tuple):
            options["out"] = out[0] if out[0] is None else self.arrays.view(out[0])
            out = out[0]

        def again():
            with np.errstate(all="ignore"):
                return function(*inputs, **options)

        if not self.compiler.is_recording:
            return _given(out, self.arrays.to_cupy(again()))
        if out is None and changes is None:
            result = again()
            made = self.arrays.to_cupy(result)
            # Now: CuPy's own code, which called this, may give the array another shape.
            targets = self.arrays.to_numpy(made)
            self.compiler.take(HostWork(name, lambda: _write(targets, again())))
            return made
        self.compiler.take(HostWork(name, again))
        return out

    def _comes_from_host(self, name, args):
        """Whether numbers have to be sent to the device."""
        is_new = name in ("asarray", "array") and not isinstance(args[0], self.cupy.ndarray)
        is_new = is_new or (name in JOINING and len(args[0]) > FEW)
        return is_new or any(isinstance(arg, np.ndarray) for arg in args)

    def _refuse_while_recording(self, name):
        if self.compiler.is_recording:
            raise RuntimeError(f"cudaErrorStreamCaptureUnsupported: {name}")


def _has_tensors(args):
    return any(isinstance(arg, Tensor) for arg in args)


def _write(targets, results):
    """Results of a replay into the arrays that the recording gave out."""
    if isinstance(targets, (tuple, list)):
        for target, result in zip(targets, results, strict=True):
            _write(target, result)
    elif isinstance(targets, np.ndarray):
        targets[...] = results


def _given(out, result):
    """The array given as out=, else the result."""
    return result if out is None else out
