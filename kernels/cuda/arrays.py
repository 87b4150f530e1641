"""What launchers need of CuPy's arrays; CuPy itself is there as soon as an array of it came in."""

from __future__ import annotations

import functools
import math
import sys
from typing import Any

import numpy as np

from ...backend import Array, dtype_name

NULL = np.uint64(0)  # as an argument of a kernel: no array
MAX_BLOCKS = 2**16  # more than fill any GPU at once; the grid-stride loops do the rest


def cupy() -> Any:
    """CuPy, which whoever made the arrays has imported."""
    return sys.modules["cupy"]


def current_device_id() -> int:
    """The number of the GPU that CuPy makes arrays and launches on."""
    return cupy().cuda.device.get_device_id()


def empty(shape: tuple[int, ...], dtype: Any, like: Array) -> Array:
    """A new array, not filled, on the GPU of `like`."""
    if like.device.id == current_device_id():
        return cupy().empty(shape, dtype)
    with cupy().cuda.Device(like.device.id):
        return cupy().empty(shape, dtype)


def wide_dtype(dtype: Any) -> Any:
    """The dtype that arithmetic is done in: ACC of common.cuh."""
    return np.dtype("float64" if dtype_name(dtype) == "float64" else "float32")


@functools.cache
def struct(fields: tuple[str, ...], dtype: np.dtype) -> np.dtype:
    """A struct of C with numbers of one dtype, as kernels take it by value."""
    return np.dtype([(name, dtype) for name in fields])


def contiguous(x: Array) -> Array:
    """x in C order: itself where it is already, else a copy."""
    if x.flags.c_contiguous:
        return x
    with cupy().cuda.Device(x.device.id):
        return cupy().ascontiguousarray(x)


def serves(x: Array, dtypes: tuple[str, ...]) -> bool:
    """Whether x has elements, one of these dtypes and is in C order."""
    return x.size > 0 and x.flags.c_contiguous and dtype_name(x.dtype) in dtypes


def n_blocks(n: int, in_a_block: int) -> int:
    """How many blocks for n pieces of work, so many in a block; at most MAX_BLOCKS."""
    return min(math.ceil(n / in_a_block), MAX_BLOCKS)
