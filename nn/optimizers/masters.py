"""Parameters in half precision: float32 copies of them keep what they would round away.

bfloat16 has 8 significant bits and float16 11: a change by less than 2^-9 or 2^-12 of the number is
lost. So updates are added up in a master, and the parameter is the master, rounded.
Source: Micikevicius and others 2018, section 3.1.
"""

from __future__ import annotations

from typing import Any

from ...backend import Array, array_namespace, as_dtype, assign, dtype_name
from ...backend.dtypes import HALF

MASTER = "master_param"  # in states; TransformerEngine's FusedAdam calls it so


def is_half(x: Any) -> bool:
    """Whether an array is of 16 bits a number, or a dtype is."""
    return dtype_name(getattr(x, "dtype", x)) in HALF


def wide_dtype(x: Any) -> str:
    """The name of the dtype that updates of x are computed in: float32 for half precision."""
    return "float32" if is_half(x) else dtype_name(getattr(x, "dtype", x))


def widened(x: Array) -> Array:
    """x in float32, which holds all values of half precision; x itself in other precision."""
    if not is_half(x):
        return x
    xp = array_namespace(x)
    return xp.astype(x, as_dtype(xp, "float32"))


def follow(master: Array, x: Array) -> None:
    """Give the master the values of x where x is not the master, rounded.

    There x was changed by somebody else: by load_state_dict, an initializer, another optimizer.
    """
    xp = array_namespace(master)
    is_ours = xp.astype(master, x.dtype) == x
    assign(master, xp.where(is_ours, master, widened(x)))
