"""Products of matrices on CuPy by whatever serves them best: our own kernels or cuBLASLt.

All of it can be captured into a graph, which CuPy's own matmul cannot.
"""

from __future__ import annotations

from ...backend import Array, dtype_name
from ...backend.errors import KernelError, ShapeError
from ..precision import current_matmul_precision
from . import chooser, cublaslt_matmul, gpu, matmul_kernels
from .arrays import contiguous, empty
from .matmul_kernels import CHUNK_BYTES
from .problem import Problem

CANDIDATES: dict[str, chooser.Candidate] = {
    **matmul_kernels.CANDIDATES,
    "cublaslt": cublaslt_matmul.candidate,
}


def matmul(
    a: Array,
    b: Array,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: Array | None = None,
    accumulate: bool = False,
    *,
    bias: Array | None = None,
    activation: str = "none",
    z: Array | None = None,
) -> Array:
    """y = activation(op(a) op(b) + bias); op: the transpose, or not.

    a: (m, k), b: (k, n) after op, of one floating dtype, not empty -> (m, n), into out (in C order)
    if given, added to what is there if `accumulate`. bias: (n,). z: an array like y, for the value
    before the activation. The precision of float32 is that of matmul_precision().
    Raises ShapeError, and KernelError where no candidate serves it, as with 2^31 rows.
    """
    a, a_letter = _stored(a, transpose_a)
    b, b_letter = _stored(b, transpose_b)
    m, k = a.shape if a_letter == "n" else a.shape[::-1]
    k_of_b, n = b.shape if b_letter == "n" else b.shape[::-1]
    if k != k_of_b or (out is not None and out.shape != (m, n)):
        shape = "" if out is None else f" into {out.shape}"
        raise ShapeError(
            f"matmul: must be (m, k) and (k, n), got {(m, k)} and {(k_of_b, n)}{shape}"
        )
    y = empty((m, n), a.dtype, a) if out is None else out
    problem = Problem(
        *(m, n, k, a_letter + b_letter),
        dtype=dtype_name(a.dtype),
        precision=current_matmul_precision(),
        activation=activation,
        bias=bias is not None,
        saves=z is not None,
        aligned=_is_aligned(a) and _is_aligned(b),
        arch=gpu.architecture(a.device.id),
    )
    if not chooser.run(problem, CANDIDATES, fits, a, b, y, bias=bias, z=z, accumulate=accumulate):
        raise KernelError(
            f"matmul: nothing here can compute {problem}; cut it into smaller products"
        )
    return y


def fits(name: str, problem: Problem) -> bool:
    """Whether a candidate can serve a problem."""
    if name == "cublaslt":
        return cublaslt_matmul.fits(problem)
    return matmul_kernels.fits(name, problem)


def _stored(x: Array, transposed: bool) -> tuple[Array, str]:
    """x, or the transposed view of it, or a copy, in C order; "t" where it is op(x) transposed."""
    if x.flags.c_contiguous or not x.flags.f_contiguous:
        return contiguous(x), "t" if transposed else "n"
    return x.T, "n" if transposed else "t"


def _is_aligned(x: Array) -> bool:
    """Whether all lines of a matrix start at multiples of 16 bytes."""
    return (x.data.ptr | x.shape[-1] * x.itemsize) % CHUNK_BYTES == 0
