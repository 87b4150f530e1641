"""unfold and fold: windows of an image as columns, and columns added up to an image."""

from __future__ import annotations

import math
from collections.abc import Sequence

from array_api_compat import device

from ...backend import Array, array_namespace
from ...backend.errors import ShapeError
from ...backend.geometry import Geometry
from ...backend.missing import pad, sliding_windows
from ..autograd import differentiable
from ..dimensions import per_axis
from ..module import Module
from ..pooling.functions import check_floating

Setting = int | Sequence[int]
N_AXES = 2  # as in torch: images only


@differentiable
def unfold(
    x: Array,
    kernel_size: Setting,
    dilation: Setting = 1,
    padding: Setting = 0,
    stride: Setting = 1,
) -> Array:
    """Every window of every image as a column: (batch, channels k1 k2, windows).

    x: floating (batch, channels, height, width), or without the batch. Padding is zeros. A matrix
    product with columns is a convolution: conv2d(x, w) = w.reshape(out, -1) @ unfold(x, kernel).
    Raises ShapeError for a kernel larger than the padded x, DtypeError, HyperparameterError.
    """
    check_floating("unfold", x)
    alone = x.ndim == N_AXES + 1
    if x.ndim not in (N_AXES + 1, N_AXES + 2):
        raise ShapeError(
            "unfold: x must be (batch, channels, height, width), or that without the batch, got x "
            f"of shape {tuple(x.shape)}"
        )
    settings = (kernel_size, dilation, padding, stride)
    geometry = _geometry("unfold", tuple(x.shape[-N_AXES:]), *settings)
    y = columns(x[None, ...] if alone else x, geometry=geometry)
    return y[0, ...] if alone else y


@differentiable
def fold(
    x: Array,
    output_size: Setting,
    kernel_size: Setting,
    dilation: Setting = 1,
    padding: Setting = 0,
    stride: Setting = 1,
) -> Array:
    """Columns added up where their windows lie: (batch, channels, *output_size).

    x: floating (batch, channels k1 k2, windows), or without the batch, as from unfold. An element
    that lies in several windows is their sum, so fold(unfold(x)) = x times fold(unfold(1)).
    Raises ShapeError for rows that k1 k2 does not divide and for another number of windows,
    DtypeError, HyperparameterError.
    """
    check_floating("fold", x)
    lengths = per_axis("fold", "output_size", output_size, N_AXES)
    geometry = _geometry("fold", lengths, kernel_size, dilation, padding, stride)
    shape, n = tuple(x.shape), math.prod(geometry.counts)
    if len(shape) not in (2, 3) or shape[-2] % geometry.n_elements or shape[-1] != n:
        raise ShapeError(
            f"fold: x must be (batch, channels * {geometry.n_elements}, {n}), or that without the "
            f"batch: a column for each of the {geometry.counts} windows of {geometry.window} on "
            f"{lengths}; got x of shape {shape}"
        )
    alone = len(shape) == 2
    y = folded(x[None, ...] if alone else x, geometry=geometry)
    return y[0, ...] if alone else y


def _geometry(
    operation: str,
    lengths: tuple[int, ...],
    kernel_size: Setting,
    dilation: Setting,
    padding: Setting,
    stride: Setting,
) -> Geometry:
    """The windows. Raises HyperparameterError, or ShapeError where none fits."""
    window = per_axis(operation, "kernel_size", kernel_size, N_AXES)
    dilations = per_axis(operation, "dilation", dilation, N_AXES)
    strides = per_axis(operation, "stride", stride, N_AXES)
    pairs = tuple((n, n) for n in per_axis(operation, "padding", padding, N_AXES, least=0))
    geometry = Geometry(lengths, window, strides, dilations, pairs)
    if 0 in geometry.counts:
        raise ShapeError(
            f"{operation}: the kernel must fit the padded image, got a kernel of {window} that "
            f"spans {geometry.extents}, and lengths {lengths}, padded {geometry.padded}"
        )
    return geometry


@differentiable
def columns(x: Array, *, geometry: Geometry) -> Array:
    """(batch, channels, height, width) -> (batch, channels k1 k2, windows)."""
    xp = array_namespace(x)
    padded = pad(x, [(0, 0), (0, 0), *geometry.padding])
    windows = sliding_windows(padded, geometry.window, geometry.stride, geometry.dilation)
    shape = (x.shape[0], x.shape[1] * geometry.n_elements, math.prod(geometry.counts))
    return xp.reshape(xp.permute_dims(windows, (0, 1, 4, 5, 2, 3)), shape)


@differentiable
def folded(x: Array, *, geometry: Geometry) -> Array:
    """(batch, channels k1 k2, windows) -> (batch, channels, height, width), sums: its transpose."""
    xp, n_channels = array_namespace(x), x.shape[1] // geometry.n_elements
    parts = xp.reshape(x, (x.shape[0], n_channels, *geometry.window, *geometry.counts))
    image = xp.zeros((x.shape[0], n_channels, *geometry.padded), dtype=x.dtype, device=device(x))
    for i, j in geometry.positions():
        key = (slice(None), slice(None), *geometry.slices((i, j)))
        image[key] = image[key] + parts[:, :, i, j, ...]
    return image[(slice(None), slice(None), *geometry.inside())]


columns.backward(x=lambda dy, geometry: folded(dy, geometry=geometry))
folded.backward(x=lambda dy, geometry: columns(dy, geometry=geometry))


class Unfold(Module):
    """unfold(x, kernel_size, ...): windows as columns. Raises HyperparameterError."""

    def __init__(
        self,
        kernel_size: Setting,
        dilation: Setting = 1,
        padding: Setting = 0,
        stride: Setting = 1,
    ) -> None:
        self.kernel_size, self.dilation, self.padding, self.stride = _checked(
            type(self).__name__, kernel_size, dilation, padding, stride
        )

    def forward(self, x: Array) -> Array:
        return unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Unfold):
    """fold(x, output_size, kernel_size, ...): columns added up. Raises HyperparameterError."""

    def __init__(
        self,
        output_size: Setting,
        kernel_size: Setting,
        dilation: Setting = 1,
        padding: Setting = 0,
        stride: Setting = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        per_axis("Fold", "output_size", output_size, N_AXES)
        self.output_size = output_size

    def forward(self, x: Array) -> Array:
        settings = (self.kernel_size, self.dilation, self.padding, self.stride)
        return fold(x, self.output_size, *settings)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"


def _checked(
    name: str, kernel_size: Setting, dilation: Setting, padding: Setting, stride: Setting
) -> tuple[Setting, Setting, Setting, Setting]:
    """The settings as they came. Raises HyperparameterError."""
    per_axis(name, "kernel_size", kernel_size, N_AXES)
    per_axis(name, "dilation", dilation, N_AXES)
    per_axis(name, "padding", padding, N_AXES, least=0)
    per_axis(name, "stride", stride, N_AXES)
    return kernel_size, dilation, padding, stride
