"""Plans of cuBLASLt: descriptors, layouts and an algorithm for one product, made once and kept.

cuBLASLt is column-major and has its bias along the rows of its result. A row-major y = a b is to it
y^T = b^T a^T: its A is our b, its B our a, and the bias has one entry for each column of our y.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any, NamedTuple

import numpy as np

from ...backend.errors import CaptureError, KernelError
from . import cublaslt, gpu
from .arrays import cupy
from .cublaslt import CublasLt, Descriptor, Heuristic, matrix_layout
from .matmul_layout import Stored

MOST_PLANS = 4096  # kept; a plan is about 3 KB
MOST_STREAMS = 8  # that keep a workspace
MOST_ALGORITHMS = 4  # asked for; the first that is valid is the fastest by cuBLASLt's estimate

# Partial sums of a product that is split along k are added in the type of the sums, never in a
# half type: CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE.
REDUCTION_SCHEMES, IN_COMPUTE_TYPE = 3, 2

# cuBLAS's own choices: 32 MiB is what its documentation advises for Hopper.
WORKSPACE_BYTES = {90: 32 << 20, 0: 8 << 20}  # from that architecture on


class NoAlgorithmError(KernelError):
    """cuBLASLt has no way to this product with this dtype, epilogue and alignment."""


class Product(NamedTuple):
    """All that a plan depends on. batch, strides: as in an Arrangement, in elements.

    compute: a cublasComputeType_t. epilogue: a cublasLtEpilogue_t. auxiliary_row: elements (bits
    for relu) from one row of the auxiliary array to the next. alignment: bytes, of all pointers.
    """

    dtype: str
    compute: int
    m: int
    n: int
    k: int
    a: Stored
    b: Stored
    batch: int
    strides: tuple[int, int, int]
    epilogue: int
    auxiliary_row: int
    alignment: int


class Pointers(NamedTuple):
    """Addresses of one product's arrays; 0 where there is none."""

    a: int
    b: int
    y: int
    vector: int = 0  # the bias, or where its gradient goes
    auxiliary: int = 0


class Plan:
    """A product that can be run: its descriptors, and the arguments of the call ready-made."""

    def __init__(
        self, library: CublasLt, device_id: int, product: Product, pointers: Pointers
    ) -> None:
        self.product = product
        self._library = library
        self._lock = threading.Lock()  # calls change the ready-made arguments
        self._operation = _operation(library, product)
        self._layouts = _layouts(library, product)
        self._vector, self._auxiliary = ctypes.c_void_p(), ctypes.c_void_p()
        self._point(pointers)  # the query looks at their alignment
        self._algorithm = self._best(device_id)
        self.workspace_bytes = self._algorithm.workspace_bytes
        self._prepare(device_id)

    def __call__(self, pointers: Pointers, beta: float, workspace: int, stream: int) -> None:
        """y = epilogue(a b) + beta y, in the order of the stream. Raises CublasLtError."""
        with self._lock:
            if pointers.vector or pointers.auxiliary:
                self._point(pointers)
            self._a.value, self._b.value, self._y.value = pointers.b, pointers.a, pointers.y
            self._beta.value = beta
            self._workspace.value = workspace
            self._stream.value = stream
            status = self._run(*self._arguments)
        if status:
            raise cublaslt.CublasLtError("cublasLtMatmul", status, f" for {self.product}")

    def _prepare(self, device_id: int) -> None:
        """The arguments of a call; those that change are boxes that a call fills."""
        number = ctypes.c_double if self.product.dtype == "float64" else ctypes.c_float
        self._alpha, self._beta = number(1.0), number(0.0)
        self._a, self._b, self._y = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._workspace, self._stream = ctypes.c_void_p(), ctypes.c_void_p()
        layout_a, layout_b, layout_y = (layout.pointer for layout in self._layouts)
        self._run = self._library.functions.cublasLtMatmul
        self._arguments = (
            self._library.handle(device_id),
            self._operation.pointer,
            ctypes.byref(self._alpha),
            *(self._a, layout_a, self._b, layout_b),
            ctypes.byref(self._beta),
            *(self._y, layout_y, self._y, layout_y),
            ctypes.byref(self._algorithm.algorithm),
            self._workspace,
            ctypes.c_size_t(self.workspace_bytes),
            self._stream,
        )

    def _point(self, pointers: Pointers) -> None:
        """Tell the operation where the bias and the auxiliary array are."""
        for box, attribute, address in (
            (self._vector, cublaslt.BIAS_POINTER, pointers.vector),
            (self._auxiliary, cublaslt.AUXILIARY_POINTER, pointers.auxiliary),
        ):
            if address and address != box.value:
                box.value = address
                self._operation.set(attribute, box)

    def _best(self, device_id: int) -> Heuristic:
        """The algorithm that cuBLASLt recommends. Raises NoAlgorithmError where it has none."""
        preference = _preference(self._library, device_id, self.product.alignment)
        results, n_found = (Heuristic * MOST_ALGORITHMS)(), ctypes.c_int()
        layout_a, layout_b, layout_y = (layout.pointer for layout in self._layouts)
        status = self._library.functions.cublasLtMatmulAlgoGetHeuristic(
            self._library.handle(device_id),
            self._operation.pointer,
            *(layout_a, layout_b, layout_y, layout_y),
            preference.pointer,
            MOST_ALGORITHMS,
            results,
            ctypes.byref(n_found),
        )
        if status and status not in cublaslt.DECLINED:
            raise cublaslt.CublasLtError("cublasLtMatmulAlgoGetHeuristic", status)
        for result in results[: n_found.value]:
            if result.state == 0:
                return result
        word = cublaslt.STATUS.get(status, "none")
        raise NoAlgorithmError(f"cuBLASLt has no algorithm here ({word}) for {self.product}")


def plan_for(
    library: CublasLt, device_id: int, product: Product, pointers: Pointers, stream: int
) -> Plan:
    """The plan of a product on a GPU, which must be the current one; made on first use and kept.

    Raises CaptureError when it would have to be made while the stream is captured.
    """
    plans = library.caches.setdefault("plans", {})
    found = plans.get((device_id, product))
    if found is None:
        if stream and gpu.is_capturing(stream):
            raise CaptureError(
                f"matmul: no plan yet for ({product.m}, {product.k}) @ ({product.k}, {product.n}) "
                f"in {product.dtype}, and cuBLASLt cannot make one while a stream is captured; "
                "run the step once before, with the same shapes"
            )
        found = Plan(library, device_id, product, pointers)
        if len(plans) >= MOST_PLANS:
            plans.pop(next(iter(plans)), None)
        plans[device_id, product] = found
    return found


def workspace(library: CublasLt, device_id: int, stream: int, n_bytes: int) -> Any:
    """Scratch memory for a product on the stream, as an array; None where it needs none.

    A stream has one that its products share. Within a capture each has its own from the pool of
    the graph, so that graphs on other streams may run meanwhile.
    """
    if not n_bytes:
        return None
    if stream and gpu.is_capturing(stream):
        return cupy().empty(n_bytes, np.uint8)
    workspaces = library.caches.setdefault("workspaces", {})
    found = workspaces.get((device_id, stream))
    if found is None:
        if len(workspaces) >= MOST_STREAMS:  # CuPy gives it to the same stream again, in order
            workspaces.pop(next(iter(workspaces)), None)
        found = cupy().empty(most_workspace(device_id), np.uint8)
        workspaces[device_id, stream] = found
    return found


def most_workspace(device_id: int) -> int:
    """The bytes that an algorithm may ask for on a GPU."""
    arch = gpu.architecture(device_id)
    return next(n_bytes for least, n_bytes in WORKSPACE_BYTES.items() if arch >= least)


def _operation(library: CublasLt, product: Product) -> Descriptor:
    """What is computed: type of the sums, transposes, epilogue."""
    scale = "float64" if product.dtype == "float64" else "float32"
    numbers = (product.compute, cublaslt.DATA_TYPE[scale])
    operation = Descriptor(library, "MatmulDesc", *numbers)
    operation.set(cublaslt.TRANSPOSE_A, ctypes.c_int32(product.b.transposed))
    operation.set(cublaslt.TRANSPOSE_B, ctypes.c_int32(product.a.transposed))
    operation.set(cublaslt.EPILOGUE, ctypes.c_uint32(product.epilogue))
    if product.epilogue & cublaslt.AUXILIARY:
        row = ctypes.c_int64(product.auxiliary_row)
        operation.set(cublaslt.AUXILIARY_LEADING_DIMENSION, row)
    return operation


def _layouts(library: CublasLt, product: Product) -> tuple[Descriptor, Descriptor, Descriptor]:
    """cuBLASLt's A, B and D: our b, a and y, read as column-major matrices."""
    m, n, k = product.m, product.n, product.k
    stride_a, stride_b, stride_y = product.strides
    sizes = (
        ((k, n) if product.b.transposed else (n, k), product.b.leading_dimension, stride_b),
        ((m, k) if product.a.transposed else (k, m), product.a.leading_dimension, stride_a),
        ((n, m), n, stride_y),
    )
    a, b, y = (
        matrix_layout(library, product.dtype, *shape, leading, product.batch, stride)
        for shape, leading, stride in sizes
    )
    return a, b, y


def _preference(library: CublasLt, device_id: int, alignment: int) -> Descriptor:
    """What an algorithm may use: workspace, alignment, the way partial sums are added."""
    preference = Descriptor(library, "MatmulPreference")
    preference.set(cublaslt.MAX_WORKSPACE_BYTES, ctypes.c_uint64(most_workspace(device_id)))
    preference.set(REDUCTION_SCHEMES, ctypes.c_uint32(IN_COMPUTE_TYPE))
    for attribute in cublaslt.MIN_ALIGNMENTS:
        preference.set(attribute, ctypes.c_uint32(alignment))
    return preference
