"""Write torch_2_13.json: what PyTorch 2.13 computes in float64, kept so that tests need no torch.

To rebuild, in any environment that has torch 2.13 and NumPy (the CPU build is enough):

    python tests/oracles/make_torch_numbers.py

The file comes out the same byte for byte on the same build of torch; another processor may change
last digits, because its vector code rounds exp and tanh differently. Every input is saved beside
its result, so the tests depend on no random generator.

An array is {"shape": [...], "data": [...]} in C order, with "int64" under "dtype" where it holds
integers. Floats are Python's repr, which float() reads back exactly; "inf", "-inf" and "nan" are
strings. tests/oracles.py turns it all into NumPy arrays: torch_numbers().
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
import torch_activations
import torch_losses
import torch_networks
import torch_optimizers

TARGET = Path(__file__).with_name("torch_2_13.json")


def main() -> None:
    """Compute all sections with one thread and write them to TARGET."""
    if not torch.__version__.startswith("2.13."):
        raise SystemExit(f"torch 2.13 is needed to rebuild the numbers, got {torch.__version__}")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    numbers = {
        "torch": torch.__version__,
        "optimizers": torch_optimizers.numbers(),
        "activations": torch_activations.numbers(),
        "row_functions": torch_activations.row_numbers(),
        "losses": torch_losses.numbers(),
        "linear": torch_networks.linear_numbers(),
        "mlp": torch_networks.mlp_numbers(),
        "clip_grad_norm": torch_networks.clipping_numbers(),
        "training": torch_networks.training_numbers(),
    }
    TARGET.write_text(layout(encode(numbers)) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


def encode(value: object) -> object:
    """The same nest of dicts and lists with every tensor as shape and data."""
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, torch.Tensor):
        return encode_tensor(value.detach())
    return value


def encode_tensor(tensor: torch.Tensor) -> dict[str, object]:
    """{"shape", "data"} of a float64 tensor, with "dtype" of an int64 one; -0.0 keeps its sign."""
    data = tensor.reshape(-1).tolist()
    if tensor.dtype == torch.int64:
        return {"shape": list(tensor.shape), "dtype": "int64", "data": data}
    if tensor.dtype != torch.float64:
        raise TypeError(f"only float64 and int64 are kept, got {tensor.dtype}")
    readable = [value if math.isfinite(value) else str(value) for value in data]
    return {"shape": list(tensor.shape), "data": readable}


def layout(value: object, indent: str = "") -> str:
    """JSON text with one line an array or a plain value, so that a change shows as few lines."""
    if not isinstance(value, dict) or "data" in value:
        return json.dumps(value, allow_nan=False)
    deeper = indent + " "
    lines = [f"{deeper}{json.dumps(key)}: {layout(item, deeper)}" for key, item in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + indent + "}"


if __name__ == "__main__":
    main()
