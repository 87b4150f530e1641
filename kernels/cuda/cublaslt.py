"""cuBLASLt through ctypes: where the library is, its constants, descriptors, handles and errors.

The stream is an argument of every product, so nothing here is in the way of a stream capture, which
refuses CuPy's own cuBLAS calls (cupy#6290). Products and their plans are in matmul_plan.py.
Source: cublasLt.h, cublas_api.h and library_types.h of CUDA 12 and 13; the numbers are theirs.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...backend.errors import DeviceUnavailableError, KernelError
from .arrays import cupy

# cudaDataType
DATA_TYPE = {"float32": 0, "float64": 1, "float16": 2, "bfloat16": 14}

# cublasComputeType_t
COMPUTE_FLOAT32 = 68
COMPUTE_FLOAT64 = 70
COMPUTE_FAST_BFLOAT16 = 75  # float32 arrays; factors may be rounded to bfloat16 or TF32
COMPUTE_FAST_TF32 = 77

# cublasOperation_t
NOT_TRANSPOSED, TRANSPOSED = 0, 1

# cublasLtMatmulDescAttributes_t
TRANSPOSE_A = 3
TRANSPOSE_B = 4
EPILOGUE = 7
BIAS_POINTER = 8
AUXILIARY_POINTER = 11
AUXILIARY_LEADING_DIMENSION = 12

# cublasLtMatrixLayoutAttribute_t
LAYOUT_TYPE = 0
LAYOUT_ROWS = 2
LAYOUT_COLUMNS = 3
LAYOUT_LEADING_DIMENSION = 4
LAYOUT_BATCH_COUNT = 5
LAYOUT_BATCH_STRIDE = 6

# cublasLtMatmulPreferenceAttributes_t
MAX_WORKSPACE_BYTES = 1
MIN_ALIGNMENTS = (5, 6, 7, 8)  # of A, B, C and D, in bytes

# cublasLtEpilogue_t: sums of these
PLAIN = 1  # alone
RELU = 2
BIAS = 4
DRELU = 8 | 128
BIAS_GRADIENT = 16  # with DRELU or DGELU
GELU = 32
DGELU = 64 | 128
AUXILIARY = 128  # what the derivative needs, written by RELU and GELU
BIAS_GRADIENT_A = 256
BIAS_GRADIENT_B = 512

# cublasStatus_t
INVALID_VALUE, ARCH_MISMATCH, NOT_SUPPORTED = 7, 8, 15
DECLINED = (INVALID_VALUE, ARCH_MISMATCH, NOT_SUPPORTED)  # what is said of what it does not serve
STATUS = {
    1: "CUBLAS_STATUS_NOT_INITIALIZED",
    3: "CUBLAS_STATUS_ALLOC_FAILED",
    7: "CUBLAS_STATUS_INVALID_VALUE",
    8: "CUBLAS_STATUS_ARCH_MISMATCH",
    11: "CUBLAS_STATUS_MAPPING_ERROR",
    13: "CUBLAS_STATUS_EXECUTION_FAILED",
    14: "CUBLAS_STATUS_INTERNAL_ERROR",
    15: "CUBLAS_STATUS_NOT_SUPPORTED",
    16: "CUBLAS_STATUS_LICENSE_ERROR",
}


class CublasLtError(KernelError):
    """A call of cuBLASLt that did not succeed; status is its number."""

    def __init__(self, function: str, status: int, remedy: str = "") -> None:
        word = STATUS.get(status, "a status unknown to us")
        super().__init__(f"{function} returned {word} ({status}){remedy}")
        self.status = status


class Heuristic(ctypes.Structure):
    """cublasLtMatmulHeuristicResult_t: an algorithm, what it needs, whether it is valid."""

    _fields_ = (
        ("algorithm", ctypes.c_uint64 * 8),
        ("workspace_bytes", ctypes.c_size_t),
        ("state", ctypes.c_int),
        ("waves", ctypes.c_float),
        ("reserved", ctypes.c_int * 4),
    )


class CublasLt:
    """One loaded library with all that belongs to it: handles, and the caches of who uses it.

    functions: what ctypes.CDLL gives; tests put something else there.
    """

    def __init__(self, functions: Any) -> None:
        self.functions = functions
        self.caches: dict[str, dict] = {}
        self._handles: dict[int, ctypes.c_void_p | CublasLtError] = {}

    def call(self, function: str, *arguments: Any) -> None:
        """Raises CublasLtError unless the function returns CUBLAS_STATUS_SUCCESS."""
        status = getattr(self.functions, function)(*arguments)
        if status:
            raise CublasLtError(function, status)

    def version(self) -> int:
        """The version, e.g. 130100 for 13.1.0."""
        return int(self.functions.cublasLtGetVersion())

    def handle(self, device_id: int) -> ctypes.c_void_p:
        """The handle of a GPU, which must be the current one; asked for once.

        Raises CublasLtError where there is no driver, or an older one than this library needs.
        """
        found = self._handles.get(device_id)
        if found is None:
            found = ctypes.c_void_p()
            status = self.functions.cublasLtCreate(ctypes.byref(found))
            if status:
                remedy = "; it must have a GPU and a driver that is as new as itself"
                found = CublasLtError("cublasLtCreate", status, remedy)
            self._handles[device_id] = found
        if isinstance(found, CublasLtError):
            raise found
        return found


class Descriptor:
    """An opaque object of cuBLASLt with numbered attributes, destroyed with this one.

    kind: "MatmulDesc", "MatrixLayout" or "MatmulPreference". arguments: of its create function.
    """

    def __init__(self, library: CublasLt, kind: str, *arguments: Any) -> None:
        self.pointer = ctypes.c_void_p()
        self._library = library
        self._kind = kind
        library.call(f"cublasLt{kind}Create", ctypes.byref(self.pointer), *arguments)
        destroy = getattr(library.functions, f"cublasLt{kind}Destroy")
        weakref.finalize(self, destroy, self.pointer).atexit = False

    def set(self, attribute: int, value: Any) -> None:
        """Set an attribute to a ctypes number of the attribute's exact type."""
        size = ctypes.c_size_t(ctypes.sizeof(value))
        function = f"cublasLt{self._kind}SetAttribute"
        self._library.call(function, self.pointer, attribute, ctypes.byref(value), size)

    def get(self, attribute: int, kind: type) -> Any:
        """The value of an attribute of that ctypes type."""
        value, written = kind(), ctypes.c_size_t()
        size = ctypes.c_size_t(ctypes.sizeof(value))
        function = f"cublasLt{self._kind}GetAttribute"
        self._library.call(
            function, self.pointer, attribute, ctypes.byref(value), size, ctypes.byref(written)
        )
        return value.value


def matrix_layout(
    library: CublasLt,
    dtype: str,
    rows: int,
    columns: int,
    leading_dimension: int,
    batch: int = 1,
    batch_stride: int = 0,
) -> Descriptor:
    """A column-major matrix, or `batch` of them, so many elements from one to the next."""
    sizes = (ctypes.c_uint64(rows), ctypes.c_uint64(columns), ctypes.c_int64(leading_dimension))
    layout = Descriptor(library, "MatrixLayout", DATA_TYPE[dtype], *sizes)
    if batch > 1:
        layout.set(LAYOUT_BATCH_COUNT, ctypes.c_int32(batch))
        layout.set(LAYOUT_BATCH_STRIDE, ctypes.c_int64(batch_stride))
    return layout


IF_LOADED = ctypes.DEFAULT_MODE | getattr(os, "RTLD_NOLOAD", 0)  # Windows has no such mode

_library: CublasLt | None = None
_why_missing = ""


def library() -> CublasLt:
    """The library, looked for on first use. Raises DeviceUnavailableError where it is missing."""
    global _library, _why_missing
    if _library is None:
        if not _why_missing:
            major = cupy().cuda.runtime.runtimeGetVersion() // 1000
            try:
                _library = CublasLt(load(major))
                return _library
            except DeviceUnavailableError as error:
                _why_missing = str(error)
        raise DeviceUnavailableError(_why_missing)
    return _library


def is_available(device_id: int) -> bool:
    """Whether the library is there and serves a GPU, which must be the current one."""
    try:
        return library().handle(device_id) is not None
    except (DeviceUnavailableError, CublasLtError):
        return False


@contextmanager
def using_library(other: CublasLt) -> Iterator[CublasLt]:
    """Products run on another library meanwhile; for tests."""
    global _library
    before, _library = _library, other
    try:
        yield other
    finally:
        _library = before


def load(major: int) -> Any:
    """cuBLASLt for that major version of CUDA, as ctypes.CDLL gives it.

    What the process has loaded comes first, then NVIDIA's wheels, the system and the toolkit: CuPy
    and torch look for cuBLAS in this order, and it must meet the cuBLASLt of its own version.
    Raises DeviceUnavailableError that lists where it was looked for.
    """
    name = f"cublasLt64_{major}.dll" if os.name == "nt" else f"libcublasLt.so.{major}"
    toolkit = Path(os.environ.get("CUDA_PATH") or "/usr/local/cuda") / "lib64"
    wheels = (str(folder / name) for folder in _wheels(major))
    places = [*wheels, name, str(toolkit / name)]
    for place, mode in ((name, IF_LOADED), *((one, ctypes.DEFAULT_MODE) for one in places)):
        try:
            return ctypes.CDLL(place, mode)
        except OSError:
            continue
    raise DeviceUnavailableError(
        f"cuBLASLt for CUDA {major} was not found; it was looked for as {', '.join(places)}. "
        f'It comes with the extra: pip install "isograd[cuda{major}]"'
    )


def _wheels(major: int) -> list[Path]:
    """Where the wheels nvidia-cublas (CUDA 13) and nvidia-cublas-cu12 put it."""
    found = importlib.util.find_spec("nvidia")
    roots = found.submodule_search_locations if found is not None else None
    below = (f"cu{major}/lib", f"cu{major}/bin/x86_64", "cublas/lib", "cublas/bin")
    return [Path(root) / folder for root in roots or () for folder in below]
