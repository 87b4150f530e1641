"""xp.linalg: norms of vectors and matrices, with their derivatives; at zero they are zero."""

from __future__ import annotations

import math
from typing import Any

from ....backend import Array
from .creation import astype, ones_like, zeros_like
from .elementwise import abs, where
from .extension_ops import LinalgOp, conj
from .factorizations import svdvals
from .manipulation import reshape
from .reduction import axes, max, min, sum
from .standard import standard

vector_norm = standard("vector_norm", "x", kind=LinalgOp, axis=None, keepdims=False, ord=2)


@vector_norm.backward
def _dvector_norm(dy: Array, x: Array, axis: Any, keepdims: bool, ord: float, y: Array) -> Array:
    """conj(x)/|x| (|x| / y)^(ord - 1); 0 for x = 0. Extreme elements share equally (ord = +-inf).

    ord = 0 counts elements: its derivative is zero.
    """
    if ord == 0:
        return zeros_like(x)
    reduced = axes(axis, x.ndim)
    kept = tuple(1 if i in reduced else n for i, n in enumerate(x.shape))
    dy, y = reshape(dy, kept), reshape(y, kept)
    if ord == 2:
        return dy * conj(x) / _nonzero(y)
    size = abs(x)
    direction = conj(x) / _nonzero(size)
    if math.isinf(ord):
        extreme = astype(size == y, size.dtype)
        return dy * direction * (extreme / sum(extreme, axis=reduced, keepdims=True))
    if ord == 1:
        return dy * direction
    share = (_nonzero(size) / _nonzero(y)) ** (ord - 1)
    return dy * direction * where(size == 0, zeros_like(size), share)


def _nonzero(x: Array) -> Array:
    """x with 1 in place of 0, for denominators."""
    return where(x == 0, ones_like(x), x)


matrix_norm = standard("matrix_norm", "x", kind=LinalgOp, keepdims=False, ord="fro")


@matrix_norm.composed_as
def _matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """By singular values ("nuc", 2, -2), sums of rows and columns (inf, 1), or elements ("fro").

    Extreme singular values, rows or columns that are equal share the derivative equally.
    """
    if ord in ("fro", None):
        return vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        values = svdvals(x)
        norm = _reduced(values, ord)
    else:
        norm = _reduced(sum(abs(x), axis=-1 if math.isinf(ord) else -2), ord)
    return reshape(norm, (*norm.shape, 1, 1)) if keepdims else norm


def _reduced(values: Array, ord: Any) -> Array:
    """The sum ("nuc"), the largest (positive ord) or the smallest along the last axis."""
    if ord == "nuc":
        return sum(values, axis=-1)
    return max(values, axis=-1) if ord > 0 else min(values, axis=-1)
