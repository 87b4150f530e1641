"""autograd.numpy: NumPy itself, since its functions record on Tensors.

What differs: functions of one array also take lists with Tensors in them, which NumPy would turn
into an array before it asks anybody; array, r_ and c_ join Tensors.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from isograd.nn.autograd import tree
from isograd.nn.autograd.tensor import Tensor, innermost

TAKES_LISTS = {
    *("concatenate", "concat", "stack", "vstack", "row_stack", "hstack", "dstack", "column_stack"),
    *("block", "select", "meshgrid", "broadcast_arrays", "multi_dot", "einsum"),
}


def has_tensors(x: Any) -> bool:
    return isinstance(x, list | tuple) and any(isinstance(part, Tensor) for part in tree.leaves(x))


def array(x: Any, *args: Any, **kwargs: Any) -> Any:
    """np.array, which joins nested lists of Tensors."""
    if has_tensors(x):
        return np.stack([array(part) for part in x])
    if isinstance(x, Tensor):
        return np.copy(x)
    return np.array(x, *args, **kwargs)


def lists_joined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with lists of Tensors made arrays first."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(has_tensors(a) for a in args):
            args = tuple(array(a) if has_tensors(a) else a for a in args)
        return function(*args, **kwargs)

    return call


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Matrices with the last axis of D on their diagonals."""
    return np.expand_dims(D, -1) * np.eye(D.shape[-1])


def where(condition: Any, *args: Any, **kwargs: Any) -> Any:
    """np.where, by keyword too."""
    return np.where(condition, *args, *kwargs.values())


class Int64:
    """np.int64 as a function of values, and as a dtype."""

    dtype = np.dtype(np.int64)

    def __call__(self, x: Any) -> Any:
        return np.int64(innermost(x))


class Joined:
    """np.r_ and np.c_ for Tensors among what is joined."""

    def __init__(self, plain: Any, join: Callable[..., Any]) -> None:
        self.plain, self.join = plain, join

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not any(isinstance(part, Tensor) for part in parts):
            return self.plain[key]
        return self.join([np.r_[part] if isinstance(part, slice) else part for part in parts])


def module(name: str, source: Any, **more: Any) -> types.ModuleType:
    """A module with the public names of another, its functions taking lists of Tensors."""
    made = types.ModuleType(name)
    for key in dir(source):
        value = getattr(source, key)
        if key.startswith("__") or isinstance(value, types.ModuleType):
            continue
        is_function = callable(value) and not isinstance(value, type | np.ufunc)
        taken = is_function and getattr(value, "__name__", "") not in TAKES_LISTS
        setattr(made, key, lists_joined(value) if taken else value)
    for key, value in more.items():
        setattr(made, key, value)
    return made


linalg = module(
    "autograd.numpy.linalg",
    np.linalg,
    T=lambda x: np.swapaxes(x, -1, -2),
    _dot=lambda x, y: np.matmul(x, y),
)
fft = module("autograd.numpy.fft", np.fft)
random = module("autograd.numpy.random", np.random)
numpy = module(
    "autograd.numpy",
    np,
    array=array,
    make_diagonal=make_diagonal,
    where=where,
    r_=Joined(np.r_, lambda parts: np.concatenate([np.atleast_1d(part) for part in parts])),
    c_=Joined(np.c_, np.column_stack),
    row_stack=np.vstack,
    random=random,
    linalg=linalg,
    fft=fft,
    int64=Int64(),
    __version__=np.__version__,
)
