"""AMSGrad: Adam divided by the largest mean of squares so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .adam import Adam
from .optimizer import Optimizer


def amsgrad(
    p: Array,
    dp: Array,
    m: Array,
    v: Array,
    largest: Array,
    *,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> tuple[Array, Array, Array, Array]:
    """(p - lr m_hat / (sqrt(largest / (1 - beta2^t)) + eps), m, v, largest).

    m, v and m_hat are adam()'s, largest = max(largest, v). weight_decay adds weight_decay p to dp
    first. Source: Reddi, Kale, Kumar 2018, algorithm 2; as in torch with Adam's two corrections,
    that of v after the maximum. optax's amsgrad takes the maximum of the corrected v.
    """
    xp = array_namespace(p)
    beta1, beta2 = betas
    if weight_decay:
        dp = dp + weight_decay * p
    m = beta1 * m + (1.0 - beta1) * dp
    v = beta2 * v + (1.0 - beta2) * dp * dp
    largest = xp.maximum(largest, v)
    root = (1.0 - beta2**t) ** 0.5
    step = lr * root / (1.0 - beta1**t)
    return p - step * (m / (xp.sqrt(largest) + eps * root)), m, v, largest


class AMSGrad(Optimizer):
    """Adam whose divisor never shrinks, which its proof of convergence needs.

    params, errors: see Optimizer; settings as for Adam. torch spells it Adam(amsgrad=True).
    Source: see amsgrad(); defaults as in torch.
    """

    checks: ClassVar = Adam.checks
    moment_names = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    torch_switches = ("amsgrad",)  # True in torch's groups
    definition = staticmethod(amsgrad)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings)
