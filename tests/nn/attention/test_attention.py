"""Attention beyond torch's numbers: blocks, dropout, memory, edges, what is refused."""

from __future__ import annotations

import copy
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError
from isograd.nn.attention import scaled_dot_product
from isograd.nn.attention.blockwise import blockwise_attention

attend = nn.scaled_dot_product_attention


def drawn(*shape, seed=0):
    return np.random.RandomState(seed).randn(*shape)


@pytest.fixture
def small_blocks(monkeypatch):
    """Attention that works by blocks of 2 from the first weight on."""
    monkeypatch.setattr(scaled_dot_product, "WHOLE_UP_TO", 0)
    monkeypatch.setattr(scaled_dot_product, "BLOCK", 2)


@pytest.mark.parametrize("mask", [(), (3, 5), (3, 1), (2, 1, 3, 5), "bool"])
@pytest.mark.parametrize("is_causal", [False, True])
def test_blocks_have_the_derivatives_of_all_orders(mask, is_causal, device):
    arrays = [drawn(2, 1, 3, 2), drawn(2, 2, 5, 2), drawn(2, 2, 5, 3)]
    extra = [np.array(drawn(3, 5) > 0)] if mask == "bool" else []
    arrays += [drawn(*mask)] if mask and mask != "bool" else []
    options = {"is_causal": is_causal, "scale": 0.6, "block": 2}
    arrays, extra = [[ig.array(x) for x in xs] for xs in (arrays, extra)]
    order = 2 if device == "cpu" else 1

    def by_blocks(*xs):
        return blockwise_attention(*xs, *extra, **options)

    ig.check_gradients(by_blocks, *arrays, order=order, max_entries=4)


def test_blocks_drop_the_same_weights_forward_and_backward(small_blocks):
    def f(*xs):
        generator = ig.random.Generator(5)
        return attend(*xs, None, 0.4, True, generator=generator)

    ig.check_gradients(f, drawn(2, 5, 2), drawn(2, 5, 2, seed=1), drawn(2, 5, 2, seed=2))


def test_the_factors_of_dropped_weights_have_a_gradient_too(device):
    arrays = [ig.array(drawn(*shape)) for shape in ((2, 3, 2), (2, 5, 2), (2, 5, 4), (2, 3, 5))]
    query, key, value, kept = arrays
    options = {"is_causal": False, "scale": 0.5}

    def mixed(kept):
        return scaled_dot_product.attention(query, key, value, None, kept, **options)

    ig.check_gradients(mixed, kept)
    dy = mixed(kept)
    direct = scaled_dot_product.attention.backward(dy, query, key, value, None, kept, **options)
    assert_allclose(ig.to_numpy(direct[3]), ig.to_numpy(ig.vjp(mixed, kept)[1](dy)[0]), rtol=1e-12)


@pytest.mark.parametrize("blocks", [False, True])
def test_dropout_drops_that_part_of_the_weights_and_keeps_the_mean(blocks, request):
    if blocks:
        request.getfixturevalue("small_blocks")
    query, value = np.zeros((40, 50, 1)), np.broadcast_to(np.eye(50), (40, 50, 50))
    weights = attend(query, query, value, dropout_p=0.3, generator=ig.random.Generator(0)) * 50
    assert_allclose(np.unique(weights.round(12)), [0.0, 1.0 / 0.7])
    assert abs((weights == 0).mean() - 0.3) < 0.01
    assert_array_equal(attend(query, query, value, dropout_p=1.0), np.zeros((40, 50, 50)))


def test_attention_over_4096_steps_keeps_no_matrix_of_weights():
    n = 4096
    x = ig.Tensor(np.ones((2, n, 4), dtype=np.float32), requires_grad=True)
    tracemalloc.start()
    y = attend(x, x, x, is_causal=True)
    y.backward(y.detach().data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.2 * 2 * n * n * 4  # bytes of the weights


def test_a_large_attention_is_the_small_one_in_parts():
    query, key, value = drawn(600, 8), drawn(9000, 8, seed=1), drawn(9000, 2, seed=2)
    assert 600 * 9000 > scaled_dot_product.WHOLE_UP_TO
    parts = [attend(query[start : start + 300], key, value) for start in (0, 300)]
    assert_allclose(attend(query, key, value), np.concatenate(parts), rtol=1e-9, atol=1e-15)


def test_causal_attention_does_not_look_ahead():
    x, later = drawn(6, 4), drawn(6, 4)
    later[4:] += 1.0
    y, changed = attend(x, x, x, is_causal=True), attend(later, later, later, is_causal=True)
    assert_array_equal(y[:4], changed[:4])
    assert np.all(y[4:] != changed[4:])


@pytest.mark.parametrize("blocks", [False, True])
def test_a_query_that_may_look_nowhere_gets_zeros_and_gives_no_gradient(blocks, request, device):
    if blocks:
        request.getfixturevalue("small_blocks")
    x = ig.Tensor(ig.array(drawn(3, 2)), requires_grad=True)
    y = attend(x, x, x, ig.array(np.zeros((3, 3), dtype=bool)))
    assert_array_equal(ig.to_numpy(y.detach()), np.zeros((3, 2)))
    y.backward(ig.array(np.ones((3, 2))))
    assert_array_equal(ig.to_numpy(x.grad), np.zeros((3, 2)))


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_empty_batches_and_no_queries_give_empty_results(shape, device):
    x = ig.Tensor(ig.array(np.zeros(shape)), requires_grad=True)
    key = ig.array(np.zeros((shape[0], 3, 4)))
    y = attend(x, key, key)
    assert tuple(y.shape) == shape
    y.backward(y.detach())
    assert tuple(x.grad.shape) == shape


def test_large_scores_do_not_overflow(small_blocks):
    x = np.array([[1e4, 0.0], [0.0, 1e4]])
    assert_allclose(attend(x, x, np.eye(2)), np.eye(2))


@pytest.mark.parametrize(
    ("shapes", "options", "says"),
    [
        (((3, 4), (5, 6), (5, 6)), {}, "query and key must have the same number of features"),
        (((3, 4), (5, 4), (6, 4)), {}, "key and value the same length"),
        (((4,), (5, 4), (5, 4)), {}, r"must be \(..., length, features\)"),
        (((4, 3, 2), (2, 3, 2), (2, 3, 2)), {}, "enable_gqa=True lets several query heads"),
        (((3, 3, 2), (2, 3, 2), (2, 3, 2)), {"enable_gqa": True}, "a divisor of those of query"),
        (((3, 2), (3, 2), (3, 2)), {"attn_mask": np.ones((4, 3))}, r"= \(3, 3\), got shape \(4, 3"),
        (((3, 2), (3, 2), (3, 2)), {"attn_mask": np.ones((2, 3, 3))}, r"got shape \(2, 3, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes, options, says):
    with pytest.raises(ShapeError, match=f"scaled_dot_product_attention: .*{says}"):
        attend(*map(np.ones, shapes), **options)


def test_masks_and_dtypes_that_mean_nothing_are_refused():
    x = np.ones((3, 2))
    with pytest.raises(DtypeError, match=r"attn_mask must be boolean .* got int64; use mask != 0"):
        attend(x, x, x, np.ones((3, 3), dtype=np.int64))
    with pytest.raises(DtypeError, match="key must be float64 like query, got float32"):
        attend(x, x.astype(np.float32), x)
    with pytest.raises(HyperparameterError, match=r"in \[0, 1\], got nan"):
        attend(x, x, x, dropout_p=np.nan)
    with pytest.raises(HyperparameterError, match="scale must be finite, got inf"):
        attend(x, x, x, scale=np.inf)


def test_heads_that_do_not_divide_the_features_are_refused():
    with pytest.raises(HyperparameterError, match="multiple of num_heads, got 10 and 4"):
        nn.MultiheadAttention(10, 4)


@pytest.mark.parametrize(
    ("shapes", "options", "says"),
    [
        (((3, 2, 4), (3, 2, 5), (3, 2, 4)), {}, "must have 4, 4 and 4 features"),
        (((3, 2, 4), (3, 1, 4), (3, 1, 4)), {}, "the same batch size"),
        (((3, 2, 4), (5, 2, 4), (6, 2, 4)), {}, "key and value the same length"),
        (((3, 2, 4), (5, 4), (5, 4)), {}, r"must be \(length, batch, features\)"),
        (((3, 2, 4),) * 3, {"key_padding_mask": np.ones((3, 2), bool)}, r"shape \(2, 3\), got"),
        (((3, 2, 4),) * 3, {"attn_mask": np.ones((2, 3, 3), bool)}, r"\(3, 3\) or \(4, 3, 3\)"),
    ],
)
def test_the_layer_refuses_shapes_that_do_not_fit(shapes, options, says):
    layer = nn.MultiheadAttention(4, 2, dtype="float64")
    with pytest.raises(ShapeError, match=f"MultiheadAttention: .*{says}"):
        layer(*map(np.ones, shapes), **options)


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_query_that_may_look_nowhere_looks_at_the_added_keys(need_weights):
    layer = nn.MultiheadAttention(4, 2, add_bias_kv=True, add_zero_attn=True, dtype="float64")
    x, nowhere = drawn(3, 2, 4), np.ones((3, 3), bool)
    y, weights = layer(x, x, x, attn_mask=nowhere, need_weights=need_weights)
    alone = layer.out_proj(np.zeros((3, 2, 4))).data
    assert np.all(np.abs(y.data - alone) > 0)
    if need_weights:
        assert_array_equal(weights.data[..., :3], np.zeros((2, 3, 3)))
        assert_allclose(weights.data[..., 3:].sum(axis=-1), np.ones((2, 3)))


@pytest.mark.parametrize("padding", [None, np.array([[False] * 3, [False, True, False]])])
@pytest.mark.parametrize("options", [{}, {"add_bias_kv": True}, {"add_zero_attn": True}])
def test_is_causal_alone_does_what_a_causal_mask_does(options, padding, device):
    layer = nn.MultiheadAttention(4, 2, **options, dtype="float64")
    x, ahead = ig.array(drawn(3, 2, 4)), ig.array(np.triu(np.ones((3, 3), bool), 1))
    padding = None if padding is None else ig.array(padding)
    by_mask, _ = layer(x, x, x, padding, attn_mask=ahead)
    by_switch, _ = layer(x, x, x, padding, is_causal=True)
    assert_allclose(ig.to_numpy(by_switch.detach()), ig.to_numpy(by_mask.detach()), rtol=1e-14)


def test_layers_of_a_transformer_start_apart_and_a_custom_part_stays_as_it_is():
    made = {"generator": ig.random.Generator(0)}
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5, **made), 1)
    before = encoder.state_dict()
    model = nn.Transformer(4, 2, 1, 2, 5, custom_encoder=encoder, **made)
    first, second = (layer.linear1.weight.data for layer in model.decoder.layers)
    assert np.any(first != second)
    assert np.abs(first).max() <= np.sqrt(6 / 9)
    assert all(np.array_equal(x, before[name]) for name, x in model.encoder.state_dict().items())


@pytest.mark.parametrize(
    ("src", "tgt"), [((5, 2, 4), (3, 1, 4)), ((5, 4), (3, 1, 4)), ((5, 2, 4), (3, 2, 5))]
)
def test_a_transformer_refuses_sequences_that_do_not_fit(src, tgt):
    model = nn.Transformer(4, 2, 1, 1, 5, dtype="float64")
    with pytest.raises(ShapeError, match=r"src and tgt must be \(length, batch, 4\)"):
        model(drawn(*src), drawn(*tgt))


def test_an_unknown_activation_is_refused_and_a_function_is_taken():
    with pytest.raises(HyperparameterError, match="did you mean 'gelu'"):
        nn.TransformerEncoderLayer(4, 2, activation="geluu")
    x = drawn(3, 1, 4)
    made = {"dropout": 0.0, "dtype": "float64"}
    by_name, by_function = (
        nn.TransformerEncoderLayer(
            4, 2, 5, activation=activation, generator=ig.random.Generator(0), **made
        )
        for activation in ("silu", nn.silu)
    )
    assert_allclose(by_name(x).data, by_function(x).data, rtol=1e-12)


def test_copies_of_a_layer_start_alike_and_share_its_generator():
    generator = ig.random.Generator(0)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5, generator=generator), 2)
    first, second = encoder.layers
    assert_array_equal(first.linear1.weight.data, second.linear1.weight.data)
    assert first.linear1.weight is not second.linear1.weight
    assert first.dropout.generator is second.self_attn.generator is generator


def test_dropout_acts_in_training_alone():
    layer = nn.TransformerEncoderLayer(4, 2, 5, 0.5, dtype="float64")
    plain = copy.deepcopy(layer)
    for module in plain.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    plain.self_attn.dropout, x = 0.0, drawn(3, 2, 4)
    assert_array_equal(layer.eval()(x).data, plain(x).data)
    assert np.any(layer.train()(x).data != plain(x).data)


def test_a_transformer_learns_to_repeat_what_it_saw_two_steps_before():
    random = np.random.RandomState(0)
    tokens = random.randint(0, 4, (8, 6))
    made = {"generator": ig.random.Generator(0)}
    embedding, positions = nn.Embedding(4, 8, **made), nn.SinusoidalPositions(8, 6)
    block = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True, **made)
    head = nn.Linear(8, 4, **made)
    model = nn.Sequential(embedding, positions, block, head)
    optimizer = nn.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        x = block(positions(embedding(tokens)), is_causal=True)
        logits = head(x)[:, 2:, :]
        loss = nn.cross_entropy(
            logits.__array_namespace__().reshape(logits, (-1, 4)), tokens[:, :-2].reshape(-1)
        )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss) < 0.05
