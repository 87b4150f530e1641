"""cuBLASLt without a GPU: its own descriptors, with NumPy for what needs one.

Descriptors, layouts and preferences are made and read back by the real library, which needs no
driver for that. The handle, the query for an algorithm and the product are Python: the product
looks at nothing but the descriptors and the addresses, and computes on the host's memory what
cuBLASLt's documentation says, column-major as it is.
"""

import ctypes
import importlib
import math

import numpy as np
from host_compiler import HostWork

from isograd.backend.errors import DeviceUnavailableError
from isograd.kernels.cuda import cublaslt

SUCCESS, NOT_INITIALIZED = 0, 1
HANDLE = 0xC0FFEE

DTYPE = {0: np.dtype(np.float32), 1: np.dtype(np.float64), 2: np.dtype(np.float16)}
RELATIVE = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-14}  # of results, by dtype
GELU_ROOT = math.sqrt(2 / math.pi)


def why_no_cublaslt():
    """(the functions of the real library, for CUDA 13 or 12, and "") or (None, the reason)."""
    for major in (13, 12):
        try:
            return cublaslt.load(major), ""
        except DeviceUnavailableError:
            continue
    return None, "cuBLASLt is not installed"


class EmulatedFunctions:
    """In the place of ctypes.CDLL. calls: the names of the emulated functions, as they came.

    served: epilogues that have an algorithm, None for all; declined: the status of the others.
    workspace_bytes: what an algorithm asks for.
    compiler: a HostCompiler, which keeps products for a replay while it records launches.
    """

    def __init__(self, real, compiler):
        self._real = real
        self._compiler = compiler
        self.served = None
        self.declined = cublaslt.NOT_SUPPORTED
        self.workspace_bytes = 0
        self.calls = []
        self.workspaces = []
        self.streams = []
        self.compute_types = []
        self.preferences = []

    def __getattr__(self, name):
        return getattr(self._real, name)

    def cublasLtCreate(self, handle):
        self.calls.append("cublasLtCreate")
        handle._obj.value = HANDLE
        return SUCCESS

    def cublasLtMatmulAlgoGetHeuristic(
        self, handle, operation, a, b, c, d, preference, wanted, results, n_found
    ):
        self.calls.append("cublasLtMatmulAlgoGetHeuristic")
        self.preferences.append(
            {
                "workspace": self._get("MatmulPreference", preference, 1, ctypes.c_uint64),
                "reduction": self._get("MatmulPreference", preference, 3, ctypes.c_uint32),
                "alignment": self._get("MatmulPreference", preference, 5, ctypes.c_uint32),
            }
        )
        epilogue = self._get("MatmulDesc", operation, cublaslt.EPILOGUE, ctypes.c_uint32)
        if self.served is not None and epilogue not in self.served:
            return self.declined
        results[0].state = SUCCESS
        results[0].workspace_bytes = self.workspace_bytes
        n_found._obj.value = 1
        return SUCCESS

    def cublasLtMatmul(
        self,
        handle,
        operation,
        alpha,
        a,
        a_layout,
        b,
        b_layout,
        beta,
        c,
        c_layout,
        d,
        d_layout,
        algorithm,
        workspace,
        workspace_bytes,
        stream,
    ):
        self.calls.append("cublasLtMatmul")
        self.workspaces.append((workspace.value, workspace_bytes.value))
        self.streams.append(stream.value)
        if handle.value != HANDLE:
            return NOT_INITIALIZED
        described = self._described(operation)
        self.compute_types.append(described["compute"])
        matrices = self._batches(a, a_layout), self._batches(b, b_layout)
        results = self._batches(d, d_layout)
        scalars = alpha._obj.value, beta._obj.value

        def run():
            for left, right, result in zip(*matrices, results, strict=True):
                product(left, right, result, described, *scalars)

        self._compiler.take(HostWork("cublasLtMatmul", run))
        return SUCCESS

    def _get(self, kind, pointer, attribute, number):
        value, written = number(), ctypes.c_size_t()
        function = getattr(self._real, f"cublasLt{kind}GetAttribute")
        size = ctypes.c_size_t(ctypes.sizeof(value))
        assert not function(pointer, attribute, ctypes.byref(value), size, ctypes.byref(written))
        return value.value

    def _described(self, operation):
        """The attributes of an operation by name."""

        def get(attribute, number):
            return self._get("MatmulDesc", operation, attribute, number)

        return {
            "compute": get(0, ctypes.c_int32),
            "transpose_a": get(cublaslt.TRANSPOSE_A, ctypes.c_int32),
            "transpose_b": get(cublaslt.TRANSPOSE_B, ctypes.c_int32),
            "epilogue": get(cublaslt.EPILOGUE, ctypes.c_uint32),
            "bias": get(cublaslt.BIAS_POINTER, ctypes.c_void_p),
            "auxiliary": get(cublaslt.AUXILIARY_POINTER, ctypes.c_void_p),
            "auxiliary_leading": get(cublaslt.AUXILIARY_LEADING_DIMENSION, ctypes.c_int64),
        }

    def _batches(self, pointer, layout):
        """The matrices of a batch as NumPy views of the memory at the pointer."""

        def get(attribute, number):
            return self._get("MatrixLayout", layout, attribute, number)

        rows = get(cublaslt.LAYOUT_ROWS, ctypes.c_uint64)
        columns = get(cublaslt.LAYOUT_COLUMNS, ctypes.c_uint64)
        leading = get(cublaslt.LAYOUT_LEADING_DIMENSION, ctypes.c_int64)
        dtype = _dtype(get(cublaslt.LAYOUT_TYPE, ctypes.c_uint32))
        stride = get(cublaslt.LAYOUT_BATCH_STRIDE, ctypes.c_int64) * dtype.itemsize
        assert leading >= rows, "CUBLASLT_MATRIX_LAYOUT_LD must be at least the rows"
        return [
            column_major(pointer.value + i * stride, dtype, rows, columns, leading)
            for i in range(get(cublaslt.LAYOUT_BATCH_COUNT, ctypes.c_int32))
        ]


def _dtype(number):
    """NumPy's dtype for a cudaDataType; bfloat16 as CuPy has it."""
    if number == cublaslt.DATA_TYPE["bfloat16"]:
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    return DTYPE[number]


def column_major(address, dtype, rows, columns, leading):
    """The matrix at an address, in column-major order, to be read and written."""
    n_bytes = ((columns - 1) * leading + rows) * dtype.itemsize
    memory = (ctypes.c_char * n_bytes).from_address(address)
    strides = (dtype.itemsize, leading * dtype.itemsize)
    return np.ndarray((rows, columns), dtype, memory, strides=strides)


def product(a, b, d, described, alpha, beta):
    """D = epilogue(alpha op(A) op(B) + beta D + bias), as the documentation of cuBLASLt has it."""
    a = (a.T if described["transpose_a"] else a).astype(np.float64)
    b = (b.T if described["transpose_b"] else b).astype(np.float64)
    epilogue = described["epilogue"]
    result = alpha * (a @ b)
    if beta:
        result = result + beta * d
    rows, columns = d.shape
    if epilogue & cublaslt.BIAS:
        result = result + vector(described["bias"], d.dtype, rows)[:, None]
    if epilogue & cublaslt.AUXILIARY:
        result = with_auxiliary(result, described, d.dtype)
    elif epilogue & cublaslt.RELU:
        result = np.maximum(result, 0)
    elif epilogue & cublaslt.GELU:
        result = gelu(result)
    if epilogue & cublaslt.BIAS_GRADIENT:
        vector(described["bias"], d.dtype, rows)[...] = result.sum(axis=1)
    if epilogue & cublaslt.BIAS_GRADIENT_A:
        vector(described["bias"], d.dtype, rows)[...] = a.sum(axis=1)
    if epilogue & cublaslt.BIAS_GRADIENT_B:
        vector(described["bias"], d.dtype, columns)[...] = b.sum(axis=0)
    d[...] = result


def with_auxiliary(result, described, dtype):
    """The epilogues that write or read the auxiliary array: ReLU's mask of bits, GELU's input."""
    (rows, columns), leading = result.shape, described["auxiliary_leading"]
    address, epilogue = described["auxiliary"], described["epilogue"]
    assert leading >= rows
    if epilogue & (cublaslt.RELU | 8):
        assert leading % 128 == 0, "ReLU's mask: leading dimension divisible by 128 (bits)"
        words = np.dtype(np.uint8)
        packed = column_major(address, words, leading // 8, columns, leading // 8)
        if epilogue & cublaslt.RELU:
            packed[: -(-rows // 8)] = np.packbits(result > 0, axis=0, bitorder="little")
            return np.maximum(result, 0)
        return result * np.unpackbits(packed, axis=0, bitorder="little")[:rows]
    assert leading % 8 == 0, "GELU's input: leading dimension divisible by 8"
    kept = column_major(address, dtype, rows, columns, leading)
    if epilogue & cublaslt.GELU:
        kept[...] = result
        return gelu(result)
    return result * gelu_slope(kept.astype(np.float64))


def vector(address, dtype, n):
    """n numbers at an address."""
    return column_major(address, dtype, n, 1, n)[:, 0]


def gelu(x):
    return 0.5 * x * (1 + np.tanh(GELU_ROOT * (x + 0.044715 * x**3)))


def gelu_slope(x):
    h = 1e-5
    return (gelu(x + h) - gelu(x - h)) / (2 * h)


def operands(host_cupy, m=5, n=7, k=6, dtype="float32", batch=()):
    """a (..., m, k) and b (..., k, n), normal."""
    random = np.random.RandomState(1)
    a, b = random.randn(*batch, m, k), random.randn(*batch, k, n)
    return host_cupy.array(a.astype(dtype)), host_cupy.array(b.astype(dtype))


def check(host_cupy, y, expected):
    """y, a CuPy array, has the numbers of a NumPy array, as far as its dtype goes."""
    found = host_cupy.view(y)
    relative = RELATIVE[found.dtype.name]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=relative, atol=relative * 10)
