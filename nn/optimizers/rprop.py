"""Rprop: every number has a step size of its own, which follows the signs of its gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError
from .hyperparameters import non_negative
from .optimizer import Optimizer


def rprop(
    p: Array,
    dp: Array,
    previous: Array,
    size: Array,
    *,
    t: int,
    lr: float,
    etas: tuple[float, float],
    step_sizes: tuple[float, float],
) -> tuple[Array, Array, Array]:
    """(p - size sign(dp), dp, size), with size times etas[1] where dp kept its sign.

    Where the sign turned, size is times etas[0], and dp counts as 0, here and in the next update.
    size begins at lr and stays between the two step_sizes.
    Source: Riedmiller and Braun 1993; without going back, as iRprop- of Igel and Huesken 2000.
    """
    xp = array_namespace(p)
    smaller, larger = etas
    if t == 1:
        size = size + lr
    agreement = dp * previous
    ones = xp.ones_like(p)
    factor = xp.where(agreement > 0, larger * ones, xp.where(agreement < 0, smaller * ones, ones))
    size = xp.clip(size * factor, *step_sizes)
    dp = xp.where(agreement < 0, 0.0 * ones, dp)
    return p - size * xp.sign(dp), dp, size


class Rprop(Optimizer):
    """p - size sign(dp): only signs of the gradient count; for whole-batch training.

    params, errors: see Optimizer. lr >= 0: the first step size; later changes of it do nothing.
    etas: 0 < etas[0] < 1 < etas[1]; step_sizes: the least and the largest, 0 <= least <= largest.
    optax's rprop is the same. Source: see rprop(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "etas": lambda name, value: _pair(name, value),
        "step_sizes": lambda name, value: _pair(name, value),
    }
    moment_names = ("prev", "step_size")
    definition = staticmethod(rprop)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes})

    def check_together(self, values: dict[str, Any]) -> None:
        """Raises HyperparameterError for pairs in the wrong order."""
        smaller, larger = values["etas"]
        if not 0.0 < smaller < 1.0 < larger:
            raise HyperparameterError(
                f"{self}: etas must be 0 < etas[0] < 1 < etas[1], got {values['etas']}"
            )
        least, largest = values["step_sizes"]
        if least > largest:
            raise HyperparameterError(
                f"{self}: step_sizes must be (least, largest), got {values['step_sizes']}"
            )


def _pair(name: str, value: Any) -> tuple[float, float]:
    """Two finite numbers >= 0."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise HyperparameterError(f"{name} must be two finite numbers >= 0, got {value!r}")
    return non_negative(f"{name}[0]", value[0]), non_negative(f"{name}[1]", value[1])
