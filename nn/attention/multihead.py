"""MultiheadAttention: attention of several heads between learned projections."""

from __future__ import annotations

import math
from typing import Any

from array_api_compat import device as device_of_array

from ...backend import Array, Device, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.random import Generator
from ..autograd import differentiable
from ..autograd.ops.linear_algebra import matmul  # CuPy's own cannot be captured
from ..autograd.ops.manipulation import stack
from ..autograd.tensor import innermost
from ..dimensions import check_integer
from ..dropout import check_probability, dropout
from ..initializers import glorot_normal, glorot_uniform, zeros
from ..linear import Linear, linear
from ..module import Module
from ..parameter import Parameter
from ..reduction import check_arrays
from .masks import allowed_together, check_mask, with_causal, with_open_keys
from .scaled_dot_product import attention_weights, scaled_dot_product_attention

NAME = "MultiheadAttention"


class MultiheadAttention(Module):
    """Heads of embed_dim / num_heads features each look at keys and mix values; torch's layout.

    in_proj_weight (3 embed_dim, embed_dim) projects query, key and value (with kdim or vdim in
    q_proj_weight, k_proj_weight and v_proj_weight apart), in_proj_bias (3 embed_dim,); out_proj is
    a Linear. First values as torch's: Glorot's for the weights, zeros for the biases. dropout: the
    probability with which an attention weight is dropped in training. add_bias_kv: one more key and
    value for every query, learned: bias_k and bias_v (1, 1, embed_dim). add_zero_attn: one more key
    and value of zeros. Whatever the masks say, a query may look at them.
    Raises HyperparameterError. Source: Vaswani et al. 2017, section 3.2.2.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        kdim, vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        sizes = {"embed_dim": embed_dim, "num_heads": num_heads, "kdim": kdim, "vdim": vdim}
        for name, n in sizes.items():
            check_integer(NAME, name, n)
        if embed_dim % num_heads:
            raise HyperparameterError(
                f"{NAME}: embed_dim must be a multiple of num_heads, got {embed_dim} and "
                f"{num_heads}"
            )
        check_probability(NAME, dropout)
        self.embed_dim, self.num_heads, self.kdim, self.vdim = embed_dim, num_heads, kdim, vdim
        self.dropout, self.batch_first, self.generator = dropout, batch_first, generator
        self.add_zero_attn = add_zero_attn
        placed: dict[str, Any] = {"device": device, "dtype": dtype}
        made = {"generator": generator, **placed}
        if kdim == vdim == embed_dim:
            self.in_proj_weight = Parameter(glorot_uniform((3 * embed_dim, embed_dim), **made))
        else:
            self.q_proj_weight = Parameter(glorot_uniform((embed_dim, embed_dim), **made))
            self.k_proj_weight = Parameter(glorot_uniform((embed_dim, kdim), **made))
            self.v_proj_weight = Parameter(glorot_uniform((embed_dim, vdim), **made))
        self.in_proj_bias = Parameter(zeros((3 * embed_dim,), **placed)) if bias else None
        shape = (1, 1, embed_dim)
        self.bias_k = Parameter(glorot_normal(shape, **made)) if add_bias_kv else None
        self.bias_v = Parameter(glorot_normal(shape, **made)) if add_bias_kv else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, **made)
        if bias:
            self.out_proj.bias = Parameter(zeros((embed_dim,), **placed))

    def forward(
        self,
        query: Array,
        key: Array,
        value: Array,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Array, Array | None]:
        """(output, attention weights or None).

        query: (L, batch, embed_dim), key: (S, batch, kdim), value: (S, batch, vdim); batch_first
        has batch first, a single sequence none. key_padding_mask: (batch, S), attn_mask: (L, S) or
        (batch x num_heads, L, S); boolean: true where nobody may look (the opposite of
        scaled_dot_product_attention, as in torch), or floating: added. is_causal: query i looks at
        keys 0 ... i; it needs no attn_mask. need_weights=False is faster and needs less memory;
        the weights are (batch, L, S), or with average_attn_weights=False (batch, heads, L, S);
        S counts the keys of add_bias_kv and add_zero_attn too, which come last.
        A query that may look nowhere gets zeros from every head. Raises ShapeError, DtypeError.
        """
        check_arrays(NAME, query=query, key=key, value=value)
        single = query.ndim == 2
        q, k, v = self._heads(query, key, value, single)
        mask = self._mask(q, k, key_padding_mask, attn_mask, single)
        n_extra = (self.bias_k is not None) + self.add_zero_attn
        if n_extra:
            if is_causal:
                mask, is_causal = with_causal(mask, q, k), False
            mask = None if mask is None else with_open_keys(mask, n_extra)
            k, v = self._extended(k, self.bias_k), self._extended(v, self.bias_v)
        xp = array_namespace(q)
        p = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scale = 1.0 / math.sqrt(q.shape[-1])
            weights = attention_weights(q, k, mask, is_causal=is_causal, scale=scale)
            weights = dropout(weights, p, generator=self.generator)
            y = matmul(weights, v)
            weights = xp.mean(weights, axis=1) if average_attn_weights else weights
            weights = weights[0, ...] if single else weights
        else:
            y = scaled_dot_product_attention(q, k, v, mask, p, is_causal, generator=self.generator)
        n_batch, _, length, _ = y.shape
        order = (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3)
        shape = (n_batch, length) if self.batch_first else (length, n_batch)
        y = xp.reshape(xp.permute_dims(y, order), (*shape, self.embed_dim))
        y = self.out_proj(y)
        if single:
            y = y[0, ...] if self.batch_first else y[:, 0, :]
        return y, weights

    def extra_repr(self) -> str:
        parts = [f"{self.embed_dim}, {self.num_heads}"]
        parts += [f"dropout={self.dropout}"] if self.dropout else []
        parts += ["bias=False"] if self.in_proj_bias is None else []
        parts += ["batch_first=True"] if self.batch_first else []
        return ", ".join(parts)

    def _heads(
        self, query: Array, key: Array, value: Array, single: bool
    ) -> tuple[Array, Array, Array]:
        """Projected queries, keys and values, (batch, heads, length, features of a head)."""
        self._check(query, key, value)
        alike = query is key and key is value
        if single:
            axis = 0 if self.batch_first else 1
            query, key, value = (
                array_namespace(x).expand_dims(x, axis=axis) for x in (query, key, value)
            )
        if alike and self.kdim == self.vdim == self.embed_dim:
            return self._split(linear(query, self.in_proj_weight, self.in_proj_bias), 3)
        weights = self._weights()
        biases: Any = (None,) * 3
        if self.in_proj_bias is not None:
            xp = array_namespace(self.in_proj_bias)
            biases = xp.unstack(xp.reshape(self.in_proj_bias, (3, self.embed_dim)))
        inputs = (query, key, value)
        q, k, v = (
            self._split(linear(x, weight, bias), 1)[0]
            for x, weight, bias in zip(inputs, weights, biases, strict=True)
        )
        return q, k, v

    def _weights(self) -> tuple[Array, Array, Array]:
        """The weights of the three projections."""
        if self.kdim == self.vdim == self.embed_dim:
            xp = array_namespace(self.in_proj_weight)
            n = self.embed_dim
            return xp.unstack(xp.reshape(self.in_proj_weight, (3, n, n)))
        return self.q_proj_weight, self.k_proj_weight, self.v_proj_weight

    def _split(self, y: Array, n_parts: int) -> tuple[Array, ...]:
        """The parts of a projection, each as (batch, heads, length, features of a head)."""
        options = {"n_heads": self.num_heads, "batch_first": self.batch_first}
        return _split_heads(y, n_parts=n_parts, **options)

    def _extended(self, x: Array, last: Array | None) -> Array:
        """Keys or values (batch, heads, length, features), then the learned one, then zeros."""
        xp = array_namespace(x)
        shape, parts = (*x.shape[:2], 1, x.shape[-1]), [x]
        if last is not None:
            by_head = xp.reshape(last, (1, self.num_heads, 1, x.shape[-1]))
            parts.append(xp.broadcast_to(by_head, shape))
        if self.add_zero_attn:
            parts.append(xp.zeros(shape, dtype=x.dtype, device=device_of_array(innermost(x))))
        return xp.concat(parts, axis=-2)

    def _check(self, query: Array, key: Array, value: Array) -> None:
        """Raises ShapeError unless the inputs fit each other and the layer."""
        shapes = f"got {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        sizes = (self.embed_dim, self.kdim, self.vdim)
        last = tuple(tuple(x.shape[-1:]) for x in (query, key, value))
        if not query.ndim == key.ndim == value.ndim or query.ndim not in (2, 3):
            order = "(batch, length, features)" if self.batch_first else "(length, batch, features)"
            raise ShapeError(
                f"{NAME}: query, key and value must be {order} or (length, features), {shapes}"
            )
        if last != tuple((n,) for n in sizes):
            raise ShapeError(
                f"{NAME}: query, key and value must have {sizes[0]}, {sizes[1]} and {sizes[2]} "
                f"features, embed_dim, kdim and vdim, {shapes}"
            )
        batch, length = (0, 1) if self.batch_first else (1, 0)
        length = length if query.ndim == 3 else 0
        same_batch = query.ndim == 2 or (
            query.shape[batch] == key.shape[batch] == value.shape[batch]
        )
        if not same_batch or key.shape[length] != value.shape[length]:
            raise ShapeError(
                f"{NAME}: all must have the same batch size, key and value the same length, "
                f"{shapes}"
            )

    def _mask(
        self, q: Array, k: Array, padding: Array | None, attn_mask: Array | None, single: bool
    ) -> Array | None:
        """One mask as scaled_dot_product_attention takes it, (..., L, S): true where allowed."""
        n_batch, n_keys, n_queries = q.shape[0], k.shape[-2], q.shape[-2]
        masks = []
        if padding is not None:
            wanted = (n_keys,) if single else (n_batch, n_keys)
            check_mask(NAME, "key_padding_mask", padding, q, [wanted])
            masks.append(array_namespace(padding).reshape(padding, (n_batch, 1, 1, n_keys)))
        if attn_mask is not None:
            weights = (n_batch * self.num_heads, n_queries, n_keys)
            check_mask(NAME, "attn_mask", attn_mask, q, [weights[1:], weights])
            if attn_mask.ndim == 3:
                heads = (n_batch, self.num_heads, *weights[1:])
                attn_mask = array_namespace(attn_mask).reshape(attn_mask, heads)
            masks.append(attn_mask)
        return allowed_together(masks, q) if masks else None


@differentiable
def _split_heads(y: Array, *, n_parts: int, n_heads: int, batch_first: bool) -> tuple[Array, ...]:
    """The parts of a projection, each as (batch, heads, length, features of a head).

    y: (batch, length, features of all parts), or (length, batch, ...) without batch_first. One op,
    since the gradients of slices would be as many arrays of zeros as there are parts.
    """
    xp = array_namespace(y)
    n = y.shape[-1] // (n_parts * n_heads)
    y = xp.reshape(y, (*y.shape[:2], n_parts, n_heads, n))
    return xp.unstack(xp.permute_dims(y, (2, 0, 3, 1, 4) if batch_first else (2, 1, 3, 0, 4)))


@_split_heads.backward
def _(dy: tuple[Array, ...], y_shape: tuple[int, ...], batch_first: bool) -> Array:
    xp = array_namespace(*dy)
    order = (0, 2, 1, 3) if batch_first else (2, 0, 1, 3)
    return xp.reshape(stack([xp.permute_dims(d, order) for d in dy], axis=2), y_shape)
