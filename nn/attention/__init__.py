"""Attention: the function, the layer with several heads, transformer layers, positions."""

from .multihead import MultiheadAttention
from .rotary import Rotary, rotary
from .scaled_dot_product import scaled_dot_product_attention
from .sinusoidal import SinusoidalPositions, sinusoidal_positions
from .transformer import Transformer, TransformerDecoder, TransformerEncoder
from .transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer

__all__ = [
    "MultiheadAttention",
    "Rotary",
    "SinusoidalPositions",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "rotary",
    "scaled_dot_product_attention",
    "sinusoidal_positions",
]
