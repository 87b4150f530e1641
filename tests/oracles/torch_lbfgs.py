"""Write torch_lbfgs.npz: what torch 2.13's LBFGS does with three losses.

    python tests/oracles/torch_lbfgs.py

Float64. Each case keeps the losses that step() returns, how often the closure was called so far,
and the parameters after each of the steps in "step", as rows; and what torch's state_dict() holds
after step "half". The losses, of parameters p:
springs: sum(A / 2 * (p - C)^2 + sin(t / 20) * B * p) of the arrays of torch_optimizers.py;
valley: sum(4 * (x[i + 1] - x[i]^2)^2 + (1 - x[i])^2), Rosenbrock's with 4 for 100, of x;
classes: the cross-entropy of x @ weight^T + bias and labels, and 1/100 of the squares of weight.
The case "searches" keeps what torch's line search finds along functions of one number, from t = 0
with different first steps: "<function>/found" has rows (first step, most steps, t, evaluations).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor
from torch.optim.lbfgs import _strong_wolfe
from torch_optimizers import arrays

WOLFE = {"line_search_fn": "strong_wolfe"}

# name: (the loss, settings, number of steps)
CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "springs": ("springs", {"lr": 0.5, "max_iter": 3, "history_size": 4}, 1000),
    "valley": ("valley", {"max_iter": 4, **WOLFE}, 8),
    "valley_short_memory": ("valley", {"max_iter": 2, "history_size": 2, **WOLFE}, 20),
    "valley_few_calls": ("valley", {"max_iter": 10, "max_eval": 4, "lr": 8.0, **WOLFE}, 14),
    "valley_short_steps": ("valley", {"max_iter": 3, "lr": 1e-3, **WOLFE}, 20),
    "classes": ("classes", {}, 6),
    "classes_slow": ("classes", {"lr": 0.2, "max_iter": 3, "history_size": 3}, 12),
    "classes_wolfe": ("classes", {"tolerance_change": 1e-6, **WOLFE}, 6),
    "classes_tolerance": ("classes", {"tolerance_grad": 1e-2, **WOLFE}, 4),
}


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    fixed = arrays(RandomState(1))
    random = RandomState(6)
    labels = torch.tensor(random.randint(0, 3, 30))
    x = torch.tensor(random.randn(30, 4)) + 0.7 * labels[:, None]
    given = {f"{name}/{key}": value for name in fixed for key, value in fixed[name].items()}
    cases: dict[str, Any] = {"fixed": ({}, {"x": x, "labels": labels, **given})}
    for name, (loss, settings, n_steps) in CASES.items():
        start, make = problem(loss, fixed, x, labels)
        found = trajectory(start, make, settings, n_steps)
        half = len(found["step"]) // 2
        settings_kept = {"loss": loss, "settings": settings, "half": int(found["step"][half])}
        cases[name] = (settings_kept, found)
    cases["searches"] = ({}, searches())
    npz.save("lbfgs", cases)


def problem(
    loss: str, fixed: dict[str, Any], x: Tensor, labels: Tensor
) -> tuple[dict[str, Tensor], Callable[[dict[str, Tensor], int], Tensor]]:
    """Where it starts, and the loss of parameters at step t."""
    if loss == "springs":
        return dict(fixed["start"]), lambda p, t: springs(p, t, fixed)
    if loss == "valley":
        return {"x": torch.tensor([-1.2, 1.0] * 2)}, lambda p, t: valley(p["x"])
    start = {"weight": torch.zeros(3, 4), "bias": torch.zeros(3)}
    return start, lambda p, t: classes(p["weight"], p["bias"], x, labels)


def springs(p: dict[str, Tensor], t: int, fixed: dict[str, Any]) -> Tensor:
    """Parabolas, shaken."""
    a, b, c = (fixed[name] for name in "ABC")
    return sum(
        (a[key] / 2.0 * (p[key] - c[key]) ** 2 + math.sin(t / 20.0) * b[key] * p[key]).sum()
        for key in p
    )


def valley(x: Tensor) -> Tensor:
    """Rosenbrock's function."""
    return (4.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def classes(weight: Tensor, bias: Tensor, x: Tensor, labels: Tensor) -> Tensor:
    """Logistic regression with a penalty."""
    logits = x @ weight.T + bias
    return torch.nn.functional.cross_entropy(logits, labels) + 0.01 * (weight**2).sum()


def trajectory(
    start: dict[str, Tensor],
    loss_of: Callable[[dict[str, Tensor], int], Tensor],
    settings: dict[str, Any],
    n_steps: int,
) -> dict[str, Tensor]:
    """Losses, calls, parameters and the state after steps."""
    parameters = {key: value.clone().requires_grad_() for key, value in start.items()}
    optimizer = torch.optim.LBFGS(list(parameters.values()), **settings)
    steps = [t for t in range(1, n_steps + 1) if n_steps <= 50 or t <= 2 or t % 50 == 0]
    found: dict[str, list[Any]] = {"loss": [], "calls": [], **{f"after/{key}": [] for key in start}}
    n_calls, state = 0, {}
    for t in range(1, n_steps + 1):

        def closure(t: int = t) -> Tensor:
            nonlocal n_calls
            n_calls += 1
            optimizer.zero_grad()
            loss = loss_of(parameters, t)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        if t in steps:
            found["loss"].append(loss.detach())
            found["calls"].append(torch.tensor(n_calls))
            for key, p in parameters.items():
                found[f"after/{key}"].append(p.detach().clone())
        if t == steps[len(steps) // 2]:
            state = state_of(optimizer)
    kept = {name: torch.stack(values) for name, values in found.items()}
    return {"step": torch.tensor(steps), **kept, **state}


SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "quartic": lambda t: (t - 2.0) ** 4 - t,
    "wave": lambda t: 0.1 * t * t - torch.sin(3.0 * t),
    "ripples": lambda t: -0.7 * t - 0.6 * torch.sin(10.7 * t - 0.6),
    "corner": lambda t: torch.sqrt((t - 1.0) ** 2 + 1e-4),
    "far": lambda t: torch.exp(-t) + 1e-3 * t,
}


def searches() -> dict[str, Tensor]:
    """What torch's line search finds."""
    found = {}
    for name, function in SLOPES.items():
        rows = []
        for first in (
            1e-3,
            0.02,
            0.1,
            0.3,
            0.5,
            0.7,
            1.0,
            1.3,
            2.0,
            3.0,
            5.0,
            8.0,
            13.0,
            26.55,
            28.89,
        ):
            for most in (25, 3, 1):
                rows.append([first, most, *search(function, first, most)])
        found[f"{name}/found"] = torch.tensor(rows)
    return found


def search(function: Callable[[Tensor], Tensor], first: float, most: int) -> tuple[float, float]:
    """The step that is found, and how many were evaluated."""

    def evaluate(x: Any, t: Any, d: Tensor) -> tuple[float, Tensor]:
        t = torch.as_tensor(t, dtype=torch.float64).reshape(1).detach().requires_grad_()
        loss = function(t).sum()
        loss.backward()
        return float(loss.detach()), t.grad

    d = torch.ones(1)
    loss, slope = evaluate(None, 0.0, d)
    _, _, t, n = _strong_wolfe(evaluate, None, first, d, loss, slope, slope.dot(d), max_ls=most)
    return float(t), float(n)


def state_of(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What torch's state_dict holds, lists stacked; as state/<name>."""
    found = {}
    for name, value in optimizer.state_dict()["state"][0].items():
        if name == "al" or value is None:
            continue
        if isinstance(value, list):
            value = torch.stack([torch.as_tensor(one) for one in value]) if value else None
        found[f"state/{name}"] = None if value is None else torch.as_tensor(value).clone()
    return found


if __name__ == "__main__":
    main()
