"""conv1d to conv3d and conv_transpose1d to conv_transpose3d."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from ...backend import Array
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.geometry import Geometry
from ..dimensions import by_dimension, check_integer, per_axis, with_batch, without_batch
from ..padding import padded
from ..reduction import check_arrays, check_same_dtype
from .products import product, transposed_product

Setting = int | Sequence[int]
Pairs = tuple[tuple[int, int], ...]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def conv(
    n_axes: int,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Setting = 1,
    padding: Setting | str = 0,
    dilation: Setting = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Array:
    """y[n, o, i] = bias[o] + sum over c and k of x[n, c, i stride + k dilation] weight[o, c, k].

    x: (batch, in, SPATIAL), or without the batch; weight: (out, in / groups, *kernel); bias: (out,)
    -> (batch, out, ...) with (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 elements
    an axis. As in every network library this is the correlation: the kernel is not mirrored.
    stride, padding, dilation: one integer, or one for each spatial axis. padding: "valid" is 0,
    "same" keeps the lengths (stride 1 only; of an odd number the larger half goes to the end).
    padding_mode: what stands in the border, "zeros", "reflect", "replicate" or "circular".
    groups: the channels in so many parts, each of which sees its own part of weight alone.
    Raises ShapeError for channels that do not fit weight and groups, and for a kernel larger than
    the padded x; DtypeError, DeviceError, HyperparameterError.
    """
    operation = f"conv{n_axes}d"
    _check_kinds(operation, x, weight, bias)
    x, alone = with_batch(operation, x, n_axes)
    check_integer(operation, "groups", groups)
    _check_weight(operation, n_axes, weight, bias)
    _check_channels(operation, x, weight, groups)
    window = tuple(weight.shape[2:])
    strides = per_axis(operation, "stride", stride, n_axes)
    dilations = per_axis(operation, "dilation", dilation, n_axes)
    pairs = padding_pairs(operation, padding, window, strides, dilations)
    check_padding_mode(operation, padding_mode)
    if padding_mode != "zeros":
        x, pairs = padded(x, pairs, padding_mode), ((0, 0),) * n_axes
    lengths = tuple(x.shape[2:])
    geometry = _fitting(operation, lengths, window, strides, dilations, pairs, groups)
    return without_batch(product(x, weight, bias, geometry=geometry), alone)


def conv_transpose(
    n_axes: int,
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Setting = 1,
    padding: Setting = 0,
    output_padding: Setting = 0,
    groups: int = 1,
    dilation: Setting = 1,
) -> Array:
    """Each element of x times the kernel, added up with a step of stride: conv's own gradient.

    x: (batch, in, SPATIAL), or without the batch; weight: (in, out / groups, *kernel); bias: (out,)
    -> (batch, out, ...) with (n - 1) * stride - 2 * padding + dilation * (kernel - 1) +
    output_padding + 1 elements an axis: the lengths of which a conv with these settings makes n.
    output_padding: which one of those lengths, less than stride or dilation.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    Source: Zeiler, Krishnan, Taylor, Fergus 2010, Deconvolutional networks.
    """
    operation = f"conv_transpose{n_axes}d"
    _check_kinds(operation, x, weight, bias)
    x, alone = with_batch(operation, x, n_axes)
    check_integer(operation, "groups", groups)
    _check_transposed_weight(operation, n_axes, x, weight, bias, groups)
    window = tuple(weight.shape[2:])
    strides = per_axis(operation, "stride", stride, n_axes)
    dilations = per_axis(operation, "dilation", dilation, n_axes)
    borders = per_axis(operation, "padding", padding, n_axes, least=0)
    extra = per_axis(operation, "output_padding", output_padding, n_axes, least=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, strides, dilations, strict=True)):
        raise HyperparameterError(
            f"{operation}: output_padding must be smaller than stride or dilation, got {extra} "
            f"with stride {strides} and dilation {dilations}"
        )
    sizes = zip(x.shape[2:], window, strides, dilations, borders, extra, strict=True)
    lengths = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, d, p, e in sizes)
    if any(n < 1 for n in lengths):
        raise ShapeError(
            f"{operation}: the result must have at least one element an axis, got lengths "
            f"{lengths} from x of shape {tuple(x.shape)}; use less padding"
        )
    # output_padding from stride on, which a larger dilation allows: more steps, of zeros
    x = padded(x, tuple((0, e // s) for e, s in zip(extra, strides, strict=True)))
    pairs = tuple((p, p) for p in borders)
    geometry = Geometry(lengths, window, strides, dilations, pairs, groups)
    return without_batch(transposed_product(x, weight, bias, geometry=geometry), alone)


conv1d, conv2d, conv3d = by_dimension(conv)
conv_transpose1d, conv_transpose2d, conv_transpose3d = by_dimension(conv_transpose)


def padding_pairs(
    operation: str,
    padding: Setting | str,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> Pairs:
    """(before, after) of each axis for a number, numbers, "valid" or "same"."""
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding == "same":
        if any(s != 1 for s in strides):
            raise HyperparameterError(
                f'{operation}: padding="same" must go with stride 1, got stride {strides}; '
                "give the padding as numbers"
            )
        totals = [d * (k - 1) for k, d in zip(window, dilations, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise HyperparameterError(
            f'{operation}: padding must be numbers, "same" or "valid", got {padding!r}'
        )
    return tuple((n, n) for n in per_axis(operation, "padding", padding, len(window), least=0))


def check_padding_mode(operation: str, mode: str) -> None:
    """Raises HyperparameterError for a mode that there is not."""
    if mode not in PADDING_MODES:
        raise HyperparameterError(
            f"{operation}: padding_mode must be one of {', '.join(PADDING_MODES)}, got {mode!r}"
        )


def _check_kinds(operation: str, x: Array, weight: Array, bias: Array | None) -> None:
    """Raises DtypeError or DeviceError unless all have one floating dtype and one device."""
    arrays = {"weight": weight, "x": x}
    if bias is not None:
        arrays["bias"] = bias
    check_arrays(operation, **arrays)
    check_same_dtype(operation, **arrays)


def _check_weight(operation: str, n_axes: int, weight: Array, bias: Array | None) -> None:
    shape = tuple(weight.shape)
    if len(shape) != n_axes + 2 or 0 in shape:
        raise ShapeError(
            f"{operation}: weight must be (out, in / groups, *kernel) with {n_axes} kernel axes "
            f"and no axis of length 0, got shape {shape}"
        )
    _check_bias(operation, bias, shape[0])


def _check_channels(operation: str, x: Array, weight: Array, groups: int) -> None:
    n_in, n_out, per_group = x.shape[1], weight.shape[0], weight.shape[1]
    if n_out % groups:
        raise ShapeError(
            f"{operation}: groups must divide the channels that come out, got groups={groups} and "
            f"weight of shape {tuple(weight.shape)} with {n_out}"
        )
    if n_in != per_group * groups:
        raise ShapeError(
            f"{operation}: x must have {per_group * groups} channels (weight.shape[1] = "
            f"{per_group} times groups = {groups}), got x of shape {tuple(x.shape)} with {n_in}; "
            "channels are the axis before the spatial ones"
        )


def _check_transposed_weight(
    operation: str, n_axes: int, x: Array, weight: Array, bias: Array | None, groups: int
) -> None:
    shape = tuple(weight.shape)
    if len(shape) != n_axes + 2 or 0 in shape or shape[0] % groups:
        raise ShapeError(
            f"{operation}: weight must be (in, out / groups, *kernel) with {n_axes} kernel axes, "
            f"no axis of length 0, and in divisible by groups={groups}; got shape {shape}"
        )
    if x.shape[1] != shape[0]:
        raise ShapeError(
            f"{operation}: x must have {shape[0]} channels (weight.shape[0]), got x of shape "
            f"{tuple(x.shape)} with {x.shape[1]}"
        )
    _check_bias(operation, bias, shape[1] * groups)


def _check_bias(operation: str, bias: Array | None, n_out: int) -> None:
    if bias is not None and tuple(bias.shape) != (n_out,):
        raise ShapeError(
            f"{operation}: bias must have one number for each channel that comes out, shape "
            f"({n_out},), got {tuple(bias.shape)}"
        )


@functools.lru_cache(maxsize=256)
def _fitting(operation: str, *settings: Any) -> Geometry:
    """Geometry(*settings), one object for each. Raises ShapeError where no window fits."""
    geometry = Geometry(*settings)
    if 0 in geometry.counts:
        raise ShapeError(
            f"{operation}: the kernel must fit the padded x, got a kernel of {geometry.window} "
            f"that spans {geometry.extents} with dilation {geometry.dilation}, and x of lengths "
            f"{geometry.lengths}, padded {geometry.padded}; pad more, or use a smaller kernel"
        )
    return geometry
