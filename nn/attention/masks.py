"""Masks of MultiheadAttention: what a layer takes, as one mask that the function takes."""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, dtype_name, is_floating
from ...backend.errors import DtypeError, ShapeError
from ..autograd.tensor import innermost
from ..reduction import check_arrays, check_same_dtype
from .blockwise import causal_mask


def allowed_together(masks: list[Any], like: Array) -> Array:
    """Masks of the layer, true: forbidden, as one of the function, true: allowed; or added."""
    xp = array_namespace(*masks)
    if not any(is_floating(mask) for mask in masks):
        allowed = xp.logical_not(masks[0])
        return allowed if len(masks) == 1 else xp.logical_and(allowed, xp.logical_not(masks[1]))
    total = None
    for mask in masks:
        if not is_floating(mask):
            mask = _added_where(innermost(mask), like)
        total = mask if total is None else xp.add(total, mask)
    return total


def with_causal(mask: Array | None, query: Array, key: Array) -> Array:
    """A mask of the function that forbids keys after the query too."""
    causal = causal_mask(query.shape[-2], key.shape[-2], 0, 0, innermost(query))
    if mask is None:
        return causal
    xp = array_namespace(mask)
    if is_floating(mask):
        return xp.add(mask, _added_where(array_namespace(causal).logical_not(causal), query))
    return xp.logical_and(mask, causal)


def with_open_keys(mask: Array, n_keys: int) -> Array:
    """A mask of the function for so many keys more, at which every query may look."""
    xp, where = array_namespace(mask), device(innermost(mask))
    shape = (*mask.shape[:-1], n_keys)
    if is_floating(mask):
        more = xp.zeros(shape, dtype=mask.dtype, device=where)
    else:
        more = xp.ones(shape, dtype=xp.bool, device=where)
    return xp.concat([mask, more], axis=-1)


def check_mask(
    operation: str, name: str, mask: Array, query: Array, shapes: list[tuple[int, ...]]
) -> None:
    """Raises DtypeError, DeviceError or ShapeError unless the mask has one of the shapes."""
    check_arrays(operation, query=query, **{name: mask})
    if is_floating(mask):
        check_same_dtype(operation, query=query, **{name: mask})
    elif dtype_name(mask.dtype) != "bool":
        raise DtypeError(
            f"{operation}: {name} must be boolean (true: may not look) or floating (added), got "
            f"{mask.dtype}; use mask != 0"
        )
    if tuple(mask.shape) not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ShapeError(
            f"{operation}: {name} must have the shape {wanted}, got {tuple(mask.shape)}"
        )


def _added_where(forbidden: Array, like: Array) -> Array:
    """-inf where forbidden, else 0, in the dtype of like."""
    xp = array_namespace(forbidden)
    zero = xp.zeros_like(forbidden, dtype=innermost(like).dtype)
    return xp.where(forbidden, xp.full_like(zero, -math.inf), zero)
