"""linear on CuPy: product, bias and activation in one launch; backward in three or four."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array
from ..fused import Fused
from .arrays import NULL, contiguous, empty, serves, wide_dtype
from .columns import THREADS, strips_for
from .matmul_kernels import ACTIVATIONS
from .reduction import column_totals
from .source import FLOATING, Source

KEEP_Y = ("relu", "leaky_relu", "sigmoid", "tanh")  # their slope is known from y
KEEP_Z = ("silu", "gelu", "gelu_tanh")  # z: the value before the activation

LINEAR_BACKWARD = Source(
    "linear_backward.cu",
    headers=("common.cuh", "activation.cuh", "pack.cuh", "columns.cuh"),
    variants=(
        {"ACTIVATION": "Gelu", "IS_PACKED": 1},
        {"ACTIVATION": "GeluTanh", "IS_PACKED": 0},
    ),
)


def forward(
    x: Array, weight: Array, bias: Array | None = None, *, activation: str | None = None
) -> Any:
    """(activation(x weight^T + bias), what its derivative needs: y or the value before it).

    x: (..., in), taken as one matrix. Declines empty arrays, dtypes that are not floating or not
    the same, two GPUs, a bias with gaps, and activations without a kernel.
    """
    name = activation or "none"
    if name not in ACTIVATIONS or not _serves(x, weight, bias):
        return NotImplemented
    shape = (*x.shape[:-1], len(weight))
    z = empty(shape, x.dtype, x) if name in KEEP_Z else None
    y = _y(x, weight, bias, name, z)
    return y, y if name in KEEP_Y else z


def inference(
    x: Array, weight: Array, bias: Array | None = None, *, activation: str | None = None
) -> Any:
    """y alone: what its derivative needs is not written. Declines as forward() does."""
    name = activation or "none"
    if name not in ACTIVATIONS or not _serves(x, weight, bias):
        return NotImplemented
    return _y(x, weight, bias, name, None)


def backward(
    dy: Array,
    x: Array,
    weight: Array,
    activation: str | None,
    saved: Array | None,
    needs: frozenset[str],
    into: dict[str, Array],
) -> tuple[Array | None, Array | None, Array | None]:
    """dx = dz weight, dweight = dz^T x and dbias = the sum of dz, with dz = dy activation'."""
    from .products import matmul  # not needed by who stays on the CPU

    kept = None if saved is None else _as_matrix(saved)
    dz, dbias = _dz_and_dbias(
        contiguous(_as_matrix(dy)), kept, activation, "bias" in needs, into.get("bias")
    )
    dx = dweight = None
    if "x" in needs:
        dx = matmul(dz, weight)
        dx = dx if x.ndim == 2 else dx.reshape(x.shape)
    if "weight" in needs:
        dweight = matmul(dz, _as_matrix(x), transpose_a=True, out=into.get("weight"))
    return dx, dweight, dbias


LINEAR_CUPY = Fused(forward, backward, of=("x", "weight", "bias"), saves=True, inference=inference)


def _y(x: Array, weight: Array, bias: Array | None, activation: str, z: Array | None) -> Array:
    """activation(x weight^T + bias); z: an array like it for the value before the activation."""
    from .products import matmul  # not needed by who stays on the CPU

    rows, z_rows = _as_matrix(x), None if z is None else _as_matrix(z)
    y = matmul(rows, weight, transpose_b=True, bias=bias, activation=activation, z=z_rows)
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], len(weight))


def _serves(x: Array, weight: Array, bias: Array | None) -> bool:
    arrays = (x, weight) if bias is None else (x, weight, bias)
    if any(a.dtype != x.dtype or a.device.id != x.device.id or not a.size for a in arrays):
        return False
    return serves(weight if bias is None else bias, FLOATING)


def _as_matrix(x: Array) -> Array:
    """x (..., features) as rows."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def _dz_and_dbias(
    dy: Array, kept: Array | None, activation: str | None, wants_dbias: bool, dbias: Array | None
) -> tuple[Array, Array | None]:
    """dz = dy activation', dy itself without an activation, and the sums of its columns.

    dbias: where these go if they are wanted, a new array unless given.
    """
    if activation is None and not wants_dbias:
        return dy, None
    dz = dy if activation is None else empty(dy.shape, dy.dtype, dy)
    if wants_dbias and dbias is None:
        dbias = empty((dy.shape[1],), dy.dtype, dy)
    _launch(activation or "none", dy, dy if kept is None else kept, dz, dbias)
    return dz, dbias


def _launch(activation: str, dy: Array, kept: Array, dz: Array, dbias: Array | None) -> None:
    """Write dz, unless it is dy, and the sums of its columns, unless dbias is None."""
    m, n = dy.shape
    pack, n_strips, n_parts, rows_a_block = strips_for(m, n, dy, kept, dz)
    macros: dict[str, Any] = {"ACTIVATION": ACTIVATIONS[activation], "IS_PACKED": int(pack > 1)}
    partial = None
    if dbias is not None and n_parts > 1:
        partial = empty((n_parts, n), wide_dtype(dy.dtype), dy)
    written = [NULL if x is None or x is dy else x for x in (dz, partial, dbias)]
    args = (dy, kept, *written, *map(np.int64, (m, n, rows_a_block)))
    grid = (n_strips, n_parts)
    LINEAR_BACKWARD.launch("linear_backward_dz", dy.dtype, grid, (THREADS,), args, **macros)
    if partial is not None:
        column_totals(partial, dbias, pack)
