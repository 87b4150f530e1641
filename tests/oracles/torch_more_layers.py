"""Write torch_more_layers.npz: unpooling, fold, distances, Bilinear and others in torch 2.13.

    python tests/oracles/torch_more_layers.py

Float64. For every case: the state_dict, the inputs by position ("0", "1", ...), y = layer(*inputs),
and the gradients of floating inputs and all parameters against the cotangent dy/y. Cases of
MaxUnpool also have what the pooling was given ("pooling/x"), and its options as "pooling".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor, nn

Case = tuple[str, dict[str, Any], list[Tensor]]
POOLINGS: tuple[tuple[dict[str, Any], bool], ...] = (  # whether output_size is given
    ({"kernel_size": 2}, True),
    ({"kernel_size": 3, "stride": 2, "padding": 1}, False),  # windows that share an element
    ({"kernel_size": (2, 3, 1), "stride": (2, 1, 1)}, True),
    ({"kernel_size": 1, "stride": 1}, False),
)
LENGTHS = (7, 5, 3)
WINDOWS: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)},
    {"kernel_size": 3, "padding": 2, "stride": 3},
)


class Shortcut(nn.Module):
    """torch has no Residual: module(x) + shortcut(x)."""

    def __init__(self, module: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.module, self.shortcut = module, shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x) + (x if self.shortcut is None else self.shortcut(x))


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(41)
    cases: dict[str, Any] = {}
    for name, found in unpoolings(random):
        cases[name] = found
    for source in (windows, of_channels, distances, bilinear):
        for layer, options, inputs in source(random):
            shapes = "-".join("x".join(map(str, x.shape)) for x in inputs)
            key = "-".join([layer, *(f"{k}={v}" for k, v in options.items()), shapes])
            given = {("dim" if k == "axis" else k): v for k, v in options.items()}
            given = {("keepdim" if k == "keepdims" else k): v for k, v in given.items()}
            module = getattr(nn, layer)(**given)
            cases[key] = ({"layer": layer, "options": options}, numbers(random, module, inputs))
    x = torch.tensor(random.randn(3, 4))
    for name, shortcut in (("Residual", None), ("Residual-shortcut", nn.Linear(4, 4, bias=False))):
        module = Shortcut(nn.Sequential(nn.Linear(4, 4), nn.Tanh()), shortcut)
        cases[name] = ({"layer": "Residual", "options": {}}, numbers(random, module, [x]))
    npz.save("more_layers", cases)


def numbers(random: RandomState, module: Any, inputs: list[Tensor]) -> dict[str, Tensor]:
    """Parameters, inputs, y, and all gradients."""
    for parameter in module.parameters():
        parameter.data = torch.tensor(random.randn(*parameter.shape))
    given = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    y = module(*given)
    dy = torch.tensor(random.randn(*y.shape))
    leaves = {f"d/{i}": x for i, x in enumerate(given) if x.requires_grad}
    leaves |= {f"d/parameter/{name}": p for name, p in module.named_parameters()}
    gradients = torch.autograd.grad(y, list(leaves.values()), dy)
    return {
        **{f"parameter/{name}": value for name, value in module.state_dict().items()},
        **{str(i): x for i, x in enumerate(inputs)},
        **{"y": y, "dy/y": dy, **dict(zip(leaves, gradients, strict=True))},
    }


def unpoolings(random: RandomState) -> Iterator[tuple[str, Any]]:
    """MaxUnpool1d to 3d of what MaxPool1d to 3d found, ties among it."""
    for n in (1, 2, 3):
        x = torch.tensor((3.0 * random.randn(2, 2, *LENGTHS[:n])).round())
        for options, given in POOLINGS:
            axes = {k: v[:n] if isinstance(v, tuple) else v for k, v in options.items()}
            pool = getattr(nn, f"MaxPool{n}d")(**axes, return_indices=True)
            unpool = getattr(nn, f"MaxUnpool{n}d")(**axes)
            output_size = LENGTHS[:n] if given else None
            y, indices = pool(x)
            found = numbers(random, lambda_with(unpool, output_size), [y.detach(), indices])
            settings = {"layer": f"MaxUnpool{n}d", "options": axes, "output_size": output_size}
            name = "-".join([f"MaxUnpool{n}d", *(f"{k}={v}" for k, v in axes.items())])
            yield name, (settings, {**found, "pooling/x": x})


def lambda_with(unpool: nn.Module, output_size: tuple[int, ...] | None) -> nn.Module:
    """The module with its output_size given."""

    class Given(nn.Module):
        def forward(self, x: Tensor, indices: Tensor) -> Tensor:
            return unpool(x, indices, output_size=output_size)

    return Given()


def windows(random: RandomState) -> Iterator[Case]:
    """Unfold and Fold, with and without a batch."""
    for options in WINDOWS:
        for front in ((2, 3), (2,)):
            x = torch.tensor(random.randn(*front, 5, 6))
            yield "Unfold", options, [x]
            y = nn.Unfold(**options)(x)
            yield "Fold", {"output_size": (5, 6), **options}, [y]


def of_channels(random: RandomState) -> Iterator[Case]:
    """LocalResponseNorm and ChannelShuffle."""
    x = torch.tensor(2.0 * random.randn(2, 6, 3))
    yield "LocalResponseNorm", {"size": 3}, [x]
    yield "LocalResponseNorm", {"size": 4, "alpha": 0.9, "beta": 0.5, "k": 2.0}, [x[..., None]]
    yield "LocalResponseNorm", {"size": 9, "alpha": 0.2}, [x]
    for groups in (1, 2, 3):
        yield "ChannelShuffle", {"groups": groups}, [x[..., None]]


def distances(random: RandomState) -> Iterator[Case]:
    """CosineSimilarity, PairwiseDistance and TripletMarginWithDistanceLoss."""
    x, y, z = (torch.tensor(random.randn(4, 3, 2)) for _ in range(3))
    x[1], y[2, :, 0] = 0.0, 0.0
    yield "CosineSimilarity", {}, [x, y]
    yield "CosineSimilarity", {"axis": -1}, [x, y]
    yield "CosineSimilarity", {"axis": 0}, [x, y[:, :1]]
    yield "CosineSimilarity", {}, [x, y[:, :1]]
    yield "CosineSimilarity", {"axis": -2}, [x[0], y]
    for p in (2.0, 1.0, 3.5, float("inf")):
        yield "PairwiseDistance", {"p": p}, [x, y]
    yield "PairwiseDistance", {"keepdims": True, "eps": 0.1}, [x, y[0, 0]]
    for options in ({}, {"margin": 2.0, "swap": True, "reduction": "none"}):
        yield "TripletMarginWithDistanceLoss", options, [x[..., 0], y[..., 0], z[..., 0]]


def bilinear(random: RandomState) -> Iterator[Case]:
    """Bilinear with and without bias, over several leading axes and none."""
    for bias in (True, False):
        for front in ((), (4,), (2, 3)):
            x1, x2 = (torch.tensor(random.randn(*front, n)) for n in (3, 2))
            sizes = {"in1_features": 3, "in2_features": 2, "out_features": 5}
            yield "Bilinear", {**sizes, "bias": bias}, [x1, x2]
    x1, x2 = torch.tensor(random.randn(3, 1)), torch.tensor(random.randn(3, 1))
    yield "Bilinear", {"in1_features": 1, "in2_features": 1, "out_features": 1}, [x1, x2]


if __name__ == "__main__":
    main()
