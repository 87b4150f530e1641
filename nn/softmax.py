"""softmax and log_softmax along an axis, and their layers."""

from __future__ import annotations

from ..backend import Array
from .autograd.ops.softmax import log_softmax as log_softmax  # public names of this file too
from .autograd.ops.softmax import softmax as softmax
from .module import Module


class Softmax(Module):
    """softmax along an axis. For a loss give cross_entropy the logits instead."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return softmax(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class LogSoftmax(Module):
    """log_softmax along an axis."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return log_softmax(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"
