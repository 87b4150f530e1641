"""Weights in files: those that torch and the safetensors library wrote, and our own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gpt import GPT
from torch_cases import assert_like_torch, torch_cases

import isograd as ig
from isograd import nn

safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")

CASES = torch_cases("safetensors")
FOLDER = Path(__file__).parents[1] / "oracles"
MADE = {"dtype": "float64"}
MODELS = {
    "mlp": lambda: nn.Sequential(nn.Linear(4, 6, **MADE), nn.ReLU(), nn.Linear(6, 3, **MADE)),
    "cnn": lambda: nn.Sequential(
        *(nn.Conv2d(2, 3, 3, padding=1, bias=False, **MADE), nn.BatchNorm2d(3, **MADE)),
        *(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2, **MADE)),
    ),
    "lstm": lambda: nn.LSTM(2, 3, 2, bidirectional=True, **MADE),
    "gpt": lambda: GPT(*CASES["gpt"].settings["sizes"]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_weights_that_torch_saved_give_its_outputs_and_gradients(case, device):
    name = case.name.split("-")[0]
    model = MODELS[name]()
    model.load_state_dict(safetensors.load_file(FOLDER / f"weights_{name}.safetensors"))
    model.train(not case.name.endswith("training=False"))

    def call(model, inputs, constants):
        y = model(*inputs.values(), *constants.values())
        y, last = y if isinstance(y, tuple) else (y, ())
        return {"y": y, **{f"last/{i}": state for i, state in enumerate(last)}}

    assert_like_torch(model, case, call)


@pytest.mark.parametrize("library", ["safetensors", "numpy"])
def test_our_own_weights_come_back_from_a_file_as_they_were(library, tmp_path):
    model, other = MODELS["cnn"](), MODELS["cnn"]()
    model(np.random.RandomState(0).randn(3, 2, 4, 4))  # moves the running statistics
    if library == "numpy":
        np.savez(tmp_path / "weights.npz", **model.state_dict())
        with np.load(tmp_path / "weights.npz") as file:
            other.load_state_dict(file)
    else:
        safetensors.save_file(model.state_dict(), tmp_path / "weights.safetensors")
        other.load_state_dict(safetensors.load_file(tmp_path / "weights.safetensors"))
    for name, x in model.state_dict().items():
        assert np.array_equal(ig.to_numpy(other.state_dict()[name]), x), name
