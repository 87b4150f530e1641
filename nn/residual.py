"""Residual: a module whose input is added to its output."""

from __future__ import annotations

from ..backend import Array
from ..backend.errors import ShapeError
from .module import Module


class Residual(Module):
    """module(x) + x, or module(x) + shortcut(x) where the module changes the shape.

    Raises ShapeError unless both have the same shape. Source: He, Zhang, Ren, Sun 2016, equation 1.
    """

    def __init__(self, module: Module, shortcut: Module | None = None) -> None:
        self.module = module
        self.shortcut = shortcut

    def forward(self, x: Array) -> Array:
        y, past = self.module(x), x if self.shortcut is None else self.shortcut(x)
        if tuple(y.shape) != tuple(past.shape):
            raise ShapeError(
                f"Residual: the module must keep the shape {tuple(past.shape)} of what is added, "
                f"got {tuple(y.shape)}; give a shortcut that changes it alike"
            )
        return y + past
