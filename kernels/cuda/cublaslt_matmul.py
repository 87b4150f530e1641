"""Matrix products on CuPy by cuBLASLt: any strides, batches, bias and activation in one launch."""

from __future__ import annotations

from typing import Any

from ...backend import Array
from ...backend.errors import DtypeError, ShapeError
from ..precision import current_matmul_precision
from . import cublaslt, gpu
from .arrays import contiguous, current_device_id, empty
from .matmul_call import FORWARD, GELU_COLUMNS, Options, call_for, mask_bytes, view
from .matmul_layout import result_shape, stored
from .matmul_plan import NoAlgorithmError, Pointers, workspace
from .problem import FIRST_WITH_TF32, Problem


def matmul(
    a: Array,
    b: Array,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    bias: Array | None = None,
    epilogue: str = "none",
    aux: Array | None = None,
    sums: Array | None = None,
    out: Array | None = None,
    beta: float = 0.0,
    precision: str | None = None,
) -> Array:
    """y = epilogue(op(a) op(b) + bias) + beta out; op: the transpose of the last two axes, or not.

    a: (..., m, k), b: (..., k, n) after op, of one dtype among float16, bfloat16, float32, float64
        and with any strides; leading axes broadcast -> (..., m, n), into out (in C order) if given.
    bias: (n,). precision: as in matmul_precision(), the one in force unless given.
    epilogue: "relu" or "gelu_tanh"; with aux they write there what their derivative needs: into a
        relu_mask(), or the value before gelu into an array like y. "drelu", "dgelu_tanh":
        y = op(a) op(b) times the derivative, with that aux read, and the sums of the columns of y
        into sums (n,) if given. "sum_a": the sums of the rows of op(a) into sums (m,); "sum_b":
        those of the columns of op(b) into sums (n,): a bias gradient beside that of its weight.
    Raises ShapeError, DtypeError, HyperparameterError; DeviceUnavailableError without cuBLASLt;
    NoAlgorithmError for a combination that it does not serve; CaptureError for a new product within
    a capture.
    """
    vector = bias if sums is None else sums
    _check_beside(a, vector, aux, out)
    options = Options(
        transpose_a,
        transpose_b,
        epilogue,
        precision or current_matmul_precision(),
        None if vector is None else vector.shape,
        None if aux is None else aux.shape,
    )
    pointers = Pointers(
        a.data.ptr,
        b.data.ptr,
        0 if out is None else out.data.ptr,
        0 if vector is None else vector.data.ptr,
        0 if aux is None else aux.data.ptr,
    )
    with gpu.on(a.device.id):
        return _run(a, b, out, options, pointers, float(beta))


def product(a: Array, b: Array) -> Any:
    """a b for arrays of at least two axes; NotImplemented where cuBLASLt is missing or declines."""
    if 0 in (*a.shape, *b.shape) or result_shape(a.shape, b.shape) is None:
        return NotImplemented
    with gpu.on(a.device.id):
        if not cublaslt.is_available(a.device.id):
            return NotImplemented
        try:
            return matmul(a, b)
        except NoAlgorithmError:
            return NotImplemented


def relu_mask(m: int, n: int, like: Array) -> Array:
    """An array for the mask that "relu" writes and "drelu" reads, for y (m, n)."""
    return empty((m, mask_bytes(n)), "uint8", like)


def fits(problem: Problem) -> bool:
    """Whether cuBLASLt can be asked for the problem; whether it has an algorithm shows then."""
    if problem.dtype not in cublaslt.DATA_TYPE or problem.activation not in FORWARD:
        return False
    if problem.dtype == "bfloat16" and 0 < problem.arch < FIRST_WITH_TF32:
        return False
    if problem.saves:
        is_kept = problem.activation == "gelu_tanh" and problem.n % GELU_COLUMNS == 0
        return is_kept and problem.batch == 1 and cublaslt.is_available(current_device_id())
    return cublaslt.is_available(current_device_id())


def candidate(
    problem: Problem,
    a: Array,
    b: Array,
    y: Array,
    bias: Array | None = None,
    z: Array | None = None,
    accumulate: bool = False,
) -> None:
    """The problem by cuBLASLt, in the call shape of all candidates."""
    matmul(
        a,
        b,
        transpose_a=problem.layout[0] == "t",
        transpose_b=problem.layout[1] == "t",
        bias=bias,
        epilogue=problem.activation,
        aux=z,
        out=y,
        beta=1.0 if accumulate else 0.0,
        precision=problem.precision,
    )


def _run(
    a: Array, b: Array, out: Array | None, options: Options, pointers: Pointers, beta: float
) -> Array:
    """The product on the current GPU and stream."""
    library, stream = cublaslt.library(), gpu.current_stream()
    call = call_for(library, a, b, options, pointers, stream)
    if call is None:
        a, b = _copied(a, b, options)
        pointers = pointers._replace(a=a.data.ptr, b=b.data.ptr)
        return _run(a, b, out, options, pointers, beta)
    if out is None:
        out = empty(call.y_shape, a.dtype, a)
        pointers = pointers._replace(y=out.data.ptr)
    elif out.shape != call.y_shape:
        raise ShapeError(f"matmul: out must be {call.y_shape}, got {out.shape}")
    at_a, at_b, at_y, vector, auxiliary = pointers
    for plan, a_bytes, b_bytes, y_bytes in call.steps:
        scratch = workspace(library, a.device.id, stream, plan.workspace_bytes)
        moved = Pointers(at_a + a_bytes, at_b + b_bytes, at_y + y_bytes, vector, auxiliary)
        plan(moved, beta, 0 if scratch is None else scratch.data.ptr, stream)
    return out


def _check_beside(a: Array, vector: Array | None, aux: Array | None, out: Array | None) -> None:
    """Raises ShapeError or DtypeError unless these are in C order, bias, sums and out like a."""
    for name, x in (("bias or sums", vector), ("out", out), ("aux", aux)):
        if x is None:
            continue
        if not x.flags.c_contiguous:
            raise ShapeError(f"matmul: {name} must be in C order, got strides {x.strides}")
        if x.dtype != a.dtype and x is not aux:
            raise DtypeError(f"matmul: {name} must be {a.dtype} like a, got {x.dtype}")


def _copied(a: Array, b: Array, options: Options) -> tuple[Array, Array]:
    """a and b, in C order what stands in the way: what has gaps, else both."""
    a_gaps = stored(*view(a, options.transpose_a)) is None
    b_gaps = stored(*view(b, options.transpose_b)) is None
    if not (a_gaps or b_gaps):
        a_gaps = b_gaps = True
    return contiguous(a) if a_gaps else a, contiguous(b) if b_gaps else b
