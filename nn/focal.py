"""Losses that weigh their terms by how far off a prediction is: focal and smooth_l1."""

from __future__ import annotations

from ..backend import Array
from ..backend.errors import HyperparameterError
from .activation import log_sigmoid, sigmoid
from .autograd import differentiable
from .loss_checks import check_not_negative
from .losses import huber, l1
from .reduction import check_pair, reduced


@differentiable
def smooth_l1(
    prediction: Array, target: Array, *, beta: float = 1.0, reduction: str = "mean"
) -> Array:
    """Mean of d^2 / (2 beta) for |d| < beta and |d| - beta / 2 beyond, d = prediction - target.

    This is huber with delta = beta, divided by beta; with beta = 0 it is l1.
    prediction, target: floating, of the same shape and dtype -> (), or that shape for "none".
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Girshick 2015, Fast R-CNN, equation 3.
    """
    if beta == 0.0:
        return l1(prediction, target, reduction=reduction)
    return huber(prediction, target, delta=beta, reduction=reduction) * (1.0 / beta)


@smooth_l1.requires
def _(prediction: Array, target: Array, beta: float = 1.0, reduction: str = "mean") -> None:
    check_pair("smooth_l1", prediction, target, reduction)
    check_not_negative("smooth_l1", beta=beta)


@differentiable
def focal(
    logits: Array,
    target: Array,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    reduction: str = "mean",
) -> Array:
    """Mean of -a (1 - p)^gamma log p, where p is the probability given to what is true.

    That is s(x) for target 1 and 1 - s(x) for 0, s the sigmoid and x the logits; a is alpha for
    target 1 and 1 - alpha for 0, or 1 for both with alpha = -1. Targets between mix linearly.
    logits, target: floating, of the same shape and dtype -> (), or that shape for "none" (the
    default of torchvision's sigmoid_focal_loss). gamma: at least 0.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Lin, Goyal, Girshick, He, Dollar 2017, equation 5.
    """
    no = 1.0 - target
    entropy = -(target * log_sigmoid(logits) + no * log_sigmoid(-logits))
    terms = entropy
    if gamma:
        error = target * sigmoid(-logits) + no * sigmoid(logits)  # 1 - p, without cancellation
        terms = error ** float(gamma) * entropy
    if alpha >= 0.0:
        terms = (alpha * target + (1.0 - alpha) * no) * terms
    return reduced(terms, reduction)


@focal.requires
def _(
    logits: Array,
    target: Array,
    alpha: float = 0.25,
    gamma: float = 2.0,
    reduction: str = "mean",
) -> None:
    check_pair("focal", logits, target, reduction)
    check_focal("focal", alpha, gamma)


def check_focal(operation: str, alpha: float, gamma: float) -> None:
    """Raises HyperparameterError unless alpha is in [0, 1], or -1, and gamma at least 0."""
    check_not_negative(operation, gamma=gamma)
    if not (0.0 <= alpha <= 1.0 or alpha == -1.0):
        raise HyperparameterError(
            f"{operation}: alpha must be in [0, 1], or -1 for none, got {alpha!r}"
        )
