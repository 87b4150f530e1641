"""Matrix products, and linear layers with their activation; and what the machine can do at most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Curve, Prepared, Workload
from .differentiated import differentiated
from .numbers import count, normal

SQUARES = (64, 128, 256, 512, 1024)
LINEAR = ((32, 784, 512), (128, 784, 512), (1024, 512, 512))
CEILING_NUMBERS = 16_000_000  # 64 MB: more than caches hold
CEILING_SIDE = 1024
FORWARD = Curve("matmul", "a product of square matrices", "n", 3.0)


def _product(side: Side, n: int) -> Prepared:
    """x w of plain arrays."""
    x, w = side.array(normal("x", n, n)), side.array(normal("w", n, n))
    matmul = side.xp.matmul
    return Prepared(lambda: matmul(x, w), lambda: {"y": matmul(x, w)})


def _jax_product(side: Any, n: int) -> Prepared:
    run = side.finished(side.xp.matmul)
    x, w = side.array(normal("x", n, n)), side.array(normal("w", n, n))
    return Prepared(lambda: run(x, w), lambda: {"y": run(x, w)})


def _square_inputs(n: int) -> tuple[np.ndarray, ...]:
    return normal("dy", n, n), normal("x", n, n), normal("w", n, n)


def _product_rule(dy: Any, x: Any, w: Any) -> tuple[Any, ...]:
    return x @ w, dy @ w.T, x.T @ dy


def _layer_inputs(batch: int, n_in: int, n_out: int) -> tuple[np.ndarray, ...]:
    x, w = normal("x", batch, n_in), normal("w", n_out, n_in, scale=n_in**-0.5)
    return normal("dy", batch, n_out), x, w, normal("b", n_out)


def _layer(side: Side, x: Any, w: Any, b: Any) -> Any:
    if side.library == "torch":
        return side.functional.relu(side.functional.linear(x, w, b))
    return side.functional.linear(x, w, b, activation="relu")


def _layer_rule(dy: Any, x: Any, w: Any, b: Any) -> tuple[Any, ...]:
    y = np.maximum(x @ w.T + b, np.float32(0.0))
    dz = dy * (y > 0.0)
    return y, dz @ w, dz.T @ x, np.sum(dz, axis=0)


def _jax_layer(xp: Any, x: Any, w: Any, b: Any) -> Any:
    return xp.maximum(x @ w.T + b, 0.0)


def _copy(side: Any, n: int) -> Prepared:
    """A copy into memory that is there already, by the array library under the side."""
    x = side.array(normal("x", n))
    y = side.array(np.zeros(n, np.float32))

    def call() -> None:
        y[...] = x

    def results() -> Mapping[str, Any]:
        call()
        return {"y": y[: min(n, 1000)]}

    return Prepared(call, results)


def _square(n: int) -> list[Workload]:
    flops, size = 2.0 * n**3, 4.0 * n * n
    return [
        Workload(
            f"matmul/forward-{n}",
            f"{n} x {n} times {n} x {n}",
            {"isograd": _product, "numpy": _product, "torch": _product, "jax": _jax_product},
            {"n": n},
            flops=flops,
            bytes=3 * size,
            curve=FORWARD,
            quick=n == 512,
        ),
        Workload(
            f"matmul/gradients-{n}",
            f"{n} x {n} times {n} x {n}, forward + backward",
            differentiated(
                _square_inputs, lambda side, x, w: x @ w, _product_rule, lambda xp, x, w: x @ w
            ),
            {"n": n},
            flops=3 * flops,
            bytes=6 * size,
        ),
    ]


def _linear(batch: int, n_in: int, n_out: int) -> Workload:
    return Workload(
        f"linear/relu-{batch}x{n_in}x{n_out}",
        f"linear {n_in} to {n_out} and ReLU, batch {batch}, forward + backward",
        differentiated(_layer_inputs, _layer, _layer_rule, _jax_layer),
        {"batch": batch, "n_in": n_in, "n_out": n_out},
        flops=6.0 * batch * n_in * n_out,
        bytes=4.0 * (3 * batch * n_in + 3 * n_in * n_out + 4 * batch * n_out),
        compiles=True,
        quick=batch == 128,
    )


# Plain arrays, without a gradient: what the machine reaches at most, for a roofline.
CEILINGS = [
    Workload(
        "ceiling/copy",
        f"copy of {count(4 * CEILING_NUMBERS)}B",
        {"isograd": _copy, "numpy": _copy, "torch": _copy},
        {"n": CEILING_NUMBERS},
        bytes=8.0 * CEILING_NUMBERS,
        quick=True,
    ),
    Workload(
        "ceiling/matmul",
        f"{CEILING_SIDE} x {CEILING_SIDE} times {CEILING_SIDE} x {CEILING_SIDE}",
        {"isograd": _product, "numpy": _product, "torch": _product, "jax": _jax_product},
        {"n": CEILING_SIDE},
        flops=2.0 * CEILING_SIDE**3,
        quick=True,
    ),
]
WORKLOADS = [
    *CEILINGS,
    *(workload for n in SQUARES if n != CEILING_SIDE for workload in _square(n)),
    *(_linear(*sizes) for sizes in LINEAR),
]
