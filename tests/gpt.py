"""A small GPT: what tests of attention and of saved weights build."""

from __future__ import annotations

from isograd import nn
from isograd.backend import array_namespace


class GPT(nn.Module):
    """Tokens and learned positions, two causal blocks, a norm, and a head tied to the tokens."""

    def __init__(self, n_tokens, n_features, n_heads, length):
        made = {"dtype": "float64"}
        self.tokens = nn.Embedding(n_tokens, n_features, **made)
        self.positions = nn.Embedding(length, n_features, **made)
        block = nn.TransformerEncoderLayer(
            *(n_features, n_heads, 4 * n_features, 0.0, "gelu"),
            batch_first=True,
            norm_first=True,
            **made,
        )
        self.blocks = nn.TransformerEncoder(block, 2, nn.LayerNorm(n_features, **made))
        self.head = nn.Linear(n_features, n_tokens, bias=False, **made)
        self.head.weight = self.tokens.weight

    def forward(self, indices):
        xp = array_namespace(indices)
        steps = xp.arange(indices.shape[1], device=indices.device)
        x = self.tokens(indices) + self.positions(steps)
        return self.head(self.blocks(x, is_causal=True))
