"""Write torch_more_activations.npz: the other activations of torch.nn in torch 2.13, float64.

    python tests/oracles/torch_more_activations.py

For every case y and the gradient dx against dy on one x, whose corners are among its numbers.
"""

from __future__ import annotations

from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import nn

CORNERS = (-40.0, -6.0, -3.0, -1.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 0.7, 1.0, 2.0, 3.0, 6.0, 6.5, 40.0)
LAYERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("ReLU6", {}),
    ("Hardsigmoid", {}),
    ("Hardswish", {}),
    ("Hardshrink", {}),
    ("Hardshrink", {"lambd": 1.0}),
    ("Softshrink", {}),
    ("Softshrink", {"lambd": 0.7}),
    ("Threshold", {"threshold": 0.5, "value": -7.0}),
    ("CELU", {}),
    ("CELU", {"alpha": 0.4}),
    ("SELU", {}),
    ("Mish", {}),
    ("Softsign", {}),
    ("Tanhshrink", {}),
    ("RReLU", {}),
    ("RReLU", {"lower": 0.1, "upper": 0.9}),
    ("GLU", {}),
    ("GLU", {"dim": 0}),
    ("Softmin", {"dim": -1}),
    ("Softmin", {"dim": 0}),
    ("Softmax2d", {}),
)


def main() -> None:
    """Compute all cases and write them; RReLU in evaluation."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(22)
    cases = {}
    for name, options in LAYERS:
        x = torch.cat([torch.tensor(CORNERS), torch.tensor(3.0 * random.randn(8))])
        x = x.reshape((2, 3, 2, 2) if name == "Softmax2d" else (4, 6)).requires_grad_()
        y = getattr(nn, name)(**options).eval()(x)
        dy = torch.tensor(random.randn(*y.shape))
        (dx,) = torch.autograd.grad(y, x, dy)
        key = "-".join([name, *(f"{k}={v}" for k, v in options.items())])
        given = {"axis" if k == "dim" else k: v for k, v in options.items()}
        cases[key] = ({"layer": name, "options": given}, {"x": x, "y": y, "dy/y": dy, "d/x": dx})
    npz.save("more_activations", cases)


if __name__ == "__main__":
    main()
