"""embedding: rows of a table by their number, and its layer."""

from __future__ import annotations

from typing import Any

from ..backend import Array, Device, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from ..backend.missing import check_indices, scatter_add
from ..backend.random import Generator
from .autograd import differentiable
from .autograd.ops.indexing import add_at
from .autograd.tensor import innermost, write_in_place
from .dimensions import check_integer
from .initializers import normal
from .module import Module
from .parameter import Parameter
from .reduction import check_arrays

TINY = 1e-7  # added to a length by which is divided, as in torch


@differentiable
def embedding(
    indices: Array,
    weight: Array,
    *,
    padding_idx: int | None = None,
    scale_grad_by_freq: bool = False,
) -> Array:
    """weight[indices]: the row of the table for every index.

    indices: integer (...), each in [0, rows); weight: floating (rows, features) ->
    (..., features). padding_idx: a row that gets no gradient (negative: from the end).
    scale_grad_by_freq: the gradient of a row is divided by how often it is among the indices.
    Raises LabelError for an index out of range, on every device alike; that look at the indices
    waits for a GPU. Raises DtypeError, ShapeError, HyperparameterError.
    """
    xp = array_namespace(indices, weight)
    shape = (*indices.shape, weight.shape[1])
    return xp.reshape(xp.take(weight, xp.reshape(indices, (-1,)), axis=0), shape)


@embedding.requires
def _(
    indices: Array,
    weight: Array,
    padding_idx: int | None = None,
    scale_grad_by_freq: bool = False,
) -> None:
    check_table("embedding", indices, weight, padding_idx)


def _dweight(
    dy: Array,
    weight_shape: tuple[int, ...],
    indices: Array,
    padding_idx: int | None,
    scale_grad_by_freq: bool,
) -> Array:
    xp = array_namespace(dy, indices)
    if padding_idx is not None:
        learned = indices != padding_idx % weight_shape[0]
        dy = dy * xp.astype(learned, dy.dtype)[..., None]
    rows, indices = xp.reshape(dy, (-1, weight_shape[1])), xp.reshape(indices, (-1,))
    if scale_grad_by_freq:
        ones = xp.ones_like(rows[:, :1])
        rows = rows / xp.take(add_at(ones, indices, (weight_shape[0], 1), 0), indices, axis=0)
    return add_at(rows, indices, weight_shape, 0)


embedding.backward(weight=_dweight)


class Embedding(Module):
    """embedding() with a learned table, weight (num_embeddings, embedding_dim).

    weight starts as N(0, 1) with zeros at padding_idx, torch's default. To tie it to an output
    layer, set that layer's weight to the same Parameter: head.weight = tokens.weight.
    max_norm: forward() first shortens the rows that its indices name, in place and without a
    gradient, to this length where they are longer; norm_type: the p of their length, |row|_p.
    generator: where the table is drawn. Raises HyperparameterError.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        kind = type(self).__name__
        check_integer(kind, "num_embeddings", num_embeddings)
        check_integer(kind, "embedding_dim", embedding_dim)
        _check_padding(kind, padding_idx, num_embeddings)
        _check_lengths(kind, max_norm, norm_type)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        shape = (num_embeddings, embedding_dim)
        table = normal(shape, generator=generator, device=device, dtype=dtype)
        if self.padding_idx is not None:
            table[self.padding_idx, ...] = 0.0
        self.weight = Parameter(table)

    def forward(self, indices: Array) -> Array:
        self._shorten(indices)
        return embedding(indices, self.weight, **self._options())

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        defaults = {"padding_idx": None, "max_norm": None, "scale_grad_by_freq": False}
        for name, default in defaults.items():
            value = getattr(self, name)
            parts += [f"{name}={value!r}"] if value != default else []
        return ", ".join(parts)

    def _options(self) -> dict[str, Any]:
        return {
            "padding_idx": self.padding_idx,
            "scale_grad_by_freq": self.scale_grad_by_freq,
        }

    def _shorten(self, indices: Array) -> None:
        """Bring the rows that indices name to max_norm, in place."""
        if self.max_norm is None:
            return
        check_table(type(self).__name__, indices, self.weight, self.padding_idx)
        table = innermost(self.weight)
        xp = array_namespace(table)
        flat = xp.reshape(innermost(indices), (-1,))
        too_long = self._lengths(xp.take(table, flat, axis=0)) > self.max_norm
        if bool(xp.any(too_long)):
            marks = xp.astype(too_long, table.dtype)
            shortened = scatter_add(table.shape[:1], flat, marks, check=False) > 0
            factors = self.max_norm / (self._lengths(table) + TINY)
            factors = xp.where(shortened, factors, xp.ones_like(factors))
            write_in_place(self.weight, table * factors[:, None])

    def _lengths(self, rows: Array) -> Array:
        return array_namespace(rows).linalg.vector_norm(rows, axis=-1, ord=self.norm_type)


def check_table(operation: str, indices: Array, weight: Array, padding_idx: int | None) -> None:
    """What a look-up of rows asks for."""
    check_arrays(operation, indices=indices, weight=weight)
    if weight.ndim != 2:
        raise ShapeError(
            f"{operation}: weight must be (rows, features), got shape {tuple(weight.shape)}"
        )
    check_indices(innermost(indices), weight.shape[0], operation)
    _check_padding(operation, padding_idx, weight.shape[0])


def _check_padding(operation: str, padding_idx: int | None, n_rows: int) -> None:
    if padding_idx is not None and not -n_rows <= padding_idx < n_rows:
        raise HyperparameterError(
            f"{operation}: padding_idx must be a row of the table, from {-n_rows} to "
            f"{n_rows - 1}, got {padding_idx!r}"
        )


def _check_lengths(operation: str, max_norm: float | None, norm_type: float) -> None:
    for name, value in (("max_norm", max_norm), ("norm_type", norm_type)):
        if value is not None and not value > 0:
            raise HyperparameterError(f"{operation}: {name} must be positive, got {value!r}")
