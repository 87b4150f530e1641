"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from ...kernels.cuda.rmsprop import rmsprop_cupy, rmsprop_half_cupy
from ...kernels.rmsprop import rmsprop_numpy
from .hyperparameters import below_one, non_negative, switch
from .optimizer import Optimizer


def rmsprop(
    p: Array,
    dp: Array,
    s: Array,
    *others: Array,
    t: int,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> tuple[Array, ...]:
    """(p - lr dp / (sqrt(s) + eps), s), with s = alpha s + (1 - alpha) dp^2.

    others: the running mean of dp if centered, then the velocity if there is momentum; they follow
    s in the result. centered: mean^2 is taken from s under the root. momentum: the quotient goes
    into a velocity. weight_decay adds weight_decay p to dp first. t is not used. Source: Tieleman
    and Hinton 2012, lecture 6e, where eps is 0; centered and momentum: Graves 2013, eq. 38 to 41.
    """
    xp = array_namespace(p)
    if weight_decay:
        dp = dp + weight_decay * p
    s = alpha * s + (1.0 - alpha) * dp * dp
    new = [s]
    variance = s
    if centered:
        mean = alpha * others[0] + (1.0 - alpha) * dp
        # Rounding may leave less than 0.
        variance = xp.maximum(s - mean * mean, xp.zeros_like(s))
        new.append(mean)
    step = dp / (xp.sqrt(variance) + eps)
    if momentum:
        step = momentum * others[-1] + step
        new.append(step)
    return p - lr * step, *new


class RMSprop(Optimizer):
    """p - lr dp / (sqrt(s) + eps), with s the running mean of dp^2.

    params, errors: see Optimizer. lr, eps, weight_decay >= 0; alpha, momentum in [0, 1). centered:
    divide by the running standard deviation instead. eps=0 is the lecture's own form; a gradient
    that has always been 0 then gives 0 / 0. optax's rmsprop has alpha=0.9 and eps inside of the
    root by default, and lr inside of the velocity. Source: see rmsprop(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "alpha": below_one,
        "eps": non_negative,
        "weight_decay": non_negative,
        "momentum": below_one,
        "centered": switch,
    }
    moment_names = ("square_avg", "grad_avg", "momentum_buffer")
    definition = staticmethod(rmsprop)
    kernels: ClassVar = {"numpy": rmsprop_numpy}
    asking_kernels: ClassVar = {"cupy": rmsprop_cupy}
    half_kernels: ClassVar = {"cupy": rmsprop_half_cupy}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        settings = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "momentum": momentum, "centered": centered})

    def moments(self, values: dict[str, Any]) -> tuple[str, ...]:
        """The mean square, then the mean and the velocity where they are used."""
        used = (True, values["centered"], values["momentum"] > 0.0)
        return tuple(name for name, is_used in zip(self.moment_names, used, strict=True) if is_used)
