"""TransformerEncoder and TransformerDecoder: a layer several times, then a norm."""

from __future__ import annotations

import copy

from ...backend import Array
from ...backend.random import Generator
from ..dimensions import check_integer
from ..module import Module
from .transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer


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


def _copies(kind: str, layer: Module, n: int) -> list[Module]:
    """n copies that share the layer's generators: copies of these would all drop alike."""
    check_integer(kind, "num_layers", n)
    parts = [part for module in layer.modules() for part in vars(module).values()]
    generators = {id(part): part for part in parts if isinstance(part, Generator)}
    return [copy.deepcopy(layer, dict(generators)) for _ in range(n)]
