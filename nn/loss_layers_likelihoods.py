"""Losses of divergences.py and focal.py as modules."""

from __future__ import annotations

from ..backend import Array
from .divergences import check_kl_reduction, gaussian_nll, kl_div, nll, poisson_nll
from .focal import check_focal, focal, smooth_l1
from .loss_checks import check_not_negative, check_positive
from .loss_layers import _Loss


class NLLLoss(_Loss):
    """nll(log_probabilities, targets) with its weight, a buffer.

    Unlike torch's, ignore_index is None by default: no label is passed over.
    """

    def __init__(
        self,
        weight: Array | None = None,
        *,
        ignore_index: int | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.weight = weight
        self.ignore_index = ignore_index

    def forward(self, log_probabilities: Array, targets: Array) -> Array:
        return nll(
            log_probabilities,
            targets,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, ignore_index={self.ignore_index}"


class KLDivLoss(_Loss):
    """kl_div(log_prediction, target); its reduction may be "batchmean", which is the divergence."""

    def __init__(
        self,
        *,
        log_target: bool = False,
        reduction: str = "mean",
    ) -> None:
        check_kl_reduction("KLDivLoss", reduction)
        self.reduction = reduction
        self.log_target = log_target

    def forward(self, log_prediction: Array, target: Array) -> Array:
        return kl_div(log_prediction, target, log_target=self.log_target, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, log_target={self.log_target}"


class PoissonNLLLoss(_Loss):
    """poisson_nll(prediction, target). Raises HyperparameterError unless eps > 0."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        *,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_positive("PoissonNLLLoss", eps=eps)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, prediction: Array, target: Array) -> Array:
        return poisson_nll(
            prediction,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        return (
            f"{super().extra_repr()}, log_input={self.log_input}, full={self.full}, eps={self.eps}"
        )


class GaussianNLLLoss(_Loss):
    """gaussian_nll(prediction, target, variance). Raises HyperparameterError unless eps > 0."""

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_positive("GaussianNLLLoss", eps=eps)
        self.full = full
        self.eps = eps

    def forward(self, prediction: Array, target: Array, variance: Array) -> Array:
        return gaussian_nll(
            prediction, target, variance, full=self.full, eps=self.eps, reduction=self.reduction
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, full={self.full}, eps={self.eps}"


class SmoothL1Loss(_Loss):
    """smooth_l1(prediction, target). Raises HyperparameterError unless beta >= 0."""

    def __init__(
        self,
        *,
        beta: float = 1.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_not_negative("SmoothL1Loss", beta=beta)
        self.beta = beta

    def forward(self, prediction: Array, target: Array) -> Array:
        return smooth_l1(prediction, target, beta=self.beta, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, beta={self.beta}"


class FocalLoss(_Loss):
    """focal(logits, target). Raises HyperparameterError for alpha or gamma out of range."""

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        check_focal("FocalLoss", alpha, gamma)
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, logits: Array, target: Array) -> Array:
        return focal(logits, target, alpha=self.alpha, gamma=self.gamma, reduction=self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, alpha={self.alpha}, gamma={self.gamma}"
