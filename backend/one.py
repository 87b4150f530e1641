"""The number one as an array of no axes, from which a backward pass starts: made once and kept."""

from __future__ import annotations

from .libraries import NUMPY, library_of
from .namespaces import Array, array_namespace, describe_device
from .replay import is_capturing

_ones: dict[tuple, Array] = {}  # by type, dtype and device


def shared_one(like: Array) -> Array:
    """One in the dtype and on the device of a real array (); nobody may write to it.

    The same object each time, where making one costs a launch; in NumPy, and in a captured step
    that is the first to ask, a new one.
    """
    if library_of(like) is NUMPY:
        return array_namespace(like).ones_like(like)
    one = _ones.get(_key(like))
    return _made(like) if one is None else one


def is_shared_one(x: Array) -> bool:
    """Whether x is what shared_one() keeps: known to be one without reading it."""
    return x is _ones.get(_key(x))


def _made(like: Array) -> Array:
    one = array_namespace(like).ones_like(like)
    if not is_capturing():  # there it is written by the replays alone
        float(one)  # waits for it: all streams of a GPU then find it written
        _ones[_key(like)] = one
    return one


def _key(x: Array) -> tuple:
    return type(x), x.dtype, describe_device(x)
