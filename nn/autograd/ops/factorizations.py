"""xp.linalg: factorizations and spectra, with their derivatives beside them.

Inside the tape a cotangent belongs to the plain transpose, without conjugation: <dy, y> is the real
part of the sum of dy y. Eigenvectors and singular vectors are defined up to a phase, and those of
equal values up to a rotation: gradients are right for functions that do not depend on the choice.
Values that agree to working precision count as equal; gradients of the values are right there too.
"""

from __future__ import annotations

from typing import NamedTuple

from ....backend import Array, array_namespace, is_complex
from ....backend.errors import NotDifferentiableError
from ..tensor import innermost
from . import complex_numbers
from .creation import ones_like, zeros_like
from .elementwise import abs, where
from .extension_ops import LinalgOp, conj, hermitian
from .linalg import inv, on_diagonal, solve
from .linear_algebra import matmul
from .manipulation import concat, expand_dims, matrix_transpose, tril
from .reduction import max, sum
from .standard import standard


class EigResult(NamedTuple):
    """What eig returns."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """What eigh returns."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """What qr returns."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """What svd returns."""

    U: Array
    S: Array
    Vh: Array


# -- Cholesky -----------------------------------------------------------------------------------

cholesky = standard("cholesky", "x", kind=LinalgOp, upper=False)


@cholesky.backward
def _dcholesky(dy: Array, y: Array, upper: bool) -> Array:
    """L^-T P conj(L)^-1 with P the lower triangle of L^T dL, its diagonal halved; Hermitian part.

    x stands for its Hermitian part, of which the library reads one triangle.
    Source: Murray 2016, "Differentiation of the Cholesky decomposition", equation 10.
    """
    if upper:
        dy, y = hermitian(dy), hermitian(y)
    p = _lower_half(matmul(matrix_transpose(y), dy))
    inverse = inv(y)
    return _hermitian_part(matmul(matmul(matrix_transpose(inverse), p), conj(inverse)))


# -- eigenvalues --------------------------------------------------------------------------------

eigh = standard("eigh", "x", kind=LinalgOp)
eigh.result = EighResult


@eigh.backward
def _deigh(dy: tuple, y: EighResult) -> Array:
    """conj(V) (diag(dw) + F (V^T dV)) V^T with F_ij = 1 / (w_j - w_i); Hermitian part.

    x stands for its Hermitian part. Source: Giles 2008, section 3.1.
    """
    dw, dv = dy
    w, v = y
    v_transposed = matrix_transpose(v)
    inner = matmul(v_transposed, dv) * _inverse_gaps(w)
    inner = matmul(inner, v_transposed) + expand_dims(dw, axis=-1) * v_transposed
    return _hermitian_part(matmul(conj(v), inner))


eigvalsh = standard("eigvalsh", "x", kind=LinalgOp)


@eigvalsh.backward
def _deigvalsh(dy: Array, x: Array) -> Array:
    """conj(V) diag(dw) V^T."""
    _, v = eigh(x)
    return matmul(conj(v) * expand_dims(dy, axis=-2), matrix_transpose(v))


eig = standard("eig", "x", kind=LinalgOp)
eig.result = EigResult


@eig.backward
def _deig(dy: tuple, y: EigResult) -> Array:
    """V^-T (diag(dw) + F (V^T dV - V^T conj(V) diag(c))) V^T, F_ij = 1 / (w_j - w_i).

    c = Re diag(V^T dV): the eigenvectors keep unit length. A matrix without a basis of eigenvectors
    has no derivative; inverting V fails. Source: Boeddeker et al. 2017, "On the computation of
    complex-valued gradients with application to statistically optimum beamforming", section 4.17.
    """
    dw, dv = dy
    w, v = y
    v_transposed = matrix_transpose(v)
    lengthening = expand_dims(complex_numbers.real(sum(dv * v, axis=-2)), axis=-2)
    inner = matmul(v_transposed, dv) - matmul(v_transposed, conj(v)) * lengthening
    inner = matmul(inner * _inverse_gaps(w), v_transposed)
    return solve(v_transposed, inner + expand_dims(dw, axis=-1) * v_transposed)


eigvals = standard("eigvals", "x", kind=LinalgOp)


@eigvals.backward
def _deigvals(dy: Array, x: Array) -> Array:
    """V^-T diag(dw) V^T."""
    v_transposed = matrix_transpose(eig(x)[1])
    return solve(v_transposed, expand_dims(dy, axis=-1) * v_transposed)


# -- singular values ----------------------------------------------------------------------------

svd = standard("svd", "x", kind=LinalgOp, full_matrices=True)
svd.result = SVDResult


@svd.backward
def _dsvd(dy: tuple, x_shape: tuple[int, ...], y: SVDResult) -> Array:
    """conj(U) (diag(dS) + (F X) S + S (F Y)) conj(Vh), and what leaves the spans of U and V.

    X, Y = U^T dU, V^T dV, each minus its conjugate transpose; F_ij = 1 / (s_j^2 - s_i^2).
    Sources: Townsend 2016, "Differentiating the singular value decomposition"; Wan and Zhang 2019,
    "Automatic differentiation for complex valued SVD".
    """
    (du, ds, dvh), (u, s, vh) = _reduced(dy, y)
    row, column = expand_dims(s, axis=-2), expand_dims(s, axis=-1)
    twist_u = _skew(matmul(matrix_transpose(u), du))
    twist_v = _skew(matmul(conj(vh), hermitian(dvh)))
    gaps = _inverse_gaps(s) * _inverse(row + column, expand_dims(_rounding(s), axis=-1))
    inner = twist_u * (gaps * row) + twist_v * (gaps * column)
    inverse_s = _inverse(s, _rounding(s))
    if is_complex(u):  # U alone takes the phase that U and V share
        inner = inner + twist_u * _diagonal(0.5 * inverse_s)
    dx = matmul(inner, conj(vh)) + expand_dims(ds, axis=-1) * conj(vh)
    if x_shape[-1] > s.shape[-1]:
        rest = dvh * expand_dims(inverse_s, axis=-1)
        dx = dx + rest - matmul(matmul(rest, matrix_transpose(vh)), conj(vh))
    dx = matmul(conj(u), dx)
    if x_shape[-2] > s.shape[-1]:
        rest = du * expand_dims(inverse_s, axis=-2)
        rest = rest - matmul(conj(u), matmul(matrix_transpose(u), rest))
        dx = dx + matmul(rest, conj(vh))
    return dx


def _reduced(dy: tuple, y: SVDResult) -> tuple[tuple, tuple]:
    """Cotangents and factors of the reduced form; further vectors are functions of these."""
    (du, ds, dvh), (u, s, vh) = dy, y
    n = s.shape[-1]
    if u.shape[-1] > n:
        du, u = _without_complement(du, u, n, "svd: U")
    if vh.shape[-2] > n:
        dv, v = _without_complement(matrix_transpose(dvh), matrix_transpose(vh), n, "svd: Vh")
        dvh, vh = matrix_transpose(dv), matrix_transpose(v)
    return (du, ds, dvh), (u, s, vh)


svdvals = standard("svdvals", "x", kind=LinalgOp)


@svdvals.backward
def _dsvdvals(dy: Array, x: Array, y: Array) -> Array:
    """conj(U) diag(dS) conj(Vh); 0 for a singular value of 0, as abs has it."""
    u, _, vh = svd(x, full_matrices=False)
    dy = where(y == 0, zeros_like(dy), dy)
    return matmul(conj(u) * expand_dims(dy, axis=-2), conj(vh))


# -- QR -----------------------------------------------------------------------------------------

qr = standard("qr", "x", kind=LinalgOp, mode="reduced")
qr.result = QRResult


@qr.backward
def _dqr(dy: tuple, x: Array, y: QRResult) -> Array:
    """(dQ + conj(Q) B) R^-T, B the upper triangle of dR R^T - Q^T dQ, mirrored to be Hermitian.

    The first columns of x, as many as Q has, must be independent. Those to the right of a square
    part only meet R. Sources: Walter and Lehmann 2012, "Algorithmic differentiation of linear
    algebra functions"; Seeger et al. 2017, "Auto-differentiating linear algebra" (LQ).
    """
    dq, dr = dy
    q, r = y
    n = min(x.shape[-2:])
    if q.shape[-1] > n:
        dq, q = _without_complement(dq, q, n, "qr: Q")
        dr, r = dr[..., :n, :], r[..., :n, :]
    if x.shape[-1] == n:
        return _dsquare_qr(dq, dr, q, r)
    dr, dright = dr[..., :n], dr[..., n:]
    dq = dq + matmul(conj(x[..., n:]), hermitian(dright))
    return concat([_dsquare_qr(dq, dr, q, r[..., :n]), matmul(conj(q), dright)], axis=-1)


def _dsquare_qr(dq: Array, dr: Array, q: Array, r: Array) -> Array:
    """The rule for a square R."""
    w = matmul(dr, matrix_transpose(r)) - matmul(matrix_transpose(q), dq)
    half = matrix_transpose(_lower_half(matrix_transpose(w)))
    dx = dq + matmul(conj(q), half + hermitian(half))
    return matrix_transpose(solve(r, matrix_transpose(dx)))


# -- parts of rules -----------------------------------------------------------------------------


def _rounding(spectrum: Array) -> Array:
    """What working precision cannot tell from zero: 8 n eps times the largest value, (..., 1)."""
    n = spectrum.shape[-1]
    if n == 0:
        return sum(abs(spectrum), axis=-1, keepdims=True)
    eps = array_namespace(spectrum).finfo(spectrum.dtype).eps
    return 8.0 * n * float(eps) * max(abs(spectrum), axis=-1, keepdims=True)


def _inverse(x: Array, rounding: Array) -> Array:
    """1 / x; zero where |x| is not above the rounding."""
    negligible = abs(x) <= rounding
    return where(negligible, zeros_like(x), 1.0 / where(negligible, ones_like(x), x))


def _inverse_gaps(values: Array) -> Array:
    """F_ij = 1 / (values_j - values_i), zero where they are equal."""
    gaps = expand_dims(values, axis=-2) - expand_dims(values, axis=-1)
    return _inverse(gaps, expand_dims(_rounding(values), axis=-1))


def _diagonal(values: Array) -> Array:
    """Diagonal matrices of the values along the last axis."""
    return on_diagonal(expand_dims(values, axis=-1), (*values.shape, values.shape[-1]), 0)


def _skew(x: Array) -> Array:
    return x - hermitian(x)


def _hermitian_part(x: Array) -> Array:
    return 0.5 * (x + hermitian(x))


def _lower_half(x: Array) -> Array:
    """The lower triangle with half of the diagonal."""
    return 0.5 * (tril(x) + tril(x, k=-1))


def _without_complement(du: Array, u: Array, n: int, what: str) -> tuple[Array, Array]:
    """Cotangent and value of the first n of orthonormal columns, on which the others depend.

    From u1^H du2 = -(u2^H du1)^H. The others are any basis of the space that is left. Raises
    NotDifferentiableError for a cotangent that turning this basis would change: to know that, one
    truth value is read back from the device.
    """
    u, others = u[..., :n], u[..., n:]
    du, dothers = du[..., :n], du[..., n:]
    turn = innermost(_skew(matmul(matrix_transpose(others), dothers)))
    xp = array_namespace(turn)
    tolerance = xp.finfo(turn.dtype).eps ** 0.5 * xp.max(xp.abs(innermost(dothers)))
    if xp.any(xp.abs(turn) > tolerance):
        raise NotDifferentiableError(
            f"{what}: beyond the first {n} its vectors are an arbitrary basis of the space that is "
            "left, and only what does not depend on the choice has a derivative; take the reduced "
            "form (full_matrices=False, mode='reduced')"
        )
    return du - matmul(conj(others), matmul(hermitian(dothers), conj(u))), u
