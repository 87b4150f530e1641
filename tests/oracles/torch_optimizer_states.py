"""Write torch_optimizer_states.npz: state_dicts of torch 2.13's optimizers, and the steps after.

    python tests/oracles/torch_optimizer_states.py

Float64. For every case: parameters and state_dict after three steps, the gradients of three more,
and the parameters after these. Groups are as torch saves them.
"""

from __future__ import annotations

from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor, nn, optim

SHAPES = ((2, 3), (4,))
N_STEPS = 3
CASES: tuple[tuple[str, Any, dict], ...] = (
    ("SGD", optim.SGD, {"lr": 0.1}),
    ("SGD", optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", optim.Adam, {"lr": 0.1, "weight_decay": 0.1}),
    ("AdamW", optim.AdamW, {"lr": 0.1, "weight_decay": 0.1, "foreach": True}),
    ("AMSGrad", optim.Adam, {"lr": 0.1, "amsgrad": True}),
    ("Adamax", optim.Adamax, {"lr": 0.1}),
    ("NAdam", optim.NAdam, {"lr": 0.1}),
    ("RAdam", optim.RAdam, {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Adagrad", optim.Adagrad, {"lr": 0.1}),
    ("Adadelta", optim.Adadelta, {"lr": 0.1}),
    ("RMSprop", optim.RMSprop, {"lr": 0.1, "centered": True, "momentum": 0.5}),
    ("Rprop", optim.Rprop, {"lr": 0.1}),
)


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(16)
    cases: dict[str, Any] = {}
    for ours, kind, options in CASES:
        name = "-".join([ours, *(f"{k}={v}" for k, v in options.items() if k != "lr")])
        cases[name] = one_case(random, ours, kind, options)
    npz.save("optimizer_states", cases)


def one_case(random: RandomState, ours: str, kind: Any, options: dict) -> tuple[dict, dict]:
    """Three steps, the state_dict, three steps more."""
    parameters = [nn.Parameter(torch.tensor(random.randn(*shape))) for shape in SHAPES]
    optimizer = kind(parameters, **options)
    for _ in range(N_STEPS):
        step(optimizer, parameters, [torch.tensor(random.randn(*shape)) for shape in SHAPES])
    saved = optimizer.state_dict()
    arrays: dict[str, Tensor] = {f"p/{i}": p.detach().clone() for i, p in enumerate(parameters)}
    for i, entry in saved["state"].items():
        arrays |= {f"state/{i}/{name}": copied(x) for name, x in entry.items() if x is not None}
    for number in range(N_STEPS):
        gradients = [torch.tensor(random.randn(*shape)) for shape in SHAPES]
        step(optimizer, parameters, gradients)
        arrays |= {f"dp/{number}/{i}": dp for i, dp in enumerate(gradients)}
    arrays |= {f"after/{i}": p.detach() for i, p in enumerate(parameters)}
    return {"optimizer": ours, "lr": options["lr"], "groups": saved["param_groups"]}, arrays


def step(optimizer: Any, parameters: list[nn.Parameter], gradients: list[Tensor]) -> None:
    """One update by these gradients."""
    for p, dp in zip(parameters, gradients, strict=True):
        p.grad = dp
    optimizer.step()


def copied(x: Any) -> Tensor:
    """A tensor that later steps leave alone."""
    return torch.as_tensor(x).detach().clone()


if __name__ == "__main__":
    main()
