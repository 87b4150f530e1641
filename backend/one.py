"""The number one as an array of no axes, from which a backward pass starts: made once and kept."""

from __future__ import annotations

from .namespaces import Array, array_namespace
from .replay import is_capturing

_ones: dict[tuple, Array] = {}  # by type, dtype and device


def shared_one(like: Array) -> Array:
    """One in the dtype and on the device of a real array (); nobody may write to it.

    The same object each time, except in a captured step that is the first to ask.
    """
    one = _ones.get((type(like), like.dtype, like.device))
    return _made(like) if one is None else one


def is_shared_one(x: Array) -> bool:
    """Whether x is what shared_one() gives: known to be one without reading it."""
    return x is _ones.get((type(x), x.dtype, x.device))


def _made(like: Array) -> Array:
    one = array_namespace(like).ones_like(like)
    if not is_capturing():  # there it is written by the replays alone, and lives as long as these
        float(one)  # waits for it: other streams of a GPU then find it written
        _ones[type(like), like.dtype, like.device] = one
    return one
