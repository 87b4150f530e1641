"""Write torch_schedules.npz: learning rates of torch 2.13's schedulers, and its weight average.

    python tests/oracles/torch_schedules.py

Float64. A schedule's case keeps the learning rate at the steps in "step"; schedules that end keep
those up to their end. "schedule" and "settings" are what isograd calls it. Plateau cases keep the
figures and the learning rate after each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim import lr_scheduler as torch_schedules
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

LR = 0.3
N_STEPS = 1000

# name: (isograd's function, its settings beside lr, torch's class, its settings, the last step)
CASES: dict[str, tuple[str, dict[str, Any], str, dict[str, Any], int]] = {
    "step": ("step_decay", {"step_size": 30}, "StepLR", {"step_size": 30}, N_STEPS),
    "step_gamma": (
        "step_decay",
        {"step_size": 7, "gamma": 0.95},
        "StepLR",
        {"step_size": 7, "gamma": 0.95},
        N_STEPS,
    ),
    "multistep": (
        "multistep",
        {"milestones": [1, 30, 80, 500], "gamma": 0.3},
        "MultiStepLR",
        {"milestones": [1, 30, 80, 500], "gamma": 0.3},
        N_STEPS,
    ),
    "exponential": ("exponential", {"gamma": 0.995}, "ExponentialLR", {"gamma": 0.995}, N_STEPS),
    "linear": ("linear", {}, "LinearLR", {}, N_STEPS),
    "linear_down": (
        "linear",
        {"n_steps": 700, "start_factor": 1.0, "end_factor": 0.1},
        "LinearLR",
        {"total_iters": 700, "start_factor": 1.0, "end_factor": 0.1},
        N_STEPS,
    ),
    "polynomial": ("polynomial", {}, "PolynomialLR", {}, N_STEPS),
    "polynomial_power": (
        "polynomial",
        {"n_steps": 900, "power": 2.5},
        "PolynomialLR",
        {"total_iters": 900, "power": 2.5},
        N_STEPS,
    ),
    "cosine": (
        "cosine",
        {"n_steps": 1000, "minimum": 0.01},
        "CosineAnnealingLR",
        {"T_max": 1000, "eta_min": 0.01},
        N_STEPS,
    ),
    "restarts": (
        "cosine_restarts",
        {"n_steps": 90},
        "CosineAnnealingWarmRestarts",
        {"T_0": 90},
        N_STEPS,
    ),
    "restarts_longer": (
        "cosine_restarts",
        {"n_steps": 10, "multiple": 3, "minimum": 0.02},
        "CosineAnnealingWarmRestarts",
        {"T_0": 10, "T_mult": 3, "eta_min": 0.02},
        N_STEPS,
    ),
}
CYCLES: dict[str, dict[str, Any]] = {
    "one_cycle": {},
    "one_cycle_linear": {"anneal_strategy": "linear", "pct_start": 0.25},
    "one_cycle_three_phase": {"three_phase": True, "div_factor": 10.0, "final_div_factor": 100.0},
}
PLATEAUS: dict[str, dict[str, Any]] = {
    "plateau": {},
    "plateau_max": {"mode": "max", "patience": 3, "factor": 0.5},
    "plateau_absolute": {"threshold_mode": "abs", "threshold": 0.1, "patience": 2, "factor": 0.7},
    "plateau_max_absolute": {"mode": "max", "threshold_mode": "abs", "patience": 4, "factor": 0.3},
    "plateau_cooldown": {"patience": 1, "cooldown": 4, "factor": 0.6, "min_lr": 0.01},
    "plateau_eps": {"patience": 0, "factor": 0.9, "eps": 0.02},
}


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    cases: dict[str, Any] = {}
    for name, (ours, settings, kind, options, last) in CASES.items():
        make = getattr(torch_schedules, kind)
        found = rates(lambda o, make=make, options=options: make(o, **options), last)
        cases[name] = ({"schedule": ours, "settings": {"lr": LR, **settings}}, found)
    for name, settings in CYCLES.items():
        options = {"max_lr": LR, "total_steps": N_STEPS, **settings}
        found = rates(lambda o, s=options: torch_schedules.OneCycleLR(o, **s), N_STEPS - 1)
        given = {"max_lr": LR, "n_steps": N_STEPS, **settings}
        cases[name] = ({"schedule": "one_cycle", "settings": given}, found)
    cases["warm_up_then_cosine"] = ({}, rates(warm_up_then_cosine, N_STEPS))
    cases["chained"] = ({}, rates(chained, N_STEPS))
    for name, settings in PLATEAUS.items():
        cases[name] = ({"settings": settings}, plateau(settings))
    cases["average"] = ({"decay": 0.9}, average(0.9))
    npz.save("schedules", cases)


def warm_up_then_cosine(optimizer: Optimizer) -> Any:
    """20 steps from a tenth, then 980 down."""
    first = torch_schedules.LinearLR(optimizer, start_factor=0.1, total_iters=20)
    then = torch_schedules.CosineAnnealingLR(optimizer, T_max=980)
    return torch_schedules.SequentialLR(optimizer, [first, then], milestones=[20])


def chained(optimizer: Optimizer) -> Any:
    """Exponential decay, with a linear factor over the first 50 steps."""
    first = torch_schedules.LinearLR(optimizer, start_factor=0.2, total_iters=50)
    then = torch_schedules.ExponentialLR(optimizer, gamma=0.99)
    return torch_schedules.ChainedScheduler([first, then])


def rates(make: Callable[[Optimizer], Any], last: int) -> dict[str, Tensor]:
    """Learning rates at all steps to 100, then at every 20th and the last; momenta of a cycle."""
    optimizer = SGD([torch.zeros(1)], lr=LR, momentum=0.9)
    scheduler = make(optimizer)
    (group,) = optimizer.param_groups
    kept: list[tuple[int, float, float]] = []
    for step in range(last + 1):
        if step <= 100 or step % 20 == 0 or step == last:
            kept.append((step, group["lr"], group["momentum"]))
        optimizer.step()
        if step < last:
            scheduler.step()
    steps, lrs, momenta = zip(*kept, strict=True)
    return {"step": torch.tensor(steps), "lr": torch.tensor(lrs), "momentum": torch.tensor(momenta)}


def plateau(settings: dict[str, Any]) -> dict[str, Tensor]:
    """The learning rate after each of 1,000 figures: a trend with noise that flattens out."""
    random = RandomState(3)
    sign = -1.0 if settings.get("mode") == "max" else 1.0
    noise = 0.05 * random.uniform(-1, 1, N_STEPS)
    figures = [sign * round(3.0 * 0.99**i + float(noise[i]), 3) for i in range(N_STEPS)]
    figures[17] = float("nan")
    optimizer = SGD([torch.zeros(1)], lr=LR)
    scheduler = torch_schedules.ReduceLROnPlateau(optimizer, **settings)
    lrs = []
    for value in figures:
        optimizer.step()
        scheduler.step(value)
        lrs.append(optimizer.param_groups[0]["lr"])
    return {"figures": torch.tensor(figures), "lr": torch.tensor(lrs)}


def average(decay: float) -> dict[str, Tensor]:
    """Weights of a layer at 20 updates, and their average after each."""
    random = RandomState(4)
    model = nn.Linear(3, 2)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    weights, averages = [], []
    for _ in range(20):
        weights.append(torch.tensor(random.uniform(-1, 1, (2, 3))))
        model.weight.data.copy_(weights[-1])
        averaged.update_parameters(model)
        averages.append(averaged.module.weight.detach().clone())
    return {"weights": torch.stack(weights), "averages": torch.stack(averages)}


if __name__ == "__main__":
    main()
