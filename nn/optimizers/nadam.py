"""NAdam: Adam with Nesterov's look ahead and a momentum that warms up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .hyperparameters import non_negative, switch, two_below_one
from .optimizer import Optimizer

BLOCK = 256  # factors of a product that are kept together


def nadam(
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
    momentum_decay: float,
    decoupled_weight_decay: bool,
) -> tuple[Array, Array, Array]:
    """(p - lr m_bar / (sqrt(v_hat) + eps), m, v): the t-th update of p with the gradient dp.

    m = beta1 m + (1 - beta1) dp, v = beta2 v + (1 - beta2) dp^2, v_hat = v / (1 - beta2^t),
    m_bar = (1 - mu_t) dp / (1 - mu_1 ... mu_t) + mu_(t+1) m / (1 - mu_1 ... mu_(t+1)), with
    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2). weight_decay adds weight_decay p to dp first;
    decoupled, it takes lr weight_decay p from p instead.
    Source: Dozat 2016, algorithm 2. As in torch m is Adam's, with beta1 in the place of mu_t.
    """
    xp = array_namespace(p)
    beta1, beta2 = betas
    if weight_decay and decoupled_weight_decay:
        p = (1.0 - lr * weight_decay) * p
    elif weight_decay:
        dp = dp + weight_decay * p
    m = beta1 * m + (1.0 - beta1) * dp
    v = beta2 * v + (1.0 - beta2) * dp * dp
    now, following = momentum(t, beta1, momentum_decay), momentum(t + 1, beta1, momentum_decay)
    product = momentum_product(t, beta1, momentum_decay)
    for_dp = (1.0 - now) / (1.0 - product)
    for_m = following / (1.0 - product * following)
    root = xp.sqrt(v / (1.0 - beta2**t)) + eps
    return p - lr * ((for_dp * dp + for_m * m) / root), m, v


def momentum(t: int, beta1: float, decay: float) -> float:
    """mu_t = beta1 (1 - 0.96^(t decay) / 2): from half of beta1 up to beta1."""
    return beta1 * (1.0 - 0.5 * 0.96 ** (t * decay))


def momentum_product(t: int, beta1: float, decay: float) -> float:
    """mu_1 mu_2 ... mu_t, as if these settings had held from the first update on."""
    n_blocks = t // BLOCK
    rest = math.prod(momentum(i, beta1, decay) for i in range(n_blocks * BLOCK + 1, t + 1))
    return math.prod(_block_product(block, beta1, decay) for block in range(n_blocks)) * rest


class NAdam(Optimizer):
    """Adam whose step looks ahead: the mean of the gradients as it will be in the next update.

    params, errors: see Optimizer. lr, eps, weight_decay, momentum_decay >= 0; betas: two numbers in
    [0, 1). weight_decay is L2, or AdamW's with decoupled_weight_decay=True. Changed betas or
    momentum_decay hold for the products of momenta from the first update on; torch, which keeps
    them in its state, would leave the factors so far. optax's nadam has a constant momentum.
    Source: see nadam(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "betas": two_below_one,
        "eps": non_negative,
        "weight_decay": non_negative,
        "momentum_decay": non_negative,
        "decoupled_weight_decay": switch,
    }
    moment_names = ("exp_avg", "exp_avg_sq")
    definition = staticmethod(nadam)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        settings |= {"momentum_decay": momentum_decay}
        super().__init__(params, {**settings, "decoupled_weight_decay": decoupled_weight_decay})


@lru_cache(maxsize=4096)
def _block_product(block: int, beta1: float, decay: float) -> float:
    """The product of one block of momenta; what a long training would repeat in every update."""
    first = block * BLOCK + 1
    return math.prod(momentum(i, beta1, decay) for i in range(first, first + BLOCK))
