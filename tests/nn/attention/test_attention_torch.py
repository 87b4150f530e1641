"""Attention and transformer layers: outputs, gradients and names are those of torch 2.13."""

from __future__ import annotations

import pytest
from gpt import GPT
from numpy.testing import assert_array_equal
from torch_cases import assert_like_torch, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend import settings_override
from isograd.nn.attention import scaled_dot_product

CASES = torch_cases("attention")
HOSTS = pytest.mark.parametrize("device", ["cpu", "strict", "torch"], indirect=True)
N_FEATURES, N_HEADS = 4, 2


def starting_with(start):
    cases = [case for name, case in CASES.items() if name.startswith(start)]
    return pytest.mark.parametrize("case", cases, ids=str)


def call_function(case):
    """Runs scaled_dot_product_attention; the masks of torch's own broadcasting are kept."""

    def call(_, inputs, constants):
        options = case.settings["options"]
        return {"y": nn.scaled_dot_product_attention(**inputs, **constants, **options)}

    return call


@HOSTS
@starting_with("function")
def test_the_function_is_that_of_torch(case, device):
    assert_like_torch(None, case, call_function(case))


@starting_with("function")
def test_so_is_the_definition_without_kernels(case):
    with settings_override(disable_kernels=True):
        assert_like_torch(None, case, call_function(case))


@starting_with("function")
def test_so_is_the_work_by_blocks(case, monkeypatch):
    monkeypatch.setattr(scaled_dot_product, "WHOLE_UP_TO", 0)
    monkeypatch.setattr(scaled_dot_product, "BLOCK", 2)
    assert_like_torch(None, case, call_function(case))


def made_multihead(case):
    known = ("bias", "batch_first", "kdim", "vdim", "add_bias_kv", "add_zero_attn")
    options = {name: value for name, value in case.settings.items() if name in known}
    module = nn.MultiheadAttention(N_FEATURES, N_HEADS, **options, dtype="float64")
    module.load_state_dict(case.under("parameter"))
    return module


def run_multihead(case):
    def call(module, inputs, constants):
        query = inputs["query"]
        key = inputs.get("key", query)
        y, weights = module(
            query,
            key,
            inputs.get("value", key),
            **constants,
            need_weights=case.settings.get("need_weights", True),
            average_attn_weights=case.settings.get("average", True),
            is_causal=case.settings.get("is_causal", False),
        )
        return {"y": y, "weights": weights}

    return call


@HOSTS
@starting_with("multihead")
def test_the_layer_with_heads_is_that_of_torch(case, device):
    assert_like_torch(made_multihead(case), case, run_multihead(case))


@starting_with("multihead")
def test_the_output_is_the_same_without_the_weights(case):
    module = made_multihead(case)
    constants = {name: x for name, x in case.arrays.items() if name.endswith("mask")}
    found = run_multihead(case)(module, case.arrays, constants)["y"]
    settings = {**case.settings, "need_weights": not case.settings.get("need_weights", True)}
    other = run_multihead(type(case)(case.name, settings, case.arrays))
    expected = other(module, case.arrays, constants)["y"]
    assert abs(found.data - expected.data).max() < 1e-14


def made_layer(case, kind):
    module = kind(N_FEATURES, N_HEADS, 6, 0.0, **case.settings, dtype="float64")
    module.load_state_dict(case.under("parameter"))
    return module


@HOSTS
@starting_with("encoder")
def test_an_encoder_layer_is_that_of_torch(case, device):
    def call(module, inputs, constants):
        return {"y": module(inputs["x"], is_causal=True)}

    assert_like_torch(made_layer(case, nn.TransformerEncoderLayer), case, call)


@HOSTS
@starting_with("decoder")
def test_a_decoder_layer_is_that_of_torch(case, device):
    def call(module, inputs, constants):
        return {"y": module(*inputs.values(), **constants, tgt_is_causal=True)}

    assert_like_torch(made_layer(case, nn.TransformerDecoderLayer), case, call)


@pytest.mark.parametrize(
    "name", ["encoder-", "decoder-", "multihead-", "multihead-add_bias_kv=True"]
)
def test_names_shapes_and_order_of_the_weights_are_those_of_torch(name):
    case = CASES[name]
    if name.startswith("multihead-"):
        module = made_multihead(case)
    else:
        kind = nn.TransformerEncoderLayer if "encoder" in name else nn.TransformerDecoderLayer
        module = made_layer(case, kind)
    shapes = {path: array.shape for path, array in case.under("parameter").items()}
    assert {path: array.shape for path, array in module.state_dict().items()} == shapes
    assert list(module.state_dict()) == list(shapes)


@HOSTS
def test_the_weights_of_a_gpt_of_torch_load_and_give_its_logits_and_gradients(device):
    case = CASES["gpt"]
    module = GPT(*case.settings["sizes"])
    assert list(module.state_dict()) == case.settings["names"]
    module.load_state_dict(case.under("state"))

    def call(module, inputs, constants):
        return {"y": module(constants["indices"])}

    assert_like_torch(module, case, call)


@HOSTS
def test_encoder_and_decoder_together_are_those_of_torch(device):
    made = {"dtype": "float64"}

    class Both(nn.Module):
        def __init__(self):
            encoder = nn.TransformerEncoderLayer(N_FEATURES, N_HEADS, 6, 0.0, **made)
            decoder = nn.TransformerDecoderLayer(N_FEATURES, N_HEADS, 6, 0.0, **made)
            self.encoder = nn.TransformerEncoder(encoder, 2, nn.LayerNorm(N_FEATURES, **made))
            self.decoder = nn.TransformerDecoder(decoder, 2, nn.LayerNorm(N_FEATURES, **made))

    case = CASES["transformer"]
    module = Both()
    module.load_state_dict(case.under("parameter"))

    def call(module, inputs, constants):
        return {"y": module.decoder(inputs["target"], module.encoder(inputs["source"]))}

    assert_like_torch(module, case, call)


@HOSTS
@starting_with("whole")
@pytest.mark.parametrize("is_causal", [False, True])
def test_the_whole_transformer_is_that_of_torch(case, is_causal, device):
    module = nn.Transformer(N_FEATURES, N_HEADS, 2, 1, 6, 0.0, **case.settings, dtype="float64")
    assert list(module.state_dict()) == list(case.under("parameter"))
    module.load_state_dict(case.under("parameter"))

    def call(module, inputs, constants):
        masks = dict.fromkeys(
            ("src_key_padding_mask", "memory_key_padding_mask"), constants["padding"]
        )
        tgt_mask = None if is_causal else constants["tgt_mask"]
        return {"y": module(**inputs, **masks, tgt_mask=tgt_mask, tgt_is_causal=is_causal)}

    assert_like_torch(module, case, call)


def test_the_mask_that_keeps_queries_from_looking_ahead_is_that_of_torch(device):
    case = next(case for name, case in CASES.items() if name.startswith("whole"))
    made = nn.Transformer.generate_square_subsequent_mask(4, dtype="float64")
    assert_array_equal(ig.to_numpy(made), case.arrays["tgt_mask"])


def test_tied_weights_are_one_parameter():
    module = GPT(*CASES["gpt"].settings["sizes"])
    assert module.head.weight is module.tokens.weight
    assert "head.weight" not in dict(module.named_parameters())
