"""xp.linalg: products, diagonals, determinants, inverses and norms, with their derivatives.

Factorizations stand in factorizations.py. Rules follow Giles 2008, "Collected matrix derivative
results for forward and reverse mode algorithmic differentiation"; inside the tape a cotangent is
the plain transpose's, without conjugation, so that holomorphic rules are the same for real arrays.
"""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, is_complex
from .creation import astype, zeros_like
from .elementwise import abs, where
from .extension_ops import LinalgOp, LinalgViewOp, ToleranceOp, conj
from .factorizations import SlogdetResult, svd, svdvals
from .linear_algebra import matmul
from .manipulation import concat, expand_dims, matrix_transpose, reshape
from .reduction import axes, max, min, prod, sum
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
    while True:
        if n % 2:
            power = x if power is None else matmul(power, x)
        n //= 2
        if not n:
            return +power
        x = matmul(x, x)


# -- diagonals ----------------------------------------------------------------------------------

diagonal = standard("diagonal", "x", kind=LinalgViewOp, offset=0)


@diagonal.backward
def _ddiagonal(dy: Array, x_shape: tuple[int, ...], offset: int) -> Array:
    """Zeros with dy on the diagonal: dy is stretched along the shorter way, and masked."""
    n_rows, n_columns = x_shape[-2:]
    length, axis = (n_rows, -1) if offset >= 0 else (n_columns, -2)
    missing = length - dy.shape[-1]
    if missing:
        xp = array_namespace(dy)
        zeros = xp.zeros((*dy.shape[:-1], missing), dtype=dy.dtype, device=device(dy))
        dy = concat([dy, zeros], axis=-1)
    return _on_diagonal(expand_dims(dy, axis=axis), x_shape, offset)


trace = standard("trace", "x", kind=LinalgOp, offset=0, dtype=None)


@trace.backward
def _dtrace(dy: Array, x_shape: tuple[int, ...], offset: int) -> Array:
    return _on_diagonal(reshape(dy, (*dy.shape, 1, 1)), x_shape, offset)


def _on_diagonal(values: Array, shape: tuple[int, ...], offset: int) -> Array:
    """The values, which broadcast to shape, on that diagonal; zeros elsewhere, also beside NaN."""
    xp = array_namespace(values)
    mask = xp.eye(*shape[-2:], k=offset, dtype=xp.bool, device=device(values))
    return where(mask, values, zeros_like(values))


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
    """x1^-T dy for the right-hand side, minus that times y^T for the matrix (Giles 2008, 2.3.1)."""
    dx2 = solve(matrix_transpose(x1), dy) if x2.ndim > 1 else _solved_vectors(x1, dy)
    if "x1" not in needs:
        return None, dx2
    if x2.ndim > 1:
        return -matmul(dx2, matrix_transpose(y)), dx2
    return -(expand_dims(dx2, axis=-1) * expand_dims(y, axis=-2)), dx2


def _solved_vectors(x1: Array, dy: Array) -> Array:
    """x1^-T dy for vectors dy, one for each matrix."""
    return solve(matrix_transpose(x1), expand_dims(dy, axis=-1))[..., 0]


det = standard("det", "x", kind=LinalgOp)


@det.backward
def _ddet(dy: Array, x: Array) -> Array:
    """dy times the cofactors (Jacobi's formula), which singular matrices have too."""
    return reshape(dy, (*dy.shape, 1, 1)) * _cofactors(x)


def _cofactors(x: Array) -> Array:
    """det(x) x^-T from x = U S V^H: cofactors of a product are the product of the cofactors."""
    u, s, vh = svd(x, full_matrices=False)
    xp = array_namespace(x)
    n = x.shape[-1]
    others = where(xp.eye(n, dtype=xp.bool, device=device(x)), 1.0 + 0.0 * s[..., None], s[..., None, :])
    return u


slogdet = standard("slogdet", "x", kind=LinalgOp)
