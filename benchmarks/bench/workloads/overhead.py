"""What one op costs beside its arithmetic: a 4 x 4 multiply is nearly no work.

"Added" is to the same multiplications in plain NumPy, which is measured in turn with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sides.side import Side
from ..workload import Prepared, Workload
from .numbers import normal

CHAIN = 1000  # ops one after another, as deep as a long recurrent network
PLAIN_BUDGET = 0.5e-6  # seconds that isograd may add
RECORDED_BUDGET = 2.5e-6
SHAPE = (4, 4)


def _product(side: Side) -> Prepared:
    """One multiplication of plain arrays."""
    a, b = side.array(normal("a", *SHAPE)), side.array(normal("b", *SHAPE))
    multiply = side.xp.multiply
    return Prepared(lambda: multiply(a, b), lambda: {"y": multiply(a, b)})


def _operator(side: Side) -> Prepared:
    """The same in a function of the user's."""
    a, b = side.array(normal("a", *SHAPE)), side.array(normal("b", *SHAPE))

    def product(x1: Any, x2: Any) -> Any:
        return x1 * x2

    return Prepared(lambda: product(a, b), lambda: {"y": product(a, b)})


def _differentiable_function(side: Side) -> Prepared:
    """The same function under @differentiable."""
    from .... import differentiable

    a, b = side.array(normal("a", *SHAPE)), side.array(normal("b", *SHAPE))

    @differentiable
    def product(x1: Any, x2: Any) -> Any:
        return x1 * x2

    return Prepared(lambda: product(a, b), lambda: {"y": product(a, b)})


def _recorded(side: Side) -> Prepared:
    """y = x w and both gradients: three multiplications."""
    x, w = side.variable(normal("a", *SHAPE)), side.variable(normal("b", *SHAPE))
    dy = side.array(normal("dy", *SHAPE))

    def call() -> Any:
        x.grad = w.grad = None
        y = x * w
        y.backward(dy)
        return y

    return Prepared(call, lambda: {"y": call(), "dx": x.grad, "dw": w.grad})


def _three_products(side: Side) -> Prepared:
    a, b, dy = normal("a", *SHAPE), normal("b", *SHAPE), normal("dy", *SHAPE)
    return Prepared(
        lambda: (a * b, dy * b, dy * a), lambda: {"y": a * b, "dx": dy * b, "dw": dy * a}
    )


def _chain(side: Side) -> Prepared:
    """A product with one factor after another; two multiplications an op."""
    x, one = side.variable(normal("a", *SHAPE)), side.xp.ones_like(side.array(normal("a", *SHAPE)))
    dy = side.array(normal("dy", *SHAPE))

    def call() -> None:
        x.grad = None
        y = x
        for _ in range(CHAIN):
            y = y * one
        y.backward(dy)

    def results() -> Mapping[str, Any]:
        call()
        return {"dx": x.grad}

    return Prepared(call, results, parts=CHAIN)


def _two_thousand_products(side: Side) -> Prepared:
    dy, one = normal("dy", *SHAPE), normal("a", *SHAPE) * 0 + 1

    def call() -> Any:
        product = dy
        for _ in range(2 * CHAIN):
            product = product * one
        return product

    return Prepared(call, lambda: {"dx": call()}, parts=CHAIN)


WORKLOADS = [
    Workload(
        "overhead/plain",
        "4 x 4 multiply of plain arrays",
        {"isograd": _product, "numpy": _product, "torch": _product},
        budget=PLAIN_BUDGET,
        quick=True,
    ),
    Workload(
        "overhead/function",
        "a function with @differentiable, 4 x 4 multiply",
        {"isograd": _differentiable_function, "numpy": _operator},
        budget=PLAIN_BUDGET,
    ),
    Workload(
        "overhead/recorded",
        "4 x 4 multiply, recorded, with a backward() of its own",
        {"isograd": _recorded, "numpy": _three_products, "torch": _recorded},
        budget=RECORDED_BUDGET,
        quick=True,
    ),
    Workload(
        "overhead/chain",
        "4 x 4 multiply, recorded, as one of 1,000 in a row",
        {"isograd": _chain, "numpy": _two_thousand_products, "torch": _chain},
        budget=RECORDED_BUDGET,
        quick=True,
    ),
]
