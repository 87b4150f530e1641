"""dropout and its layer."""

from __future__ import annotations

import math

from ..backend import Array, device_of
from ..backend.chance import Chance
from ..backend.errors import HyperparameterError
from ..backend.random import Generator, default_generator
from ..kernels.cuda.dropout import MASKED_CUPY
from .autograd import differentiable
from .autograd.tensor import innermost
from .module import Module
from .reduction import check_arrays, check_same_dtype


def dropout(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """x with each element zero with probability p, the others divided by 1 - p (inverted dropout).

    The mean stays, so that nothing is left to do in evaluation: training=False gives x itself.
    p: the probability to drop (the paper's p is the one to keep), to a multiple of 2^-32.
    generator: where the choices are drawn, the process's own unless given; alike on every device.
    Raises HyperparameterError unless 0 <= p <= 1, DtypeError unless x is floating.
    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, section 10.
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return x
    check_input("dropout", x)
    source = default_generator() if generator is None else generator
    return masked(x, chance=Chance(source, 1.0 - p, math.prod(x.shape)))


@differentiable
def masked(x: Array, *, chance: Chance) -> Array:
    """x with the elements that a chance keeps scaled up, the others zero."""
    raw = innermost(x)
    return x * chance.factors(tuple(raw.shape), raw.dtype, device_of(raw))


@masked.backward
def _(dy: Array, chance: Chance) -> Array:
    return masked(dy, chance=chance)


masked.fused_by(cupy=MASKED_CUPY)


class Dropout(Module):
    """dropout(x, p) in training, x itself in evaluation: see Module.train and eval."""

    def __init__(self, p: float = 0.5, *, generator: Generator | None = None) -> None:
        check_probability("Dropout", p)
        self.p = p
        self.generator = generator

    def forward(self, x: Array) -> Array:
        return dropout(x, self.p, training=self.training, generator=self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def check_input(operation: str, x: Array) -> None:
    """Raises DtypeError unless x is a floating array."""
    check_arrays(operation, x=x)
    check_same_dtype(operation, x=x)


def check_probability(operation: str, p: float) -> None:
    """Raises HyperparameterError unless 0 <= p <= 1."""
    if not 0.0 <= p <= 1.0:  # false for NaN too
        raise HyperparameterError(
            f"{operation}: p, the probability to drop an element, must be in [0, 1], got {p!r}"
        )
