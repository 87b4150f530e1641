"""Products and quotients for derivative rules, in which a zero cotangent stays zero.

Where a slope is infinite or NaN, 0 * slope is NaN and poisons the gradient of all that came before,
although nothing depends on that element: where(x > 0, sqrt(x), 0) at x = 0. The mask of these ops
is the cotangent itself; their own rules are linear in it, so that every order is right.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ....backend import Array, array_namespace
from ....kernels.zero_safe import DIVIDED_NUMPY, SCALED_NUMPY
from ..differentiable import Op
from .standard import BinaryOp


class ZeroSafeOp(BinaryOp):
    """An op of two arrays that the standard does not know: its definition is its own."""

    def __init__(self, definition: Callable[..., Any]) -> None:
        Op.__init__(self, definition, inspect.signature(definition))

    def _plain(self, x: Array) -> Callable[..., Any]:
        return self.definition


@ZeroSafeOp
def scaled(cotangent: Array, slope: Array, /) -> Array:
    """cotangent * slope; zero where the cotangent is zero, whatever the slope."""
    xp = array_namespace(cotangent, slope)
    return cotangent * xp.where(cotangent == 0, xp.zeros_like(slope), slope)


scaled.derivative.add(
    {
        "cotangent": lambda dy, slope: scaled(dy, slope),
        "slope": lambda dy, cotangent: scaled(cotangent, dy),
    }
)
scaled.fused_by(numpy=SCALED_NUMPY)


@ZeroSafeOp
def divided(cotangent: Array, x: Array, /) -> Array:
    """cotangent / x; zero where the cotangent is zero, also for x = 0."""
    xp = array_namespace(cotangent, x)
    return cotangent / xp.where(cotangent == 0, xp.ones_like(x), x)


divided.derivative.add(
    {
        "cotangent": lambda dy, x: divided(dy, x),
        "x": lambda dy, x, y: -divided(scaled(y, dy), x),  # y is 0 where the cotangent is
    }
)
divided.fused_by(numpy=DIVIDED_NUMPY)
