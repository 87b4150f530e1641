"""autograd.misc, autograd.builtins and autograd.scipy, as far as isograd has them."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
from hips_spaces import normal

from isograd.nn.autograd import tree
from isograd.nn.autograd.tensor import Tensor, innermost


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """(all numbers of a nest in one vector, the function that puts them back)."""
    leaves = tree.leaves(normal(value))
    sizes = [int(x.size) for x in leaves]
    vector = np.concatenate([np.ravel(x) for x in leaves]) if leaves else np.zeros((0,))

    def unflatten(vector: Any) -> Any:
        parts, start = [], 0
        for x, n in zip(leaves, sizes, strict=True):
            parts.append(np.reshape(vector[start : start + n], x.shape))
            start += n
        return tree.rebuilt(value, parts)

    return vector, unflatten


def is_instance(x: Any, kind: Any) -> bool:
    """isinstance of what is recorded, not of the record."""
    return isinstance(innermost(x) if isinstance(x, Tensor) else x, kind)


def missing(name: str) -> Callable[..., Any]:
    """In place of a function that isograd does not have."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{name}: isograd has no such function")

    return refuse


def with_missing(name: str, *names: str, **given: Any) -> types.ModuleType:
    made = types.ModuleType(name)
    for key in names:
        setattr(made, key, missing(f"{name}.{key}"))
    for key, value in given.items():
        setattr(made, key, value)
    return made
