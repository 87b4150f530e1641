"""Adadelta: steps in the units of the parameters, by two running mean squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .hyperparameters import non_negative, up_to_one
from .optimizer import Optimizer


def adadelta(
    p: Array,
    dp: Array,
    s: Array,
    d: Array,
    *,
    t: int,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
) -> tuple[Array, Array, Array]:
    """(p - lr step, s, d) with step = sqrt(d + eps) / sqrt(s + eps) dp.

    s = rho s + (1 - rho) dp^2 before the step, d = rho d + (1 - rho) step^2 after it. weight_decay
    adds weight_decay p to dp first. t is not used. Source: Zeiler 2012, algorithm 1, where lr is 1.
    """
    xp = array_namespace(p)
    if weight_decay:
        dp = dp + weight_decay * p
    s = rho * s + (1.0 - rho) * dp * dp
    step = xp.sqrt(d + eps) / xp.sqrt(s + eps) * dp
    return p - lr * step, s, rho * d + (1.0 - rho) * step * step


class Adadelta(Optimizer):
    """p - lr sqrt(d + eps) / sqrt(s + eps) dp: s and d are running means of dp^2 and of step^2.

    params, errors: see Optimizer. lr, eps, weight_decay (L2) >= 0; rho in [0, 1]. eps starts the
    motion: with 0 there is none. optax's adadelta is the same. Source: see adadelta(); defaults as
    in torch, where the paper has rho=0.95.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "rho": up_to_one,
        "eps": non_negative,
        "weight_decay": non_negative,
    }
    moment_names = ("square_avg", "acc_delta")
    definition = staticmethod(adadelta)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay})
