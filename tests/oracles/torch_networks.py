"""torch's Linear, small networks with all their gradients, gradient clipping, short trainings."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from numpy.random import RandomState
from torch import Tensor, nn
from torch.nn import functional

SIZES = (5, 4, 4, 3)
STEPS = 50
ACTIVATIONS = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"),
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
}


def linear_numbers() -> dict[str, Tensor]:
    """Linear over (2, 3, 4) inputs: y with and without bias, and the gradients against dy."""
    random = RandomState(5)
    x, weight, bias, dy = (
        torch.tensor(random.randn(*shape)) for shape in ((2, 3, 4), (5, 4), (5,), (2, 3, 5))
    )
    inputs = [x, weight, bias]
    for tensor in inputs:
        tensor.requires_grad_()
    y = functional.linear(x, weight, bias)
    dx, dweight, dbias = torch.autograd.grad(y, inputs, dy)
    return {
        **{"x": x, "weight": weight, "bias": bias, "y": y, "dy": dy},
        **{"y_without_bias": functional.linear(x, weight)},
        **{"dx": dx, "dweight": dweight, "dbias": dbias},
    }


def mlp_numbers() -> dict[str, object]:
    """5-4-4-3 networks: logits, loss, all gradients, and the Hessian of the loss times `direction`.

    Names are those of nn.Sequential(Linear, activation, Linear, activation, Linear); "x" stands
    among the gradients too. PReLU's slopes ("1.weight", "3.weight") start at torch's 0.25.
    """
    random = RandomState(6)
    x, labels = torch.tensor(random.randn(6, SIZES[0])), torch.tensor([0, 1, 2, 2, 1, 0])
    parameters = initial(random)
    direction = {name: torch.tensor(random.randn(*p.shape)) for name, p in parameters.items()}
    cases = {name: one_mlp(name, parameters, direction, x, labels) for name in ACTIVATIONS}
    inputs = {"x": x, "labels": labels, "parameters": parameters, "direction": direction}
    return {**inputs, "cases": cases}


def one_mlp(
    activation: str,
    parameters: dict[str, Tensor],
    direction: dict[str, Tensor],
    x: Tensor,
    labels: Tensor,
) -> dict[str, object]:
    """Logits, cross-entropy, its gradients, and H @ direction over the Linear parameters."""
    model, x = network(activation, parameters), x.clone().requires_grad_()
    logits = model(x)
    loss = functional.cross_entropy(logits, labels)
    wanted = {**dict(model.named_parameters()), "x": x}
    found = torch.autograd.grad(loss, list(wanted.values()), create_graph=True)
    gradients = dict(zip(wanted, found, strict=True))
    slope = sum((gradients[name] * direction[name]).sum() for name in direction)
    curved = torch.autograd.grad(slope, [dict(model.named_parameters())[n] for n in direction])
    product = dict(zip(direction, curved, strict=True))
    return {"logits": logits, "loss": loss, "gradients": gradients, "hessian_product": product}


def clipping_numbers() -> dict[str, object]:
    """clip_grad_norm_ for three norms, clipped and left alone: total norm and new gradients."""
    random = RandomState(7)
    gradients = {"weight": torch.tensor(random.randn(3, 4)), "bias": torch.tensor(random.randn(5))}
    cases = []
    for max_norm, norm_type in ((1.0, 2.0), (100.0, 2.0), (1.0, 1.0), (0.5, float("inf"))):
        tensors = {name: torch.zeros_like(value) for name, value in gradients.items()}
        for name, tensor in tensors.items():
            tensor.grad = gradients[name].clone()
        total = nn.utils.clip_grad_norm_(tensors.values(), max_norm, norm_type, foreach=False)
        after = {name: tensor.grad for name, tensor in tensors.items()}
        settings = {"max_norm": max_norm, "norm_type": str(norm_type)}
        cases.append({**settings, "total_norm": total, "after": after})
    return {"gradients": gradients, "cases": {str(i): case for i, case in enumerate(cases)}}


def training_numbers() -> dict[str, object]:
    """Two trainings of 50 steps on 24 points: the loss before each step, and what is left."""
    random = RandomState(8)
    x = torch.tensor(random.randn(24, SIZES[0]))
    labels = torch.tensor(random.randint(0, SIZES[-1], 24))
    parameters = initial(random)
    cases = {
        "adam_tanh": ("Adam", {"lr": 0.02}, "tanh", 24, {}),
        "adamw_relu_batches_of_8": (
            "AdamW",
            {"lr": 0.01, "weight_decay": 0.1},
            "relu",
            8,
            {"label_smoothing": 0.1},
        ),
    }
    found = {name: one_training(*case, parameters, x, labels) for name, case in cases.items()}
    return {"x": x, "labels": labels, "parameters": parameters, "cases": found}


def one_training(
    optimizer: str,
    settings: dict[str, float],
    activation: str,
    batch_size: int,
    loss_settings: dict[str, float],
    parameters: dict[str, Tensor],
    x: Tensor,
    labels: Tensor,
) -> dict[str, object]:
    """STEPS steps over the batches in order, around and around; everything needed to repeat it."""
    model = network(activation, parameters)
    stepper = getattr(torch.optim, optimizer)(model.parameters(), foreach=False, **settings)
    losses, batches = [], batches_in_order(x, labels, batch_size)
    for _ in range(STEPS):
        points, wanted = next(batches)
        loss = functional.cross_entropy(model(points), wanted, **loss_settings)
        stepper.zero_grad()
        loss.backward()
        stepper.step()
        losses.append(loss.detach())
    recipe = {"optimizer": optimizer, "settings": settings, "activation": activation}
    recipe |= {"batch_size": batch_size, "loss_settings": loss_settings}
    final = dict(model.named_parameters())
    return {**recipe, "losses": torch.stack(losses), "parameters": final}


def batches_in_order(x: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The same batches in the same order, forever."""
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], labels[start : start + size]


def initial(random: RandomState) -> dict[str, Tensor]:
    """Weights of variance 1 / in_features and small biases, under nn.Sequential's names."""
    parameters = {}
    for layer, (n_in, n_out) in enumerate(zip(SIZES, SIZES[1:], strict=False)):
        parameters[f"{2 * layer}.weight"] = torch.tensor(random.randn(n_out, n_in) / n_in**0.5)
        parameters[f"{2 * layer}.bias"] = torch.tensor(0.1 * random.randn(n_out))
    return parameters


def network(activation: str, parameters: dict[str, Tensor]) -> nn.Sequential:
    """Linear, activation, Linear, activation, Linear with copies of the given parameters."""
    layers: list[nn.Module] = []
    for n_in, n_out in zip(SIZES, SIZES[1:], strict=False):
        layers += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
    model = nn.Sequential(*layers[:-1])
    model.load_state_dict(parameters, strict=activation != "prelu")
    return model
