"""Stochastic gradient descent with momentum in its variants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array
from ...backend.errors import HyperparameterError
from ...kernels.cuda.sgd import sgd_cupy, sgd_half_cupy
from ...kernels.sgd import gradient_share, sgd_numpy
from .hyperparameters import below_one, non_negative, switch, up_to_one
from .optimizer import Optimizer


def sgd(
    p: Array,
    dp: Array,
    v: Array | None = None,
    *,
    t: int,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    ewma: bool,
) -> tuple[Array, ...]:
    """(p - lr v, v) with v = momentum v + dp; without momentum (p - lr dp,).

    weight_decay adds weight_decay p to dp first. ewma: v = momentum v + (1 - momentum) dp, the
    moving average of the gradients. nesterov: the step is dp + momentum v. dampening, torch's: dp
    counts 1 - dampening times except for t = 1. Source: Polyak 1964; nesterov as in Sutskever,
    Martens, Dahl, Hinton 2013.
    """
    if weight_decay:
        dp = dp + weight_decay * p
    if v is None:
        return (p - lr * dp,)
    dp = gradient_share(t, momentum, dampening, ewma) * dp
    v = momentum * v + dp
    return p - lr * (dp + momentum * v if nesterov else v), v


class SGD(Optimizer):
    """p - lr v, with the velocity v = momentum v + dp: stochastic gradient descent.

    params, errors: see Optimizer. lr >= 0; momentum in [0, 1); dampening in [0, 1]; weight_decay
    >= 0 (L2: added to the gradient). nesterov: look ahead, dp + momentum v; needs momentum and no
    dampening. ewma: the course's form, v = momentum v + (1 - momentum) dp, which is the classical
    one with the learning rate (1 - momentum) lr. dampening=momentum is nearly that, but torch lets
    the first gradient count fully. optax's sgd has no dampening and no weight_decay.
    Defaults as in torch. Source: see sgd().
    """

    checks: ClassVar = {
        "lr": non_negative,
        "momentum": below_one,
        "dampening": up_to_one,
        "weight_decay": non_negative,
        "nesterov": switch,
        "ewma": switch,
    }
    moment_names = ("momentum_buffer",)
    definition = staticmethod(sgd)
    kernels: ClassVar = {"numpy": sgd_numpy}
    asking_kernels: ClassVar = {"cupy": sgd_cupy}
    half_kernels: ClassVar = {"cupy": sgd_half_cupy}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        ewma: bool = False,
    ) -> None:
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening}
        settings |= {"weight_decay": weight_decay, "nesterov": nesterov, "ewma": ewma}
        super().__init__(params, settings)

    def moments(self, values: dict[str, Any]) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return self.moment_names if values["momentum"] else ()

    def check_together(self, values: dict[str, Any]) -> None:
        """Raises HyperparameterError for variants of momentum without momentum, or two at once."""
        if (values["nesterov"] or values["ewma"]) and not values["momentum"]:
            raise HyperparameterError(f"{self}: nesterov and ewma need momentum > 0, got 0")
        if (values["nesterov"] or values["ewma"]) and values["dampening"]:
            raise HyperparameterError(
                f"{self}: nesterov and ewma need dampening = 0, got {values['dampening']}"
            )
