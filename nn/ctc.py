"""ctc_loss: labels in order, of which nobody knows where in time they stand; and its layer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from array_api_compat import device

from ..backend import Array, array_namespace, is_array, is_integer, to_numpy, unwrap
from ..backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError
from .autograd import differentiable
from .autograd.tensor import innermost
from .ctc_paths import path_losses
from .dimensions import is_integer_from
from .loss_layers import _Loss
from .reduction import (
    check_arrays,
    check_not_empty,
    check_reduction,
    check_same_dtype,
    reduced,
)

Lengths = Array | Sequence[int] | int


@differentiable
def ctc_loss(
    log_probs: Array,
    targets: Array,
    input_lengths: Lengths,
    target_lengths: Lengths,
    *,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Array:
    """Mean over the batch of -log of the probability of a target, over its length (1 at least).

    log_probs: floating (time, batch, classes), e.g. from log_softmax, or (time, classes). targets:
    integer (batch, longest), or all of them one after the other, (sum of target_lengths,); each in
    [0, classes) and not blank; what lies behind a target's length does not count. input_lengths,
    target_lengths: integers, an array or a list (batch,), or one number without a batch.
    -> (), or (batch,) for "none", which as "sum" does not divide by the lengths.
    A target for which its input is too short has an infinite loss and, as in torch, a gradient of
    NaN; zero_infinity makes both 0. The gradient is the formula's, minus the probability to be at a
    class; torch's has exp(log_probs) added, which the gradient of log_softmax takes away.
    Raises LabelError for a target that is no label, ShapeError for lengths that do not fit (their
    values are read from the device), DtypeError, DeviceError, HyperparameterError and
    EmptyReductionError. Source: Graves, Fernandez, Gomez, Schmidhuber 2006, section 4.
    """
    alone = log_probs.ndim == 2
    if alone:
        log_probs = log_probs[:, None, :]
    n_steps, n_batch, n_classes = log_probs.shape
    ends = _checked_lengths("input_lengths", input_lengths, n_batch, n_steps)
    sizes = _checked_lengths("target_lengths", target_lengths, n_batch, None)
    raw = innermost(log_probs)
    xp = array_namespace(raw)
    n_labels = xp.asarray(sizes, dtype=xp.int64, device=device(raw))
    labels = _labels(unwrap(targets), sizes, n_labels, blank)
    _check_labels(labels, n_labels, n_classes, blank)
    n_own_steps = xp.asarray(ends, dtype=xp.int64, device=device(raw))
    losses = path_losses(log_probs, labels, n_own_steps, n_labels, blank=blank)
    if zero_infinity:
        lx = array_namespace(losses)
        losses = lx.where(losses == math.inf, lx.zeros_like(losses), losses)
    if reduction == "mean":
        factors = [1.0 / max(1, n) for n in sizes]
        losses = losses * xp.asarray(factors, dtype=raw.dtype, device=device(raw))
    return reduced(losses[0] if alone else losses, reduction)


@ctc_loss.requires
def _(
    log_probs: Array,
    targets: Array,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> None:
    check_reduction("ctc_loss", reduction)
    check_arrays("ctc_loss", log_probs=log_probs, targets=targets)
    check_same_dtype("ctc_loss", log_probs=log_probs)
    check_blank("ctc_loss", blank)
    if not is_integer(targets):
        raise DtypeError(f"ctc_loss: targets must be integer labels, got {targets.dtype}")
    shape, got = tuple(log_probs.shape), tuple(targets.shape)
    if len(shape) not in (2, 3):
        raise ShapeError(
            "ctc_loss: log_probs must be (time, batch, classes), or (time, classes), got shape "
            f"{shape}"
        )
    n_batch = shape[1] if len(shape) == 3 else 1
    if len(got) not in (1, 2) or (len(got) == 2 and got[0] != n_batch):
        raise ShapeError(
            f"ctc_loss: targets must be (batch, longest) with batch = {n_batch}, or all of them "
            f"one after the other on one axis, got shape {got}"
        )
    if blank >= shape[-1]:
        raise HyperparameterError(
            f"ctc_loss: blank must be one of the {shape[-1]} classes of log_probs, got {blank}"
        )
    check_not_empty("ctc_loss", (n_batch,), reduction)


def check_blank(operation: str, blank: int) -> None:
    """Raises HyperparameterError unless blank is an integer that can be a class."""
    if not is_integer_from(0, blank):
        raise HyperparameterError(f"{operation}: blank must be an integer >= 0, got {blank!r}")


class CTCLoss(_Loss):
    """ctc_loss(log_probs, targets, input_lengths, target_lengths) with its settings."""

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        check_blank("CTCLoss", blank)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(
        self, log_probs: Array, targets: Array, input_lengths: Lengths, target_lengths: Lengths
    ) -> Array:
        return ctc_loss(
            *(log_probs, targets, input_lengths, target_lengths),
            blank=self.blank,
            reduction=self.reduction,
            zero_infinity=self.zero_infinity,
        )

    def extra_repr(self) -> str:
        settings = f"blank={self.blank}, zero_infinity={self.zero_infinity}"
        return f"{super().extra_repr()}, {settings}"


def _checked_lengths(name: str, given: Lengths, n_batch: int, most: int | None) -> list[int]:
    """The lengths as a list. Raises DtypeError or ShapeError unless they fit."""
    listed = to_numpy(innermost(given)).tolist() if is_array(given) else given
    lengths = list(listed) if isinstance(listed, Sequence) else [listed]
    if not all(is_integer_from(n, n) for n in lengths):
        raise DtypeError(f"ctc_loss: {name} must be integers, got {given!r}")
    if len(lengths) != n_batch:
        raise ShapeError(
            f"ctc_loss: {name} must be one integer for each of the {n_batch} items of the batch, "
            f"got {len(lengths)}"
        )
    for position, n in enumerate(lengths):
        if n < 0 or (most is not None and n > most):
            limits = "at least 0" if most is None else f"from 0 to {most}, the steps of log_probs"
            raise ShapeError(f"ctc_loss: {name} must be {limits}, got {n} at position {position}")
    return lengths


def _labels(targets: Array, sizes: list[int], n_labels: Array, blank: int) -> Array:
    """The targets as int64 (batch, longest), blank behind their ends.

    Raises ShapeError unless there are as many as the lengths say.
    """
    xp = array_namespace(targets)
    longest, total = max(sizes, default=0), sum(sizes)
    if targets.ndim == 2 and targets.shape[1] < longest:
        raise ShapeError(
            f"ctc_loss: target_lengths must be at most {targets.shape[1]}, what targets of shape "
            f"{tuple(targets.shape)} hold, got {longest}"
        )
    if targets.ndim == 1 and targets.shape[0] != total:
        raise ShapeError(
            "ctc_loss: targets one after the other must be as many as target_lengths add up to, "
            f"{total}, got {targets.shape[0]}"
        )
    targets = xp.astype(targets, xp.int64, copy=False)
    places = xp.arange(longest, dtype=xp.int64, device=device(targets))
    counted = places < n_labels[:, None]
    if targets.ndim == 2:
        targets = targets[:, :longest]
    elif total:
        starts = xp.cumulative_sum(n_labels) - n_labels
        index = xp.where(counted, starts[:, None] + places, xp.zeros_like(starts[:, None]))
        targets = xp.reshape(xp.take(targets, xp.reshape(index, (-1,))), index.shape)
    else:
        targets = xp.zeros((len(sizes), 0), dtype=xp.int64, device=device(targets))
    return xp.where(counted, targets, xp.full_like(targets, blank))


def _check_labels(labels: Array, n_labels: Array, n_classes: int, blank: int) -> None:
    """Raises LabelError for a label out of range or equal to blank; reads one scalar."""
    xp = array_namespace(labels)
    counted = xp.arange(labels.shape[1], dtype=xp.int64, device=device(labels)) < n_labels[:, None]
    wrong = counted & ((labels < 0) | (labels >= n_classes) | (labels == blank))
    if bool(xp.any(wrong)):
        first = int(xp.argmax(xp.astype(xp.reshape(wrong, (-1,)), xp.int8)))
        item, place = divmod(first, labels.shape[1])
        raise LabelError(
            f"ctc_loss: every target must be in [0, {n_classes}) and not the blank, {blank}; got "
            f"{int(labels[item, place])} as label {place} of target {item}"
        )
