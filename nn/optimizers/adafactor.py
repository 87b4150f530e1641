"""Adafactor: the mean square of a matrix's gradient, kept as one row and one column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError
from .arena import Shape
from .hyperparameters import at_least_one, non_negative, non_positive
from .optimizer import Optimizer


def adafactor(
    p: Array,
    dp: Array,
    *squares: Array,
    t: int,
    lr: float,
    beta2_decay: float,
    eps: tuple[float | None, float],
    d: float,
    weight_decay: float,
) -> tuple[Array, ...]:
    """(p - alpha u / max(1, rms(u) / d), *squares) with u = dp / sqrt(v): the t-th update of p.

    squares: the mean of dp^2 over each row (..., n, 1) and over each column (..., 1, m), whose
    product over the mean of the rows is v (..., n, m); of a vector v itself. They are running means
    that take t^beta2_decay of the new. alpha = max(eps[1], rms(p)) min(lr, 1 / sqrt(t)). sqrt(v) is
    at least eps[0], None: the dtype's eps. weight_decay: p shrinks by lr weight_decay p first.
    Source: Shazeer and Stern 2018, algorithms 4 to 6, where lr is 0.01; lr and the place of eps[0],
    which the paper adds to dp^2, are torch's.
    """
    xp = array_namespace(p)
    least = float(xp.finfo(p.dtype).eps) if eps[0] is None else eps[0]
    size = xp.clip(root_mean_square(p), min=eps[1]) * min(lr, t**-0.5)
    share = t**beta2_decay
    squares = tuple(
        old + share * (new - old) for old, new in zip(squares, mean_squares(dp), strict=True)
    )
    u = dp / xp.sqrt(xp.clip(joint_square(squares, least), min=least * least))
    u = u / xp.clip(root_mean_square(u) / d, min=1.0)
    return (1.0 - lr * weight_decay) * p - size * u, *squares


def mean_squares(dp: Array) -> tuple[Array, ...]:
    """The means of dp^2 over the last axis and over the last but one; of a vector dp^2 itself."""
    xp = array_namespace(dp)
    square = dp * dp
    if dp.ndim < 2:
        return (square,)
    return xp.mean(square, axis=-1, keepdims=True), xp.mean(square, axis=-2, keepdims=True)


def joint_square(squares: tuple[Array, ...], least: float) -> Array:
    """row column / max(mean(row), least), whose row and column means are those; or the one."""
    if len(squares) == 1:
        return squares[0]
    row, column = squares
    xp = array_namespace(row)
    return row * column / xp.clip(xp.mean(row, axis=-2, keepdims=True), min=least)


def root_mean_square(x: Array) -> Array:
    """sqrt(mean(x^2)) over all elements, of shape ()."""
    xp = array_namespace(x)
    return xp.sqrt(xp.mean(x * x))


def eps_pair(name: str, value: Any) -> tuple[float | None, float]:
    """(None or a number >= 0, a number >= 0). Raises HyperparameterError."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise HyperparameterError(
            f"{name} must be two finite numbers >= 0, the first may be None, got {value!r}"
        )
    first = None if value[0] is None else non_negative(f"{name}[0]", value[0])
    return first, non_negative(f"{name}[1]", value[1])


class Adafactor(Optimizer):
    """Adam without a first moment, whose second one is rows + columns numbers for a matrix.

    params, errors: see Optimizer. lr >= 0: the longest step relative to the size of p; beta2_decay
    <= 0; eps: the least sqrt(v) and the least size of p; d >= 1: the longest rms of an update;
    weight_decay >= 0, AdamW's. Every parameter is updated by itself. optax's adafactor factors only
    axes of 128 and more, adds 1e-30 to dp^2, has lr as a plain factor and the paper's momentum.
    Source: see adafactor(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "beta2_decay": non_positive,
        "eps": eps_pair,
        "d": at_least_one,
        "weight_decay": non_negative,
    }
    moment_names = ("row_var", "col_var", "variance")
    definition = staticmethod(adafactor)
    elementwise = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        settings = {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d}
        super().__init__(params, {**settings, "weight_decay": weight_decay})

    def moment_shapes(self, shape: Shape) -> dict[str, Shape]:
        """Row and column means of a matrix or a stack of them; all squares of a vector."""
        if len(shape) < 2:
            return {"variance": shape}
        return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}
