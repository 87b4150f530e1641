"""Views: what is written to x[1:-1] or reshape(x, ...) arrives in x, as with NumPy's arrays.

A change in place makes a Tensor stand for a new result, so memory alone would not carry it to the
Tensor that it is a view of. Views remember that Tensor, their root, and the steps that led to them.
A view that was read before its root changed keeps the old values, unlike NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any
from weakref import ref

from ...backend import array_namespace
from .tensor import Tensor, innermost

BASIC = (int, slice, type(None), EllipsisType)  # keys that NumPy answers with a view

# What a library tells of two of its arrays, by their type; None where it tells nothing.
_tells: dict[type, Callable[[Any, Any], Any] | None] = {}


def remember(y: Any, x: Tensor, op: Any, args: tuple, kwargs: dict) -> None:
    """Note that y = op(x, *args, **kwargs) is a view of x, or of what x is a view of."""
    root, steps = getattr(x, "_view", None) or (None, ())
    if root is None or root() is None:
        root, steps = ref(x), ()
    y._view = (root, (*steps, (op, args, kwargs)))


def is_view(y: Any, key: Any) -> bool:
    """Whether y = x[key] is a view. Elements are not: NumPy's are numbers, which cannot change."""
    if not y.shape:
        return False
    if key.__class__ is tuple:
        return all([part.__class__ in BASIC for part in key])
    return key.__class__ in BASIC


def shares_memory(y: Any, x: Tensor) -> bool:
    """Whether y may show the memory of x, as far as the library tells."""
    first = innermost(x)
    kind = type(first)
    if kind not in _tells:
        _tells[kind] = getattr(array_namespace(first), "may_share_memory", None)
    tells = _tells[kind]
    return tells is None or bool(tells(first, innermost(y)))


def root_of(x: Tensor) -> tuple[Tensor, tuple]:
    """The Tensor that x is a view of, with the steps from there to x; x itself where it is none."""
    root, steps = getattr(x, "_view", None) or (None, ())
    alive = None if root is None else root()
    return (x, ()) if alive is None else (alive, steps)


def seen(root: Tensor, steps: tuple) -> Tensor:
    """The view of root that these steps lead to."""
    for op, args, kwargs in steps:
        root = op(root, *args, **kwargs)
    return root


def put_back(root: Tensor, steps: tuple, change: Callable[[Tensor], Tensor]) -> Tensor:
    """root, changed where these steps lead."""
    if not steps:
        return change(root)
    (op, args, kwargs), *rest = steps
    part = put_back(op(root, *args, **kwargs), tuple(rest), change)
    return op.put_back(part, root, *args, **kwargs)
