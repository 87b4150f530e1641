"""Adamax: Adam with the largest recent gradient in place of the root mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .hyperparameters import non_negative, two_below_one
from .optimizer import Optimizer


def adamax(
    p: Array,
    dp: Array,
    m: Array,
    u: Array,
    *,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> tuple[Array, Array, Array]:
    """(p - lr / (1 - beta1^t) m / u, m, u): the t-th update of p with the gradient dp.

    m = beta1 m + (1 - beta1) dp, u = max(beta2 u, |dp| + eps). weight_decay adds weight_decay p to
    dp first. Source: Kingma and Ba 2015, algorithm 2, where eps is 0; its place is torch's.
    """
    xp = array_namespace(p)
    beta1, beta2 = betas
    if weight_decay:
        dp = dp + weight_decay * p
    m = beta1 * m + (1.0 - beta1) * dp
    u = xp.maximum(beta2 * u, xp.abs(dp) + eps)
    return p - lr / (1.0 - beta1**t) * (m / u), m, u


class Adamax(Optimizer):
    """p - lr m_hat / u, with u the largest |dp|, where older ones count less by beta2 a step.

    params, errors: see Optimizer. lr, eps, weight_decay (L2) >= 0; betas: two numbers in [0, 1).
    With eps=0 a gradient that has always been 0 gives 0 / 0. optax's adamax is the same.
    Source: see adamax(); defaults of the paper and of torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "betas": two_below_one,
        "eps": non_negative,
        "weight_decay": non_negative,
    }
    moment_names = ("exp_avg", "exp_inf")
    definition = staticmethod(adamax)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings)
