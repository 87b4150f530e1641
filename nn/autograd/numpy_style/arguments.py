"""What arguments mean to NumPy's functions: lists and numbers as arrays, dtypes, slices."""

from __future__ import annotations

from typing import Any

from array_api_compat import device

from ....backend import PYTHON_SCALARS, Array, array_namespace, is_array
from ....backend.dtypes import as_dtype

WIDEST = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}  # as in NumPy


def alike(arrays: Any) -> list[Array]:
    """Lists and numbers among the arrays as arrays of their library, on their device."""
    arrays = list(arrays)
    given = [x for x in arrays if is_array(x)]
    if len(given) == len(arrays):
        return arrays
    xp = array_namespace(*given)
    return [x if is_array(x) else xp.asarray(x, device=device(given[0])) for x in arrays]


def own_dtype(a: Array, dtype: Any) -> Any:
    """The dtype as the library of a has it, for NumPy's dtypes, names and float; None for None."""
    if dtype is None:
        return None
    return as_dtype(array_namespace(a), WIDEST[dtype] if dtype in PYTHON_SCALARS else dtype)


def floating(a: Array, dtype: Any = None) -> Array:
    """a as floating numbers, or of the dtype that is asked for."""
    xp = array_namespace(a)
    if dtype is None and xp.isdtype(a.dtype, ("bool", "integral")):
        dtype = xp.float64
    return a if dtype is None else xp.astype(a, own_dtype(a, dtype))


def part(
    a: Array, axis: int, start: int | None, stop: int | None, step: int | None = None
) -> Array:
    """The elements start:stop:step along an axis."""
    return a[(*(slice(None),) * (axis % a.ndim), slice(start, stop, step), ...)]
