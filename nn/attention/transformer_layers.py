"""TransformerEncoderLayer and TransformerDecoderLayer: attention and two linear layers, added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backend import Array, Device
from ...backend.random import Generator
from ..dropout import Dropout
from ..linear import Linear
from ..module import Module
from ..normalization import LayerNorm
from .multihead import MultiheadAttention

Activation = str | Callable[[Array], Array]


class _TransformerLayer(Module):
    """What both layers share: the feed-forward part, and where the norms stand."""

    has_memory = False  # whether a second attention looks at an encoder's output

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        placed: dict[str, Any] = {"device": device, "dtype": dtype}
        made = {"generator": generator, **placed}
        heads = {"batch_first": batch_first, **made}
        named = activation if isinstance(activation, str) else None
        self.d_model, self.norm_first = d_model, norm_first
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, **heads)
        if self.has_memory:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, **heads)
        self.linear1 = Linear(d_model, dim_feedforward, bias, activation=named, **made)
        self.dropout = Dropout(dropout, generator=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        for i in range(1, 4 if self.has_memory else 3):
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **placed)
            setattr(self, f"norm{i}", norm)
        for i in range(1, 4 if self.has_memory else 3):
            setattr(self, f"dropout{i}", Dropout(dropout, generator=generator))
        self._activation: Any = activation if named is None else None

    def extra_repr(self) -> str:
        return f"{self.d_model}{', norm_first=True' if self.norm_first else ''}"

    def _added(self, x: Array, i: int, part: Callable[[Array], Array]) -> Array:
        """x + dropout(part(x)), with the i-th norm after the sum, or before the part."""
        norm, drop = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        if self.norm_first:
            return x + drop(part(norm(x)))
        return norm(x + drop(part(x)))

    def _feed_forward(self, x: Array) -> Array:
        hidden = self.linear1(x)
        if self._activation is not None:
            hidden = self._activation(hidden)
        return self.linear2(self.dropout(hidden))


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then linear, activation, linear, each added to its input and normalized.

    x: (length, batch, d_model), or batch first. norm_first: the norm stands before each part, not
    after the sum. activation: a name that activation_named() knows, or a function. Names of
    parameters, defaults and dropouts are torch's. Raises HyperparameterError, ShapeError.
    Source: Vaswani et al. 2017, section 3.1; norm_first: Xiong et al. 2020, arXiv:2002.04745.
    """

    def forward(
        self,
        src: Array,
        src_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Array:
        """Masks as MultiheadAttention's; is_causal needs no src_mask."""

        def attend(x: Array) -> Array:
            return self.self_attn(
                x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal
            )[0]

        x = self._added(src, 1, attend)
        return self._added(x, 2, self._feed_forward)


class TransformerDecoderLayer(_TransformerLayer):
    """Self-attention, attention to an encoder's output, then linear, activation, linear.

    Settings as TransformerEncoderLayer's.
    """

    has_memory = True

    def forward(
        self,
        tgt: Array,
        memory: Array,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Array:
        """tgt: (length, batch, d_model), memory: (source length, batch, d_model), or batch first.

        Masks as MultiheadAttention's; tgt_is_causal needs no tgt_mask.
        """

        def attend(x: Array) -> Array:
            return self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )[0]

        def attend_to_memory(x: Array) -> Array:
            mask = memory_key_padding_mask
            return self.multihead_attn(
                x, memory, memory, mask, False, memory_mask, is_causal=memory_is_causal
            )[0]

        x = self._added(tgt, 1, attend)
        x = self._added(x, 2, attend_to_memory)
        return self._added(x, 3, self._feed_forward)
