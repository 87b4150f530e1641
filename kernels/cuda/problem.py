"""One matrix product as the chooser and the kernels see it: sizes, layout, dtype, what follows.

A candidate is one implementation of it, known by a name in CANDIDATES. All have one call shape:

    candidate(problem, a, b, y, bias=None, z=None, accumulate=False) -> None

writes y = activation(op(a) op(b) + bias), with z, where given, the same before the activation;
accumulate adds to what y holds (for weight gradients; without bias and activation). The own kernels
are in matmul_kernels.py, cuBLASLt's in cublaslt_matmul.py; which of them can serve a problem is
said there by fits(), which of these is taken by chooser.py, and products.py brings it together.
"""

from __future__ import annotations

from typing import NamedTuple

CANDIDATES = ("simt", "mma_3xtf32", "mma_tf32", "mma_half", "cublaslt")
LAYOUTS = ("nn", "nt", "tn", "tt")
DTYPES = ("float16", "bfloat16", "float32", "float64")

FIRST_WITH_TF32 = 80  # the first architecture whose tensor cores take TF32 and bfloat16


class Problem(NamedTuple):
    """y (m, n) = activation(op(a) op(b) + bias), every array row-major; batch many of them.

    layout: a letter for a and one for b: "n" where a is stored (m, k) and b (k, n), "t" where they
        are stored transposed, (k, m) and (n, k). linear is "nt", its dx "nn", its dweight "tn".
    dtype: that of a, b and y, one of DTYPES. Sums are float32, float64 for float64.
    precision: what a float32 product is owed: "highest", "high" or "medium" (kernels/precision.py).
    activation: "none" or a name as in kernels/activation.py. bias: whether one is added.
    saves: whether z, the value before the activation, is written too.
    aligned: whether a and b, their leading dimensions and batch strides are 16-byte aligned.
    arch: the compute capability of the GPU, as gpu.architecture() gives it, e.g. 90; 0 unknown.
    """

    m: int
    n: int
    k: int
    layout: str = "nt"
    dtype: str = "float32"
    precision: str = "highest"
    activation: str = "none"
    bias: bool = False
    saves: bool = False
    aligned: bool = True
    batch: int = 1
    arch: int = 0
