"""Calls of NumPy's own functions as people write them, each tried on Tensors.

A line: the function's name below numpy ("linalg.norm"), the call, and its inputs' shapes; where
they lie is uniform in 0.3 to 1.7 unless a line says otherwise. A new function adds a line.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

A, B, M, S, V = (3, 4), (3, 4), (4, 5), (3, 3), (5,)
STACK = (2, 3, 4)


@dataclass(frozen=True)
class Call:
    """One call: name of the function, what is called, shapes of the inputs, and their range."""

    name: str
    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    low: float = 0.3
    high: float = 1.7

    def __str__(self) -> str:
        return self.name

    def inputs(self) -> list[Any]:
        """float64 arrays, the same every time."""
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [random.uniform(self.low, self.high, shape) for shape in self.shapes]


def call(name, function, *shapes, **options):
    return Call(name, function, shapes, **options)


def ufunc(name, *shapes, **options):
    return Call(name, getattr(np, name), shapes or (A,), **options)


def symmetric(x):
    return x + np.swapaxes(x, -1, -2) + 4.0 * np.eye(x.shape[-1], like=x)


UFUNCS = [
    *(ufunc(name) for name in ("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt")),
    *(ufunc(name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsinh", "arctan")),
    *(ufunc(name) for name in ("square", "cbrt", "reciprocal", "negative", "positive", "fabs")),
    *(ufunc(name) for name in ("absolute", "deg2rad", "rad2deg", "degrees", "radians")),
    *(ufunc(name) for name in ("conjugate", "sign", "floor", "ceil", "trunc", "rint", "modf")),
    *(ufunc(name, low=-0.9, high=0.9) for name in ("arcsin", "arccos", "arctanh")),
    ufunc("arccosh", low=1.2, high=2.0),
    *(ufunc(name, A, B) for name in ("add", "subtract", "multiply", "divide", "true_divide")),
    *(ufunc(name, A, (4,)) for name in ("power", "float_power", "arctan2", "hypot", "copysign")),
    *(ufunc(name, A, (3, 1)) for name in ("maximum", "minimum", "fmax", "fmin", "heaviside")),
    *(ufunc(name, A, B) for name in ("logaddexp", "logaddexp2")),
    *(ufunc(name, A, B) for name in ("remainder", "mod", "fmod", "floor_divide", "divmod")),
    ufunc("matmul", STACK, (4, 2)),
    ufunc("vecdot", A, B),
    call("matmul", lambda x, y: x @ y, A, M),
    call("add.reduce", lambda x: np.add.reduce(x), A),
    call("add.reduce", lambda x: np.add.reduce(x, axis=None), A),
    call("multiply.reduce", lambda x: np.multiply.reduce(x, axis=1, keepdims=True), A),
    call("maximum.reduce", lambda x: np.maximum.reduce(x, axis=1), A),
    call("minimum.reduce", lambda x: np.minimum.reduce(x), A),
    call("add.accumulate", lambda x: np.add.accumulate(x, axis=1), A),
    call("multiply.accumulate", lambda x: np.multiply.accumulate(x), A),
    call("subtract.outer", lambda x, y: np.subtract.outer(x, y), (3,), (2, 2)),
]

ELEMENTWISE = [
    call("sinc", lambda x: np.sinc(x), A, low=-2.0, high=2.0),
    call("nan_to_num", lambda x: np.nan_to_num(x), A),
    call("clip", lambda x: np.clip(x, 0.5, 1.2), A),
    call("clip", lambda x: np.clip(x, a_min=0.6, a_max=None), A),
    call("clip", lambda x, low: np.clip(x, low, 5.0), A, (4,)),
    call("real", lambda x: np.real(x), A),
    call("imag", lambda x: np.imag(x) + x, A),
    call("real_if_close", lambda x: np.real_if_close(x), A),
    call("angle", lambda x: np.angle(x) + x, A),
    call("where", lambda x, y: np.where(x > 1.0, x, y), A, B),
    call("where", lambda x: np.where([True, False, True, False], x, 2.0), A),
    call("select", lambda x, y: np.select([x < 0.8, x < 1.2], [x, 2.0 * y], 0.5), A, B),
]

REDUCTIONS = [
    call("sum", lambda x: np.sum(x), A),
    call("sum", lambda x: np.sum(x, axis=(0, 2)), STACK),
    call("sum", lambda x: np.sum(x, 1, keepdims=True, out=None, where=True), A),
    call("prod", lambda x: np.prod(x, axis=-1), A),
    call("mean", lambda x: np.mean(x, axis=0), A),
    *(call(f, getattr(np, f), A) for f in ("max", "min", "amax", "amin", "ptp")),
    call("max", lambda x: np.max(x, axis=1, keepdims=True), A),
    call("var", lambda x: np.var(x, axis=0, ddof=1), A),
    call("std", lambda x: np.std(x, ddof=1, keepdims=True), A),
    call("std", lambda x: np.std(x, 0, correction=1), A),
    *(call(f, getattr(np, f), A) for f in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd")),
    *(call(f, getattr(np, f), A) for f in ("nanmax", "nanmin")),
    call("cumsum", lambda x: np.cumsum(x), A),
    call("cumsum", lambda x: np.cumsum(x, axis=1), A),
    call("cumprod", lambda x: np.cumprod(x, axis=0), A),
    call("cumulative_sum", lambda x: np.cumulative_sum(x, axis=1, include_initial=True), A),
    call("cumulative_prod", lambda x: np.cumulative_prod(x, axis=1), A),
    call("diff", lambda x: np.diff(x, n=2, axis=0), A),
    call("gradient", lambda x: np.gradient(x), V),
    call("gradient", lambda x: np.gradient(x, 0.5, 2.0), A),
    call("gradient", lambda x: np.gradient(x, axis=-1), A),
    call("trapezoid", lambda x: np.trapezoid(x, dx=0.5), A),
    call("trapezoid", lambda y, x: np.trapezoid(y, x, axis=0), A, (3,)),
    call("average", lambda x: np.average(x), A),
    call("average", lambda x, w: np.average(x, axis=1, weights=w), A, (4,)),
    call("average", lambda x, w: np.average(x, weights=w), A, B),
    call("median", lambda x: np.median(x), A),
    call("median", lambda x: np.median(x, axis=0, keepdims=True), A),
    call("quantile", lambda x: np.quantile(x, 0.3, axis=1), A),
    call("percentile", lambda x: np.percentile(x, [10, 60]), A),
    call("cov", lambda x: np.cov(x), A),
    call("cov", lambda x, y: np.cov(x, y, ddof=0), V, V),
    call("cov", lambda x: np.cov(x, rowvar=False), A),
    call("sort", lambda x: np.sort(x, axis=0), A),
    call("sort", lambda x: np.sort(x, axis=None), A),
    call("partition", lambda x: np.partition(x, 2)[..., 2], A),
]

SHAPES = [
    call("reshape", lambda x: np.reshape(x, (2, -1)), A),
    call("reshape", lambda x: np.reshape(x, 12), A),
    call("ravel", lambda x: np.ravel(x), A),
    call("transpose", lambda x: np.transpose(x, (2, 0, 1)), STACK),
    call("transpose", lambda x: np.transpose(x), STACK),
    call("permute_dims", lambda x: np.permute_dims(x, (0, 2, 1)), STACK),
    call("matrix_transpose", lambda x: np.matrix_transpose(x), STACK),
    call("swapaxes", lambda x: np.swapaxes(x, 0, -1), STACK),
    call("moveaxis", lambda x: np.moveaxis(x, 0, -1), STACK),
    call("rollaxis", lambda x: np.rollaxis(x, 2), STACK),
    call("rollaxis", lambda x: np.rollaxis(x, 0, 2), STACK),
    call("squeeze", lambda x: np.squeeze(x), (1, 3, 1)),
    call("squeeze", lambda x: np.squeeze(x, axis=0), (1, 3, 1)),
    call("expand_dims", lambda x: np.expand_dims(x, (0, -1)), A),
    *(call(f, getattr(np, f), (3,)) for f in ("atleast_1d", "atleast_2d", "atleast_3d")),
    call("atleast_1d", lambda x, y: np.atleast_1d(x, y), (), (2, 2)),
    call("atleast_3d", lambda x: np.atleast_3d(x), A),
    call("broadcast_to", lambda x: np.broadcast_to(x, (2, 3, 4)), A),
    call("broadcast_arrays", lambda x, y: np.broadcast_arrays(x, y), A, (3, 1)),
    call("concatenate", lambda x, y: np.concatenate([x, y], axis=1), A, (3, 2)),
    call("concatenate", lambda x: np.concatenate([x, np.ones((2, 4), like=x), x]), A),
    call("concatenate", lambda x, y: np.concatenate((x, y), axis=None), A, V),
    call("stack", lambda x, y: np.stack([x, y], axis=-1), A, B),
    call("unstack", lambda x: np.unstack(x, axis=1), A),
    call("vstack", lambda x, y: np.vstack([x, y]), (4,), A),
    call("hstack", lambda x, y: np.hstack([x, y]), A, (3, 1)),
    call("hstack", lambda x: np.hstack([x, 1.0, [2.0, 3.0]]), V),
    call("dstack", lambda x, y: np.dstack([x, y]), A, B),
    call("column_stack", lambda x, y: np.column_stack([x, y]), (3,), (3, 2)),
    call("block", lambda x, y: np.block([[x, np.zeros((3, 1), like=x)], [y, 1.0]]), S, (1, 3)),
    call("append", lambda x: np.append(x, 2.0), A),
    call("append", lambda x, y: np.append(x, y, axis=0), A, B),
    call("split", lambda x: np.split(x, 2, axis=1), A),
    call("split", lambda x: np.split(x, [1, 2]), A),
    call("array_split", lambda x: np.array_split(x, 3), V),
    call("vsplit", lambda x: np.vsplit(x, [1]), A),
    call("hsplit", lambda x: np.hsplit(x, 2), A),
    call("dsplit", lambda x: np.dsplit(x, 2), STACK),
    call("meshgrid", lambda x, y: np.meshgrid(x, y), (3,), (2,)),
    call("tile", lambda x: np.tile(x, (2, 1, 2)), A),
    call("repeat", lambda x: np.repeat(x, 2), A),
    call("repeat", lambda x: np.repeat(x, [1, 0, 2], axis=0), A),
    call("roll", lambda x: np.roll(x, 2, axis=1), A),
    call("flip", lambda x: np.flip(x, 0), A),
    call("flipud", lambda x: np.flipud(x), A),
    call("fliplr", lambda x: np.fliplr(x), A),
    call("rot90", lambda x: np.rot90(x), A),
    call("rot90", lambda x: np.rot90(x, -1), A),
    call("pad", lambda x: np.pad(x, ((1, 0), (2, 3)), constant_values=0.5), A),
    call("pad", lambda x: np.pad(x, 1), A),
    *(call("pad", lambda x, m=m: np.pad(x, (2, 1), m), A) for m in ("edge", "reflect")),
    *(call("pad", lambda x, m=m: np.pad(x, (5, 4), m), A) for m in ("symmetric", "wrap")),
    call("take", lambda x: np.take(x, [[2, 0], [2, 1]], axis=1), A),
    call("take", lambda x: np.take(x, 7), A),
    call("take_along_axis", lambda x: np.take_along_axis(x, np.argsort(x, axis=1), 1), A),
    call("compress", lambda x: np.compress([True, False, True], x, axis=0), A),
    call("diagonal", lambda x: np.diagonal(x, -1, 1, 2), STACK),
    call("trace", lambda x: np.trace(x, offset=1), A),
    call("diag", lambda x: np.diag(x, 1), A),
    call("diag", lambda x: np.diag(x, -2), V),
    call("diagflat", lambda x: np.diagflat(x), (2, 2)),
    call("tril", lambda x: np.tril(x, -1), S),
    call("triu", lambda x: np.triu(x), STACK),
    call("copy", lambda x: np.copy(x), A),
    call("astype", lambda x: np.astype(x, float), A),
    call("linspace", lambda x, y: np.linspace(x, y, 4), (), (3,)),
    call("linspace", lambda x: np.linspace(0.0, x, 5, endpoint=False), ()),
]

PRODUCTS = [
    call("dot", lambda x, y: np.dot(x, y), A, M),
    call("dot", lambda x, y: np.dot(x, y), STACK, (2, 4, 3)),
    call("dot", lambda x, y: np.dot(x, y), STACK, (4,)),
    call("dot", lambda x: np.dot([1.0, 2.0, 3.0], x), A),
    call("dot", lambda x: np.dot(2.0, x), A),
    call("vdot", lambda x, y: np.vdot(x, y), A, B),
    call("inner", lambda x, y: np.inner(x, y), A, (2, 4)),
    call("outer", lambda x, y: np.outer(x, y), (2, 2), V),
    call("kron", lambda x, y: np.kron(x, y), A, (2,)),
    call("tensordot", lambda x, y: np.tensordot(x, y, axes=([2, 0], [0, 1])), STACK, (4, 2)),
    call("tensordot", lambda x, y: np.tensordot(x, y, 1), A, M),
    call("einsum", lambda x, y: np.einsum("ij,jk->ki", x, y), A, M),
    call("einsum", lambda x: np.einsum("ii->i", x), S),
    call("einsum", lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), A, M),
    call("cross", lambda x, y: np.cross(x, y), S, (3,)),
    call("convolve", lambda x, y: np.convolve(x, y), V, (3,)),
    *(call("convolve", lambda x, y, m=m: np.convolve(x, y, m), (3,), V) for m in ("same", "valid")),
]


def real_parts(x):
    """The real and imaginary parts of a spectrum, which check_gradients can look at."""
    return np.real(x), np.imag(x)


LINALG = [
    call("linalg.norm", lambda x: np.linalg.norm(x), A),
    call("linalg.norm", lambda x: np.linalg.norm(x, axis=1, keepdims=True), A),
    call("linalg.norm", lambda x: np.linalg.norm(x, 1), A),
    call("linalg.norm", lambda x: np.linalg.norm(x, "nuc", axis=(0, 2)), STACK),
    call("linalg.norm", lambda x: np.linalg.norm(x, 3, axis=0), A),
    call("linalg.det", lambda x: np.linalg.det(symmetric(x)), S),
    call("linalg.slogdet", lambda x: np.linalg.slogdet(symmetric(x)), S),
    call("linalg.inv", lambda x: np.linalg.inv(symmetric(x)), S),
    call("linalg.pinv", lambda x: np.linalg.pinv(x), A),
    call("linalg.solve", lambda x, y: np.linalg.solve(symmetric(x), y), S, (3,)),
    call("linalg.cholesky", lambda x: np.linalg.cholesky(symmetric(x)), S),
    call("linalg.eigh", lambda x: np.linalg.eigh(symmetric(x)), S),
    call("linalg.eigh", lambda x: np.linalg.eigh(symmetric(x), "U")[0], S),
    call("linalg.eig", lambda x: real_parts(np.linalg.eig(symmetric(x))[0]), S),
    call("linalg.eigvals", lambda x: real_parts(np.linalg.eigvals(symmetric(x))), S),
    call("linalg.eigvalsh", lambda x: np.linalg.eigvalsh(symmetric(x), UPLO="U"), S),
    call("linalg.svd", lambda x: np.linalg.svd(x, full_matrices=False)[1], A),
    call("linalg.svd", lambda x: np.linalg.svd(x, compute_uv=False), A),
    call("linalg.svdvals", lambda x: np.linalg.svdvals(x), A),
    call("linalg.qr", lambda x: np.linalg.qr(symmetric(x)), S),
    call("linalg.qr", lambda x: np.linalg.qr(symmetric(x), "r"), S),
    call("linalg.matrix_power", lambda x: np.linalg.matrix_power(x, 3), S),
    call("linalg.multi_dot", lambda x, y, z: np.linalg.multi_dot([x, y, z]), A, M, V),
    call("linalg.matrix_norm", lambda x: np.linalg.matrix_norm(x), STACK),
    call("linalg.vector_norm", lambda x: np.linalg.vector_norm(x, axis=0), A),
    call("linalg.cross", lambda x, y: np.linalg.cross(x, y), S, S),
    call("linalg.outer", lambda x, y: np.linalg.outer(x, y), V, (2,)),
    call("linalg.diagonal", lambda x: np.linalg.diagonal(x), STACK),
    call("linalg.trace", lambda x: np.linalg.trace(x), STACK),
    call("linalg.matmul", lambda x, y: np.linalg.matmul(x, y), A, M),
    call("linalg.matrix_transpose", lambda x: np.linalg.matrix_transpose(x), A),
    call("linalg.tensordot", lambda x, y: np.linalg.tensordot(x, y, axes=1), A, M),
    call("linalg.vecdot", lambda x, y: np.linalg.vecdot(x, y), A, B),
]


FFT = [
    *(
        call(f"fft.{f}", lambda x, f=f: real_parts(getattr(np.fft, f)(x)), A)
        for f in ("fft", "ifft", "rfft", "ihfft", "fft2", "ifft2", "rfft2")
        + ("fftn", "ifftn", "rfftn")
    ),
    *(
        call(f"fft.{f}", lambda x, f=f: getattr(np.fft, f)(x), A)
        for f in ("irfft", "hfft", "irfft2", "irfftn", "fftshift", "ifftshift")
    ),
    call("fft.fft", lambda x: real_parts(np.fft.fft(x, n=6, axis=0, norm="ortho")), A),
]

CALLS = [*UFUNCS, *ELEMENTWISE, *REDUCTIONS, *SHAPES, *PRODUCTS, *LINALG, *FFT]

# Whole numbers, truth values and shapes. They come out, and nothing is recorded.
CONSTANTS = [
    *(ufunc(name) for name in ("isnan", "isfinite", "isinf", "signbit", "logical_not")),
    *(ufunc(name, A, B) for name in ("equal", "not_equal", "less", "less_equal", "greater")),
    *(ufunc(name, A, B) for name in ("greater_equal", "logical_and", "logical_or", "logical_xor")),
    call("logical_and.reduce", lambda x: np.logical_and.reduce(x > 1.0), A),
    call("logical_or.reduce", lambda x: np.logical_or.reduce(x > 1.0), A),
    *(call(f, getattr(np, f), A) for f in ("all", "any", "argmax", "argmin", "count_nonzero")),
    *(call(f, getattr(np, f), A) for f in ("argsort", "nonzero", "argwhere", "flatnonzero")),
    *(call(f, getattr(np, f), A) for f in ("round", "iscomplexobj", "isrealobj", "isreal")),
    *(call(f, getattr(np, f), A) for f in ("iscomplex", "shape", "ndim", "size")),
    *(call(f, getattr(np, f), A) for f in ("zeros_like", "ones_like")),
    *(call(f, getattr(np, f), A, B) for f in ("isclose", "allclose", "array_equal", "isin")),
    call("empty_like", lambda x: np.shape(np.empty_like(x)), A),
    call("full_like", lambda x: np.full_like(x, 2.0), A),
    call("around", lambda x: np.around(x, 2), A),
    call("where", lambda x: np.where(x > 1.0), A),
    call("sum", lambda x: np.sum(x > 1.0, axis=0), A),
    call("mean", lambda x: np.mean(x > 1.0), A),
    call("searchsorted", lambda x: np.searchsorted(np.sort(x), x), V),
    call("linalg.matrix_rank", lambda x: np.linalg.matrix_rank(x), S),
    call("result_type", lambda x: np.result_type(x, np.float32), A),
    call("isneginf", lambda x: np.isneginf(x), A),
]
