"""embedding: rows of a table by their number, and its layer."""

from __future__ import annotations

from typing import Any

from ..backend import Array, Device, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from ..backend.missing import check_indices
from ..backend.random import Generator
from .autograd import differentiable
from .autograd.ops.indexing import add_at
from .autograd.tensor import innermost
from .dimensions import check_integer
from .initializers import normal
from .module import Module
from .parameter import Parameter
from .reduction import check_arrays


@differentiable
def embedding(indices: Array, weight: Array, *, padding_idx: int | None = None) -> Array:
    """weight[indices]: the row of the table for every index.

    indices: integer (...), each in [0, rows); weight: floating (rows, features) ->
    (..., features). padding_idx: a row that gets no gradient (negative: from the end).
    Raises LabelError for an index out of range, on every device alike; that look at the indices
    waits for a GPU. Raises DtypeError, ShapeError, HyperparameterError.
    """
    xp = array_namespace(indices, weight)
    shape = (*indices.shape, weight.shape[1])
    return xp.reshape(xp.take(weight, xp.reshape(indices, (-1,)), axis=0), shape)


@embedding.requires
def _(indices: Array, weight: Array, padding_idx: int | None = None) -> None:
    check_arrays("embedding", indices=indices, weight=weight)
    if weight.ndim != 2:
        raise ShapeError(
            f"embedding: weight must be (rows, features), got shape {tuple(weight.shape)}"
        )
    check_indices(innermost(indices), weight.shape[0], "embedding")
    _check_padding("embedding", padding_idx, weight.shape[0])


def _dweight(
    dy: Array, weight_shape: tuple[int, ...], indices: Array, padding_idx: int | None
) -> Array:
    xp = array_namespace(dy, indices)
    if padding_idx is not None:
        learned = indices != padding_idx % weight_shape[0]
        dy = dy * xp.astype(learned, dy.dtype)[..., None]
    rows = xp.reshape(dy, (-1, weight_shape[1]))
    return add_at(rows, xp.reshape(indices, (-1,)), weight_shape, 0)


embedding.backward(weight=_dweight)


class Embedding(Module):
    """embedding() with a learned table, weight (num_embeddings, embedding_dim).

    weight starts as N(0, 1) with zeros at padding_idx, torch's default. To tie it to an output
    layer, set that layer's weight to the same Parameter: head.weight = tokens.weight.
    generator: where it is drawn. Raises HyperparameterError.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        check_integer("Embedding", "num_embeddings", num_embeddings)
        check_integer("Embedding", "embedding_dim", embedding_dim)
        _check_padding("Embedding", padding_idx, num_embeddings)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        shape = (num_embeddings, embedding_dim)
        table = normal(shape, generator=generator, device=device, dtype=dtype)
        if self.padding_idx is not None:
            table[self.padding_idx, ...] = 0.0
        self.weight = Parameter(table)

    def forward(self, indices: Array) -> Array:
        return embedding(indices, self.weight, padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


def _check_padding(operation: str, padding_idx: int | None, n_rows: int) -> None:
    if padding_idx is not None and not -n_rows <= padding_idx < n_rows:
        raise HyperparameterError(
            f"{operation}: padding_idx must be a row of the table, from {-n_rows} to "
            f"{n_rows - 1}, got {padding_idx!r}"
        )
