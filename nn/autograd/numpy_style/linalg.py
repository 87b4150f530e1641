"""NumPy's products, numpy.linalg and numpy.fft, with its names and arguments.

A function of numpy.linalg stands here as linalg_<name>. Those of numpy.fft are all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....backend import Array, array_namespace, is_array, is_complex
from ....backend.libraries import library_of
from ..ops import linear_algebra
from ..ops.einsum import einsum as einsum_of
from ..tensor import innermost
from .arguments import alike
from .elementwise import conjugate
from .picking import pad, take
from .reductions import sum
from .shapes import moveaxis, ravel, reshape, stack

# -- products -----------------------------------------------------------------------------------


def dot(a: Any, b: Any) -> Array:
    """Products summed over the last axis of a and the last but one of b; of numbers, a b."""
    a, b = alike([a, b])
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if b.ndim <= 2 and a.ndim <= 2:
        return linear_algebra.matmul(a, b)
    return tensordot(a, b, ((-1,), (-2 if b.ndim > 1 else -1,)))


def vdot(a: Any, b: Any) -> Array:
    """The sum of conj(a) b over all elements."""
    a, b = alike([a, b])
    return sum(conjugate(ravel(a)) * ravel(b))


def inner(a: Any, b: Any) -> Array:
    """Products summed over the last axes."""
    a, b = alike([a, b])
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, ((-1,), (-1,)))


def outer(a: Any, b: Any) -> Array:
    """Every element of a times every element of b."""
    a, b = alike([a, b])
    return reshape(ravel(a), (-1, 1)) * ravel(b)


def kron(a: Any, b: Any) -> Array:
    """The Kronecker product: every element of a times the whole of b, in its place."""
    a, b = alike([a, b])
    n = max(a.ndim, b.ndim)
    a, b = (reshape(x, (1,) * (n - x.ndim) + x.shape) for x in (a, b))
    product = reshape(a, tuple(m for length in a.shape for m in (length, 1))) * reshape(
        b, tuple(m for length in b.shape for m in (1, length))
    )
    return reshape(product, tuple(i * j for i, j in zip(a.shape, b.shape, strict=True)))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Array:
    """Products summed over pairs of axes."""
    a, b = alike([a, b])
    if not isinstance(axes, int):
        axes = tuple((pair,) if isinstance(pair, int) else tuple(pair) for pair in axes)
    return array_namespace(a, b).tensordot(a, b, axes=axes)


def einsum(*operands: Any, optimize: Any = False) -> Array:
    """Sums of products by labels of axes; the order of the products is not chosen."""
    if isinstance(operands[0], str):
        return einsum_of(operands[0], *alike(operands[1:]))
    return einsum_of(*operands)


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    """The cross product of vectors with three elements."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = alike([a, b])
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return moveaxis(stack(parts, -1), -1, axisc)


def convolve(a: Any, v: Any, mode: str = "full") -> Array:
    """Sums of a[i - k] v[k] of two vectors, over all shifts at which they meet ("full")."""
    a, v = alike([a, v])
    a, v = (v, a) if a.shape[0] < v.shape[0] else (a, v)
    n, m = a.shape[0], v.shape[0]
    indices = [[i + m - 1 - k for k in range(m)] for i in range(n + m - 1)]
    y = linear_algebra.matmul(take(pad(a, m - 1), indices, 0), v)
    start = {"full": 0, "same": (m - 1) // 2, "valid": m - 1}[mode]
    length = {"full": n + m - 1, "same": n, "valid": n - m + 1}[mode]
    return y[start : start + length]


# -- numpy.linalg -------------------------------------------------------------------------------


def linalg_norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """The norm of vectors or, over two axes, of matrices; of all elements by default."""
    xp = array_namespace(x)
    if axis is None and (ord is None or x.ndim == 1):
        norm = xp.linalg.vector_norm(ravel(x), ord=2 if ord is None else ord)
        return reshape(norm, (1,) * x.ndim) if keepdims else norm
    axis = tuple(range(x.ndim)) if axis is None else axis
    if isinstance(axis, int) or len(axis) == 1:
        ord = 2 if ord is None else ord
        return xp.linalg.vector_norm(x, axis=axis, ord=ord, keepdims=keepdims)
    matrices = moveaxis(x, axis, (-2, -1))
    norm = xp.linalg.matrix_norm(matrices, ord="fro" if ord is None else ord, keepdims=keepdims)
    return moveaxis(norm, (-2, -1), axis) if keepdims else norm


def linalg_svd(a: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition, or the singular values alone."""
    xp = array_namespace(a)
    return xp.linalg.svd(a, full_matrices=full_matrices) if compute_uv else xp.linalg.svdvals(a)


def linalg_eigh(a: Array, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, from one triangle of them."""
    result = array_namespace(a).linalg.eigh(_from_triangle(a, UPLO))
    raw = innermost(a)
    if UPLO == "L" or library_of(raw).name not in ("numpy", "cupy"):
        return result
    # from the upper triangle the same vectors come with other signs
    _, upper = array_namespace(raw).linalg.eigh(raw, UPLO=UPLO)
    turn = einsum_of("...ij,...ij->...j", conjugate(innermost(result[1])), upper)
    return type(result)(result[0], result[1] * turn[..., None, :])


def linalg_eigvalsh(a: Array, UPLO: str = "L") -> Array:
    """Eigenvalues of Hermitian matrices, from one triangle of them."""
    return array_namespace(a).linalg.eigvalsh(_from_triangle(a, UPLO))


def _from_triangle(a: Array, UPLO: str) -> Array:
    """The Hermitian matrix that has this triangle: nothing depends on the other one."""
    xp = array_namespace(a)
    strict, both = (xp.tril(a, k=-1), xp.tril(a)) if UPLO == "L" else (xp.triu(a, k=1), xp.triu(a))
    return both + conjugate(xp.matrix_transpose(strict))


def linalg_pinv(a: Array, rcond: Any = None, *, rtol: Any = None) -> Array:
    """The pseudo-inverse."""
    rtol = rcond if rtol is None else rtol
    linalg = array_namespace(a).linalg
    return linalg.pinv(a) if rtol is None else linalg.pinv(a, rtol=rtol)


def linalg_multi_dot(arrays: Sequence[Any]) -> Array:
    """The product of several matrices, from left to right."""
    first, *rest = alike(arrays)
    for x in rest:
        first = dot(first, x)
    return first


def linalg_qr(a: Array, mode: str = "reduced") -> Any:
    """Q and R with Q R = a."""
    q_and_r = array_namespace(a).linalg.qr(a, mode="complete" if mode == "complete" else "reduced")
    return q_and_r[1] if mode == "r" else q_and_r


def _alike(name: str) -> Callable[..., Any]:
    """A function of linalg that NumPy and the standard have alike."""

    def function(*args: Any, **options: Any) -> Any:
        linalg = array_namespace(*(x for x in args if is_array(x))).linalg
        return getattr(linalg, name)(*args, **options)

    return function


LINALG_ALIKE: dict[str, Callable[..., Any]] = {
    name: _alike(name)
    for name in (
        *("cholesky", "cross", "det", "diagonal", "eig", "eigvals", "inv", "matmul"),
        *("matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "slogdet"),
        *("solve", "svdvals", "tensordot", "trace", "vecdot", "vector_norm"),
    )
}

# -- numpy.fft ----------------------------------------------------------------------------------

WANTS_COMPLEX = ("fft", "ifft", "fftn", "ifftn", "irfft", "irfftn", "hfft")


def _transform(name: str) -> Callable[..., Array]:
    """numpy.fft.<name> for one axis."""

    def transform(a: Array, n: int | None = None, axis: int = -1, norm: str | None = None) -> Array:
        x = _complex(a) if name in WANTS_COMPLEX else a
        fft = getattr(array_namespace(x).fft, name)
        return fft(x, n=n, axis=axis, norm=norm or "backward")

    return transform


def _transform_n(name: str, two: bool = False) -> Callable[..., Array]:
    """numpy.fft.<name> for several axes: all of them by default, or the last two."""
    default = (-2, -1) if two else None

    def transform(a: Array, s: Any = None, axes: Any = default, norm: str | None = None) -> Array:
        x = _complex(a) if name in WANTS_COMPLEX else a
        if axes is None and s is not None:
            axes = tuple(range(-len(s), 0))
        fft = getattr(array_namespace(x).fft, name)
        return fft(x, s=s, axes=axes, norm=norm or "backward")

    return transform


def _complex(a: Array) -> Array:
    xp = array_namespace(a)
    if is_complex(a):
        return a
    return xp.astype(a, xp.complex64 if a.dtype == xp.float32 else xp.complex128)


FFT: dict[str, Callable[..., Array]] = {
    **{n: _transform(n) for n in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{n: _transform_n(n) for n in ("fftn", "ifftn", "rfftn", "irfftn")},
    **{n.replace("n", "2"): _transform_n(n, two=True) for n in ("fftn", "ifftn")},
    **{"rfft2": _transform_n("rfftn", two=True), "irfft2": _transform_n("irfftn", two=True)},
}


def fft_fftshift(x: Array, axes: Any = None) -> Array:
    """x with the zero frequency in the middle."""
    return array_namespace(x).fft.fftshift(x, axes=axes)


def fft_ifftshift(x: Array, axes: Any = None) -> Array:
    """What fftshift turned into x."""
    return array_namespace(x).fft.ifftshift(x, axes=axes)
