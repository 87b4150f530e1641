"""Write torch_more_optimizers.npz: 1,000 steps of Adagrad, Adadelta, Adamax, ... in torch 2.13.

    python tests/oracles/torch_more_optimizers.py

The gradient, the start and the arrays A, B, C are those of torch_optimizers.py. Float64. torch has
no Lion: its numbers are from a loop over the paper's formulas, one Python float at a time.
"""

from __future__ import annotations

import math
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch_optimizers import SHAPES, arrays

STEPS_KEPT = (1, 2, 10, 100, 1000)

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "adagrad": ("Adagrad", {}),
    "adagrad_everything": (
        "Adagrad",
        {
            "lr": 0.05,
            "lr_decay": 0.01,
            "weight_decay": 0.1,
            "initial_accumulator_value": 0.2,
            "eps": 1e-3,
        },
    ),
    "adadelta": ("Adadelta", {}),
    "adadelta_everything": (
        "Adadelta",
        {"lr": 0.5, "rho": 0.95, "eps": 1e-4, "weight_decay": 0.1},
    ),
    "adamax": ("Adamax", {}),
    "adamax_everything": (
        "Adamax",
        {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1},
    ),
    "nadam": ("NAdam", {}),
    "nadam_weight_decay": ("NAdam", {"lr": 0.01, "weight_decay": 0.1}),
    "nadam_everything": (
        "NAdam",
        {
            "lr": 0.01,
            "betas": [0.95, 0.99],
            "eps": 1e-3,
            "weight_decay": 0.1,
            "momentum_decay": 0.02,
            "decoupled_weight_decay": True,
        },
    ),
    "radam": ("RAdam", {"lr": 0.01}),
    "radam_weight_decay": ("RAdam", {"lr": 0.01, "betas": [0.8, 0.9], "weight_decay": 0.1}),
    "radam_everything": (
        "RAdam",
        {
            "lr": 0.02,
            "betas": [0.8, 0.95],
            "eps": 1e-3,
            "weight_decay": 0.1,
            "decoupled_weight_decay": True,
        },
    ),
    "radam_never_rectified": ("RAdam", {"lr": 0.01, "betas": [0.5, 0.6]}),
    "amsgrad": ("AMSGrad", {"lr": 0.01}),
    "amsgrad_everything": (
        "AMSGrad",
        {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-2, "weight_decay": 0.1},
    ),
    "rprop": ("Rprop", {}),
    "rprop_everything": (
        "Rprop",
        {"lr": 0.05, "etas": [0.4, 1.3], "step_sizes": [1e-3, 0.1]},
    ),
    "lion": ("Lion", {"lr": 0.001}),
    "lion_everything": ("Lion", {"lr": 0.005, "betas": [0.95, 0.98], "weight_decay": 0.3}),
}


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    fixed = arrays(RandomState(1))
    given = {f"{name}/{key}": fixed[name][key] for name in fixed for key in SHAPES}
    cases: dict[str, Any] = {"fixed": ({}, given)}
    for name, (kind, settings) in CASES.items():
        after = lion(settings, fixed) if kind == "Lion" else trajectory(kind, settings, fixed)
        cases[name] = ({"optimizer": kind, "settings": settings}, after)
    npz.save("more_optimizers", cases)


def gradient(fixed: dict[str, Any], key: str, p: torch.Tensor, step: int) -> torch.Tensor:
    """A * (p - C) + sin(t) * B."""
    return fixed["A"][key] * (p - fixed["C"][key]) + math.sin(step) * fixed["B"][key]


def trajectory(
    kind: str, settings: dict[str, Any], fixed: dict[str, Any]
) -> dict[str, torch.Tensor]:
    """The parameters after each step in STEPS_KEPT."""
    parameters = {key: value.clone() for key, value in fixed["start"].items()}
    options = dict(settings, foreach=False)
    if kind == "AMSGrad":
        kind, options = "Adam", {**options, "amsgrad": True}
    optimizer = getattr(torch.optim, kind)(list(parameters.values()), **options)
    after = {}
    for step in range(1, max(STEPS_KEPT) + 1):
        for key, p in parameters.items():
            p.grad = gradient(fixed, key, p, step)
        optimizer.step()
        if step in STEPS_KEPT:
            after |= {f"{step}/{key}": p.clone() for key, p in parameters.items()}
    return after


def lion(settings: dict[str, Any], fixed: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Chen and others 2023, algorithm 2, line by line."""
    lr, decay = settings["lr"], settings.get("weight_decay", 0.0)
    beta1, beta2 = settings.get("betas", [0.9, 0.99])
    after = {}
    for key, start in fixed["start"].items():
        values, means = start.reshape(-1).tolist(), [0.0] * start.numel()
        for step in range(1, max(STEPS_KEPT) + 1):
            p = torch.tensor(values).reshape(start.shape)
            for i, g in enumerate(gradient(fixed, key, p, step).reshape(-1).tolist()):
                update = beta1 * means[i] + (1.0 - beta1) * g
                sign = (update > 0) - (update < 0)
                values[i] -= lr * (sign + decay * values[i])
                means[i] = beta2 * means[i] + (1.0 - beta2) * g
            if step in STEPS_KEPT:
                after[f"{step}/{key}"] = torch.tensor(values).reshape(start.shape)
    return after


if __name__ == "__main__":
    main()
