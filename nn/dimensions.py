"""One definition for 1, 2 and 3 spatial axes: its public functions, and settings for each axis."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..backend import Array, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from .autograd.differentiable import Op

NAMES = ("length", "height, width", "depth, height, width")


def by_dimension(definition: Callable[..., Any]) -> tuple[Op, Op, Op]:
    """The ops name1d, name2d and name3d of a definition whose first parameter is their number."""
    return _op(definition, 1), _op(definition, 2), _op(definition, 3)


def _op(definition: Callable[..., Any], n_axes: int) -> Op:
    """The definition with its first argument given."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return definition(n_axes, *args, **kwargs)

    name = f"{definition.__name__}{n_axes}d"
    function.__name__ = function.__qualname__ = name
    function.__module__ = definition.__module__
    text = (definition.__doc__ or "").replace("SPATIAL", NAMES[n_axes - 1])
    function.__doc__ = text.replace("NAME", name)
    signature = inspect.signature(definition)
    parameters = list(signature.parameters.values())[1:]
    return Op(function, signature.replace(parameters=parameters))


def per_axis(operation: str, name: str, value: Any, n_axes: int, least: int = 1) -> tuple[int, ...]:
    """The setting as one integer for each axis. Raises HyperparameterError."""
    entries = value if type(value) is tuple else (value,) * n_axes
    if len(entries) == n_axes and all(type(n) is int and n >= least for n in entries):
        return entries  # the usual ones, without more checks
    listed = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else None
    entries = (value,) * n_axes if listed is None else listed
    if len(entries) == 1:
        entries = entries * n_axes
    if len(entries) != n_axes or not all(is_integer_from(least, entry) for entry in entries):
        raise HyperparameterError(
            f"{operation}: {name} must be an integer >= {least}, or one for each of the {n_axes} "
            f"spatial axes, got {value!r}"
        )
    return tuple(int(entry) for entry in entries)


def is_integer_from(least: int, value: Any) -> bool:
    """Whether value is an integer >= least; True and False are none."""
    return hasattr(value, "__index__") and not isinstance(value, bool) and value >= least


def check_integer(operation: str, name: str, value: Any, least: int = 1) -> None:
    """Raises HyperparameterError unless value is an integer >= least."""
    if not is_integer_from(least, value):
        raise HyperparameterError(
            f"{operation}: {name} must be an integer >= {least}, got {value!r}"
        )


def with_batch(operation: str, x: Array, n_axes: int) -> tuple[Array, bool]:
    """(x as (batch, channels, spatial axes), whether it came without the batch).

    Raises ShapeError for another number of axes.
    """
    if x.ndim == n_axes + 2:
        return x, False
    if x.ndim == n_axes + 1:
        return array_namespace(x).expand_dims(x, axis=0), True
    raise ShapeError(
        f"{operation}: x must be (batch, channels, {NAMES[n_axes - 1]}), or that without the "
        f"batch, got x of shape {tuple(x.shape)}"
    )


def without_batch(y: Array, alone: bool) -> Array:
    """y, without the batch axis where with_batch put it there."""
    return y[0, ...] if alone else y
