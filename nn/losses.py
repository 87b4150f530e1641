"""Losses of predictions against targets of the same shape: they never broadcast.

Each has reduction="mean" (over all elements, as in torch), "sum" or "none", and derivatives with
respect to both arguments. cross_entropy, for classes, has its own file.
"""

from __future__ import annotations

from ..backend import Array, array_namespace, unwrap
from ..backend.errors import DomainError, HyperparameterError
from .activation import log_sigmoid, sigmoid
from .autograd import differentiable
from .loss_checks import check_weight
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
def binary_cross_entropy(
    probability: Array, target: Array, weight: Array | None = None, *, reduction: str = "mean"
) -> Array:
    """Mean of -w (t log p + (1 - t) log(1 - p)) over all elements, in nats.

    probability: floating, each in [0, 1]; target: the same shape and dtype, each in [0, 1] -> (),
    or that shape for "none". weight: w, 1 unless given; its shape broadcasts to that of the others.
    As in torch a logarithm counts as -100 at least, and p (1 - p) in the derivative as 1e-12 at
    least. From logits, binary_cross_entropy_with_logits loses no digits.
    Raises DomainError for a probability outside of [0, 1] (on a GPU this check reads one scalar),
    ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    """
    return reduced(_weighted(_entropy(probability, target), weight), reduction)


def _entropy(p: Array, t: Array) -> Array:
    return -(t * _bounded_log(p) + (1.0 - t) * _bounded_log_of_rest(p))


def _weighted(terms: Array, weight: Array | None) -> Array:
    return terms if weight is None else terms * weight


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
def _(
    probability: Array, target: Array, weight: Array | None = None, reduction: str = "mean"
) -> None:
    check_pair("binary_cross_entropy", probability, target, reduction)
    check_weight("binary_cross_entropy", "weight", weight, probability)
    p = unwrap(probability)
    xp = array_namespace(p)
    if not bool(xp.all((p >= 0.0) & (p <= 1.0))):
        raise DomainError(
            "binary_cross_entropy: every probability must be in [0, 1], got values from "
            f"{float(xp.min(p)):.6g} to {float(xp.max(p)):.6g}; for logits use "
            "binary_cross_entropy_with_logits"
        )


def _dprobability(
    dy: Array, probability: Array, target: Array, weight: Array | None, reduction: str
) -> Array:
    xp = array_namespace(probability, target)  # (p - t) / (p (1 - p))
    variance = xp.clip(probability * (1.0 - probability), SMALLEST_VARIANCE, 1.0)
    dterm = dterms(dy, probability.shape, reduction)
    return dterm * _weighted((probability - target) / variance, weight)


def _dtarget(dy: Array, probability: Array, weight: Array | None, reduction: str) -> Array:
    log_odds = _bounded_log_of_rest(probability) - _bounded_log(probability)
    return dterms(dy, probability.shape, reduction) * _weighted(log_odds, weight)


binary_cross_entropy.backward(
    probability=_dprobability,
    target=_dtarget,
    weight=lambda dy, probability, target, reduction: (
        dterms(dy, probability.shape, reduction) * _entropy(probability, target)
    ),
)


@differentiable
def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    *,
    reduction: str = "mean",
) -> Array:
    """Mean of -w (q t log s(x) + (1 - t) log(1 - s(x))), s the sigmoid, x the logits, in nats.

    As max(x, 0) - x t + log(1 + exp(-|x|)) without q, which is exact for logits of any size.
    logits, target: floating, of the same shape and dtype, targets in [0, 1] -> (), or that shape
    for "none". weight, pos_weight: w and q, 1 unless given; their shapes broadcast to that of the
    logits, so that pos_weight (classes,) weighs the positive examples of each class.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError and EmptyReductionError.
    Source: Goodfellow, Bengio, Courville 2016, section 6.2.2.2.
    """
    return reduced(_weighted(_logit_entropy(logits, target, pos_weight), weight), reduction)


def _logit_entropy(x: Array, t: Array, pos_weight: Array | None) -> Array:
    xp = array_namespace(x, t)
    if pos_weight is not None:
        return -(pos_weight * t * log_sigmoid(x) + (1.0 - t) * log_sigmoid(-x))
    positive = xp.maximum(x, xp.zeros_like(x))
    return positive - x * t + xp.log1p(xp.exp(-xp.abs(x)))


@binary_cross_entropy_with_logits.requires
def _(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: str = "mean",
) -> None:
    operation = "binary_cross_entropy_with_logits"
    check_pair(operation, logits, target, reduction)
    check_weight(operation, "weight", weight, logits)
    check_weight(operation, "pos_weight", pos_weight, logits)


@binary_cross_entropy_with_logits.backward("logits", "target", "weight", "pos_weight")
def _(
    dy: Array,
    logits: Array,
    target: Array,
    weight: Array | None,
    pos_weight: Array | None,
    reduction: str,
    needs: frozenset[str],
) -> tuple[Array | None, ...]:
    dterm = dterms(dy, logits.shape, reduction)
    weighted = _weighted(dterm, weight)
    dlogits = dtarget = dweight = dpos_weight = None
    if "logits" in needs and pos_weight is None:
        dlogits = weighted * (sigmoid(logits) - target)
    elif "logits" in needs:
        no = (1.0 - target) * sigmoid(logits)
        dlogits = weighted * (no - pos_weight * target * sigmoid(-logits))
    if "target" in needs:
        dtarget = weighted * _dlogit_entropy_dtarget(logits, pos_weight)
    if "weight" in needs:
        dweight = dterm * _logit_entropy(logits, target, pos_weight)
    if "pos_weight" in needs:
        dpos_weight = -weighted * (target * log_sigmoid(logits))
    return dlogits, dtarget, dweight, dpos_weight


def _dlogit_entropy_dtarget(x: Array, pos_weight: Array | None) -> Array:
    """log(1 - s(x)) - q log s(x), which is -x without q."""
    return -x if pos_weight is None else log_sigmoid(-x) - pos_weight * log_sigmoid(x)
