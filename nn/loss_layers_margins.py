"""Losses of margins.py and class_margins.py as modules."""

from __future__ import annotations

from ..backend import Array
from .class_margins import check_power, multi_margin, multilabel_margin, multilabel_soft_margin
from .loss_checks import check_finite, check_positive
from .loss_layers import _Loss
from .margins import (
    Distance,
    check_cosine_margin,
    check_distance,
    cosine_embedding,
    hinge_embedding,
    margin_ranking,
    soft_margin,
    triplet_margin,
    triplet_margin_with_distance,
)


class HingeEmbeddingLoss(_Loss):
    """hinge_embedding(distance, target). Raises HyperparameterError unless margin is finite."""

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_finite("HingeEmbeddingLoss", margin=margin)
        self.margin = margin

    def forward(self, distance: Array, target: Array) -> Array:
        return hinge_embedding(distance, target, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, margin={self.margin}"


class SoftMarginLoss(_Loss):
    """soft_margin(prediction, target), for targets 1 and -1."""

    def forward(self, prediction: Array, target: Array) -> Array:
        return soft_margin(prediction, target, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """margin_ranking(first, second, target). Raises HyperparameterError unless margin is finite."""

    def __init__(
        self,
        margin: float = 0.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_finite("MarginRankingLoss", margin=margin)
        self.margin = margin

    def forward(self, first: Array, second: Array, target: Array) -> Array:
        return margin_ranking(first, second, target, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, margin={self.margin}"


class CosineEmbeddingLoss(_Loss):
    """cosine_embedding(first, second, target); HyperparameterError unless -1 <= margin <= 1."""

    def __init__(
        self,
        margin: float = 0.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_cosine_margin("CosineEmbeddingLoss", margin)
        self.margin = margin

    def forward(self, first: Array, second: Array, target: Array) -> Array:
        return cosine_embedding(first, second, target, margin=self.margin, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, margin={self.margin}"


class TripletMarginLoss(_Loss):
    """triplet_margin(anchor, positive, negative). Raises HyperparameterError for a bad setting."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_positive("TripletMarginLoss", margin=margin, p=p, eps=eps)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Array, positive: Array, negative: Array) -> Array:
        return triplet_margin(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        settings = f"margin={self.margin}, p={self.p}, eps={self.eps}, swap={self.swap}"
        return f"{super().extra_repr()}, {settings}"


class TripletMarginWithDistanceLoss(_Loss):
    """triplet_margin_with_distance(anchor, positive, negative), its distance a function or module.

    A module among its attributes is learned with the loss. Raises HyperparameterError.
    """

    def __init__(
        self,
        distance_function: Distance | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_distance("TripletMarginWithDistanceLoss", distance_function)
        check_positive("TripletMarginWithDistanceLoss", margin=margin)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap

    def forward(self, anchor: Array, positive: Array, negative: Array) -> Array:
        return triplet_margin_with_distance(
            *(anchor, positive, negative),
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, margin={self.margin}, swap={self.swap}"


class MultiMarginLoss(_Loss):
    """multi_margin(scores, targets) with its weight, a buffer. p: 1 or 2."""

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Array | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_power("MultiMarginLoss", p)
        check_finite("MultiMarginLoss", margin=margin)
        self.p = p
        self.margin = margin
        self.weight = weight

    def forward(self, scores: Array, targets: Array) -> Array:
        return multi_margin(
            scores,
            targets,
            self.weight,
            p=self.p,
            margin=self.margin,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}, margin={self.margin}"


class MultiLabelMarginLoss(_Loss):
    """multilabel_margin(scores, targets), the labels of each example first, then -1."""

    def forward(self, scores: Array, targets: Array) -> Array:
        return multilabel_margin(scores, targets, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_Loss):
    """multilabel_soft_margin(logits, target) with its weight (classes,), a buffer."""

    def __init__(
        self,
        weight: Array | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.weight = weight

    def forward(self, logits: Array, target: Array) -> Array:
        return multilabel_soft_margin(logits, target, self.weight, reduction=self.reduction)
