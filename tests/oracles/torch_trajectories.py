"""Write torch_trajectories.npz: 1,000 steps of every optimizer in torch 2.13.

    python tests/oracles/torch_trajectories.py

Float64. The gradient is A * (p - C) + sin(t) * B with t = 1, 2, ..., as in torch_optimizers.py,
whose cases are among these. A case keeps the parameters after each of the steps in fixed/step, one
row a step; and of some optimizers what torch's state_dict() holds after step 500.

torch has no Lion: its numbers are from a loop over the paper's formulas, one Python float at a
time. torch's Muon iterates in bfloat16: Tensor.bfloat16 is replaced for it, so that it is torch's
own code in float64.
"""

from __future__ import annotations

import math
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch_optimizers import CASES as FIRST_CASES
from torch_optimizers import GROUPS, SHAPES, arrays, torch_settings

STEPS_KEPT = (1, 2, 10, *range(50, 1001, 50))
HALF_WAY = 500
MORE_SHAPES = {"tall": (5, 2), "stack": (2, 2, 3), "number": ()}

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **FIRST_CASES,
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
    "adafactor": ("Adafactor", {}),
    "adafactor_everything": (
        "Adafactor",
        {"lr": 0.003, "beta2_decay": -0.6, "eps": [1e-2, 0.5], "d": 1.5, "weight_decay": 0.1},
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
    "muon": ("Muon", {}),
    "muon_without_nesterov": ("Muon", {"lr": 0.01, "nesterov": False, "momentum": 0.8}),
    "muon_everything": (
        "Muon",
        {
            "lr": 0.01,
            "weight_decay": 0.2,
            "momentum": 0.9,
            "ns_coefficients": [2.0, -1.5, 0.5],
            "eps": 0.5,
            "ns_steps": 7,
            "adjust_lr_fn": "match_rms_adamw",
        },
    ),
    "rprop": ("Rprop", {}),
    "rprop_everything": (
        "Rprop",
        {"lr": 0.05, "etas": [0.4, 1.3], "step_sizes": [1e-3, 0.1]},
    ),
    "lion": ("Lion", {"lr": 0.001}),
    "lion_everything": ("Lion", {"lr": 0.005, "betas": [0.95, 0.98], "weight_decay": 0.3}),
}
SHAPES_OF = {
    "Adafactor": {**SHAPES, **MORE_SHAPES},
    "Muon": {"weight": SHAPES["weight"], "tall": MORE_SHAPES["tall"]},
}


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.Tensor.bfloat16 = lambda x: x.clone()  # Muon alone asks for it
    first, more = arrays(RandomState(1)), arrays(RandomState(2), MORE_SHAPES)
    fixed = {name: {**first[name], **more[name]} for name in first}
    given = {f"{name}/{key}": value for name in fixed for key, value in fixed[name].items()}
    cases: dict[str, Any] = {"fixed": ({}, {"step": torch.tensor(STEPS_KEPT), **given})}
    for name, (kind, settings) in CASES.items():
        keys = list(SHAPES_OF.get(kind, SHAPES))
        if kind == "Lion":
            found = lion(settings, fixed)
        else:
            found = trajectory(kind, dict.fromkeys(keys, settings), fixed)
        cases[name] = ({"optimizer": kind, "settings": settings}, found)
    for name, (kind, groups) in GROUPS.items():
        cases[name] = ({"optimizer": kind, "groups": groups}, trajectory(kind, groups, fixed))
    npz.save("trajectories", cases)


def gradient(fixed: dict[str, Any], key: str, p: torch.Tensor, step: int) -> torch.Tensor:
    """A * (p - C) + sin(t) * B."""
    return fixed["A"][key] * (p - fixed["C"][key]) + math.sin(step) * fixed["B"][key]


def trajectory(
    kind: str, groups: dict[str, dict[str, Any]], fixed: dict[str, Any]
) -> dict[str, torch.Tensor]:
    """The parameters after each step in STEPS_KEPT; groups gives the settings of each parameter."""
    parameters = {key: fixed["start"][key].clone() for key in groups}
    optimizer = torch_optimizer(kind, parameters, groups)
    after: dict[str, list[torch.Tensor]] = {key: [] for key in groups}
    state: dict[str, torch.Tensor] = {}
    for step in range(1, max(STEPS_KEPT) + 1):
        for key, p in parameters.items():
            p.grad = gradient(fixed, key, p, step)
        optimizer.step()
        if step in STEPS_KEPT:
            for key, p in parameters.items():
                after[key].append(p.clone())
        if step == HALF_WAY and kind in SHAPES_OF:
            state = state_of(optimizer, list(parameters))
    return {f"after/{key}": torch.stack(values) for key, values in after.items()} | state


def torch_optimizer(
    kind: str, parameters: dict[str, torch.Tensor], groups: dict[str, dict[str, Any]]
) -> torch.optim.Optimizer:
    """torch's optimizer, with a group for each parameter whose settings differ."""
    taken = {key: torch_settings(settings) for key, settings in groups.items()}
    for options in taken.values():
        if kind == "AMSGrad":
            options["amsgrad"] = True
        if kind == "Muon":
            del options["foreach"]  # it has none
    make = getattr(torch.optim, "Adam" if kind == "AMSGrad" else kind)
    first, *others = taken.values()
    if all(options == first for options in others):
        return make(list(parameters.values()), **first)
    return make([{"params": [parameters[key]], **options} for key, options in taken.items()])


def state_of(optimizer: torch.optim.Optimizer, keys: list[str]) -> dict[str, torch.Tensor]:
    """What the state_dict of torch holds, as state/<parameter>/<name>."""
    found = {}
    for i, entry in optimizer.state_dict()["state"].items():
        for name, value in entry.items():
            found[f"state/{keys[i]}/{name}"] = value.clone()
    return found


def lion(settings: dict[str, Any], fixed: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Chen and others 2023, algorithm 2, line by line."""
    lr, decay = settings["lr"], settings.get("weight_decay", 0.0)
    beta1, beta2 = settings.get("betas", [0.9, 0.99])
    after = {}
    for key in SHAPES:
        start = fixed["start"][key]
        values, means = start.reshape(-1).tolist(), [0.0] * start.numel()
        kept = []
        for step in range(1, max(STEPS_KEPT) + 1):
            p = torch.tensor(values).reshape(start.shape)
            for i, g in enumerate(gradient(fixed, key, p, step).reshape(-1).tolist()):
                update = beta1 * means[i] + (1.0 - beta1) * g
                sign = (update > 0) - (update < 0)
                values[i] -= lr * (sign + decay * values[i])
                means[i] = beta2 * means[i] + (1.0 - beta2) * g
            if step in STEPS_KEPT:
                kept.append(torch.tensor(values).reshape(start.shape))
        after[f"after/{key}"] = torch.stack(kept)
    return after


if __name__ == "__main__":
    main()
