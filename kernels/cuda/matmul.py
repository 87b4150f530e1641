"""The op matmul on CuPy: two matrices by whatever is fastest, batches by cuBLASLt.

CuPy's own matmul cannot be captured (cupy#6290), and from three axes on it copies transposes and
computes float16 in float32 (cupy#10317).
"""

from __future__ import annotations

from typing import Any

from ...backend import Array, dtype_name
from ..fused import Fused
from .source import FLOATING


def forward(x1: Array, x2: Array) -> Any:
    """x1 x2; vectors count as one row, one column.

    Declines what CuPy must serve or refuse: empty arrays, other and mixed dtypes, shapes that do
    not fit, two GPUs, and batches where cuBLASLt is missing.
    """
    if type(x1) is not type(x2) or x1.dtype != x2.dtype or not x1.ndim or not x2.ndim:
        return NotImplemented
    if dtype_name(x1.dtype) not in FLOATING or x1.device.id != x2.device.id:
        return NotImplemented
    a = x1[None, :] if x1.ndim == 1 else x1
    b = x2[:, None] if x2.ndim == 1 else x2
    y = _product(a, b)
    if y is NotImplemented or (x1.ndim > 1 and x2.ndim > 1):
        return y
    y = y[..., 0, :] if x1.ndim == 1 else y
    return y[..., 0] if x2.ndim == 1 else y


def _product(a: Array, b: Array) -> Any:
    """a b for at least two axes; imports what who stays on the CPU does not need."""
    is_pair = a.ndim == b.ndim == 2 and a.size > 0 and b.size > 0 and a.shape[1] == len(b)
    if not (is_pair and _is_whole(a) and _is_whole(b)):
        from .cublaslt_matmul import product  # takes rows with gaps as they are

        y = product(a, b)
        if y is not NotImplemented or not is_pair:
            return y
    from .products import matmul

    return matmul(a, b)


def _is_whole(x: Array) -> bool:
    """Whether a matrix or its transpose lies in memory without gaps."""
    return x.flags.c_contiguous or x.flags.f_contiguous


MATMUL_CUPY = Fused(forward, of=("x1", "x2"))
