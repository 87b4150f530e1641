"""checkpoint(f, *inputs): save memory by computing a part of the network twice."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from ...backend import Array
from ...backend.errors import NotDifferentiableError
from ...backend.random import default_generator
from . import tree
from .tape import Rematerialize
from .tensor import Tensor, recorded


def checkpoint(f: Callable[..., Array], *inputs: Any) -> Array:
    """f(*inputs), keeping none of its intermediate results: the backward pass computes them again.

    Arrays that f closes over (a layer's parameters) get their gradients too. f must be
    deterministic; draws from the default random generator are repeated exactly. The price is one
    more forward pass of f. Raises NotDifferentiableError unless f returns one array.
    Source: Chen et al. 2016, arXiv:1604.06174.
    """
    state = default_generator().state
    context = copy_context()  # current device and no_grad() as they are now
    kept = tree.mapped(_as_it_is, inputs)
    y = f(*inputs)
    if isinstance(y, tuple | list | dict):
        raise NotDifferentiableError(
            f"checkpoint: f must return one array, got a {type(y).__name__}"
        )
    if not isinstance(y, Tensor) or y._node is None:
        return y

    def recompute() -> Any:
        generator = default_generator()
        now, generator.state = generator.state, state
        try:
            again = context.copy().run(f, *tree.mapped(_as_it_is, kept))
        finally:
            generator.state = now
        return again._node

    node = Rematerialize("checkpoint", recompute, y.shape, y.dtype)
    return recorded(y.data, y.level, node)


def _as_it_is(x: Any) -> Any:
    """A Tensor that stays what x is now when x is changed in place."""
    return recorded(x._data, x._level, x._node) if isinstance(x, Tensor) else x
