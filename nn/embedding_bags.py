"""embedding_bag: the rows of a table that a bag of indices names, as one row; and its layer."""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device as device_of_array

from ..backend import Array, Device, array_namespace, is_integer
from ..backend.errors import DtypeError, HyperparameterError, ShapeError
from ..backend.random import Generator
from .autograd import differentiable
from .autograd.ops.indexing import add_at
from .autograd.tensor import innermost
from .embedding import Embedding, check_table, embedding
from .reduction import check_arrays, check_same_dtype

MODES = ("sum", "mean", "max")


@differentiable
def embedding_bag(
    indices: Array,
    weight: Array,
    offsets: Array | None = None,
    per_sample_weights: Array | None = None,
    *,
    mode: str = "mean",
    padding_idx: int | None = None,
    include_last_offset: bool = False,
    scale_grad_by_freq: bool = False,
) -> Array:
    """The sum, mean or maximum of the rows weight[indices] of each bag; zeros for an empty one.

    indices: integer (bags, length), or (n,) with offsets, integer (bags,): bag i begins at
    offsets[i] and ends where the next begins, the last with the indices (include_last_offset: at
    one more offset, n); weight: floating (rows, features) -> (bags, features).
    per_sample_weights: a factor for each index, with mode="sum". padding_idx: this row counts in no
    bag. scale_grad_by_freq: see embedding() (torch 2.13 divides by the count of another row on the
    CPU when three rows or more are named). Values of indices and offsets are looked at, which
    waits for a GPU. Raises LabelError, ShapeError, DtypeError, HyperparameterError.
    """
    starts = None if offsets is None else innermost(offsets)[: -1 if include_last_offset else None]
    counted = _counted(innermost(indices), padding_idx, weight.shape[0])
    if mode == "max" and starts is not None:
        indices, counted = _side_by_side(innermost(indices), counted, starts)
        starts = None
    xp = array_namespace(weight, indices)
    rows = embedding(indices, weight, scale_grad_by_freq=scale_grad_by_freq)
    if mode == "max" and indices.shape[1]:
        return _largest(rows, counted)
    zeros = xp.zeros_like(rows)
    rows = xp.where(counted[..., None], rows, zeros)
    if per_sample_weights is not None:
        rows = xp.multiply(rows, xp.expand_dims(per_sample_weights, axis=-1))
    y = _sums(rows, starts)
    if mode != "mean":
        return y
    n = _sums(xp.astype(counted[..., None], rows.dtype), starts)
    return xp.divide(y, xp.maximum(n, xp.ones_like(n)))


@embedding_bag.requires
def _(
    indices: Array,
    weight: Array,
    offsets: Array | None = None,
    per_sample_weights: Array | None = None,
    mode: str = "mean",
    padding_idx: int | None = None,
    include_last_offset: bool = False,
    scale_grad_by_freq: bool = False,
) -> None:
    name = "embedding_bag"
    check_table(name, indices, weight, padding_idx)
    _check_mode(name, mode, scale_grad_by_freq)
    if indices.ndim != (2 if offsets is None else 1):
        raise ShapeError(
            f"{name}: indices must be (bags, length), or (n,) with offsets (bags,), got shape "
            f"{tuple(indices.shape)} {'without' if offsets is None else 'with'} offsets"
        )
    if offsets is not None:
        check_arrays(name, weight=weight, offsets=offsets)
        _check_offsets(name, innermost(offsets), indices.shape[0], include_last_offset)
    if per_sample_weights is not None:
        check_arrays(name, weight=weight, per_sample_weights=per_sample_weights)
        check_same_dtype(name, weight=weight, per_sample_weights=per_sample_weights)
        if mode != "sum" or tuple(per_sample_weights.shape) != tuple(indices.shape):
            raise ShapeError(
                f'{name}: per_sample_weights needs mode="sum" and the shape of indices, '
                f"{tuple(indices.shape)}, got mode={mode!r} and {tuple(per_sample_weights.shape)}"
            )


class EmbeddingBag(Embedding):
    """embedding_bag() with a learned table, weight (num_embeddings, embedding_dim).

    First values, max_norm and norm_type as Embedding's, names and defaults torch's.
    Raises HyperparameterError.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        *,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        _check_mode("EmbeddingBag", mode, scale_grad_by_freq)
        self.mode, self.include_last_offset = mode, include_last_offset
        rows = (max_norm, norm_type, scale_grad_by_freq)
        made: dict[str, Any] = {"generator": generator, "device": device, "dtype": dtype}
        super().__init__(num_embeddings, embedding_dim, padding_idx, *rows, **made)

    def forward(
        self,
        indices: Array,
        offsets: Array | None = None,
        per_sample_weights: Array | None = None,
    ) -> Array:
        self._shorten(indices)
        options = {**self._options(), "include_last_offset": self.include_last_offset}
        return embedding_bag(
            indices, self.weight, offsets, per_sample_weights, mode=self.mode, **options
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, mode={self.mode!r}"


def _counted(indices: Array, padding_idx: int | None, n_rows: int) -> Array:
    """Whether each index counts: all but those of the padding."""
    if padding_idx is None:
        return array_namespace(indices).ones_like(indices, dtype=array_namespace(indices).bool)
    return indices != padding_idx % n_rows


def _side_by_side(indices: Array, counted: Array, starts: Array) -> tuple[Array, Array]:
    """Bags as rows of one length (bags, longest), and what counts in them."""
    xp, n = array_namespace(indices), indices.shape[0]
    where = device_of_array(indices)
    starts = xp.astype(starts, xp.int64)
    ends = xp.concat([starts[1:], xp.asarray([n], dtype=xp.int64, device=where)])
    lengths = (ends - starts)[:, None] if starts.shape[0] else starts[:, None]
    longest = int(xp.max(lengths)) if starts.shape[0] else 0
    steps = xp.arange(longest, dtype=xp.int64, device=where)[None, :]
    inside = steps < lengths
    places = xp.where(inside, starts[:, None] + steps, xp.zeros_like(steps))
    flat = xp.reshape(places, (-1,))
    indices, counted = (
        xp.reshape(xp.take(x, flat, axis=0), places.shape) for x in (indices, counted)
    )
    return indices, xp.logical_and(counted, inside)


def _largest(rows: Array, counted: Array) -> Array:
    """The maxima over the rows that count in each bag, (bags, length, features)."""
    xp = array_namespace(rows)
    lowest = xp.full_like(rows, -math.inf)
    y = xp.max(xp.where(counted[..., None], rows, lowest), axis=1)
    alive = array_namespace(counted).any(counted, axis=1)[:, None]
    return xp.where(alive, y, xp.zeros_like(y))


def _sums(x: Array, starts: Array | None) -> Array:
    """Sums over bags: the middle axis of (bags, length, k), or parts of (n, k) by their starts."""
    xp = array_namespace(x)
    if starts is None:
        return xp.sum(x, axis=1)
    plain, where = array_namespace(starts), device_of_array(starts)
    places = plain.arange(x.shape[0], dtype=plain.int64, device=where)
    bags = plain.searchsorted(plain.astype(starts, plain.int64), places, side="right") - 1
    return add_at(x, bags, (starts.shape[0], x.shape[-1]), 0)


def _check_mode(operation: str, mode: str, scale_grad_by_freq: bool) -> None:
    if mode not in MODES:
        raise HyperparameterError(
            f"{operation}: mode must be one of {', '.join(MODES)}, got {mode!r}"
        )
    if mode == "max" and scale_grad_by_freq:
        raise HyperparameterError(
            f'{operation}: scale_grad_by_freq must be False with mode="max", got True'
        )


def _check_offsets(operation: str, offsets: Array, n: int, has_last: bool) -> None:
    """Raises DtypeError, ShapeError unless offsets rise from 0 to at most n."""
    xp = array_namespace(offsets)
    if not is_integer(offsets):
        raise DtypeError(f"{operation}: offsets must be integers, got {offsets.dtype}")
    if offsets.ndim != 1 or (offsets.shape[0] == 0 and (has_last or n)):
        raise ShapeError(f"{operation}: offsets must be (bags,), got {tuple(offsets.shape)}")
    if not offsets.shape[0]:
        return
    first, last = int(offsets[0]), int(offsets[-1])
    rising = bool(xp.all(offsets[1:] >= offsets[:-1]))
    if first or not rising or last > n or (has_last and last < n):
        end = f"end with {n}" if has_last else f"not exceed {n}"
        raise ShapeError(
            f"{operation}: offsets must begin with 0, never fall and {end}, the number of indices, "
            f"got {[int(offset) for offset in offsets]!s:.60}"
        )
