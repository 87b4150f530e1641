"""Trajectories of torch's optimizers over 100 steps of a gradient that is a formula.

dp(t) = A * (p - C) + sin(t) * B with t = 1, 2, ...: springs of different stiffness, shaken. The
rest points C stay away from 0, so every parameter can be compared by its relative error.
"""

from __future__ import annotations

import math

import torch
from numpy.random import RandomState

STEPS_KEPT = (1, 2, 10, 100)
SHAPES = {"weight": (3, 4), "bias": (5,)}

# torch's dampening leaves the first step undamped, so it is not the moving average (EWMA)
# v = momentum * v + (1 - momentum) * dp that starts at v = 0. That one is classical momentum with
# the learning rate (1 - momentum) * lr, and so torch was asked for it in the "ewma" cases.
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "sgd": ("SGD", {"lr": 0.05}),
    "sgd_weight_decay": ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    "sgd_momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}),
    "sgd_momentum_weight_decay": ("SGD", {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}),
    "sgd_dampening": ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.1}),
    "sgd_ewma": ("SGD", {"lr": 0.1, "momentum": 0.9, "ewma": True}),
    "sgd_ewma_weight_decay": (
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "ewma": True, "weight_decay": 0.1},
    ),
    "sgd_ewma_nesterov": (
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "ewma": True, "nesterov": True},
    ),
    "sgd_nesterov": ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    "sgd_nesterov_weight_decay": (
        "SGD",
        {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    "rmsprop": ("RMSprop", {"lr": 0.01}),
    "rmsprop_alpha_eps": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-3}),
    "rmsprop_centered": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "centered": True}),
    "rmsprop_momentum": ("RMSprop", {"lr": 0.005, "momentum": 0.9}),
    "rmsprop_weight_decay": ("RMSprop", {"lr": 0.01, "weight_decay": 0.1}),
    "rmsprop_everything": (
        "RMSprop",
        {"lr": 0.005, "alpha": 0.9, "momentum": 0.5, "centered": True, "weight_decay": 0.1},
    ),
    "adam": ("Adam", {"lr": 0.01}),
    "adam_betas_eps": ("Adam", {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-2}),
    "adam_weight_decay": ("Adam", {"lr": 0.01, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.01}),
    "adamw_weight_decay": ("AdamW", {"lr": 0.02, "weight_decay": 0.3}),
}

GROUPS: dict[str, tuple[str, dict[str, dict[str, object]]]] = {
    "sgd_groups": (
        "SGD",
        {"weight": {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}, "bias": {"lr": 0.1}},
    ),
    "adamw_groups": (
        "AdamW",
        {"weight": {"lr": 0.01, "weight_decay": 0.3}, "bias": {"lr": 0.03, "weight_decay": 0.0}},
    ),
}


def numbers() -> dict[str, object]:
    """Start, A, B, C and, for every case, the parameters after the steps in STEPS_KEPT."""
    fixed = arrays(RandomState(1))
    cases: dict[str, object] = {}
    for name, (kind, settings) in CASES.items():
        after = trajectory(kind, dict.fromkeys(SHAPES, settings), fixed)
        cases[name] = {"optimizer": kind, "settings": settings, "after": after}
    for name, (kind, groups) in GROUPS.items():
        after = trajectory(kind, groups, fixed)
        cases[name] = {"optimizer": kind, "groups": groups, "after": after}
    return {"gradient": "A * (p - C) + sin(t) * B, t = 1, 2, ...", **fixed, "cases": cases}


def arrays(
    random: RandomState, shapes: dict[str, tuple[int, ...]] = SHAPES
) -> dict[str, dict[str, torch.Tensor]]:
    """The fixed arrays, one of each parameter's shape: start, A in [0.5, 2], B, C in +-[1, 2]."""
    fixed: dict[str, dict[str, torch.Tensor]] = {"start": {}, "A": {}, "B": {}, "C": {}}
    for key, shape in shapes.items():
        sign = random.choice([-1.0, 1.0], shape)
        fixed["start"][key] = torch.tensor(sign * random.uniform(2.5, 3.5, shape))
        fixed["A"][key] = torch.tensor(random.uniform(0.5, 2.0, shape))
        fixed["B"][key] = torch.tensor(random.uniform(-1.0, 1.0, shape))
        fixed["C"][key] = torch.tensor(sign * random.uniform(1.0, 2.0, shape))
    return fixed


def trajectory(
    kind: str,
    groups: dict[str, dict[str, object]],
    fixed: dict[str, dict[str, torch.Tensor]],
) -> dict[str, dict[str, torch.Tensor]]:
    """The parameters after each step in STEPS_KEPT; groups gives the settings of each parameter."""
    parameters = {key: value.clone() for key, value in fixed["start"].items()}
    optimizer = getattr(torch.optim, kind)(
        [{"params": [parameters[key]], **torch_settings(groups[key])} for key in SHAPES]
    )
    after = {}
    for step in range(1, max(STEPS_KEPT) + 1):
        for key, p in parameters.items():
            shake = math.sin(step) * fixed["B"][key]
            p.grad = fixed["A"][key] * (p - fixed["C"][key]) + shake
        optimizer.step()
        if step in STEPS_KEPT:
            after[str(step)] = {key: p.clone() for key, p in parameters.items()}
    return after


def torch_settings(settings: dict[str, object]) -> dict[str, object]:
    """The settings as torch takes them: "ewma" becomes a learning rate times (1 - momentum)."""
    taken = dict(settings, foreach=False)
    if taken.pop("ewma", False):
        taken["lr"] = taken["lr"] * (1.0 - taken["momentum"])
    return taken
