"""Write torch_attention.npz: attention, its layer, transformers and a GPT in torch 2.13.

    python tests/oracles/torch_attention.py

Float64, no dropout. For every case: parameters, inputs, outputs and gradients, named as in
torch_recurrent.py.
"""

from __future__ import annotations

from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch_recurrent import drawn, drawn_parameters, with_gradients

N_BATCH, N_HEADS, N_QUERIES, N_KEYS, N_FEATURES = 2, 2, 4, 5, 3
EMBED = 4


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(12)
    cases: dict[str, Any] = {}
    for mask in (None, "bool", "float", "float of heads", "closed row"):
        for options in ({}, {"is_causal": True}, {"scale": 0.7}, {"enable_gqa": True}):
            if mask is None or "is_causal" not in options:  # torch refuses both
                cases[f"function-mask={mask}-{options}"] = function(random, mask, options)
    for options in MULTIHEAD:
        name = "-".join(f"{key}={value}" for key, value in options.items())
        cases[f"multihead-{name}"] = multihead(random, dict(options))
    for options in LAYERS:
        name = "-".join(f"{key}={value}" for key, value in options.items())
        cases[f"encoder-{name}"] = encoder_layer(random, options)
        cases[f"decoder-{name}"] = decoder_layer(random, options)
    cases["gpt"] = gpt(random)
    cases["transformer"] = encoder_and_decoder(random)
    for options in EXTRA_KEYS:
        name = "-".join(f"{key}={value}" for key, value in options.items())
        cases[f"multihead-{name}"] = multihead(random, dict(options))
    for options in LAYERS:
        name = "-".join(f"{key}={value}" for key, value in options.items())
        cases[f"whole transformer-{name}"] = whole_transformer(random, options)
    npz.save("attention", cases)


def function(random: RandomState, mask: str | None, options: dict) -> tuple[dict, dict]:
    """scaled_dot_product_attention; with enable_gqa one key head serves two query heads."""
    n_heads = 2 * N_HEADS if options.get("enable_gqa") else N_HEADS
    inputs = {
        "query": drawn(random, N_BATCH, n_heads, N_QUERIES, N_FEATURES),
        "key": drawn(random, N_BATCH, N_HEADS, N_KEYS, N_FEATURES),
        "value": drawn(random, N_BATCH, N_HEADS, N_KEYS, 2),
    }
    fixed = {}
    if mask in ("bool", "closed row"):
        fixed["attn_mask"] = torch.tensor(random.rand(N_QUERIES, N_KEYS) > 0.4)
        fixed["attn_mask"][:, 0] = True
        if mask == "closed row":
            fixed["attn_mask"][1] = False
    elif mask is not None:
        heads = n_heads if mask == "float of heads" else 1
        inputs["attn_mask"] = drawn(random, N_BATCH, heads, N_QUERIES, N_KEYS)
    y = scaled_dot_product_attention(**inputs, **fixed, **options)
    found = with_gradients(random, inputs, {}, {"y": y})
    return {"options": options}, {**found, **fixed}


MULTIHEAD = (
    {},
    {"bias": False, "attn_mask": "bool"},
    {"batch_first": True, "key_padding_mask": "bool"},
    {"kdim": 3, "vdim": 5, "attn_mask": "float"},
    {"self": True, "is_causal": True, "attn_mask": "causal"},
    {"self": True, "attn_mask": "heads", "key_padding_mask": "float", "average": False},
    {"self": True, "single": True, "key_padding_mask": "bool"},
    {"same_memory": True, "batch_first": True, "need_weights": False, "attn_mask": "bool"},
)
EXTRA_KEYS = (
    {"add_bias_kv": True},
    {"add_bias_kv": True, "kdim": 3, "vdim": 5, "bias": False},
    {"add_zero_attn": True, "batch_first": True, "key_padding_mask": "bool"},
    {
        **{"add_bias_kv": True, "add_zero_attn": True, "self": True, "average": False},
        **{"attn_mask": "heads", "key_padding_mask": "float"},
    },
    {"self": True, "add_bias_kv": True, "is_causal": True, "attn_mask": "causal"},
    {
        **{"self": True, "add_zero_attn": True, "is_causal": True, "attn_mask": "causal"},
        "key_padding_mask": "float",
    },
    {"self": True, "add_bias_kv": True, "single": True, "need_weights": False},
)


def multihead(random: RandomState, options: dict) -> tuple[dict, dict]:
    """MultiheadAttention between different inputs, of an input with itself, or with one memory."""
    settings = dict(options)
    call = {"average_attn_weights": options.pop("average", True)}
    call["need_weights"] = options.pop("need_weights", True)
    call["is_causal"] = options.pop("is_causal", False)
    alike, same_memory = options.pop("self", False), options.pop("same_memory", False)
    single = options.pop("single", False)
    masks = {name: options.pop(name, None) for name in ("attn_mask", "key_padding_mask")}
    module = nn.MultiheadAttention(EMBED, N_HEADS, **options)
    parameters = drawn_parameters(random, module)
    first = options.get("batch_first", False)
    n_queries = N_KEYS if alike else N_QUERIES

    def sequence(length: int, features: int) -> Tensor:
        shape = (length,) if single else (N_BATCH, length) if first else (length, N_BATCH)
        return drawn(random, *shape, features)

    inputs = {"query": sequence(n_queries, EMBED)}
    if not alike:
        inputs["key"] = sequence(N_KEYS, options.get("kdim", EMBED))
        if not same_memory:
            inputs["value"] = sequence(N_KEYS, options.get("vdim", EMBED))
    query = inputs["query"]
    key = inputs.get("key", query)
    given = {name: kind for name, kind in masks.items() if kind}
    fixed = {name: one_mask(random, name, kind, n_queries, single) for name, kind in given.items()}
    y, weights = module(query, key, inputs.get("value", key), **fixed, **call)
    outputs = {"y": y} if weights is None else {"y": y, "weights": weights}
    return settings, {**with_gradients(random, inputs, parameters, outputs), **fixed}


def one_mask(random: RandomState, name: str, kind: str, n_queries: int, single: bool) -> Tensor:
    """A mask that forbids no query everything."""
    shape = (n_queries, N_KEYS)
    if name == "key_padding_mask":
        shape = (N_KEYS,) if single else (N_BATCH, N_KEYS)
    if kind == "causal":
        return nn.Transformer.generate_square_subsequent_mask(N_KEYS).isinf()
    if kind == "heads":
        shape = (N_BATCH * N_HEADS, *shape)
    if kind == "float":
        return torch.tensor(random.randn(*shape))
    mask = torch.tensor(random.rand(*shape) > 0.6)
    mask[..., 0] = False
    return mask


LAYERS = (
    {},
    {"activation": "gelu", "norm_first": True, "batch_first": True},
    {"bias": False, "layer_norm_eps": 0.1},
)


def encoder_layer(random: RandomState, options: dict) -> tuple[dict, dict]:
    """TransformerEncoderLayer with a causal mask."""
    module = nn.TransformerEncoderLayer(EMBED, N_HEADS, 6, dropout=0.0, **options)
    parameters = drawn_parameters(random, module)
    first = options.get("batch_first", False)
    shape = (N_BATCH, N_KEYS) if first else (N_KEYS, N_BATCH)
    inputs = {"x": drawn(random, *shape, EMBED)}
    mask = nn.Transformer.generate_square_subsequent_mask(N_KEYS)
    y = module(inputs["x"], mask, is_causal=True)
    return dict(options), with_gradients(random, inputs, parameters, {"y": y})


def decoder_layer(random: RandomState, options: dict) -> tuple[dict, dict]:
    """TransformerDecoderLayer with a causal mask and padding in the memory."""
    module = nn.TransformerDecoderLayer(EMBED, N_HEADS, 6, dropout=0.0, **options)
    parameters = drawn_parameters(random, module)
    first = options.get("batch_first", False)
    lengths = (N_QUERIES, N_KEYS)
    shapes = [(N_BATCH, n) if first else (n, N_BATCH) for n in lengths]
    inputs = {
        name: drawn(random, *s, EMBED) for name, s in zip(("x", "memory"), shapes, strict=True)
    }
    mask = nn.Transformer.generate_square_subsequent_mask(N_QUERIES)
    padding = torch.tensor([[False, False, True, True, True], [False] * 5])
    y = module(*inputs.values(), mask, memory_key_padding_mask=padding, tgt_is_causal=True)
    found = with_gradients(random, inputs, parameters, {"y": y})
    return dict(options), {**found, "memory_key_padding_mask": padding}


class GPT(nn.Module):
    """Tokens and learned positions, two causal blocks, a norm, and a head tied to the tokens."""

    def __init__(self, n_tokens: int, n_features: int, n_heads: int, length: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(n_tokens, n_features)
        self.positions = nn.Embedding(length, n_features)
        block = nn.TransformerEncoderLayer(
            n_features, n_heads, 4 * n_features, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            block, 2, nn.LayerNorm(n_features), enable_nested_tensor=False
        )
        self.head = nn.Linear(n_features, n_tokens, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, indices: Tensor) -> Tensor:
        length = indices.shape[1]
        x = self.tokens(indices) + self.positions(torch.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        return self.head(self.blocks(x, mask, is_causal=True))


def gpt(random: RandomState) -> tuple[dict, dict]:
    """Logits and all gradients; the state_dict holds the tied table twice."""
    module = GPT(7, 4, 2, 5)
    parameters = drawn_parameters(random, module)
    indices = torch.tensor(random.randint(0, 7, (2, 5)))
    found = with_gradients(random, {}, parameters, {"y": module(indices)})
    state = {f"state/{name}": tensor for name, tensor in module.state_dict().items()}
    settings = {"sizes": [7, 4, 2, 5], "names": list(module.state_dict())}
    return settings, {**found, **state, "indices": indices}


def encoder_and_decoder(random: RandomState) -> tuple[dict, dict]:
    """TransformerEncoder and TransformerDecoder of two layers, with norms."""
    encoder_layer = nn.TransformerEncoderLayer(EMBED, N_HEADS, 6, 0.0)
    decoder_layer = nn.TransformerDecoderLayer(EMBED, N_HEADS, 6, 0.0)
    module = nn.ModuleDict(
        {
            "encoder": nn.TransformerEncoder(
                encoder_layer, 2, nn.LayerNorm(EMBED), enable_nested_tensor=False
            ),
            "decoder": nn.TransformerDecoder(decoder_layer, 2, nn.LayerNorm(EMBED)),
        }
    )
    parameters = drawn_parameters(random, module)
    inputs = {
        "source": drawn(random, N_KEYS, N_BATCH, EMBED),
        "target": drawn(random, N_QUERIES, N_BATCH, EMBED),
    }
    y = module["decoder"](inputs["target"], module["encoder"](inputs["source"]))
    return {}, with_gradients(random, inputs, parameters, {"y": y})


def whole_transformer(random: RandomState, options: dict) -> tuple[dict, dict]:
    """nn.Transformer with a causal mask, padding in the source, and no dropout."""
    module = nn.Transformer(EMBED, N_HEADS, 2, 1, 6, dropout=0.0, **options)
    parameters = drawn_parameters(random, module)
    first = options.get("batch_first", False)
    shapes = [(N_BATCH, n) if first else (n, N_BATCH) for n in (N_KEYS, N_QUERIES)]
    inputs = {
        name: drawn(random, *s, EMBED) for name, s in zip(("src", "tgt"), shapes, strict=True)
    }
    mask = nn.Transformer.generate_square_subsequent_mask(N_QUERIES)
    padding = torch.tensor([[False, False, True, True, True], [False] * 5])
    masks = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    y = module(**inputs, tgt_mask=mask, **masks)
    found = with_gradients(random, inputs, parameters, {"y": y})
    return dict(options), {**found, "tgt_mask": mask, "padding": padding}


if __name__ == "__main__":
    main()
