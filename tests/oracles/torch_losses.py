"""torch's losses and their gradients under every reduction, extreme arguments included."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from numpy.random import RandomState
from torch import Tensor
from torch.nn import functional

# name, loss, prediction, target, settings
Case = tuple[str, str, Tensor, Tensor, dict[str, object]]

# torch's loss, and the settings under which it is asked
REGRESSION: dict[str, tuple[str, dict[str, object]]] = {
    "mse": ("mse_loss", {}),
    "l1": ("l1_loss", {}),
    "huber": ("huber_loss", {"delta": 1.0}),
    "huber_0.5": ("huber_loss", {"delta": 0.5}),
    "smooth_l1": ("smooth_l1_loss", {"beta": 1.0}),
    "smooth_l1_0.5": ("smooth_l1_loss", {"beta": 0.5}),
}


def numbers() -> dict[str, object]:
    """For every case: prediction, target, settings, and loss and gradient under each reduction."""
    random = RandomState(4)
    cases: dict[str, object] = {}
    for source in (regression, cross_entropy, binary_cross_entropy):
        for name, loss, prediction, target, settings in source(random):
            cases[name] = {
                "loss": loss,
                "prediction": prediction,
                "target": target,
                "settings": settings,
                **reductions(loss, prediction, target, settings),
            }
    return cases


def reductions(
    loss: str, prediction: Tensor, target: Tensor, settings: dict[str, object]
) -> dict[str, dict[str, Tensor]]:
    """{"mean": {"value", "dprediction"}, "sum": ..., "none": ...}; "none" is pulled back by dy."""
    found = {}
    for reduction in ("mean", "sum", "none"):
        p = prediction.clone().requires_grad_()
        value = getattr(functional, loss)(p, target, reduction=reduction, **settings)
        dy = 0.5 + torch.arange(value.numel(), dtype=value.dtype).reshape(value.shape)
        dy = dy if reduction == "none" else torch.ones_like(value)
        (dprediction,) = torch.autograd.grad(value, p, dy)
        found[reduction] = {"value": value, "dy": dy, "dprediction": dprediction}
    return found


def regression(random: RandomState) -> Iterator[Case]:
    """Differences of 0, of both signs, and on both sides of every delta."""
    prediction, target = torch.tensor(random.randn(4, 3)), torch.tensor(random.randn(4, 3))
    target[0] = prediction[0] + torch.tensor([0.0, 0.5, -1.0])
    target[1] = prediction[1] + torch.tensor([1e-9, 0.25, 40.0])
    for name, (loss, settings) in REGRESSION.items():
        yield name, loss, prediction, target, settings


def cross_entropy(random: RandomState) -> Iterator[Case]:
    """Integer, probability and one-hot targets, with smoothing, weights and ignored labels."""
    loss, logits = "cross_entropy", torch.tensor(2.0 * random.randn(6, 4))
    labels = torch.tensor([0, 3, 1, 1, 2, 0])
    ignoring = torch.tensor([0, -100, 1, 1, -100, 3])
    probabilities = torch.tensor(random.dirichlet(torch.ones(4).tolist(), 6))
    one_hot = functional.one_hot(labels, 4).to(logits.dtype)
    weight = {"weight": torch.tensor([0.5, 2.0, 1.0, 0.25])}
    smooth = {"label_smoothing": 0.1}
    yield "cross_entropy", loss, logits, labels, {}
    yield "cross_entropy_smoothing", loss, logits, labels, smooth
    yield "cross_entropy_weight", loss, logits, labels, weight
    yield "cross_entropy_weight_smoothing", loss, logits, labels, weight | smooth
    yield "cross_entropy_ignore", loss, logits, ignoring, {"ignore_index": -100}
    yield "cross_entropy_ignore_2", loss, logits, labels, {"ignore_index": 1}
    everything = {"ignore_index": -100} | weight | smooth
    yield "cross_entropy_ignore_weight_smoothing", loss, logits, ignoring, everything
    yield "cross_entropy_one_hot", loss, logits, one_hot, {}
    yield "cross_entropy_probabilities", loss, logits, probabilities, {}
    yield "cross_entropy_probabilities_smoothing", loss, logits, probabilities, smooth
    yield "cross_entropy_probabilities_weight", loss, logits, probabilities, weight
    yield "cross_entropy_probabilities_both", loss, logits, probabilities, weight | smooth
    extreme = torch.tensor([[1e4, -1e4, 0.0, 1.0], [-1e4, 1e4, 9999.0, 0.0], [1e4, 1e4, -1e4, 0.0]])
    yield "cross_entropy_extreme", loss, extreme, torch.tensor([0, 0, 1]), {}
    yield "cross_entropy_extreme_smoothing", loss, extreme, torch.tensor([0, 0, 1]), smooth


def binary_cross_entropy(random: RandomState) -> Iterator[Case]:
    """Probabilities with 0 and 1 among them, and logits up to +-1e4; hard and soft targets."""
    chances = torch.tensor(random.uniform(0.05, 0.95, (4, 3)))
    logits = torch.tensor(2.0 * random.randn(4, 3))
    hard = torch.tensor(random.randint(0, 2, (4, 3)).astype(float))
    soft = torch.tensor(random.uniform(0.0, 1.0, (4, 3)))
    weight = {"weight": torch.tensor(random.uniform(0.5, 2.0, (4, 3)))}
    positive = {"pos_weight": torch.tensor([0.5, 1.0, 3.0])}
    with_logits = "binary_cross_entropy_with_logits"
    yield "bce", "binary_cross_entropy", chances, hard, {}
    yield "bce_soft", "binary_cross_entropy", chances, soft, {}
    yield "bce_weight", "binary_cross_entropy", chances, soft, weight
    ends = torch.tensor([0.0, 0.0, 1.0, 1.0, 1e-300, 1.0 - 2.0**-53])
    wanted = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    yield "bce_extreme", "binary_cross_entropy", ends, wanted, {}
    yield "bce_logits", with_logits, logits, hard, {}
    yield "bce_logits_soft", with_logits, logits, soft, {}
    yield "bce_logits_weight", with_logits, logits, soft, weight
    yield "bce_logits_pos_weight", with_logits, logits, soft, positive
    yield "bce_logits_both_weights", with_logits, logits, soft, weight | positive
    far = torch.tensor([1e4, -1e4, 1e4, -1e4, 40.0, -40.0, 800.0, 0.0])
    wanted = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.5, 0.5])
    yield "bce_logits_extreme", with_logits, far, wanted, {}
