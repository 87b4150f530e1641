"""Lion: steps of one size, in the direction of the sign of a momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .hyperparameters import non_negative, two_below_one
from .optimizer import Optimizer


def lion(
    p: Array,
    dp: Array,
    m: Array,
    *,
    t: int,
    lr: float,
    betas: tuple[float, float],
    weight_decay: float,
) -> tuple[Array, Array]:
    """(p - lr (sign(c) + weight_decay p), m) with c = beta1 m + (1 - beta1) dp from the old m.

    m = beta2 m + (1 - beta2) dp afterwards. t is not used.
    Source: Chen, Liang, Huang and others 2023, algorithm 2.
    """
    xp = array_namespace(p)
    beta1, beta2 = betas
    direction = xp.sign(beta1 * m + (1.0 - beta1) * dp)
    p = (1.0 - lr * weight_decay) * p - lr * direction
    return p, beta2 * m + (1.0 - beta2) * dp


class Lion(Optimizer):
    """p - lr (sign(c) + weight_decay p): the sign of a mean of gradients, with one moment to keep.

    params, errors: see Optimizer. lr, weight_decay >= 0; betas: two numbers in [0, 1), the first
    for the step, the second for what is kept. weight_decay is AdamW's. The paper takes lr 3 to 10
    times smaller than for AdamW and weight_decay as much larger.
    Source: see lion(); the paper's defaults. torch has no Lion; optax's decays by 1e-3 unless told.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "betas": two_below_one,
        "weight_decay": non_negative,
    }
    moment_names = ("exp_avg",)
    definition = staticmethod(lion)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})
