"""Many arrays joined on CuPy: one launch, and nothing sent from the host.

CuPy's own way for more than FEW arrays sends their addresses to the GPU, which a captured step must
not do (14.2, _routines_manipulation.pyx, _concatenate_single_kernel).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.replay import is_capturing
from ..fused import Fused
from .arrays import contiguous, cupy, empty, n_blocks
from .packs import PACK_BYTES
from .source import Source

UNITS = {
    1: "unsigned char",
    2: "unsigned short",
    4: "unsigned",
    8: "unsigned long long",
    PACK_BYTES: "Sixteen",
}
CONCAT = Source(
    "concat.cu", dtypes=(), variants=tuple({"UNIT": name} for name in reversed(UNITS.values()))
)

THREADS = 256  # as in concat.cu
MOST = 128  # as in concat.cu
FEW = 8  # arrays that CuPy copies one by one
ADDRESSES = np.dtype([("of", np.uint64, MOST)])


def concat_forward(*arrays: Array, axis: int | None = 0) -> Any:
    """The arrays joined along an axis. Declines few arrays, and those that are not alike.

    While a step is captured, those that are not alike are joined in groups of few.
    """
    if len(arrays) <= FEW or axis is None or not -arrays[0].ndim <= axis < arrays[0].ndim:
        return NotImplemented
    if not _are_alike(arrays):
        return _in_groups(arrays, axis) if is_capturing() else NotImplemented
    axis %= arrays[0].ndim
    before, length, after = _cut(arrays[0], axis, axis + 1)
    return _joined(arrays, (*before, len(arrays) * length[0], *after), before)


def stack_forward(*arrays: Array, axis: int = 0) -> Any:
    """The arrays joined along a new axis. Declines as concat_forward() does."""
    n_axes = arrays[0].ndim + 1
    if len(arrays) <= FEW or not -n_axes <= axis < n_axes:
        return NotImplemented
    axis %= n_axes
    if not _are_alike(arrays):
        rows = [cupy().expand_dims(x, axis) for x in arrays]
        return _in_groups(rows, axis) if is_capturing() else NotImplemented
    before, _, after = _cut(arrays[0], axis, axis)
    return _joined(arrays, (*before, len(arrays), *after), before)


CONCAT_CUPY = Fused(concat_forward, of=("arrays",))
STACK_CUPY = Fused(stack_forward, of=("arrays",))


def _are_alike(arrays: Sequence[Array]) -> bool:
    """Whether they have elements, and one shape, dtype and GPU."""
    x = arrays[0]
    return x.size > 0 and all(
        one.shape == x.shape and one.dtype == x.dtype and one.device.id == x.device.id
        for one in arrays
    )


def _cut(x: Array, start: int, end: int) -> tuple[tuple[int, ...], ...]:
    return x.shape[:start], x.shape[start:end], x.shape[end:]


def _joined(arrays: Sequence[Array], shape: tuple[int, ...], before: tuple[int, ...]) -> Array:
    """Arrays that are alike, side by side behind the axes `before`, as an array of that shape."""
    arrays = [contiguous(x) for x in arrays]
    y = empty(shape, arrays[0].dtype, arrays[0])
    inner_bytes = arrays[0].nbytes // math.prod(before)
    unit = _unit(inner_bytes, y.data.ptr, *(x.data.ptr for x in arrays))
    inner, n = inner_bytes // unit, arrays[0].nbytes // unit
    for first in range(0, len(arrays), MOST):
        part = arrays[first : first + MOST]
        sizes = map(np.int64, (first, inner, inner * len(arrays), n))
        grid = (n_blocks(n, THREADS), len(part))
        args = (y, _addresses(part), *sizes)
        CONCAT.launch("concat_arrays", None, grid, (THREADS,), args, UNIT=UNITS[unit])
    return y


def _unit(*numbers: int) -> int:
    """The largest number of bytes to move at once that divides all of these."""
    together = PACK_BYTES
    for number in numbers:
        together |= number
    return together & -together


def _addresses(arrays: Sequence[Array]) -> Any:
    """The argument of the kernel that says where the arrays are."""
    made = np.zeros((), ADDRESSES)
    made["of"][: len(arrays)] = [x.data.ptr for x in arrays]
    return made[()]


def _in_groups(arrays: Sequence[Array], axis: int) -> Array:
    """The arrays joined, never more than FEW at a time."""
    while len(arrays) > FEW:
        groups = [arrays[i : i + FEW] for i in range(0, len(arrays), FEW)]
        arrays = [cupy().concatenate(group, axis) for group in groups]
    return cupy().concatenate(arrays, axis)
