"""xp.linalg: products, diagonals, determinants, inverses, with their derivatives beside them.

Factorizations stand in factorizations.py, norms in norms.py. Rules follow Giles 2008, "Collected
matrix derivative results for forward and reverse mode algorithmic differentiation". Inside the tape
a cotangent belongs to the plain transpose, without conjugation: the rule of a holomorphic function
is the same for real and complex arrays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from array_api_compat import device

from ....backend import Array, array_namespace, is_complex
from . import complex_numbers
from .creation import zeros_like
from .elementwise import abs, where
from .extension_ops import LinalgOp, LinalgViewOp, ToleranceOp, conj, hermitian
from .linear_algebra import matmul
from .manipulation import concat, expand_dims, matrix_transpose, reshape
from .reduction import max
from .standard import ConstantOp, standard

# -- products -----------------------------------------------------------------------------------

cross = standard("cross", "x1", "x2", kind=LinalgOp, axis=-1)
cross.derivative.add(  # dy . (dx1 x x2) = dx1 . (x2 x dy)
    {
        "x1": lambda dy, x2, axis: cross(x2, dy, axis=axis),
        "x2": lambda dy, x1, axis: cross(dy, x1, axis=axis),
    }
)

outer = standard("outer", "x1", "x2", kind=LinalgOp)
outer.derivative.add(
    {
        "x1": lambda dy, x2: matmul(dy, x2),
        "x2": lambda dy, x1: matmul(matrix_transpose(dy), x1),
    }
)

matrix_power = standard("matrix_power", "x", "n", kind=LinalgOp)


@matrix_power.composed_as
def _matrix_power(x: Array, n: int, /) -> Array:
    """x times itself by repeated squaring; of the inverse where n is negative."""
    if n < 0:
        return _matrix_power(inv(x), -n)
    if n == 0:
        return zeros_like(x) + _eye(x)
    power = None
    while n:
        if n % 2:
            power = +x if power is None else matmul(power, x)
        n //= 2
        x = matmul(x, x) if n else x
    return power


# -- diagonals ----------------------------------------------------------------------------------

diagonal = standard("diagonal", "x", kind=LinalgViewOp, offset=0)


@diagonal.backward
def _ddiagonal(dy: Array, x_shape: tuple[int, ...], offset: int) -> Array:
    """Zeros with dy on the diagonal: dy is filled up to an axis of x, stretched along the other."""
    length, axis = (x_shape[-2], -1) if offset >= 0 else (x_shape[-1], -2)
    missing = length - dy.shape[-1]
    if missing:
        xp = array_namespace(dy)
        zeros = xp.zeros((*dy.shape[:-1], missing), dtype=dy.dtype, device=device(dy))
        dy = concat([dy, zeros], axis=-1)
    return on_diagonal(expand_dims(dy, axis=axis), x_shape, offset)


trace = standard("trace", "x", kind=LinalgOp, offset=0, dtype=None)


@trace.backward
def _dtrace(dy: Array, x_shape: tuple[int, ...], offset: int) -> Array:
    return on_diagonal(_as_matrices(dy), x_shape, offset)


def on_diagonal(values: Array, shape: tuple[int, ...], offset: int) -> Array:
    """The values, which broadcast to shape, on that diagonal; zeros elsewhere, also beside NaN."""
    xp = array_namespace(values)
    mask = xp.eye(*shape[-2:], k=offset, dtype=xp.bool, device=device(values))
    return where(mask, values, zeros_like(values))


def _eye(x: Array) -> Array:
    """The identity matrix that fits square matrices x."""
    return array_namespace(x).eye(x.shape[-1], dtype=x.dtype, device=device(x))


def _as_matrices(scalars: Array) -> Array:
    """One number for each matrix, as matrices with one element."""
    return reshape(scalars, (*scalars.shape, 1, 1))


# -- inverses and determinants ------------------------------------------------------------------

inv = standard("inv", "x", kind=LinalgOp)


@inv.backward
def _dinv(dy: Array, y: Array) -> Array:
    """-y^T dy y^T (Giles 2008, 2.2.3)."""
    y = matrix_transpose(y)
    return -matmul(matmul(y, dy), y)


solve = standard("solve", "x1", "x2", kind=LinalgOp)


@solve.backward("x1", "x2")
def _dsolve(dy: Array, x1: Array, x2: Array, y: Array, needs: frozenset) -> tuple:
    """x1^-T dy for the right-hand side, minus that times y^T for the matrix (Giles 2008, 2.3.1).

    A right-hand side with one axis is a vector, any other one holds matrices.
    """
    if x2.ndim == 1:
        dy, y = expand_dims(dy, axis=-1), expand_dims(y, axis=-1)
    dx2 = solve(matrix_transpose(x1), dy)
    dx1 = -matmul(dx2, matrix_transpose(y)) if "x1" in needs else None
    return dx1, dx2[..., 0] if x2.ndim == 1 else dx2


det = standard("det", "x", kind=LinalgOp)


@det.backward
def _ddet(dy: Array, x: Array, y: Array) -> Array:
    """dy det(x) x^-T, the cofactors (Jacobi's formula), which singular matrices have too."""
    x = _regular(x, y)
    return _as_matrices(dy * det(x)) * matrix_transpose(inv(x))


class SlogdetResult(NamedTuple):
    """What slogdet returns."""

    sign: Array
    logabsdet: Array


slogdet = standard("slogdet", "x", kind=LinalgOp)
slogdet.result = SlogdetResult


@slogdet.backward
def _dslogdet(dy: tuple, x: Array, y: SlogdetResult) -> Array:
    """dlogabsdet x^-T; a complex sign turns by the imaginary part of the trace of x^-1 dx."""
    dsign, dlogabsdet = dy
    if is_complex(x):
        dlogabsdet = dlogabsdet + complex_numbers.imag(dsign * y[0]) * 1j
    return _as_matrices(dlogabsdet) * matrix_transpose(inv(_regular(x, y[0])))


def _regular(x: Array, zero_if_singular: Array) -> Array:
    """x, and in place of singular matrices ones so near that cofactors keep half of their digits.

    Cofactors are polynomials: moving x by sqrt(eps) moves them as little, and cancellation in
    det(x) x^-T then costs the other half. With no infinity, a zero cotangent stays zero.
    """
    xp = array_namespace(x)
    size = max(abs(x), axis=(-2, -1), keepdims=True)
    step = math.sqrt(xp.finfo(x.dtype).eps) * where(size == 0, zeros_like(size) + 1.0, size)
    singular = _as_matrices(zero_if_singular == 0)
    return where(singular, x + step * _eye(x), x)


# -- rank ---------------------------------------------------------------------------------------


class _ConstantToleranceOp(ToleranceOp, ConstantOp):
    """A function of xp.linalg with rtol= whose derivative is zero."""


matrix_rank = standard("matrix_rank", "x", kind=_ConstantToleranceOp, rtol=None)
pinv = standard("pinv", "x", kind=ToleranceOp, rtol=None)


@pinv.backward
def _dpinv(dy: Array, x: Array, y: Array) -> Array:
    """The derivative among matrices of one rank (Golub and Pereyra 1973, equation 4.12):

    -y dx y + y y^H dx^H (1 - x y) + (1 - y x) dx^H y^H y, transposed term by term.
    """
    y_transposed, dy_hermitian = matrix_transpose(y), hermitian(dy)
    left = matmul(dy_hermitian, conj(matmul(y, hermitian(y))))
    right = matmul(conj(matmul(hermitian(y), y)), dy_hermitian)
    dx = -matmul(matmul(y_transposed, dy), y_transposed)
    dx = dx + left - matmul(conj(matmul(x, y)), left)
    return dx + right - matmul(right, conj(matmul(y, x)))
