"""Write torch_recurrent.npz: RNN, GRU, LSTM, their cells, Embedding and Bilinear in torch 2.13.

    python tests/oracles/torch_recurrent.py

Float64. For every case: parameters, inputs, outputs, and the gradients of all of them against the
cotangents dy/... . Lengths went through pack_padded_sequence and pad_packed_sequence.
"""

from __future__ import annotations

import itertools
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

N_IN, N_HIDDEN, N_STEPS, N_BATCH = 2, 3, 4, 3
LENGTHS = (2, 4, 1)
KINDS = {
    "lstm": (nn.LSTM, {}),
    "gru": (nn.GRU, {}),
    "rnn_tanh": (nn.RNN, {}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}),
}
GRID = (
    {},
    {"bias": False},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 2, "batch_first": True, "state": True},
    {"bidirectional": True, "lengths": True},
    {"num_layers": 2, "bidirectional": True, "lengths": True, "state": True, "batch_first": True},
    {"single": True, "state": True},
    {"state": True, "lengths": True, "bias": False},
)

PROJECTED = (
    {"proj_size": 2},
    {"proj_size": 2, "num_layers": 2, "bidirectional": True, "bias": False},
    {"proj_size": 1, "num_layers": 2, "batch_first": True, "state": True},
    {"proj_size": 2, "bidirectional": True, "lengths": True},
    {"proj_size": 2, "num_layers": 2, "bidirectional": True, "lengths": True, "state": True},
    {"proj_size": 2, "single": True, "state": True},
)


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(11)
    cases: dict[str, Any] = {}
    for (kind, (layer, fixed)), options in itertools.product(KINDS.items(), GRID):
        name = "-".join([kind, *(f"{k}={v}" for k, v in options.items())])
        cases[name] = recurrent(random, layer, kind, dict(fixed), dict(options))
    for kind, (layer, fixed) in KINDS.items():
        for bias in (True, False):
            cell, options = getattr(nn, f"{layer.__name__}Cell"), {"bias": bias, **fixed}
            cases[f"{kind}_cell-bias={bias}"] = one_cell(random, cell, kind, options)
    for padding in (None, 1, -2):
        cases[f"embedding-padding_idx={padding}"] = embedding(random, padding)
    for bias in (True, False):
        cases[f"bilinear-bias={bias}"] = bilinear(random, bias)
    for options in PROJECTED:
        name = "-".join(["lstm", *(f"{k}={v}" for k, v in options.items())])
        cases[name] = recurrent(random, nn.LSTM, "lstm", {}, dict(options))
    npz.save("recurrent", cases)


def recurrent(
    random: RandomState, layer: Any, kind: str, fixed: dict, options: dict
) -> tuple[dict, dict]:
    """One layer over (time, batch, features) or what batch_first and single make of it."""
    settings = {"layer": layer.__name__, **fixed, **options}
    has_state, has_lengths, single = (
        options.pop(key, False) for key in ("state", "lengths", "single")
    )
    module = layer(N_IN, N_HIDDEN, **fixed, **options)
    parameters = drawn_parameters(random, module)
    batch_first = options.get("batch_first", False)
    shape = (N_BATCH, N_STEPS) if batch_first else (N_STEPS, N_BATCH)
    x = drawn(random, *((N_STEPS,) if single else shape), N_IN)
    n_runs = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    leading = (n_runs,) if single else (n_runs, N_BATCH)
    n_states = 2 if kind == "lstm" else 1
    sizes = (options.get("proj_size", N_HIDDEN), N_HIDDEN)[:n_states]
    states = [drawn(random, *leading, size) for size in sizes] if has_state else []
    given = None if not states else tuple(states) if n_states == 2 else states[0]
    if has_lengths:
        packed = pack_padded_sequence(
            x, torch.tensor(LENGTHS), batch_first=batch_first, enforce_sorted=False
        )
        packed_y, last = module(packed, given)
        y, _ = pad_packed_sequence(packed_y, batch_first=batch_first, total_length=N_STEPS)
    else:
        y, last = module(x, given)
    outputs = {"y": y, **named_states("last", last if n_states == 2 else (last,))}
    inputs = {"x": x, **named_states("state", states)}
    found = with_gradients(random, inputs, parameters, outputs)
    if has_lengths:
        found["lengths"] = torch.tensor(LENGTHS)
    return settings, found


def one_cell(random: RandomState, cell: Any, kind: str, options: dict) -> tuple[dict, dict]:
    """One step of a cell from a given state."""
    module = cell(N_IN, N_HIDDEN, **options)
    parameters = drawn_parameters(random, module)
    x = drawn(random, N_BATCH, N_IN)
    n_states = 2 if kind == "lstm" else 1
    states = [drawn(random, N_BATCH, N_HIDDEN) for _ in range(n_states)]
    last = module(x, tuple(states) if n_states == 2 else states[0])
    outputs = named_states("last", last if n_states == 2 else (last,))
    inputs = {"x": x, **named_states("state", states)}
    settings = {"layer": cell.__name__, **options}
    return settings, with_gradients(random, inputs, parameters, outputs)


def embedding(random: RandomState, padding_idx: int | None) -> tuple[dict, dict]:
    """Rows of a table, one index thrice and one never."""
    module = nn.Embedding(5, N_HIDDEN, padding_idx=padding_idx)
    parameters = drawn_parameters(random, module)
    indices = torch.tensor([[1, 3, 3], [0, 1, 3]])
    found = with_gradients(random, {}, parameters, {"y": module(indices)})
    return {"layer": "Embedding", "padding_idx": padding_idx}, {**found, "indices": indices}


def bilinear(random: RandomState, bias: bool) -> tuple[dict, dict]:
    """Two inputs with two leading axes."""
    module = nn.Bilinear(3, 4, 2, bias=bias)
    parameters = drawn_parameters(random, module)
    inputs = {"x1": drawn(random, 2, 5, 3), "x2": drawn(random, 2, 5, 4)}
    outputs = {"y": module(*inputs.values())}
    return {"layer": "Bilinear", "bias": bias}, with_gradients(random, inputs, parameters, outputs)


def drawn(random: RandomState, *shape: int) -> Tensor:
    """Normal numbers, a leaf."""
    return torch.tensor(random.randn(*shape)).requires_grad_()


def drawn_parameters(random: RandomState, module: nn.Module) -> dict[str, Tensor]:
    """The module's parameters by name, drawn anew."""
    parameters = dict(module.named_parameters())
    for parameter in parameters.values():
        parameter.data = torch.tensor(0.6 * random.randn(*parameter.shape))
    return parameters


def named_states(name: str, states: Any) -> dict[str, Tensor]:
    """name/0, name/1, ..."""
    return {f"{name}/{i}": state for i, state in enumerate(states)}


def with_gradients(
    random: RandomState,
    inputs: dict[str, Tensor],
    parameters: dict[str, Tensor],
    outputs: dict[str, Tensor],
) -> dict[str, Tensor]:
    """Everything under its name, cotangents as dy/..., gradients as d/... and d/parameter/...."""
    cotangents = {name: torch.tensor(random.randn(*y.shape)) for name, y in outputs.items()}
    wanted = {**inputs, **{f"parameter/{name}": p for name, p in parameters.items()}}
    found = torch.autograd.grad(
        list(outputs.values()), list(wanted.values()), list(cotangents.values())
    )
    gradients = {f"d/{name}": dx for name, dx in zip(wanted, found, strict=True)}
    dys = {f"dy/{name}": dy for name, dy in cotangents.items()}
    return {**wanted, **outputs, **dys, **gradients}


if __name__ == "__main__":
    main()
