"""Losses of predictions against targets of the same shape: they never broadcast.

Each has reduction="mean" (over all elements, as in torch), "sum" or "none", and derivatives with
respect to both arguments. cross_entropy, for classes, has its own file.
"""

from __future__ import annotations

from ..backend import Array, array_namespace, unwrap
from ..backend.errors import DomainError, HyperparameterError
from .activation import sigmoid
from .autograd import differentiable
from .reduction import check_pair, dterms, reduced

LOWEST_LOGARITHM = -100.0  # torch's bound: the loss of a wrong certainty is 100, not infinite
SMALLEST_VARIANCE = 9.999999960041972e-13  # torch's of p (1 - p) in the derivative: 1e-12f


@differentiable
def mse(prediction: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Mean of (prediction - target)^2 over all elements: squared error.

    prediction, target: floating, of the same shape and dtype -> (), or that shape for "none".
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Goodfellow, Bengio, Courville 2016, section 5.1.4. The course's cost has half of it.
    """
    xp = array_namespace(prediction, target)
    return reduced(xp.square(prediction - target), reduction)


@mse.requires
def _(prediction: Array, target: Array, reduction: str = "mean") -> None:
    check_pair("mse", prediction, target, reduction)


def _dmse(dy: Array, prediction: Array, target: Array, reduction: str) -> Array:
    return dterms(2.0 * dy, prediction.shape, reduction) * (prediction - target)


mse.backward(
    prediction=_dmse,
    target=lambda dy, prediction, target, reduction: -_dmse(dy, prediction, target, reduction),
)


@differentiable
def l1(prediction: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Mean of |prediction - target| over all elements: absolute error. Its derivative at 0 is 0.

    prediction, target: floating, of the same shape and dtype -> (), or that shape for "none".
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    xp = array_namespace(prediction, target)
    return reduced(xp.abs(prediction - target), reduction)


@l1.requires
def _(prediction: Array, target: Array, reduction: str = "mean") -> None:
    check_pair("l1", prediction, target, reduction)


def _dl1(dy: Array, prediction: Array, target: Array, reduction: str) -> Array:
    xp = array_namespace(prediction, target)
    return dterms(dy, prediction.shape, reduction) * xp.sign(prediction - target)


l1.backward(
    prediction=_dl1,
    target=lambda dy, prediction, target, reduction: -_dl1(dy, prediction, target, reduction),
)


@differentiable
def huber(
    prediction: Array, target: Array, *, delta: float = 1.0, reduction: str = "mean"
) -> Array:
    """Mean of d^2 / 2 for |d| <= delta and delta (|d| - delta / 2) beyond, d = prediction - target.

    prediction, target: floating, of the same shape and dtype -> (), or that shape for "none".
    delta: positive. Raises ShapeError, DtypeError, DeviceError, HyperparameterError and
    EmptyReductionError. Source: Huber 1964, Robust estimation of a location parameter, section 4.
    """
    xp = array_namespace(prediction, target)
    distance = xp.abs(prediction - target)
    inside = xp.minimum(distance, xp.full_like(distance, delta))
    return reduced(inside * (distance - 0.5 * inside), reduction)


@huber.requires
def _(prediction: Array, target: Array, delta: float = 1.0, reduction: str = "mean") -> None:
    check_pair("huber", prediction, target, reduction)
    check_delta("huber", delta)


def check_delta(operation: str, delta: float) -> None:
    """Raises HyperparameterError unless delta is positive and finite."""
    if not 0.0 < delta < float("inf"):
        raise HyperparameterError(f"{operation}: delta must be positive and finite, got {delta!r}")


def _dhuber(dy: Array, prediction: Array, target: Array, delta: float, reduction: str) -> Array:
    """The difference, cut at delta on both sides."""
    xp = array_namespace(prediction, target)
    bound = xp.full_like(prediction, delta)
    difference = xp.maximum(xp.minimum(prediction - target, bound), -bound)
    return dterms(dy, prediction.shape, reduction) * difference


huber.backward(
    prediction=_dhuber,
    target=lambda dy, prediction, target, delta, reduction: (
        -_dhuber(dy, prediction, target, delta, reduction)
    ),
)


@differentiable
def binary_cross_entropy(probability: Array, target: Array, *, reduction: str = "mean") -> Array:
    """Mean of -(t log p + (1 - t) log(1 - p)) over all elements, in nats.

    probability: floating, each in [0, 1]; target: the same shape and dtype, each in [0, 1] -> (),
    or that shape for "none". As in torch a logarithm counts as -100 at least, and p (1 - p) in the
    derivative as 1e-12 at least. From logits, binary_cross_entropy_with_logits loses no digits.
    Raises DomainError for a probability outside of [0, 1] (on a GPU this check reads one scalar),
    ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    log_p, log_q = _bounded_log(probability), _bounded_log_of_rest(probability)
    return reduced(-(target * log_p + (1.0 - target) * log_q), reduction)


def _bounded_log(p: Array) -> Array:
    """log(p), but -100 at 0 and wherever it is less."""
    xp = array_namespace(p)
    bounded = xp.clip(xp.log(xp.where(p > 0.0, p, xp.ones_like(p))), LOWEST_LOGARITHM, 0.0)
    return xp.where(p > 0.0, bounded, xp.full_like(p, LOWEST_LOGARITHM))


def _bounded_log_of_rest(p: Array) -> Array:
    """log(1 - p), but -100 at 1 and wherever it is less."""
    xp = array_namespace(p)
    bounded = xp.clip(xp.log1p(-xp.where(p < 1.0, p, xp.zeros_like(p))), LOWEST_LOGARITHM, 0.0)
    return xp.where(p < 1.0, bounded, xp.full_like(p, LOWEST_LOGARITHM))


@binary_cross_entropy.requires
def _(probability: Array, target: Array, reduction: str = "mean") -> None:
    check_pair("binary_cross_entropy", probability, target, reduction)
    p = unwrap(probability)
    xp = array_namespace(p)
    if not bool(xp.all((p >= 0.0) & (p <= 1.0))):
        raise DomainError(
            "binary_cross_entropy: every probability must be in [0, 1], got values from "
            f"{float(xp.min(p)):.6g} to {float(xp.max(p)):.6g}; for logits use "
            "binary_cross_entropy_with_logits"
        )


@binary_cross_entropy.backward
def _(dy: Array, probability: Array, target: Array, reduction: str) -> Array:
    xp = array_namespace(probability, target)  # (p - t) / (p (1 - p))
    variance = xp.clip(probability * (1.0 - probability), SMALLEST_VARIANCE, 1.0)
    return dterms(dy, probability.shape, reduction) * ((probability - target) / variance)


binary_cross_entropy.backward(
    target=lambda dy, probability, reduction: (
        dterms(dy, probability.shape, reduction)
        * (_bounded_log_of_rest(probability) - _bounded_log(probability))
    )
)


@differentiable
def binary_cross_entropy_with_logits(
    logits: Array, target: Array, *, reduction: str = "mean"
) -> Array:
    """Mean of -(t log s(x) + (1 - t) log(1 - s(x))), s the sigmoid, x the logits, in nats.

    As max(x, 0) - x t + log(1 + exp(-|x|)), which is exact for logits of any size.
    logits, target: floating, of the same shape and dtype, targets in [0, 1] -> (), or that shape
    for "none". Raises ShapeError, DtypeError, DeviceError, HyperparameterError and
    EmptyReductionError. Source: Goodfellow, Bengio, Courville 2016, section 6.2.2.2.
    """
    xp = array_namespace(logits, target)
    positive = xp.maximum(logits, xp.zeros_like(logits))
    terms = positive - logits * target + xp.log1p(xp.exp(-xp.abs(logits)))
    return reduced(terms, reduction)


@binary_cross_entropy_with_logits.requires
def _(logits: Array, target: Array, reduction: str = "mean") -> None:
    check_pair("binary_cross_entropy_with_logits", logits, target, reduction)


@binary_cross_entropy_with_logits.backward
def _(dy: Array, logits: Array, target: Array, reduction: str) -> Array:
    return dterms(dy, logits.shape, reduction) * (sigmoid(logits) - target)


binary_cross_entropy_with_logits.backward(
    target=lambda dy, logits, reduction: -dterms(dy, logits.shape, reduction) * logits
)
