"""TransformerEncoder and TransformerDecoder, a layer several times, then a norm; both together."""

from __future__ import annotations

import copy
import math
from typing import Any

from ...backend import Array, Device, array_namespace, device_of
from ...backend.errors import ShapeError
from ...backend.random import Generator
from ..autograd.tensor import write_in_place
from ..dimensions import check_integer
from ..initializers import constant, glorot_uniform
from ..module import Module
from ..normalization import LayerNorm
from .transformer_layers import Activation, TransformerDecoderLayer, TransformerEncoderLayer


class TransformerEncoder(Module):
    """num_layers copies of a layer, one after the other, then norm where it is given.

    As in torch the copies start with the weights of the layer. Raises HyperparameterError.
    """

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        self.layers = _copies("TransformerEncoder", encoder_layer, num_layers)
        self.norm = norm

    def forward(
        self,
        src: Array,
        mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Array:
        """Masks as TransformerEncoderLayer's, for every layer."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """num_layers copies of a layer, one after the other, then norm where it is given.

    As in torch the copies start with the weights of the layer. Raises HyperparameterError.
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        self.layers = _copies("TransformerDecoder", decoder_layer, num_layers)
        self.norm = norm

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
        """Masks as TransformerDecoderLayer's, for every layer."""
        for layer in self.layers:
            tgt = layer(
                tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
                tgt_is_causal, memory_is_causal,
            )  # fmt: skip
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """decoder(tgt, encoder(src)): a TransformerEncoder and a TransformerDecoder, each with a norm.

    Settings as TransformerEncoderLayer's, names and defaults torch's; custom_encoder and
    custom_decoder take the place of one of the two. Weights of two axes start with Glorot's uniform
    values, each layer with others; those of custom parts stay as they are.
    Raises HyperparameterError. Source: Vaswani et al. 2017, section 3.1.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
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
        widths = (d_model, nhead, dim_feedforward)
        settings = (*widths, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **placed)

        self.d_model, self.batch_first = d_model, batch_first
        if custom_encoder is None:
            encoder_layer = TransformerEncoderLayer(*settings, generator=generator, **placed)
            self.encoder: Module = TransformerEncoder(encoder_layer, num_encoder_layers, norm())
            _draw_anew(self.encoder, generator)
        else:
            self.encoder = custom_encoder
        if custom_decoder is None:
            decoder_layer = TransformerDecoderLayer(*settings, generator=generator, **placed)
            self.decoder: Module = TransformerDecoder(decoder_layer, num_decoder_layers, norm())
            _draw_anew(self.decoder, generator)
        else:
            self.decoder = custom_decoder

    def forward(
        self,
        src: Array,
        tgt: Array,
        src_mask: Array | None = None,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Array:
        """The decoder's output, of the shape of tgt.

        src: (source length, batch, d_model), tgt: (length, batch, d_model), or batch first, or
        both without batch. Masks as MultiheadAttention's; is_causal needs none. Raises ShapeError.
        """
        self._check(src, tgt)
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        return self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
            tgt_is_causal, memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(
        sz: int, device: str | Device | None = None, dtype: Any = None
    ) -> Array:
        """A mask to be added, (sz, sz): -inf above the diagonal, else 0. is_causal does the same.

        Raises HyperparameterError unless sz is a count.
        """
        check_integer("generate_square_subsequent_mask", "sz", sz, least=0)
        full = constant((sz, sz), -math.inf, dtype=dtype, device=device)
        return array_namespace(full).triu(full, k=1)

    def _check(self, src: Array, tgt: Array) -> None:
        """Raises ShapeError unless both are sequences of d_model features, of one batch."""
        batch = 0 if self.batch_first else 1
        fits = src.ndim == tgt.ndim and src.shape[-1] == tgt.shape[-1] == self.d_model
        if not fits or (src.ndim == 3 and src.shape[batch] != tgt.shape[batch]):
            order = "batch, length" if self.batch_first else "length, batch"
            raise ShapeError(
                f"Transformer: src and tgt must be ({order}, {self.d_model}) with the same batch, "
                f"or both without it, got {tuple(src.shape)} and {tuple(tgt.shape)}"
            )


def _draw_anew(module: Module, generator: Generator | None) -> None:
    """Give every weight of two axes or more Glorot's values: copies of a layer start alike."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            made = {"dtype": parameter.dtype, "device": device_of(parameter)}
            values = glorot_uniform(tuple(parameter.shape), generator=generator, **made)
            write_in_place(parameter, values)


def _copies(kind: str, layer: Module, n: int) -> list[Module]:
    """n copies that share the layer's generators: copies of these would all drop alike."""
    check_integer(kind, "num_layers", n)
    parts = [part for module in layer.modules() for part in vars(module).values()]
    generators = {id(part): part for part in parts if isinstance(part, Generator)}
    return [copy.deepcopy(layer, dict(generators)) for _ in range(n)]
