"""Adagrad: steps divided by the root of the sum of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from .hyperparameters import non_negative
from .optimizer import Optimizer


def adagrad(
    p: Array,
    dp: Array,
    s: Array,
    *,
    t: int,
    lr: float,
    lr_decay: float,
    weight_decay: float,
    initial_accumulator_value: float,
    eps: float,
) -> tuple[Array, Array]:
    """(p - lr_t dp / (sqrt(s) + eps), s) with s = s + dp^2, lr_t = lr / (1 + (t - 1) lr_decay).

    s begins at initial_accumulator_value. weight_decay adds weight_decay p to dp first.
    Source: Duchi, Hazan, Singer 2011, figure 1 (the diagonal form); lr_decay is torch's.
    """
    xp = array_namespace(p)
    if weight_decay:
        dp = dp + weight_decay * p
    if t == 1:
        s = s + initial_accumulator_value
    s = s + dp * dp
    step = lr / (1.0 + (t - 1) * lr_decay)
    return p - step * (dp / (xp.sqrt(s) + eps)), s


class Adagrad(Optimizer):
    """p - lr dp / (sqrt(s) + eps), with s the sum of dp^2 over all updates: rare features learn.

    params, errors: see Optimizer. lr, lr_decay, weight_decay (L2), initial_accumulator_value, eps
    >= 0; initial_accumulator_value counts at the first update of a parameter. optax begins at 0.1
    and puts eps inside of the root. Source: see adagrad(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "lr_decay": non_negative,
        "weight_decay": non_negative,
        "initial_accumulator_value": non_negative,
        "eps": non_negative,
    }
    moment_names = ("sum",)
    definition = staticmethod(adagrad)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        settings = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay}
        settings |= {"initial_accumulator_value": initial_accumulator_value, "eps": eps}
        super().__init__(params, settings)
