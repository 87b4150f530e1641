"""Write torch_embedding.npz: Embedding with its options and EmbeddingBag in torch 2.13.

    python tests/oracles/torch_embedding.py

Float64. Arrays are named as in torch_recurrent.py; after/weight is what max_norm made of the table.
"""

from __future__ import annotations

from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import nn
from torch_recurrent import drawn_parameters, with_gradients

N_ROWS, N_FEATURES = 5, 3
LENGTHS = ({"max_norm": 1.0}, {"max_norm": 0.8, "norm_type": 1.0, "padding_idx": 3})
FREQUENCY = ({"scale_grad_by_freq": True}, {"scale_grad_by_freq": True, "padding_idx": 3})
BAGS = (
    {},
    {"mode": "sum"},
    {"mode": "max"},
    {"mode": "sum", "padding_idx": 3},
    {"mode": "mean", "padding_idx": 3},
    {"mode": "max", "padding_idx": 3},
    {"mode": "sum", "weights": True},
    {"mode": "sum", "max_norm": 0.9},
)


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(14)
    cases: dict[str, Any] = {}
    for options in (*LENGTHS, *FREQUENCY):
        cases[f"embedding-{_name(options)}"] = embedding(random, options)
    for options in BAGS:
        for kind in ("rows", "offsets", "last"):
            cases[f"bag-{_name(options)}-{kind}"] = bag(random, dict(options), kind)
    npz.save("embedding", cases)


def embedding(random: RandomState, options: dict) -> tuple[dict, dict]:
    """Rows of a table, one index thrice and one never."""
    module = nn.Embedding(N_ROWS, N_FEATURES, **options)
    return dict(options), found(random, module, {"indices": torch.tensor([[1, 3, 3], [0, 1, 3]])})


def bag(random: RandomState, options: dict, kind: str) -> tuple[dict, dict]:
    """Three bags of two, or bags of three, none, one and two: by offsets, or with the last too."""
    weighted = options.pop("weights", False)
    settings = {**options, "include_last_offset": kind == "last"}
    module = nn.EmbeddingBag(N_ROWS, N_FEATURES, **settings)
    given = {"indices": torch.tensor([1, 3, 3, 3, 1, 0])}
    if kind == "rows":
        given["indices"] = given["indices"].reshape(3, 2)
    else:
        given["offsets"] = torch.tensor([0, 3, 3, 4, *([6] if kind == "last" else [])])
    weights = torch.tensor(random.randn(*given["indices"].shape)).requires_grad_()
    inputs = {"per_sample_weights": weights} if weighted else {}
    return settings, found(random, module, given, inputs)


def found(random: RandomState, module: nn.Module, given: dict, inputs: dict | None = None) -> dict:
    """The numbers of one call; the weights are those before it."""
    parameters = drawn_parameters(random, module)
    before = parameters["weight"].detach().clone()
    y = module(*given.values(), **(inputs or {}))
    numbers = with_gradients(random, inputs or {}, parameters, {"y": y})
    after = module.weight.detach().clone()
    return {**numbers, **given, "parameter/weight": before, "after/weight": after}


def _name(options: dict) -> str:
    return "-".join(f"{key}={value}" for key, value in options.items())


if __name__ == "__main__":
    main()
