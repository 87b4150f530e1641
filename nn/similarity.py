"""How near two arrays are along an axis: cosine_similarity, pairwise_distance; and normalize."""

from __future__ import annotations

import math

from ..backend import Array, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from .autograd import differentiable
from .loss_checks import check_positive
from .module import Module
from .reduction import check_arrays, check_same_dtype


@differentiable
def normalize(x: Array, *, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Array:
    """x / max(|x|, eps) with the p-norm along the axis; zeros stay zeros.

    x: floating -> same shape and dtype. Raises ShapeError, DtypeError, HyperparameterError.
    """
    return x / _length(x, p, axis, eps)


@normalize.requires
def _(x: Array, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> None:
    check_arrays("normalize", x=x)
    check_same_dtype("normalize", x=x)
    check_norm("normalize", p)
    check_positive("normalize", eps=eps)
    _check_axis("normalize", tuple(x.shape), axis)


@differentiable
def cosine_similarity(x1: Array, x2: Array, *, axis: int = 1, eps: float = 1e-8) -> Array:
    """<x1, x2> / (max(|x1|, eps) max(|x2|, eps)) along the axis: the cosine of their angle.

    x1, x2: floating, of shapes that broadcast -> that shape without the axis, in [-1, 1]; 0 for a
    vector of zeros. Where a length is below eps the gradient is that of this formula, while torch's
    passes over the maximum. Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    """
    xp = array_namespace(x1, x2)
    if tuple(x1.shape) != tuple(x2.shape):
        x1, x2 = xp.broadcast_arrays(x1, x2)
    lengths = [xp.squeeze(_length(x, 2.0, axis, eps), axis=axis) for x in (x1, x2)]
    return xp.sum(x1 * x2, axis=axis) / (lengths[0] * lengths[1])


@cosine_similarity.requires
def _(x1: Array, x2: Array, axis: int = 1, eps: float = 1e-8) -> None:
    shape = _check_two("cosine_similarity", x1, x2)
    _check_axis("cosine_similarity", shape, axis)
    check_positive("cosine_similarity", eps=eps)


@differentiable
def pairwise_distance(
    x1: Array, x2: Array, *, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False
) -> Array:
    """The p-norm of x1 - x2 + eps along the last axis: (sum of |.|^p)^(1/p), the largest for inf.

    x1, x2: floating (..., features), of shapes that broadcast -> (...), or (..., 1) with keepdims.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    """
    return _norm(x1 - x2 + eps, p, -1, keepdims)


@pairwise_distance.requires
def _(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
    shape = _check_two("pairwise_distance", x1, x2)
    _check_axis("pairwise_distance", shape, -1)
    check_norm("pairwise_distance", p)
    check_positive("pairwise_distance", eps=eps)


class CosineSimilarity(Module):
    """cosine_similarity(x1, x2) along an axis. Raises HyperparameterError unless eps > 0."""

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        check_positive("CosineSimilarity", eps=eps)
        self.axis, self.eps = axis, eps

    def forward(self, x1: Array, x2: Array) -> Array:
        return cosine_similarity(x1, x2, axis=self.axis, eps=self.eps)

    def extra_repr(self) -> str:
        return f"axis={self.axis}, eps={self.eps}"


class PairwiseDistance(Module):
    """pairwise_distance(x1, x2). Raises HyperparameterError unless p > 0 and eps > 0."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
        check_norm("PairwiseDistance", p)
        check_positive("PairwiseDistance", eps=eps)
        self.p, self.eps, self.keepdims = p, eps, keepdims

    def forward(self, x1: Array, x2: Array) -> Array:
        return pairwise_distance(x1, x2, p=self.p, eps=self.eps, keepdims=self.keepdims)

    def extra_repr(self) -> str:
        return f"p={self.p}, eps={self.eps}, keepdims={self.keepdims}"


def check_norm(operation: str, p: float) -> None:
    """Raises HyperparameterError unless p is positive; infinity is."""
    if not p > 0.0:
        raise HyperparameterError(f"{operation}: p must be positive, got {p!r}")


def _length(x: Array, p: float, axis: int, eps: float) -> Array:
    """max(|x|, eps) along an axis, which stays; its derivative at zeros is 0."""
    xp = array_namespace(x)
    nothing = xp.all(x == 0.0, axis=axis, keepdims=True)
    length = _norm(xp.where(nothing, xp.ones_like(x), x), p, axis, True)
    length = xp.where(nothing, xp.zeros_like(length), length)
    return xp.maximum(length, xp.full_like(length, eps))


def _norm(x: Array, p: float, axis: int, keepdims: bool) -> Array:
    """The p-norm along an axis."""
    xp = array_namespace(x)
    if p == 2.0:
        return xp.sqrt(xp.sum(x * x, axis=axis, keepdims=keepdims))
    sizes = xp.abs(x)
    if p == math.inf:
        return xp.max(sizes, axis=axis, keepdims=keepdims)
    if p == 1.0:
        return xp.sum(sizes, axis=axis, keepdims=keepdims)
    return xp.sum(sizes ** float(p), axis=axis, keepdims=keepdims) ** (1.0 / p)


def _check_two(operation: str, x1: Array, x2: Array) -> tuple[int, ...]:
    """The shape to which both broadcast. Raises DtypeError, DeviceError or ShapeError."""
    check_arrays(operation, x1=x1, x2=x2)
    check_same_dtype(operation, x1=x1, x2=x2)
    n = max(x1.ndim, x2.ndim)
    first, second = ((1,) * (n - x.ndim) + tuple(x.shape) for x in (x1, x2))
    if any(a != b and 1 not in (a, b) for a, b in zip(first, second, strict=True)):
        raise ShapeError(
            f"{operation}: the shapes of x1 and x2 must broadcast, got {tuple(x1.shape)} and "
            f"{tuple(x2.shape)}"
        )
    return tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))


def _check_axis(operation: str, shape: tuple[int, ...], axis: int) -> None:
    """Raises ShapeError unless there is that axis."""
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"{operation}: x must have the axis {axis}, got shape {shape}")
