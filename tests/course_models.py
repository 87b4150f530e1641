"""Networks with given starting weights, and their training as the course and the book do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy import ndarray

from isograd import nn

Loss = Callable[[Any, Any], Any]


def network(layers: list[tuple[ndarray, ndarray]], hidden: Callable[[], nn.Module]) -> nn.Module:
    """Linear layers of these (weight, bias), float64, with hidden() between them."""
    modules: list[nn.Module] = []
    for weight, bias in layers:
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype="float64")
        linear.load_state_dict({"weight": weight, "bias": bias})
        modules += [linear, hidden()]
    return nn.Sequential(*modules[:-1])


def update(model: nn.Module, optimizer: nn.Optimizer, loss: Loss, x: Any, y: Any) -> float:
    """The loss before one update by these examples."""
    optimizer.zero_grad()
    cost = loss(model(x), y)
    cost.backward()
    optimizer.step()
    return float(cost)
