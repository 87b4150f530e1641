"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from ...kernels.adam import adam_numpy, adamw_numpy
from ...kernels.cuda.adam import adam_cupy, adam_half_cupy, adamw_cupy, adamw_half_cupy
from .hyperparameters import non_negative, two_below_one
from .optimizer import Optimizer


def adam(
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
) -> tuple[Array, Array, Array]:
    """(p - lr m_hat / (sqrt(v_hat) + eps), m, v): the t-th update of p with the gradient dp.

    m = beta1 m + (1 - beta1) dp, v = beta2 v + (1 - beta2) dp^2, m_hat = m / (1 - beta1^t),
    v_hat = v / (1 - beta2^t). weight_decay adds weight_decay p to dp first.
    Source: Kingma and Ba 2015, algorithm 1; the corrections are drawn into two numbers, as at the
    end of their section 2, with eps scaled along so that it is algorithm 1's.
    """
    xp = array_namespace(p)
    beta1, beta2 = betas
    if weight_decay:
        dp = dp + weight_decay * p
    m = beta1 * m + (1.0 - beta1) * dp
    v = beta2 * v + (1.0 - beta2) * dp * dp
    root = (1.0 - beta2**t) ** 0.5
    step = lr * root / (1.0 - beta1**t)
    return p - step * (m / (xp.sqrt(v) + eps * root)), m, v


def adamw(
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
) -> tuple[Array, Array, Array]:
    """adam() of p - lr weight_decay p, without weight_decay in the gradient.

    Source: Loshchilov and Hutter 2019, algorithm 2; as in torch lr multiplies the decay, where the
    paper has only the schedule's factor.
    """
    p = (1.0 - lr * weight_decay) * p
    return adam(p, dp, m, v, t=t, lr=lr, betas=betas, eps=eps, weight_decay=0.0)


class Adam(Optimizer):
    """p - lr m_hat / (sqrt(v_hat) + eps): steps by running means of the gradient and its square.

    params, errors: see Optimizer. lr, eps, weight_decay >= 0; betas: two numbers in [0, 1).
    weight_decay is L2: it is added to the gradient; AdamW has the decoupled one. optax's adam is
    the same without it. torch's amsgrad=True is AMSGrad.
    Source: Kingma and Ba 2015, algorithm 1 and its defaults. eps stands outside of the root.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "betas": two_below_one,
        "eps": non_negative,
        "weight_decay": non_negative,
    }
    moment_names = ("exp_avg", "exp_avg_sq")  # m and v, by their names in torch
    definition = staticmethod(adam)
    kernels: ClassVar = {"numpy": adam_numpy}
    asking_kernels: ClassVar = {"cupy": adam_cupy}
    half_kernels: ClassVar = {"cupy": adam_half_cupy}

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


class AdamW(Adam):
    """Adam whose weight decay is apart from the gradient: p shrinks by lr weight_decay p first.

    optax's adamw is the same with weight_decay=1e-4 by default.
    Source: Loshchilov and Hutter 2019, algorithm 2, with lr as a factor of the decay; defaults as
    in torch.
    """

    torch_switches = ("decoupled_weight_decay",)  # True in torch's groups
    definition = staticmethod(adamw)
    kernels: ClassVar = {"numpy": adamw_numpy}
    asking_kernels: ClassVar = {"cupy": adamw_cupy}
    half_kernels: ClassVar = {"cupy": adamw_half_cupy}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)
