"""The three products of convolution, of which each has the other two as its derivative.

y = the sum over each window of x times weight is linear in x and in weight. So the gradients
dx = transposed_product(dy, weight) and dweight = weight_product(x, dy) are linear too, and
<dy, product(x, weight)> = <x, transposed_product(dy, weight)> = <weight, weight_product(x, dy)>:
derivatives of any order are again these three.

x: (batch, in, *geometry.lengths), weight: (out, in / groups, *geometry.window),
output: (batch, out, *geometry.counts). The definitions copy windows to the columns of a matrix, a
block of windows at a time, so that they need little more memory than x and the output.
Source: Dumoulin and Visin 2016, A guide to convolution arithmetic for deep learning; columns:
Chellapilla, Puri, Simard 2006, High performance convolutional neural networks for document
processing.
"""

from __future__ import annotations

import math

from array_api_compat import device

from ...backend import Array, array_namespace
from ...backend.geometry import Block, Geometry
from ...backend.missing import pad, sliding_windows
from ...kernels.convolution import PRODUCT_NUMPY, TRANSPOSED_NUMPY, WEIGHT_NUMPY
from ..autograd import differentiable
from ..autograd.ops.linear_algebra import matmul  # CuPy's own cannot be captured

Gradients = tuple[Array | None, Array | None, Array | None]


@differentiable
def product(x: Array, weight: Array, bias: Array | None = None, *, geometry: Geometry) -> Array:
    """The sum over each window of x times weight, plus bias: (batch, out, *counts)."""
    xp = array_namespace(x, weight)
    shape = (x.shape[0], weight.shape[0], *geometry.counts)
    output = xp.zeros(shape, dtype=x.dtype, device=device(x))
    x, matrices = _padded(x, geometry), _matrices(weight, geometry)
    for block in _blocks(geometry, x, output):
        sums = matmul(matrices, _columns(x, geometry, block))
        shape = (block.n_items, weight.shape[0], *block.counts)
        output[block.items, :, block.rows, ...] = xp.reshape(sums, shape)
    return output if bias is None else output + _per_channel(bias, output.ndim)


@differentiable
def transposed_product(
    output: Array, weight: Array, bias: Array | None = None, *, geometry: Geometry
) -> Array:
    """Each element of output times weight, added up where its window lies on x, plus bias."""
    xp = array_namespace(output, weight)
    shape = (output.shape[0], weight.shape[1] * geometry.groups, *geometry.padded)
    x = xp.zeros(shape, dtype=output.dtype, device=device(output))
    matrices = xp.matrix_transpose(_matrices(weight, geometry))
    for block in _blocks(geometry, x, output):
        columns = matmul(matrices, _in_groups(output, geometry, block))
        _add_columns(x, columns, geometry, block)
    x = x[(slice(None), slice(None), *geometry.inside())]
    return x if bias is None else x + _per_channel(bias, x.ndim)


@differentiable
def weight_product(x: Array, output: Array, *, geometry: Geometry) -> Array:
    """The sum over all windows of x times their element of output, in the shape of weight."""
    xp = array_namespace(x, output)
    n_in, n_out, groups = x.shape[1], output.shape[1], geometry.groups
    shape = (groups, n_out // groups, n_in // groups * geometry.n_elements)
    total = xp.zeros(shape, dtype=x.dtype, device=device(x))
    x = _padded(x, geometry)
    for block in _blocks(geometry, x, output):
        rows = xp.matrix_transpose(_columns(x, geometry, block))
        total = total + xp.sum(matmul(_in_groups(output, geometry, block), rows), axis=0)
    return xp.reshape(total, (n_out, n_in // groups, *geometry.window))


@product.backward("x", "weight", "bias")
def _(dy: Array, x: Array, weight: Array, geometry: Geometry, needs: frozenset) -> Gradients:
    dx = transposed_product(dy, weight, geometry=geometry) if "x" in needs else None
    dweight = weight_product(x, dy, geometry=geometry) if "weight" in needs else None
    return dx, dweight, _channel_sums(dy) if "bias" in needs else None


@transposed_product.backward("output", "weight", "bias")
def _(dy: Array, output: Array, weight: Array, geometry: Geometry, needs: frozenset) -> Gradients:
    doutput = product(dy, weight, geometry=geometry) if "output" in needs else None
    dweight = weight_product(dy, output, geometry=geometry) if "weight" in needs else None
    return doutput, dweight, _channel_sums(dy) if "bias" in needs else None


weight_product.backward(
    x=lambda dy, output, geometry: transposed_product(output, dy, geometry=geometry),
    output=lambda dy, x, geometry: product(x, dy, geometry=geometry),
)

product.fused_by(numpy=PRODUCT_NUMPY)
transposed_product.fused_by(numpy=TRANSPOSED_NUMPY)
weight_product.fused_by(numpy=WEIGHT_NUMPY)


def _padded(x: Array, geometry: Geometry) -> Array:
    """x with zeros around its spatial axes."""
    if not any(map(any, geometry.padding)):
        return x
    return pad(x, [(0, 0), (0, 0), *geometry.padding])


def _matrices(weight: Array, geometry: Geometry) -> Array:
    """(groups, out of a group, elements of a window of a group)."""
    groups = geometry.groups
    n_out, n_in = weight.shape[:2]
    shape = (groups, n_out // groups, n_in * geometry.n_elements)
    return array_namespace(weight).reshape(weight, shape)


def _blocks(geometry: Geometry, x: Array, output: Array) -> list[Block]:
    """Parts of the windows that need less memory than half of x and output together."""
    limit = (math.prod(x.shape) + math.prod(output.shape)) // 2
    return list(geometry.blocks(x.shape[0], x.shape[1] * geometry.n_elements, limit))


def _columns(x: Array, geometry: Geometry, block: Block) -> Array:
    """The windows of a block, one a column: (items, groups, elements of a group, windows)."""
    xp = array_namespace(x)
    part = x[block.items, :, block.padded_rows, ...]
    windows = sliding_windows(part, geometry.window, geometry.stride, geometry.dilation)
    n = len(geometry.window)
    order = (0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n))
    per_group = x.shape[1] // geometry.groups * geometry.n_elements
    shape = (block.n_items, geometry.groups, per_group, block.n_windows)
    return xp.reshape(xp.permute_dims(windows, order), shape)


def _in_groups(output: Array, geometry: Geometry, block: Block) -> Array:
    """The elements of a block of windows: (items, groups, out of a group, windows)."""
    part = output[block.items, :, block.rows, ...]
    per_group = output.shape[1] // geometry.groups
    shape = (block.n_items, geometry.groups, per_group, block.n_windows)
    return array_namespace(output).reshape(part, shape)


def _add_columns(x: Array, columns: Array, geometry: Geometry, block: Block) -> None:
    """Add what _columns would have read from x to where it lies."""
    xp = array_namespace(x)
    shape = (block.n_items, x.shape[1], *geometry.window, *block.counts)
    columns = xp.reshape(columns, shape)
    for position in geometry.positions():
        top, *others = geometry.slices(position, block.counts)
        start = block.padded_rows.start
        rows = slice(start + top.start, start + top.stop, top.step)
        key = (block.items, slice(None), rows, *others)
        x[key] = x[key] + columns[(slice(None), slice(None), *position, ...)]


def _per_channel(bias: Array, ndim: int) -> Array:
    """bias with axes of length one for the spatial ones."""
    return array_namespace(bias).reshape(bias, (bias.shape[0], *(1,) * (ndim - 2)))


def _channel_sums(dy: Array) -> Array:
    """The sum over all axes but the channels."""
    return array_namespace(dy).sum(dy, axis=(0, *range(2, dy.ndim)))
