"""Dtypes by name across libraries, the default one, and how closely numbers must agree in each."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import DtypeError
from .namespaces import Array, Namespace

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
HALF = ("float16", "bfloat16")
FLOATING = (*HALF, "float32", "float64")
COMPLEX = ("complex64", "complex128")
DTYPE_NAMES = ("bool", *INTEGERS, *FLOATING, *COMPLEX)

DEFAULT_BY_PYTHON_TYPE = {bool: "bool", int: "int64", float: "float32", complex: "complex64"}

_name_by_dtype: dict[tuple[type, Any], str] = {}


@dataclass(frozen=True)
class Tolerance:
    """|actual - expected| <= atol + rtol * |expected| is agreement."""

    rtol: float
    atol: float


# rtol: 64 units in the last place (eps); roundings of either sign add up like the square root of
# their number, so that is some thousand of them. atol: the same number, for values that come from
# terms near 1 by cancellation. Two computations that differ in the order of their sums (fused
# against definition, one library against another) stay inside with room; a wrong term or a lower
# precision does not. Half types: 8 units, since their sums run in float32 and only the results are
# rounded.
_EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
_TOLERANCES = {
    "float64": Tolerance(64 * _EPS["float64"], 64 * _EPS["float64"]),
    "float32": Tolerance(64 * _EPS["float32"], 64 * _EPS["float32"]),
    "float16": Tolerance(8 * _EPS["float16"], 8 * _EPS["float16"]),
    "bfloat16": Tolerance(8 * _EPS["bfloat16"], 8 * _EPS["bfloat16"]),
}
_TOLERANCES["complex128"] = _TOLERANCES["float64"]  # each part is rounded like a real number
_TOLERANCES["complex64"] = _TOLERANCES["float32"]
_EXACT = Tolerance(0.0, 0.0)


def tolerance(dtype: Any, factor: float = 1.0) -> Tolerance:
    """How closely numbers of a dtype must agree; exact for integers and booleans.

    dtype: any library's dtype, a name, or an array. factor: for a longer computation, with its
    reason beside the call, e.g. sqrt(n) for a sum of n terms.
    """
    base = _TOLERANCES.get(_name(dtype), _EXACT)
    return Tolerance(base.rtol * factor, base.atol * factor)


def default_dtype(xp: Namespace = None) -> Any:
    """float32, as the dtype object of a namespace (the current device's unless given)."""
    if xp is None:
        from .device import current_device  # device.py does not need dtypes; this one call does

        xp = current_device().xp
    return xp.float32


def dtype_name(dtype: Any) -> str:
    """The standard's name of any library's dtype, of a name or of a Python number type.

    Raises DtypeError for a dtype that the standard does not have (float16 and bfloat16 excepted).
    """
    key = (type(dtype), dtype)
    try:
        return _name_by_dtype[key]
    except KeyError:
        _name_by_dtype[key] = name = _name_of(dtype)
        return name
    except TypeError:  # unhashable, so no dtype
        raise _no_dtype(dtype) from None


def as_dtype(xp: Namespace, dtype: Any) -> Any:
    """The namespace's own dtype object for any library's dtype, a name or a Python number type.

    float16 and bfloat16, which the standard does not have, where the library has them; CuPy's
    bfloat16 is that of the package ml_dtypes.
    Raises DtypeError when it means nothing, or the library has none of this name.
    """
    name = dtype_name(dtype)
    xp = getattr(xp, "wrapped", xp)  # the half ones are not in the standard
    found = getattr(xp, name, None)
    if found is None and name == "bfloat16":
        found = _bfloat16(xp)
    if found is None:
        raise DtypeError(f"{xp.__name__} has no dtype {name}; use another, e.g. float32")
    return found


def same_dtype(first: Any, second: Any) -> bool:
    """Whether two dtypes, of whichever libraries, are the same."""
    return dtype_name(first) == dtype_name(second)


def is_floating(x: Any) -> bool:
    """Whether an array or a dtype is real floating."""
    return _name(x) in FLOATING


def is_integer(x: Any) -> bool:
    """Whether an array or a dtype is a signed or unsigned integer; bool is none."""
    return _name(x) in INTEGERS


def is_complex(x: Any) -> bool:
    """Whether an array or a dtype is complex."""
    return _name(x) in COMPLEX


def is_boolean(x: Any) -> bool:
    """Whether an array or a dtype is bool."""
    return _name(x) == "bool"


def _name(x: Array) -> str:
    """The name of an array's dtype or of a dtype."""
    return dtype_name(x if isinstance(x, type) else getattr(x, "dtype", x))  # np.float32 is a type


def _name_of(dtype: Any) -> str:
    """dtype_name for a dtype that was not seen before."""
    if isinstance(dtype, type) and dtype in DEFAULT_BY_PYTHON_TYPE:
        return DEFAULT_BY_PYTHON_TYPE[dtype]
    if isinstance(dtype, str):
        name = dtype
    elif isinstance(dtype, type):  # np.float32 and the like
        name = dtype.__name__
    else:  # np.dtype has a name; torch.float32 and array_api_strict.float32 are their names
        name = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
    if name not in DTYPE_NAMES:
        raise _no_dtype(dtype)
    return name


def _bfloat16(xp: Namespace) -> Any:
    """CuPy's bfloat16, which is not among its names: the dtype of the package ml_dtypes.

    Raises DtypeError without the package, and for libraries that have none.
    """
    library = xp.__name__.rpartition(".")[2]
    if library != "cupy":
        raise DtypeError(
            f"{xp.__name__} has no dtype bfloat16; use float32 there, or run on a library that has "
            'it: use("cuda") or use("torch")'
        )
    try:
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    except ImportError:
        raise DtypeError(
            "CuPy has bfloat16 only where the package ml_dtypes is; pip install ml_dtypes, or use "
            "float16"
        ) from None


def _no_dtype(dtype: Any) -> DtypeError:
    return DtypeError(f"a dtype must be one of {', '.join(DTYPE_NAMES)}, got {dtype!r}")
