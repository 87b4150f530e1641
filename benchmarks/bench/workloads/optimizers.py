"""Adam's step alone, over numbers of parameters from 1 to 100 million."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Curve, Prepared, Workload
from .numbers import count, normal
from .training import LEARNING_RATE, adam_of_trees

SIZES = (10**6, 10**7, 10**8)
COMPARED = 1000  # of the parameters
CURVE = Curve("adam", "a step of Adam", "parameters", 1.0)
PASSES = 7  # over memory: parameter, gradient and two moments read, all but the gradient written


def _gradient(parameters: int) -> np.ndarray:
    """Numbers of both signs and many sizes, repeated: 100 M random ones would take a second."""
    return np.resize(normal("dp", 10_007), parameters)


def _moved(before: Any, after: Any) -> dict[str, Any]:
    """How far the first parameters went, in learning rates."""
    return {"moved": (np.asarray(before) - np.asarray(after)) / LEARNING_RATE}


def _start(parameters: int) -> np.ndarray:
    """Zeros: a step of the learning rate is seen to its last digit."""
    return np.zeros(parameters, np.float32)


def _step(side: Side, parameters: int) -> Prepared:
    class Model(side.nn.Module):  # type: ignore[name-defined]
        """A single array of parameters."""

        def __init__(self) -> None:
            super().__init__()
            parameter = side.nn.Parameter(side.array(_start(parameters)))
            self.p = parameter

    model = Model()
    optimizer = side.adam(model, LEARNING_RATE)
    (model.p * side.array(_gradient(parameters))).sum().backward()

    def results() -> Mapping[str, Any]:
        optimizer.step()
        return _moved(0.0, side.to_numpy(model.p)[:COMPARED])

    return Prepared(optimizer.step, results)


def _numpy_step(side: Side, parameters: int) -> Prepared:
    """As the paper writes it."""
    dp, state = _gradient(parameters), [_start(parameters)] * 3
    t = [0]

    def call() -> None:
        t[0] += 1
        p, m, v = state
        m = 0.9 * m + 0.1 * dp
        v = 0.999 * v + 0.001 * dp**2
        m_hat, v_hat = m / (1 - 0.9 ** t[0]), v / (1 - 0.999 ** t[0])
        state[:] = p - LEARNING_RATE * m_hat / (np.sqrt(v_hat) + 1e-8), m, v

    def results() -> Mapping[str, Any]:
        call()
        return _moved(0.0, state[0][:COMPARED])

    return Prepared(call, results)


def _jax_step(side: Any, parameters: int) -> Prepared:
    run = side.finished(adam_of_trees, donated=(0, 2, 3))
    dp = side.array(_gradient(parameters))
    p, m, v = (side.array(_start(parameters)) for _ in range(3))
    state = [(p, m, v, side.array(np.int32(0)))]

    def call() -> None:
        p, m, v, t = state[0]
        state[0] = run(p, dp, m, v, t + 1)

    def results() -> Mapping[str, Any]:
        call()
        return _moved(0.0, np.asarray(state[0][0][:COMPARED]))

    return Prepared(call, results)


_BUILDS = {"isograd": _step, "torch": _step, "jax": _jax_step}
WORKLOADS = [
    Workload(
        f"optimizer/adam-{count(n)}",
        f"Adam, {n:,} parameters",
        _BUILDS if n == 10**8 else {**_BUILDS, "numpy": _numpy_step},  # seconds a step
        {"parameters": n},
        bytes=4.0 * PASSES * n,
        curve=CURVE,
        quick=n == 10**6,
        tolerance=1e-3,
    )
    for n in SIZES
]
