"""How a product of arrays with any strides becomes strided batches of products of matrices.

Arithmetic on shapes and strides alone, in elements: nothing here touches an array or a GPU.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import NamedTuple

Shape = tuple[int, ...]

MOST_MATRICES = 65535  # in a batch; cuBLASLt fails with more for some shapes (tensorflow#44175)
MOST_CALLS = 16  # batches that no single stride describes; with more, a copy is the faster way


class Stored(NamedTuple):
    """A matrix in memory: whether its columns, not its rows, lie together, and how far apart."""

    transposed: bool
    leading_dimension: int


class Axis(NamedTuple):
    """One axis of a batch: its length and the strides of a, b and y along it."""

    length: int
    a: int
    b: int
    y: int


class Arrangement(NamedTuple):
    """y = a b as `batch` products (m, k) (k, n), once for each of `offsets` (of a, b and y).

    strides: from one matrix of the batch to the next, in a, b and y; y is in C order.
    """

    m: int
    n: int
    k: int
    a: Stored
    b: Stored
    batch: int
    strides: tuple[int, int, int]
    offsets: tuple[tuple[int, int, int], ...]


def stored(shape: Shape, strides: Shape) -> Stored | None:
    """How the matrix of the last two axes lies; None where neither axis is without gaps."""
    (rows, columns), (down, right) = shape[-2:], strides[-2:]
    if (right == 1 or columns == 1) and (down >= columns or rows == 1):
        return Stored(False, down if rows > 1 else columns)
    if (down == 1 or rows == 1) and (right >= rows or columns == 1):
        return Stored(True, right if columns > 1 else rows)
    return None


def result_shape(a: Shape, b: Shape) -> Shape | None:
    """The shape of a b for arrays of at least two axes; None where it does not exist."""
    axes = itertools.zip_longest(reversed(a[:-2]), reversed(b[:-2]), fillvalue=1)
    batch = []
    for one, other in axes:
        if one != other and 1 not in (one, other):
            return None
        batch.append(other if one == 1 else one)
    return (*reversed(batch), a[-2], b[-1]) if a[-1] == b[-2] else None


@functools.lru_cache(maxsize=4096)
def arranged(
    a_shape: Shape, a_strides: Shape, b_shape: Shape, b_strides: Shape
) -> Arrangement | None:
    """The arrangement of a b; None where a or b has to be copied to C order first.

    The shapes, of two axes or more and without a zero, must have a result_shape; strides: in
    elements. Copies in C order are never refused.
    """
    a, b = stored(a_shape, a_strides), stored(b_shape, b_strides)
    y_shape = result_shape(a_shape, b_shape)
    if a is None or b is None or y_shape is None:
        return None
    *_, m, n = y_shape
    axes = _batch_axes(a_shape, a_strides, b_shape, b_strides, y_shape)
    if _rows_go_on(axes, a, m) and not a.transposed:
        m, axes = m * axes[-1].length, axes[:-1]
    largest = max(range(len(axes)), key=lambda i: axes[i].length, default=None)
    inner = Axis(1, 0, 0, 0) if largest is None else axes[largest]
    outer = [axis for i, axis in enumerate(axes) if i != largest]
    n_calls = math.prod(axis.length for axis in outer)
    in_order = _in_order(a_shape, a_strides) and _in_order(b_shape, b_strides)
    if n_calls > MOST_CALLS and not in_order:
        return None
    offsets = tuple(_offsets(outer))
    return Arrangement(m, n, a_shape[-1], a, b, inner.length, inner[1:], offsets)


def in_parts(arrangement: Arrangement) -> tuple[Arrangement, ...]:
    """The arrangement, its batch split where it has more than MOST_MATRICES."""
    if arrangement.batch <= MOST_MATRICES:
        return (arrangement,)
    parts = []
    for first in range(0, arrangement.batch, MOST_MATRICES):
        moved = [first * stride for stride in arrangement.strides]
        offsets = tuple(
            (a + moved[0], b + moved[1], y + moved[2]) for a, b, y in arrangement.offsets
        )
        batch = min(MOST_MATRICES, arrangement.batch - first)
        parts.append(arrangement._replace(batch=batch, offsets=offsets))
    return tuple(parts)


def _batch_axes(
    a_shape: Shape, a_strides: Shape, b_shape: Shape, b_strides: Shape, y_shape: Shape
) -> list[Axis]:
    """The axes before the last two without those of length 1, merged where one stride will do."""
    n_axes = len(y_shape) - 2
    a_steps, b_steps = _steps(a_shape, a_strides, n_axes), _steps(b_shape, b_strides, n_axes)
    axes: list[Axis] = []
    for i, length in enumerate(y_shape[:-2]):
        axis = Axis(length, a_steps[i], b_steps[i], math.prod(y_shape[i + 1 :]))
        if length == 1:
            continue
        if axes and all(axes[-1][j] == axis[j] * length for j in (1, 2, 3)):
            axis = axis._replace(length=length * axes.pop().length)
        axes.append(axis)
    return axes


def _steps(shape: Shape, strides: Shape, n_axes: int) -> list[int]:
    """The stride of each batch axis; 0 where the array is repeated along it."""
    missing = n_axes + 2 - len(shape)
    pairs = zip(shape[:-2], strides[:-2], strict=True)
    own = [stride if length > 1 else 0 for length, stride in pairs]
    return [0] * missing + own


def _rows_go_on(axes: list[Axis], a: Stored, m: int) -> bool:
    """Whether the matrices of a along the last axis are rows of one tall matrix, b being one."""
    return bool(axes) and axes[-1].b == 0 and axes[-1].a == m * a.leading_dimension


def _in_order(shape: Shape, strides: Shape) -> bool:
    """Whether the matrices of a batch lie one behind the other, as a copy would have them."""
    expected = [math.prod(shape[i + 1 :]) for i in range(len(shape) - 2)]
    pairs = zip(shape[:-2], strides[:-2], expected, strict=True)
    return all(length == 1 or stride == own for length, stride, own in pairs)


def _offsets(axes: list[Axis]) -> list[tuple[int, int, int]]:
    """Where the batches begin that the remaining axes count."""
    indices = itertools.product(*(range(axis.length) for axis in axes))
    return [
        (
            sum(i * axis.a for i, axis in zip(index, axes, strict=True)),
            sum(i * axis.b for i, axis in zip(index, axes, strict=True)),
            sum(i * axis.y for i, axis in zip(index, axes, strict=True)),
        )
        for index in indices
    ]
