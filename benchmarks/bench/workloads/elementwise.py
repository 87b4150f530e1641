"""Functions of each number, and reductions, over sizes; forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Workload
from .differentiated import Inputs, differentiated
from .numbers import count, normal

SIZES = (1000, 100_000, 10_000_000)
QUICK = 100_000
COLUMNS = 100


def _map_inputs(n: int) -> tuple[np.ndarray, ...]:
    return normal("dy", n), normal("x", n)


def _sum_inputs(n: int) -> tuple[np.ndarray, ...]:
    return np.ones((), np.float32), normal("x", n)


def _row_inputs(n: int) -> tuple[np.ndarray, ...]:
    return normal("dy", n // COLUMNS), normal("x", n // COLUMNS, COLUMNS)


def _product_inputs(n: int) -> tuple[np.ndarray, ...]:
    return normal("dy", n), normal("x", n), normal("w", n), normal("b", n)


def _exp_rule(dy: Any, x: Any) -> tuple[Any, ...]:
    y = np.exp(x)
    return y, dy * y


def _tanh_rule(dy: Any, x: Any) -> tuple[Any, ...]:
    y = np.tanh(x)
    return y, dy * (1.0 - y * y)


def _multiply_add_rule(dy: Any, x: Any, w: Any, b: Any) -> tuple[Any, ...]:
    return x * w + b, dy * w, dy * x, dy


def _sum_rule(dy: Any, x: Any) -> tuple[Any, ...]:
    return np.sum(x), np.broadcast_to(dy, x.shape)


def _row_mean_rule(dy: Any, x: Any) -> tuple[Any, ...]:
    return np.mean(x, axis=-1), np.broadcast_to(dy[:, None] / COLUMNS, x.shape)


def _named(name: str) -> Callable[..., Any]:
    """The function of that name of any library's namespace, by its Side and by itself."""
    return lambda side, x: getattr(side.xp, name)(x)


def _in_jax(name: str) -> Callable[..., Any]:
    return lambda xp, x: getattr(xp, name)(x)


def _row_mean(side: Side, x: Any) -> Any:
    return x.mean(-1) if side.library == "torch" else side.xp.mean(x, axis=-1)


def _row_max(side: Side, x: Any) -> Any:
    return side.xp.amax(x, -1) if side.library == "torch" else side.xp.max(x, axis=-1)


# name -> (title, what it is given, in isograd and torch, by hand, in jax, passes over memory)
_OPS: dict[str, tuple[str, Inputs, Any, Any, Any, int]] = {
    "exp": ("exp", _map_inputs, _named("exp"), _exp_rule, _in_jax("exp"), 5),
    "tanh": ("tanh", _map_inputs, _named("tanh"), _tanh_rule, _in_jax("tanh"), 5),
    "multiply-add": (
        "x w + b",
        _product_inputs,
        lambda side, x, w, b: x * w + b,
        _multiply_add_rule,
        lambda xp, x, w, b: x * w + b,
        9,
    ),
    "sum": ("sum", _sum_inputs, _named("sum"), _sum_rule, _in_jax("sum"), 2),
    "row-mean": (
        "mean of rows",
        _row_inputs,
        _row_mean,
        _row_mean_rule,
        lambda xp, x: xp.mean(x, axis=-1),
        2,
    ),
    "row-max": (
        "largest of rows",
        _row_inputs,
        _row_max,
        None,
        lambda xp, x: xp.max(x, axis=-1),
        3,
    ),
}


def _workload(name: str, n: int) -> Workload:
    title, inputs, function, rule, jax, passes = _OPS[name]
    return Workload(
        f"elementwise/{name}-{count(n)}",
        f"{title} of {n:,} numbers, forward + backward",
        differentiated(inputs, function, rule, jax),
        {"n": n},
        bytes=4.0 * passes * n,
        compiles=n > QUICK,  # calling what is compiled takes longer than fewer numbers do
        quick=n == QUICK and name in ("exp", "multiply-add", "row-mean"),
    )


WORKLOADS = [_workload(name, n) for name in _OPS for n in SIZES]
