"""local_response_norm: channels divided by the strength of their neighbours; and its layer."""

from __future__ import annotations

import math

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.geometry import Geometry
from ..autograd import differentiable
from ..dimensions import check_integer
from ..module import Module
from ..pooling.windows import window_sum
from ..reduction import check_arrays, check_same_dtype


@differentiable
def local_response_norm(
    x: Array, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """x / (k + alpha m)^beta, m the mean of x^2 over size channels around each, zeros beyond.

    x: floating (batch, channels, ...) -> same shape and dtype; of an even size the larger half of
    the neighbours comes before. As in torch alpha is divided by size, unlike in the paper.
    Raises ShapeError, DtypeError, HyperparameterError.
    Source: Krizhevsky, Sutskever, Hinton 2012, section 3.3.
    """
    xp, n_channels = array_namespace(x), x.shape[1]
    around = ((size // 2, (size - 1) // 2),)
    geometry = Geometry((n_channels,), (size,), (1,), (1,), around)
    sums = window_sum(xp.moveaxis(x * x, 1, -1), geometry=geometry)
    return x / (k + (alpha / size) * xp.moveaxis(sums, -1, 1)) ** beta


@local_response_norm.requires
def _(x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
    check_arrays("local_response_norm", x=x)
    check_same_dtype("local_response_norm", x=x)
    _check_settings("local_response_norm", size, alpha, beta, k)
    if x.ndim < 2 or not x.shape[1]:
        raise ShapeError(
            "local_response_norm: x must be (batch, channels, ...) with at least one channel, got "
            f"shape {tuple(x.shape)}"
        )


def _check_settings(operation: str, size: int, alpha: float, beta: float, k: float) -> None:
    """Raises HyperparameterError unless size >= 1 and the others are finite, k and alpha >= 0."""
    check_integer(operation, "size", size)
    if not (math.isfinite(beta) and 0.0 <= alpha < math.inf and 0.0 <= k < math.inf):
        raise HyperparameterError(
            f"{operation}: alpha and k must be finite and at least 0, and beta finite, got "
            f"alpha={alpha}, beta={beta}, k={k}"
        )


class LocalResponseNorm(Module):
    """local_response_norm(x, size, ...). Raises HyperparameterError for a bad setting."""

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        _check_settings("LocalResponseNorm", size, alpha, beta, k)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Array) -> Array:
        settings = {"alpha": self.alpha, "beta": self.beta, "k": self.k}
        return local_response_norm(x, self.size, **settings)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
