"""Losses as modules: each keeps the settings of the function that it calls."""

from __future__ import annotations

from ..backend import Array
from .cross_entropy import check_smoothing, cross_entropy
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    check_delta,
    huber,
    l1,
    mse,
)
from .module import Module
from .reduction import check_reduction


class _Loss(Module):
    """A loss with a reduction: "mean", "sum" or "none"."""

    def __init__(self, reduction: str = "mean") -> None:
        check_reduction(type(self).__name__, reduction)
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """mse(prediction, target)."""

    def forward(self, prediction: Array, target: Array) -> Array:
        return mse(prediction, target, reduction=self.reduction)


class L1Loss(_Loss):
    """l1(prediction, target)."""

    def forward(self, prediction: Array, target: Array) -> Array:
        return l1(prediction, target, reduction=self.reduction)


class HuberLoss(_Loss):
    """huber(prediction, target) with its delta. Raises HyperparameterError unless delta > 0."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        check_delta("HuberLoss", delta)
        self.delta = delta

    def forward(self, prediction: Array, target: Array) -> Array:
        return huber(prediction, target, delta=self.delta, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, delta={self.delta}"


class BCELoss(_Loss):
    """binary_cross_entropy(probability, target); BCEWithLogitsLoss keeps more digits.

    weight: a buffer that broadcasts to the shape of the target.
    """

    def __init__(self, weight: Array | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def forward(self, probability: Array, target: Array) -> Array:
        return binary_cross_entropy(probability, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """binary_cross_entropy_with_logits(logits, target) with its weight and pos_weight, buffers."""

    def __init__(
        self,
        weight: Array | None = None,
        *,
        reduction: str = "mean",
        pos_weight: Array | None = None,
    ) -> None:
        super().__init__(reduction)
        self.weight = weight
        self.pos_weight = pos_weight

    def forward(self, logits: Array, target: Array) -> Array:
        return binary_cross_entropy_with_logits(
            logits, target, self.weight, self.pos_weight, reduction=self.reduction
        )


class CrossEntropyLoss(_Loss):
    """cross_entropy(logits, targets) with its weight, ignore_index and label_smoothing.

    weight: (classes,), a buffer: it moves and is saved with the module.
    Unlike torch's, ignore_index is None by default: no label is passed over.
    Raises HyperparameterError for label_smoothing outside [0, 1].
    """

    def __init__(
        self,
        weight: Array | None = None,
        *,
        ignore_index: int | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        check_smoothing("CrossEntropyLoss", label_smoothing)
        self.weight = weight
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, logits: Array, targets: Array) -> Array:
        return cross_entropy(
            logits,
            targets,
            self.weight,
            label_smoothing=self.label_smoothing,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        settings = (("ignore_index", None), ("label_smoothing", 0.0))
        changed = [(n, getattr(self, n)) for n, default in settings if getattr(self, n) != default]
        return ", ".join([super().extra_repr(), *(f"{name}={value!r}" for name, value in changed)])
