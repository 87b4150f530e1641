"""scaled_dot_product_attention: values mixed by how well their keys fit a query."""

from __future__ import annotations

import math
from typing import Any

from ...backend import Array, array_namespace, device_of, is_floating
from ...backend.errors import DtypeError, HyperparameterError, ShapeError
from ...backend.random import Generator, default_generator
from ...kernels.attention import ATTENTION_NUMPY
from ..autograd import differentiable
from ..autograd.ops.linear_algebra import matmul  # CuPy's own cannot be captured
from ..dropout import check_probability
from ..reduction import check_arrays, check_same_dtype
from ..softmax import softmax
from .blockwise import BLOCK, blockwise_attention, causal_mask

# Above this many weights, all heads and examples together, attention works block by block and
# keeps none of them: 16 MiB of float32.
WHOLE_UP_TO = 2**22


def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    generator: Generator | None = None,
) -> Array:
    """softmax(query key^T scale + mask) value.

    query: floating (..., L, E); key: (..., S, E); value: (..., S, V), leading axes that broadcast
    -> (..., L, V). attn_mask: broadcasts to (..., L, S); boolean: true where a query may look;
    floating: added. A query that may look nowhere gets zeros. is_causal: query i looks at keys
    0 ... i only. scale: 1 / sqrt(E) unless given. dropout_p: the probability with which a weight
    is dropped; unlike a layer, the function does not know whether it trains.
    enable_gqa: axis -3 holds heads, and each key head serves as many query heads in a row.
    Beyond WHOLE_UP_TO weights, memory grows with L + S and not with L S.
    Raises ShapeError, DtypeError, DeviceError, HyperparameterError.
    Source: Vaswani et al. 2017, equation 1; in blocks: Rabe and Staats 2021, Dao et al. 2022.
    """
    check_probability("scaled_dot_product_attention", dropout_p)
    _check(query, key, value, attn_mask, enable_gqa)
    scale = 1.0 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    if not math.isfinite(scale):
        raise HyperparameterError(
            f"scaled_dot_product_attention: scale must be finite, got {scale!r}"
        )
    shape = (*query.shape[:-1], value.shape[-1])
    if enable_gqa and query.shape[-3] != key.shape[-3]:
        query, key, value, attn_mask = _grouped(query, key, value, attn_mask)
    options: dict[str, Any] = {"is_causal": is_causal, "scale": scale}
    weights_shape = _weights_shape(query, key, value)
    if math.prod(weights_shape) > WHOLE_UP_TO:
        seed = _drawn_seed(generator) if dropout_p else 0
        options |= {"dropout_p": dropout_p, "seed": seed, "block": BLOCK}
        y = blockwise_attention(query, key, value, attn_mask, **options)
    else:
        kept = _kept(dropout_p, weights_shape, query, generator) if dropout_p else None
        y = attention(query, key, value, attn_mask, kept, **options)
    if enable_gqa and tuple(y.shape) != shape:
        xp = array_namespace(y)
        y = xp.reshape(y, (*y.shape[:-4], y.shape[-4] * y.shape[-3], *y.shape[-2:]))
    return y


@differentiable
def attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    kept: Array | None = None,
    *,
    is_causal: bool,
    scale: float,
) -> Array:
    """softmax(query key^T scale + mask) kept value, with all the weights at once."""
    weights = attention_weights(query, key, mask, is_causal=is_causal, scale=scale)
    return matmul(weights if kept is None else weights * kept, value)


attention.fused_by(numpy=ATTENTION_NUMPY)


@differentiable
def attention_weights(
    query: Array,
    key: Array,
    mask: Array | None = None,
    *,
    is_causal: bool,
    scale: float,
) -> Array:
    """softmax(query key^T scale + mask) (..., L, S); zeros for a query that may look nowhere."""
    xp = array_namespace(query, key)
    scores = matmul(query * scale, xp.matrix_transpose(key))
    if is_causal:
        allowed = causal_mask(query.shape[-2], key.shape[-2], 0, 0, query)
        scores = xp.where(allowed, scores, xp.full_like(scores, -math.inf))
    if mask is None:
        return softmax(scores) if 0 not in scores.shape else scores
    if is_floating(mask):
        scores = scores + mask
    else:
        scores = xp.where(mask, scores, xp.full_like(scores, -math.inf))
    if 0 in scores.shape:
        return scores
    alive = xp.max(scores, axis=-1, keepdims=True) > -math.inf
    weights = softmax(xp.where(alive, scores, xp.zeros_like(scores)))
    return xp.where(alive, weights, xp.zeros_like(weights))


def _grouped(
    query: Array, key: Array, value: Array, mask: Array | None
) -> tuple[Array, Array, Array, Array | None]:
    """Query heads as (key heads, group), key and value with an axis of length 1 for the group."""
    xp = array_namespace(query)
    n_key, n_group = key.shape[-3], query.shape[-3] // key.shape[-3]
    query = xp.reshape(query, (*query.shape[:-3], n_key, n_group, *query.shape[-2:]))
    if mask is not None and mask.ndim > 2:
        heads = (1, 1) if mask.shape[-3] == 1 else (n_key, n_group)
        mask = array_namespace(mask).reshape(mask, (*mask.shape[:-3], *heads, *mask.shape[-2:]))
    return query, xp.expand_dims(key, axis=-3), xp.expand_dims(value, axis=-3), mask


def _weights_shape(query: Array, key: Array, value: Array) -> tuple[int, ...]:
    """(..., L, S), the leading axes of all three broadcast."""
    leading = _broadcast(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    return (*leading, query.shape[-2], key.shape[-2])


def _broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """What the shapes broadcast to; a ValueError says that they do not."""
    n_axes = max(map(len, shapes))
    padded = [(1,) * (n_axes - len(shape)) + tuple(shape) for shape in shapes]
    lengths = []
    for column in zip(*padded, strict=True):
        longer = {n for n in column if n != 1}
        if len(longer) > 1:
            raise ValueError(f"lengths {longer} do not broadcast")
        lengths.append(longer.pop() if longer else 1)
    return tuple(lengths)


def _kept(p: float, shape: tuple[int, ...], like: Array, generator: Generator | None) -> Array:
    """Zeros where a weight is dropped, else 1 / (1 - p)."""
    source = default_generator() if generator is None else generator
    kept = source.bernoulli(1.0 - p, shape, device=device_of(like))
    scale = 1.0 / (1.0 - p) if p < 1 else 0.0
    return array_namespace(kept).astype(kept, like.dtype) * scale


def _drawn_seed(generator: Generator | None) -> int:
    """A seed for the choices of all blocks, which are drawn twice: forward and backward."""
    source = default_generator() if generator is None else generator
    return int(source.integers(0, 2**31, (1,), device="cpu")[0])


def _check(query: Array, key: Array, value: Array, mask: Array | None, enable_gqa: bool) -> None:
    name = "scaled_dot_product_attention"
    check_arrays(name, query=query, key=key, value=value)
    check_same_dtype(name, query=query, key=key, value=value)
    shapes = f"got query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    least = 3 if enable_gqa else 2
    if min(query.ndim, key.ndim, value.ndim) < least:
        axes = "(..., heads, length, features)" if enable_gqa else "(..., length, features)"
        raise ShapeError(f"{name}: query, key and value must be {axes}, {shapes}")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError(
            f"{name}: query and key must have the same number of features, key and value the same "
            f"length, {shapes}"
        )
    if enable_gqa:
        n_query, n_key = query.shape[-3], key.shape[-3]
        if value.shape[-3] != n_key or n_key == 0 or n_query % n_key:
            raise ShapeError(
                f"{name}: enable_gqa asks for key and value with as many heads (axis -3), a "
                f"divisor of those of query, {shapes}"
            )
    try:
        leading = _broadcast(*(x.shape[:-least] for x in (query, key, value)))
    except ValueError:
        hint = "" if enable_gqa else "; enable_gqa=True lets several query heads share a key head"
        raise ShapeError(f"{name}: leading axes must broadcast, {shapes}{hint}") from None
    if mask is not None:
        heads = query.shape[-3:-2] if enable_gqa else ()
        _check_mask(name, mask, query, (*leading, *heads, query.shape[-2], key.shape[-2]))


def _check_mask(name: str, mask: Array, query: Array, shape: tuple[int, ...]) -> None:
    check_arrays(name, query=query, attn_mask=mask)
    xp = array_namespace(mask)
    if not xp.isdtype(mask.dtype, "bool"):
        if not is_floating(mask):
            raise DtypeError(
                f"{name}: attn_mask must be boolean (true: may look) or floating (added), got "
                f"{mask.dtype}; use mask != 0"
            )
        check_same_dtype(name, query=query, attn_mask=mask)
    extra = len(shape) - mask.ndim
    fits = extra >= 0 and all(n in (1, m) for n, m in zip(mask.shape, shape[extra:], strict=True))
    if not fits:
        raise ShapeError(
            f"{name}: attn_mask must broadcast to (..., L, S) = {shape}, got shape "
            f"{tuple(mask.shape)}"
        )
