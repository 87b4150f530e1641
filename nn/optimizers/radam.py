"""RAdam: Adam that steps like momentum until its mean of squares can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .hyperparameters import non_negative, switch, two_below_one
from .optimizer import Optimizer


def radam(
    p: Array,
    dp: Array,
    m: Array,
    v: Array,
    *,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
    decoupled_weight_decay: bool,
) -> tuple[Array, Array, Array]:
    """(p - lr r m_hat sqrt(1 - beta2^t) / (sqrt(v) + eps), m, v); before r exists (p - lr m_hat).

    m = beta1 m + (1 - beta1) dp, v = beta2 v + (1 - beta2) dp^2, m_hat = m / (1 - beta1^t),
    r = rectification(t, beta2). weight_decay adds weight_decay p to dp first; decoupled, it takes
    lr weight_decay p from p instead. Source: Liu, Jiang, He, Chen, Liu, Gao, Han 2020, algorithm 2;
    eps and its place are torch's: beside the root of v before the correction.
    """
    xp = array_namespace(p)
    beta1, beta2 = betas
    if weight_decay and decoupled_weight_decay:
        p = (1.0 - lr * weight_decay) * p
    elif weight_decay:
        dp = dp + weight_decay * p
    m = beta1 * m + (1.0 - beta1) * dp
    v = beta2 * v + (1.0 - beta2) * dp * dp
    step = lr / (1.0 - beta1**t)
    r = rectification(t, beta2)
    if r is None:
        return p - step * m, m, v
    return p - step * r * (1.0 - beta2**t) ** 0.5 * (m / (xp.sqrt(v) + eps)), m, v


def rectification(t: int, beta2: float) -> float | None:
    """r_t = sqrt(((rho_t - 4) (rho_t - 2) rho) / ((rho - 4) (rho - 2) rho_t)), None if rho_t <= 5.

    rho = 2 / (1 - beta2) - 1 and rho_t = rho - 2 t beta2^t / (1 - beta2^t): over how many gradients
    v is a mean. The paper's bound is 4, torch's and the authors' code's is 5.
    """
    rho = 2.0 / (1.0 - beta2) - 1.0
    rho_t = rho - 2.0 * t * beta2**t / (1.0 - beta2**t)
    if rho_t <= 5.0:
        return None
    return ((rho_t - 4.0) * (rho_t - 2.0) * rho / ((rho - 4.0) * (rho - 2.0) * rho_t)) ** 0.5


class RAdam(Optimizer):
    """Adam with its step rectified for the variance of a young mean of squares: no warm-up needed.

    params, errors: see Optimizer. lr, eps, weight_decay >= 0; betas: two numbers in [0, 1).
    weight_decay is L2, or AdamW's with decoupled_weight_decay=True. optax's radam adds eps to the
    root of the corrected v.
    Source: see radam(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "betas": two_below_one,
        "eps": non_negative,
        "weight_decay": non_negative,
        "decoupled_weight_decay": switch,
    }
    moment_names = ("exp_avg", "exp_avg_sq")
    definition = staticmethod(radam)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "decoupled_weight_decay": decoupled_weight_decay})
