"""The products of convolution on NumPy: compiled, else columns in long runs and cached blocks.

Without compiled loops: with stride 1 the windows of one element are a shifted view of the flat
padded array: from the first window to the last in one run, together with positions between two rows
where no window lies. Their columns are computed too and left out at the end: one memcpy in place of
one for each row. The blocks of columns fit the cache.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import convolution_loops
from .fused import Fused

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))

# Numbers in a block of columns. 16 to 32 channels, 3x3, batch 64, 28x28 on two cores of Zen 4,
# forward and backward: 24 ms with 2^18, 21 ms with 2^19 to 2^20, 29 ms with 2^23.
FEWEST, MOST = 2**18, 2**19


class _Windows:
    """The windows of a geometry over the flat spatial axes of padded arrays (channels, items, n).

    positions: what a row of windows becomes along each axis: every place where stride is 1.
    """

    def __init__(self, geometry: Any, n_channels: int) -> None:
        self.geometry = geometry
        self.n_channels = n_channels
        self.flat = [1]  # elements from one place to the next, for each axis
        for n in geometry.padded[:0:-1]:
            self.flat.insert(0, self.flat[0] * n)
        self.dense = all(s == 1 for s in geometry.stride)
        others = geometry.padded[1:] if self.dense else geometry.counts[1:]
        self.positions = (geometry.counts[0], *others)
        beyond = [e - 1 for e in geometry.extents[1:]]
        self.n_flat = geometry.padded[0] * self.flat[0]
        self.n_flat += sum(a * b for a, b in zip(beyond, self.flat[1:], strict=True))

    def blocks(self, x_size: int, output_size: int, n_items: int) -> Any:
        """Blocks of windows, and for each the shape (items, rows, positions...)."""
        limit = max(FEWEST, min(MOST, x_size + output_size))
        per_window = self.n_channels * self.geometry.n_elements
        for block in self.geometry.blocks(n_items, per_window, limit):
            yield block, (block.n_items, block.counts[0], *self.positions[1:])

    def padded(self, x: np.ndarray) -> np.ndarray:
        """x (items, channels, spatial) with zeros around it: (items, channels, n_flat)."""
        flat = np.zeros((*x.shape[:2], self.n_flat), x.dtype)
        self.inside(flat)[...] = x
        return flat

    def inside(self, flat: np.ndarray) -> np.ndarray:
        """The view of padded arrays that has the shape without padding."""
        geometry = self.geometry
        n = geometry.padded[0] * self.flat[0]
        shaped = flat[..., :n].reshape(*flat.shape[:-1], *geometry.padded)
        return shaped[(..., *geometry.inside())]

    def columns(self, flat: np.ndarray, block: Any, shape: tuple, scratch: np.ndarray) -> Any:
        """The windows of a block, one a column: (elements of a window, items times positions)."""
        geometry = self.geometry
        part = flat[block.items, :, block.padded_rows.start * self.flat[0] :]
        item, channel, one = part.strides
        kernel = [d * n * one for d, n in zip(geometry.dilation, self.flat, strict=True)]
        steps = [s * n * one for s, n in zip(geometry.stride, self.flat, strict=True)]
        view = np.lib.stride_tricks.as_strided(
            part,
            (self.n_channels, *geometry.window, *shape),
            (channel, *kernel, item, *steps),
            writeable=False,
        )
        columns = scratch[: view.size].reshape(view.shape)
        np.copyto(columns, view)
        return columns.reshape(geometry.groups, -1, math.prod(shape))

    def add_columns(self, flat: np.ndarray, columns: np.ndarray, block: Any, shape: tuple) -> None:
        """Add columns to where columns() would have read them; flat: (channels, items, n_flat)."""
        geometry = self.geometry
        columns = columns.reshape(self.n_channels, *geometry.window, *shape)
        start = block.padded_rows.start * self.flat[0]
        n = geometry.padded[0] * self.flat[0]
        length = math.prod(shape[1:])
        for position in geometry.positions():
            part = columns[(slice(None), *position)]
            if self.dense:
                entries = zip(position, geometry.dilation, self.flat, strict=True)
                first = start + sum(i * d * m for i, d, m in entries)
                target, part = flat[..., first : first + length], part.reshape(*part.shape[:2], -1)
            else:
                shaped = flat[..., :n].reshape(*flat.shape[:2], *geometry.padded)
                below = shaped[:, :, block.padded_rows.start :]
                target = below[(..., *geometry.slices(position, block.counts))]
            np.add(target, part, out=target)

    def spread(self, output: np.ndarray, block: Any, shape: tuple) -> np.ndarray:
        """The output of a block: (groups, out of a group, items times positions), zeros between."""
        part = output[block.items, :, block.rows].swapaxes(0, 1)
        if part.shape[1:] != shape:
            wide = np.zeros((output.shape[1], *shape), output.dtype)
            self.windows_alone(wide)[...] = part
            part = wide
        return part.reshape(self.geometry.groups, -1, math.prod(shape))

    def windows_alone(self, wide: np.ndarray) -> np.ndarray:
        """The view of (..., rows, positions) without the positions where no window lies."""
        key: Any = (..., slice(None), *(slice(n) for n in self.geometry.counts[1:]))
        return wide[key]

    def scratch(self, x_size: int, output_size: int, n_items: int, dtype: Any) -> np.ndarray:
        """Room for the columns of the largest block, which is the first."""
        for _, shape in self.blocks(x_size, output_size, n_items):
            return np.empty(self.n_channels * self.geometry.n_elements * math.prod(shape), dtype)
        return np.empty(0, dtype)


def product(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, *, geometry: Any
) -> Any:
    """The sum over each window of x times weight, plus bias. Declines what _serves declines."""
    if not _serves(geometry, x, weight):
        return NotImplemented
    y = convolution_loops.product(x, weight, bias, geometry, backward=False)
    if y is not NotImplemented:
        return y
    windows = _Windows(geometry, x.shape[1])
    y = np.empty((x.shape[0], weight.shape[0], *geometry.counts), x.dtype)
    matrices = weight.reshape(geometry.groups, weight.shape[0] // geometry.groups, -1)
    flat, sizes = windows.padded(x), (x.size, y.size, len(x))
    scratch = windows.scratch(*sizes, x.dtype)
    for block, shape in windows.blocks(*sizes):
        sums = np.matmul(matrices, windows.columns(flat, block, shape, scratch))
        part = windows.windows_alone(sums.reshape(-1, *shape)).swapaxes(0, 1)
        _store(y[block.items, :, block.rows], part, bias)
    return y


def transposed_product(
    output: np.ndarray, weight: np.ndarray, bias: np.ndarray | None = None, *, geometry: Any
) -> Any:
    """Each element of output times weight, added up where its window lies, plus bias."""
    if not _serves(geometry, output, weight):
        return NotImplemented
    x = convolution_loops.product(output, weight, bias, geometry, backward=True)
    if x is not NotImplemented:
        return x
    windows = _Windows(geometry, weight.shape[1] * geometry.groups)
    x = np.empty((len(output), windows.n_channels, *geometry.lengths), output.dtype)
    matrices = weight.reshape(geometry.groups, weight.shape[0] // geometry.groups, -1)
    matrices, sizes = matrices.swapaxes(1, 2), (x.size, output.size, len(x))
    scratch = windows.scratch(*sizes, x.dtype)
    flat = None
    for block, shape in windows.blocks(*sizes):
        if flat is None or block.rows.start == 0:
            flat = np.zeros((windows.n_channels, block.n_items, windows.n_flat), x.dtype)
        spread = windows.spread(output, block, shape)
        columns = scratch[: windows.n_channels * geometry.n_elements * math.prod(shape)]
        columns = columns.reshape(geometry.groups, -1, math.prod(shape))
        np.matmul(matrices, spread, out=columns)
        windows.add_columns(flat, columns, block, shape)
        if block.rows.stop == geometry.counts[0]:
            _store(x[block.items], windows.inside(flat).swapaxes(0, 1), bias)
    return x


def weight_product(
    x: np.ndarray, output: np.ndarray, *, geometry: Any, out: np.ndarray | None = None
) -> Any:
    """The sum over all windows of x times their element of output, in `out` if it is given."""
    if not _serves(geometry, x, output):
        return NotImplemented
    if out is None:
        shape = (output.shape[1], x.shape[1] // geometry.groups, *geometry.window)
        out = np.empty(shape, x.dtype)
    _write_weight_product(out, x, output, geometry)
    return out


def product_backward(
    dy: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray,
    geometry: Any,
    needs: frozenset[str],
    into: dict[str, np.ndarray],
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """dx, dweight and dbias, the sum of dy over all but the channels."""
    dx = dweight = dbias = None
    if "x" in needs:
        dx = transposed_product(dy, weight, geometry=geometry)
    if "weight" in needs:
        out = into.get("weight")
        dweight = np.empty(weight.shape, weight.dtype) if out is None else out
        dbias = _write_weight_product(dweight, x, dy, geometry)
    if "bias" not in needs:
        return dx, dweight, None
    if dbias is None:  # by products with ones
        images = dy.reshape(*dy.shape[:2], -1)
        dbias = np.add.reduce(np.matmul(images, np.ones(images.shape[2], dy.dtype)), axis=0)
    out = into.get("bias")
    if out is not None:
        out[...] = dbias
    return dx, dweight, dbias if out is None else out


def _write_weight_product(
    out: np.ndarray, x: np.ndarray, output: np.ndarray, geometry: Any
) -> np.ndarray | None:
    """Write weight_product to out; the sums of output by channel where they come with it.

    columns output^T, then transposed: OpenBLAS is half as fast again as with output columns^T.
    """
    compiled = convolution_loops.weight_product(x, output, geometry)
    if compiled is not NotImplemented:
        rows, sums = compiled
        out.reshape(rows.shape)[...] = rows
        return sums.reshape(-1)
    windows = _Windows(geometry, x.shape[1])
    flat, sizes = windows.padded(x), (x.size, output.size, len(x))
    scratch = windows.scratch(*sizes, x.dtype)
    total: Any = None
    for block, shape in windows.blocks(*sizes):
        columns = windows.columns(flat, block, shape, scratch)
        part = np.matmul(columns, windows.spread(output, block, shape).swapaxes(1, 2))
        total = part if total is None else np.add(total, part, out=total)
    out.reshape(geometry.groups, -1, total.shape[1])[...] = total.swapaxes(1, 2)
    return None


def _serves(geometry: Any, first: np.ndarray, second: np.ndarray) -> bool:
    """Whether there is something to do, all in float32 or all in float64."""
    empty = 0 in first.shape or 0 in second.shape or 0 in geometry.counts
    return first.dtype in DTYPES and first.dtype == second.dtype and not empty


def _store(target: np.ndarray, values: np.ndarray, bias: np.ndarray | None) -> None:
    """target = values + bias, a number a channel."""
    if bias is None:
        target[...] = values
    else:
        np.add(values, bias.reshape(-1, *(1,) * (values.ndim - 2)), out=target)


PRODUCT_NUMPY = Fused(product, product_backward, of=("x", "weight", "bias"))
TRANSPOSED_NUMPY = Fused(transposed_product)
WEIGHT_NUMPY = Fused(weight_product)
