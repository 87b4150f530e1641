"""linear on CuPy: product, bias and activation in one launch; backward in three or four."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import Array
from ..fused import Fused
from .arrays import contiguous, empty, serves
from .matmul_kernels import ACTIVATIONS, NULL
from .source import FLOATING, Source

KEEP_Y = ("relu", "leaky_relu", "sigmoid", "tanh")  # their slope is known from y
KEEP_Z = ("silu", "gelu", "gelu_tanh")  # z: the value before the activation

N_WARPS = 8  # as in linear_backward.cu
THREADS = N_WARPS * 32
PACK_BYTES = 16  # loaded at once

# Up to so many rows one block adds up a strip of columns: a second launch would cost more.
ROWS_ALONE = 256
LEAST_ROWS = 64  # of a block where there are several: what they write is a small part of dy
BLOCKS = 1024  # that fill a large GPU: 8 on each of 132 multiprocessors

LINEAR_BACKWARD = Source(
    "linear_backward.cu",
    headers=("common.cuh", "activation.cuh", "pack.cuh"),
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
    from .products import matmul  # not needed by who stays on the CPU

    rows = _as_matrix(x)
    shape = (len(rows), len(weight))
    z = empty(shape, x.dtype, x) if name in KEEP_Z else None
    y = matmul(rows, weight, transpose_b=True, bias=bias, activation=name, z=z)
    kept = y if name in KEEP_Y else z
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], len(weight)), kept


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

    dz, dbias = _dz_and_dbias(
        contiguous(_as_matrix(dy)), saved, activation, "bias" in needs, into.get("bias")
    )
    dx = dweight = None
    if "x" in needs:
        dx = matmul(dz, weight)
        dx = dx if x.ndim == 2 else dx.reshape(x.shape)
    if "weight" in needs:
        dweight = matmul(dz, _as_matrix(x), transpose_a=True, out=into.get("weight"))
    return dx, dweight, dbias


LINEAR_CUPY = Fused(forward, backward, of=("x", "weight", "bias"), saves=True)


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
    pack = _pack(n, dy, kept, dz)
    n_strips = math.ceil(n / (32 * pack))
    rows_a_block = _rows_a_block(m, n_strips)
    n_parts = math.ceil(m / rows_a_block)
    macros: dict[str, Any] = {"ACTIVATION": ACTIVATIONS[activation], "IS_PACKED": int(pack > 1)}
    partial = None
    if dbias is not None and n_parts > 1:
        partial = empty((n_parts, n), "float64" if dy.itemsize == 8 else "float32", dy)
    written = [NULL if x is None or x is dy else x for x in (dz, partial, dbias)]
    args = (dy, kept, *written, *map(np.int64, (m, n, rows_a_block)))
    grid = (n_strips, n_parts)
    LINEAR_BACKWARD.launch("linear_backward_dz", dy.dtype, grid, (THREADS,), args, **macros)
    if partial is not None:
        sums = (partial, dbias, np.int64(n_parts), np.int64(n))
        LINEAR_BACKWARD.launch(
            "linear_backward_dbias", dy.dtype, (n_strips,), (THREADS,), sums, **macros
        )


def _rows_a_block(m: int, n_strips: int) -> int:
    """How many rows a block adds up: enough blocks for the GPU, but no small ones."""
    if m <= ROWS_ALONE:
        return m
    n_parts = max(1, min(BLOCKS // n_strips, math.ceil(m / LEAST_ROWS)))
    return math.ceil(m / n_parts)


def _pack(n: int, *arrays: Array) -> int:
    """Numbers that are loaded at once: 16 bytes where all rows start at multiples of these."""
    pack = PACK_BYTES // arrays[0].itemsize
    is_aligned = n % pack == 0 and not any(x.data.ptr % PACK_BYTES for x in arrays)
    return pack if is_aligned else 1
