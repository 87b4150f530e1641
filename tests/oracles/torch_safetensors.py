"""Write weights_*.safetensors by torch 2.13 and safetensors, and torch_safetensors.npz beside them.

    python tests/oracles/torch_safetensors.py

The weights of four models as their users would save them, float64, and what torch computes with
them; arrays are named as in torch_recurrent.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import npz
import torch
from numpy.random import RandomState
from safetensors.torch import save_model
from torch import Tensor, nn
from torch_attention import GPT
from torch_recurrent import drawn, drawn_parameters, named_states, with_gradients

GPT_SIZES = (7, 4, 2, 5)


def main() -> None:
    """Write all files."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(15)
    cases: dict[str, Any] = {}
    mlp = saved(random, "mlp", nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)))
    cases["mlp"] = {}, numbers(random, mlp, drawn(random, 5, 4))
    model = saved(random, "cnn", cnn(random))
    for training in (False, True):  # in this order: training changes the statistics
        x = drawn(random, 3, 2, 4, 4)
        cases[f"cnn-training={training}"] = {}, numbers(random, model.train(training), x)
    lstm = saved(random, "lstm", nn.LSTM(2, 3, 2, bidirectional=True))
    cases["lstm"] = {}, numbers(random, lstm, drawn(random, 4, 3, 2))
    gpt = saved(random, "gpt", GPT(*GPT_SIZES))
    indices = torch.tensor(random.randint(0, 7, (2, 5)))
    cases["gpt"] = {"sizes": GPT_SIZES}, numbers(random, gpt, indices)
    npz.save("safetensors", cases)


def cnn(random: RandomState) -> nn.Module:
    """A convolution with batch norm whose running statistics are those of some training."""
    norm = nn.BatchNorm2d(3)
    norm.running_mean = torch.tensor(random.randn(3))
    norm.running_var = torch.tensor(random.rand(3) + 0.5)
    norm.num_batches_tracked = torch.tensor(3)
    convolution = nn.Conv2d(2, 3, 3, padding=1, bias=False)
    return nn.Sequential(
        convolution, norm, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
    )


def saved(random: RandomState, name: str, model: nn.Module) -> nn.Module:
    """The model with weights drawn anew, which are in a file now; a tied one is there once."""
    drawn_parameters(random, model)
    save_model(model, str(Path(__file__).with_name(f"weights_{name}.safetensors")))
    return model


def numbers(random: RandomState, model: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Outputs and gradients of one call."""
    y = model(x)
    y, last = y if isinstance(y, tuple) else (y, ())
    inputs = {"x": x} if x.requires_grad else {}
    outputs = {"y": y, **named_states("last", last)}
    found = with_gradients(random, inputs, dict(model.named_parameters()), outputs)
    without = {name: array for name, array in found.items() if not name.startswith("parameter/")}
    return {"x": x, **without}


if __name__ == "__main__":
    main()
