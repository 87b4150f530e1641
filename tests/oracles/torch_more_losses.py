"""Write torch_more_losses.npz: likelihoods, divergences and margins in torch 2.13, float64.

    python tests/oracles/torch_more_losses.py

Each case: the arguments by position ("0", "1", ...), y under "mean", "sum" and "none", and the
gradients "d/<reduction>/<position>" against a cotangent 0.5, 1.5, 2.5, ... in C order. A weight is
an argument after the others. focal, which torch has not, is torchvision's formula in torch's ops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor
from torch.nn import functional

Case = tuple[str, dict[str, Any], list[Tensor], Callable[..., Tensor]]


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(21)
    cases = {}
    for source in (likelihoods, regression, pairs, class_margins):
        for name, settings, arguments, loss in source(random):
            key = "-".join([name, *(f"{k}={v}" for k, v in settings.items()), str(len(arguments))])
            cases[key] = ({"loss": name, "options": settings}, numbers(arguments, loss, settings))
    npz.save("more_losses", cases)


def numbers(
    arguments: list[Tensor], loss: Callable[..., Tensor], settings: dict[str, Any]
) -> dict[str, Tensor]:
    """Arguments, values and gradients under every reduction."""
    found = {str(i): x for i, x in enumerate(arguments)}
    for reduction in ("mean", "sum", "none"):
        leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in arguments]
        y = loss(*leaves, reduction=reduction, **settings)
        dy = 0.5 + torch.arange(y.numel()).to(y.dtype).reshape(y.shape)
        y.backward(dy)
        found[f"y/{reduction}"] = y
        found |= {f"d/{reduction}/{i}": x.grad for i, x in enumerate(leaves) if x.grad is not None}
    return found


def likelihoods(random: RandomState) -> Iterator[Case]:
    """nll, kl_div, poisson_nll, gaussian_nll."""
    scores = torch.log_softmax(torch.tensor(random.randn(5, 4)), -1)
    labels, factors = torch.tensor([0, 3, 1, 1, 2]), torch.tensor([0.5, 2.0, 1.0, 0.25])
    for settings in ({}, {"ignore_index": 1}):
        yield "nll", settings, [scores, labels], functional.nll_loss
        yield "nll", settings, [scores, labels, factors], weighted_nll
    chances = torch.tensor(random.dirichlet([1.0] * 4, 5))
    yield "kl_div", {}, [scores, chances], functional.kl_div
    yield "kl_div", {"log_target": True}, [scores, chances.log()], functional.kl_div
    counts = torch.tensor(random.poisson(2.0, (3, 4)).astype(float))
    rates = torch.tensor(random.randn(3, 4))
    for settings in ({}, {"full": True}):
        yield "poisson_nll", settings, [rates, counts], poisson_nll
    settings = {"log_input": False, "full": True, "eps": 0.01}
    yield "poisson_nll", settings, [rates.exp(), counts], poisson_nll
    x, t = torch.tensor(random.randn(3, 4)), torch.tensor(random.randn(3, 4))
    for shape in ((3, 4), (3, 1)):
        variance = torch.tensor(random.uniform(0.1, 2.0, shape))
        variance[0, 0] = 0.0
        settings = {"full": shape[1] == 1, "eps": 0.05}
        yield "gaussian_nll", settings, [x, t, variance], functional.gaussian_nll_loss


def poisson_nll(prediction: Tensor, counts: Tensor, **settings: Any) -> Tensor:
    """Without the gradient of the counts, which torch has as NaN for 0."""
    return functional.poisson_nll_loss(prediction, counts.detach(), **settings)


def weighted_nll(scores: Tensor, labels: Tensor, weight: Tensor, **settings: Any) -> Tensor:
    return functional.nll_loss(scores, labels, weight.detach(), **settings)


def regression(random: RandomState) -> Iterator[Case]:
    """smooth_l1 with a difference of 0, and focal."""
    x, t = torch.tensor(random.randn(4, 3)), torch.tensor(random.randn(4, 3))
    t[0, 0] = x[0, 0]
    for beta in (1.0, 0.3, 0.0):
        yield "smooth_l1", {"beta": beta}, [x, t], functional.smooth_l1_loss
    hard = torch.tensor(random.randint(0, 2, (4, 3)).astype(float))
    for alpha, gamma in ((0.25, 2.0), (-1.0, 2.0), (0.6, 0.0), (0.4, 1.5)):
        yield "focal", {"alpha": alpha, "gamma": gamma}, [3.0 * x, hard], focal


def focal(x: Tensor, t: Tensor, alpha: float, gamma: float, reduction: str) -> Tensor:
    """sigmoid_focal_loss of torchvision 0.20, line by line."""
    p = torch.sigmoid(x)
    entropy = functional.binary_cross_entropy_with_logits(x, t, reduction="none")
    p_true = p * t + (1 - p) * (1 - t)
    loss = entropy * (1 - p_true) ** gamma
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return {"mean": loss.mean(), "sum": loss.sum(), "none": loss}[reduction]


def pairs(random: RandomState) -> Iterator[Case]:
    """Losses of targets 1 and -1, and triplets."""
    x, other = torch.tensor(2.0 * random.randn(4, 3)), torch.tensor(2.0 * random.randn(4, 3))
    signs = torch.tensor(random.choice([-1.0, 1.0], (4, 3)))
    for margin in (1.0, 0.3):
        settings = {"margin": margin}
        yield "hinge_embedding", settings, [x, signs], functional.hinge_embedding_loss
        yield "margin_ranking", settings, [x, other, signs], functional.margin_ranking_loss
    yield "soft_margin", {}, [x, signs], soft_margin
    row = torch.tensor([1.0, -1.0, -1.0, 1.0])
    for margin in (0.0, 0.4, -0.5):
        settings = {"margin": margin}
        yield "cosine_embedding", settings, [x, other, row], functional.cosine_embedding_loss
    third = torch.tensor(2.0 * random.randn(4, 3))
    for settings in ({}, {"p": 1.0, "margin": 2.0}, {"p": 3.0, "swap": True}, {"eps": 0.1}):
        yield "triplet_margin", settings, [x, other, third], functional.triplet_margin_loss


def soft_margin(x: Tensor, signs: Tensor, reduction: str) -> Tensor:
    """torch has no gradient of the target."""
    return functional.soft_margin_loss(x, signs.detach(), reduction=reduction)


def class_margins(random: RandomState) -> Iterator[Case]:
    """multi_margin, multilabel_margin and multilabel_soft_margin."""
    scores, labels = torch.tensor(random.randn(5, 4)), torch.tensor([0, 3, 1, 1, 2])
    weight = torch.tensor([0.5, 2.0, 1.0, 0.25])
    for settings in ({}, {"p": 2, "margin": 0.6}):
        yield "multi_margin", settings, [scores, labels], functional.multi_margin_loss
        yield "multi_margin", settings, [scores, labels, weight], weighted_multi_margin
    rows = ([3, 0, -1, 1], [1, -1, -1, -1], [-1, 2, 0, 1], [0, 1, 2, 3], [2, 1, 3, -1])
    several = torch.tensor(rows)
    yield "multilabel_margin", {}, [scores, several], functional.multilabel_margin_loss
    chances = torch.tensor(random.uniform(0.0, 1.0, (5, 4)))
    soft = functional.multilabel_soft_margin_loss
    yield "multilabel_soft_margin", {}, [scores, chances], soft
    yield "multilabel_soft_margin", {}, [scores, chances, weight], soft


def weighted_multi_margin(scores: Tensor, labels: Tensor, weight: Tensor, **given: Any) -> Tensor:
    return functional.multi_margin_loss(scores, labels, weight=weight.detach(), **given)


if __name__ == "__main__":
    main()
