"""dropout and its layer."""

from __future__ import annotations

from ..backend import Array, array_namespace, device_of
from ..backend.errors import HyperparameterError
from ..backend.random import Generator, default_generator
from .module import Module


def dropout(
    x: Array, p: float = 0.5, *, training: bool = True, generator: Generator | None = None
) -> Array:
    """x with each element zero with probability p, the others divided by 1 - p (inverted dropout).

    The mean stays, so that nothing is left to do in evaluation: training=False gives x itself.
    p: the probability to drop (the paper's p is the one to keep), to a multiple of 2^-32.
    generator: where the choices are drawn, the process's own unless given; alike on every device.
    Raises HyperparameterError unless 0 <= p <= 1.
    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, section 10.
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return x
    source = default_generator() if generator is None else generator
    kept = source.bernoulli(1.0 - p, tuple(x.shape), device=device_of(x))
    scale = 1.0 / (1.0 - p) if p < 1 else 0.0
    return x * (array_namespace(kept).astype(kept, x.dtype) * scale)


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


def check_probability(operation: str, p: float) -> None:
    """Raises HyperparameterError unless 0 <= p <= 1."""
    if not 0.0 <= p <= 1.0:  # false for NaN too
        raise HyperparameterError(
            f"{operation}: p, the probability to drop an element, must be in [0, 1], got {p!r}"
        )
