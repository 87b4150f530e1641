"""Write torch_spatial.npz: convolution, pooling, normalization, resampling in torch 2.13.

    python tests/oracles/torch_spatial.py

Float64. For every case: the state_dict, x, y = layer(x), and the gradients of x and of all
parameters against the cotangent dy/y. Layers with running statistics are called twice in training
(y, y_second), then in evaluation (y_evaluated); "after" is their state at the end.
"""

from __future__ import annotations

from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import nn

LENGTHS = {1: (7,), 2: (5, 4), 3: (3, 4, 3)}
CONVOLUTIONS: tuple[dict[str, Any], ...] = (
    {"kernel_size": 3},
    {"kernel_size": 2, "padding": "same", "bias": False},
    {"kernel_size": 3, "padding": "same", "dilation": (2, 1, 1), "groups": 2},
    {"kernel_size": (3, 1, 2), "stride": 2, "padding": 1},
    {"kernel_size": (2, 3, 1), "stride": (3, 1, 2), "padding": (2, 1, 0), "groups": 4},
    {"kernel_size": 2, "stride": (2, 1, 1), "dilation": (1, 2, 1), "groups": 2, "bias": False},
    {"kernel_size": 1, "padding": "valid"},
    {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    {"kernel_size": 2, "padding": "same", "padding_mode": "replicate"},
    {"kernel_size": 3, "padding": (2, 1, 1), "padding_mode": "circular", "stride": 2, "groups": 2},
)
TRANSPOSED: tuple[dict[str, Any], ...] = (
    {"kernel_size": 3},
    {"kernel_size": (2, 3, 1), "stride": 2, "output_padding": 1},
    {"kernel_size": 3, "stride": (3, 1, 2), "padding": 1, "groups": 2, "bias": False},
    {"kernel_size": 2, "stride": 2, "dilation": (3, 1, 2), "padding": (1, 0, 1), "groups": 4},
    {"kernel_size": 2, "stride": (1, 2, 1), "dilation": 3, "padding": 1, "output_padding": 2},
)
MAXIMA: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": (2, 1, 1), "padding": 1},
    {"kernel_size": 2, "stride": 1, "dilation": (2, 3, 1)},
    {"kernel_size": (3, 2, 2), "stride": 2, "padding": (1, 0, 1), "ceil_mode": True},
)
MEANS: tuple[dict[str, Any], ...] = (
    {"kernel_size": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False},
    {"kernel_size": (2, 3, 2), "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "ceil_mode": True, "count_include_pad": False},
)
NORMS: tuple[dict[str, Any], ...] = (
    {"norm_type": 2.0, "kernel_size": 2},
    {"norm_type": 3.0, "kernel_size": (3, 2, 2), "stride": 2, "ceil_mode": True},
    {"norm_type": 1.0, "kernel_size": 3, "stride": 1},
)
RUNNING: tuple[dict[str, Any], ...] = (
    {},
    {"momentum": None},
    {"affine": False, "eps": 0.1, "momentum": 0.3},
    {"track_running_stats": False},
)
FACTORS = (1.7, 0.6, 2.0)


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(12)
    cases: dict[str, Any] = {}
    for n_axes in (1, 2, 3):
        for layer, options in layers_of(n_axes):
            options = {name: per_axis(value, n_axes) for name, value in options.items()}
            cases[named(layer, options)] = one_case(random, layer, options, shape(layer, n_axes))
    for layer, options, lengths in other_layers():
        cases[named(layer, options)] = one_case(random, layer, options, lengths)
    npz.save("spatial", cases)


def layers_of(n_axes: int) -> list[tuple[str, dict[str, Any]]]:
    """(layer, options) for every layer that is there for so many spatial axes."""
    n, channels = f"{n_axes}d", {"in_channels": 4, "out_channels": 4}
    pads = 2 * n_axes
    listed: list[tuple[str, dict[str, Any]]] = [
        *((f"Conv{n}", {**channels, **options}) for options in CONVOLUTIONS),
        *((f"ConvTranspose{n}", {**channels, **options}) for options in TRANSPOSED),
        *((f"MaxPool{n}", options) for options in MAXIMA),
        *((f"AvgPool{n}", options) for options in MEANS),
        *((f"LPPool{n}", options) for options in NORMS),
        *((f"AdaptiveAvgPool{n}", {"output_size": size}) for size in (1, 3, (4, 2, 3))),
        *((f"AdaptiveMaxPool{n}", {"output_size": size}) for size in (1, 3, (4, 2, 3))),
        *((f"BatchNorm{n}", {"num_features": 4, **options}) for options in RUNNING),
        (f"InstanceNorm{n}", {"num_features": 4}),
        (f"InstanceNorm{n}", {"num_features": 4, "affine": True, "track_running_stats": True}),
        (f"ConstantPad{n}", {"padding": [2, -1, 0, 3, 1, 0][:pads], "value": 1.5}),
        (f"ZeroPad{n}", {"padding": 1}),
        (f"ReflectionPad{n}", {"padding": [2, 1, 0, 2, 1, 1][:pads]}),
        (f"ReplicationPad{n}", {"padding": [2, 4, 0, 3, 1, 6][:pads]}),
        (f"CircularPad{n}", {"padding": [2, 1, 0, 2, 1, 1][:pads]}),
        *(("Upsample", {"size": 4, "mode": mode}) for mode in ("nearest", "nearest-exact")),
        ("Upsample", {"scale_factor": 2.5, "mode": "nearest"}),
    ]
    for mode in (("linear",), ("bilinear", "bicubic"), ("trilinear",))[n_axes - 1]:
        for options in ({"size": (9, 3, 4)}, {"scale_factor": FACTORS}):
            for corners in (False, True):
                listed.append(("Upsample", {**options, "mode": mode, "align_corners": corners}))
    return listed


def other_layers() -> list[tuple[str, dict[str, Any], tuple[int, ...]]]:
    """(layer, options, shape of x) for the layers without a number of axes in their name."""
    return [
        ("BatchNorm1d", {"num_features": 3, "momentum": 0.25}, (5, 3)),
        ("LayerNorm", {"normalized_shape": 5}, (2, 3, 5)),
        ("LayerNorm", {"normalized_shape": [3, 5], "bias": False, "eps": 0.1}, (2, 3, 5)),
        ("LayerNorm", {"normalized_shape": [5], "elementwise_affine": False}, (2, 3, 5)),
        ("RMSNorm", {"normalized_shape": [3, 5]}, (2, 3, 5)),
        ("RMSNorm", {"normalized_shape": 5, "eps": 0.1, "elementwise_affine": False}, (2, 3, 5)),
        ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (2, 4, 3, 2)),
        ("GroupNorm", {"num_groups": 4, "num_channels": 4, "affine": False}, (2, 4, 5)),
        ("GroupNorm", {"num_groups": 1, "num_channels": 4, "eps": 0.1}, (3, 4)),
        ("GroupNorm", {"num_groups": 2, "num_channels": 4, "bias": False}, (3, 4)),
        ("BatchNorm2d", {"num_features": 3, "bias": False}, (2, 3, 2, 4)),
        ("InstanceNorm1d", {"num_features": 3, "affine": True, "bias": False}, (2, 3, 4)),
        ("PixelShuffle", {"upscale_factor": 2}, (2, 12, 2, 3)),
        ("PixelUnshuffle", {"downscale_factor": 3}, (2, 2, 6, 3)),
    ]


def one_case(
    random: RandomState, layer: str, options: dict[str, Any], lengths: tuple[int, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings, and all numbers, of one layer."""
    module = getattr(nn, layer)(**options)
    for parameter in module.parameters():
        parameter.data = torch.tensor(random.randn(*parameter.shape) * 0.5)
    x = torch.tensor(inputs(random, layer, lengths)).requires_grad_()
    before = {f"parameter/{name}": value.clone() for name, value in module.state_dict().items()}
    y = module(x)
    dy = torch.tensor(random.randn(*y.shape))
    parameters = dict(module.named_parameters())
    wanted = {"d/x": x, **{f"d/parameter/{name}": p for name, p in parameters.items()}}
    gradients = torch.autograd.grad(y, list(wanted.values()), dy)
    found = {"x": x, "y": y, "dy/y": dy, **before, **dict(zip(wanted, gradients, strict=True))}
    if getattr(module, "running_mean", None) is not None:
        found["second/y"] = module(2.0 * x + 1.0)
        found["evaluated/y"] = module.eval()(x)
        found |= {f"after/{name}": value for name, value in module.state_dict().items()}
    return {"layer": layer, "options": options}, found


def inputs(random: RandomState, layer: str, lengths: tuple[int, ...]) -> Any:
    """Numbers with ties where the largest counts, positive ones where powers are taken."""
    x = random.randn(*lengths)
    if "Max" in layer:
        return (2.0 * x).round()
    return abs(x) + 0.1 if "LP" in layer else x


def shape(layer: str, n_axes: int) -> tuple[int, ...]:
    """Two examples of four channels, two of them for what treats channels alike."""
    mixes = layer.startswith(("Conv", "Batch", "Instance"))
    return (2, 4 if mixes else 2, *LENGTHS[n_axes])


def per_axis(value: Any, n_axes: int) -> Any:
    """The first entries of a setting that is there for three axes; one alone is a number."""
    if not isinstance(value, tuple):
        return value
    return value[0] if n_axes == 1 else value[:n_axes]


def named(layer: str, options: dict[str, Any]) -> str:
    left_out = ("in_channels", "out_channels", "num_features")
    return "-".join([layer, *(f"{k}={v}" for k, v in options.items() if k not in left_out)])


if __name__ == "__main__":
    main()
