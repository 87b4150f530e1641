"""torch's activations with their first and second derivatives, element by element and by rows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import RandomState
from torch import Tensor
from torch.nn import functional

# 0, the smallest normal number, steep and flat parts, both sides of softplus' threshold 20, and
# arguments whose exp overflows.
SMALL = (2.2250738585072014e-308, 1e-8, 1e-3, 0.1, 0.3, 0.5, 0.75, 1.0, 1.3, 2.0, 3.0, 4.5, 6.0)
LARGE = (8.0, 9.9, 10.1, 12.0, 16.0, 19.9, 20.1, 30.0, 37.0, 100.0, 750.0)

ACTIVATIONS: dict[str, tuple[str, dict[str, object]]] = {
    "sigmoid": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "relu": ("relu", {}),
    "leaky_relu": ("leaky_relu", {"negative_slope": 0.01}),
    "leaky_relu_0.2": ("leaky_relu", {"negative_slope": 0.2}),
    "elu": ("elu", {"alpha": 1.0}),
    "elu_0.7": ("elu", {"alpha": 0.7}),
    "gelu": ("gelu", {"approximate": "none"}),
    "gelu_tanh": ("gelu", {"approximate": "tanh"}),
    "silu": ("silu", {}),
    "softplus": ("softplus", {"beta": 1.0, "threshold": 20.0}),
    "softplus_beta_2": ("softplus", {"beta": 2.0, "threshold": 20.0}),
    "softplus_threshold_5": ("softplus", {"beta": 0.5, "threshold": 5.0}),
    "log_sigmoid": ("logsigmoid", {}),
}


def numbers() -> dict[str, object]:
    """The grid x and, for every activation, y, dy/dx and d2y/dx2 on it; then PReLU."""
    x = grid()
    cases: dict[str, object] = {}
    for name, (function, settings) in ACTIVATIONS.items():
        results = pointwise(lambda z, f=function, s=settings: getattr(functional, f)(z, **s), x)
        cases[name] = {"settings": settings, **results}
    return {"x": x, "cases": cases, "prelu": prelu_numbers()}


def grid() -> Tensor:
    """Ascending: minus the magnitudes, 0, the magnitudes."""
    positive = torch.tensor(SMALL + LARGE)
    return torch.cat([-positive.flip(0), torch.zeros(1), positive])


def pointwise(function: Callable[[Tensor], Tensor], x: Tensor) -> dict[str, Tensor]:
    """y, first and second derivative at each x (a sum over an elementwise function separates)."""
    x = x.clone().requires_grad_()
    y = function(x)
    (first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    second = torch.zeros_like(x)
    if first.requires_grad:
        (second,) = torch.autograd.grad(first.sum(), x, allow_unused=True, materialize_grads=True)
    return {"y": y, "first": first, "second": second}


def prelu_numbers() -> dict[str, Tensor]:
    """PReLU of x (4, 3) with a slope a channel, and its two gradients against dy."""
    random = RandomState(2)
    x = torch.tensor(random.randn(4, 3))
    x[1, 2] = 0.0
    slope, dy = torch.tensor([0.25, -0.5, 1.5]), torch.tensor(random.randn(4, 3))
    x.requires_grad_(), slope.requires_grad_()
    y = functional.prelu(x, slope)
    dx, dslope = torch.autograd.grad(y, (x, slope), dy)
    return {"x": x, "weight": slope, "y": y, "dy": dy, "dx": dx, "dweight": dslope}


def row_numbers() -> dict[str, object]:
    """softmax and log_softmax over both axes: y, dx = vjp(dy), and the gradients of sum(dx * v)."""
    random = RandomState(3)
    x = torch.tensor(3.0 * random.randn(5, 4))
    x[2] = torch.tensor([1e4, -1e4, 0.0, 9999.0])
    x[3] = 7.0
    dy, v = torch.tensor(random.randn(5, 4)), torch.tensor(random.randn(5, 4))
    cases = {}
    for name in ("softmax", "log_softmax"):
        for axis in (-1, 0):
            cases[f"{name}_axis_{axis}"] = {"axis": axis, **rows(name, axis, x, dy, v)}
    return {"x": x, "dy": dy, "v": v, "cases": cases}


def rows(name: str, axis: int, x: Tensor, dy: Tensor, v: Tensor) -> dict[str, Tensor]:
    """One row function: value, gradient, and the gradient of sum(dx * v) in x and in dy."""
    x, dy = x.clone().requires_grad_(), dy.clone().requires_grad_()
    y = getattr(functional, name)(x, dim=axis)
    (dx,) = torch.autograd.grad(y, x, dy, create_graph=True)
    second_x, second_dy = torch.autograd.grad((dx * v).sum(), (x, dy))
    return {"y": y, "dx": dx, "second_x": second_x, "second_dy": second_dy}
