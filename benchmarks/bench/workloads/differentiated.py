"""A function and its gradients, made ready in each library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Build, Prepared

Function = Callable[..., Any]
Inputs = Callable[..., tuple[np.ndarray, ...]]  # (sizes by name) -> dy, and what it is derived by


def differentiated(
    inputs: Inputs, function: Function, rule: Function | None = None, jax: Function | None = None
) -> dict[str, Build]:
    """How each library computes a function of arrays, and its gradients for a given dy.

    function: (side, *arrays) -> y, with torch's names, for isograd and torch. rule:
    (dy, *arrays) -> (y, *gradients) in plain NumPy. jax: (jax.numpy, *arrays) -> y.
    """

    def recorded(side: Side, **sizes: int) -> Prepared:
        dy, *arrays = inputs(**sizes)
        seed, variables = side.array(dy), [side.variable(x) for x in arrays]
        compute = side.compiled(lambda *xs: function(side, *xs))

        def call() -> None:
            side.forget_gradients(*variables)
            compute(*variables).backward(seed)

        def results() -> Mapping[str, Any]:
            side.forget_gradients(*variables)
            y = compute(*variables)
            y.backward(seed)
            return _named(y, [x.grad for x in variables])

        return Prepared(call, results)

    def by_hand(side: Side, **sizes: int) -> Prepared:
        assert rule is not None
        given = inputs(**sizes)

        def results() -> Mapping[str, Any]:
            y, *gradients = rule(*given)
            return _named(y, gradients)

        return Prepared(lambda: rule(*given), results)

    def traced(side: Any, **sizes: int) -> Prepared:
        from jax import vjp

        def both(dy: Any, *xs: Any) -> Any:
            y, backward = vjp(lambda *inner: (jax or function)(side.xp, *inner), *xs)
            return y, *backward(dy)

        run = side.finished(both)
        given = [side.array(x) for x in inputs(**sizes)]

        def results() -> Mapping[str, Any]:
            y, *gradients = run(*given)
            return _named(y, gradients)

        return Prepared(lambda: run(*given), results)

    build: dict[str, Build] = {"isograd": recorded, "torch": recorded}
    if rule is not None:
        build["numpy"] = by_hand
    if jax is not None:
        build["jax"] = traced
    return build


def _named(y: Any, gradients: list[Any]) -> dict[str, Any]:
    return {"y": y, **{f"dx{i}": dx for i, dx in enumerate(gradients)}}
