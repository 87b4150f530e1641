"""Unpooling, fold, distances, Bilinear, Residual and others: torch's numbers, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from torch_cases import assert_like_torch, assert_near, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend import settings_override
from isograd.backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError

CASES = list(torch_cases("more_layers").values())
UNPOOLINGS = [case for case in CASES if case.settings["layer"].startswith("MaxUnpool")]
X = np.random.RandomState(0).randn(2, 4, 6)
IMAGE = np.random.RandomState(1).randn(2, 3, 5, 6)


def made(case):
    """The layer of a case with the parameters of torch's."""
    layer, options = case.settings["layer"], case.settings["options"]
    double = {"dtype": "float64"}
    if layer == "Residual":
        shortcut = nn.Linear(4, 4, bias=False, **double) if "shortcut" in case.name else None
        module = nn.Residual(nn.Sequential(nn.Linear(4, 4, **double), nn.Tanh()), shortcut)
    else:
        module = getattr(nn, layer)(**options, **(double if layer == "Bilinear" else {}))
    module.load_state_dict(case.under("parameter"))
    return module


def run(module, inputs, constants):
    both = {**constants, **inputs}
    size = [both[name] for name in ("output_size",) if name in both]
    return {"y": module(*(both[name] for name in sorted(both) if name.isdigit()), *size)}


@pytest.mark.parametrize("library", ["cpu", "strict", "strict:device1"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_layer_has_the_outputs_and_gradients_of_torch(case, library):
    if library != "cpu":
        pytest.importorskip("array_api_strict")
    size = case.settings.get("output_size")

    def called(module, inputs, constants):
        return run(module, inputs, {**constants, **({"output_size": size} if size else {})})

    with ig.using(library), settings_override(disable_kernels=library == "strict"):
        assert_like_torch(made(case), case, called)


@pytest.mark.parametrize("case", UNPOOLINGS, ids=str)
def test_pooling_finds_the_elements_and_indices_that_torch_finds(case, device):
    n = case.settings["layer"][-2]
    pool = getattr(nn, f"MaxPool{n}d")(**case.settings["options"], return_indices=True)
    y, indices = pool(ig.array(case.arrays["pooling/x"]))
    assert_array_equal(ig.to_numpy(y), case.arrays["0"])
    assert_array_equal(ig.to_numpy(indices), case.arrays["1"])


def test_unpooling_and_pooling_again_gives_the_same_elements(device):
    y, indices = nn.max_pool2d(ig.array(IMAGE + 9.0), 2, return_indices=True)
    there = nn.max_unpool2d(y, indices, 2, output_size=IMAGE.shape)
    assert tuple(there.shape) == IMAGE.shape
    assert_array_equal(ig.to_numpy(nn.max_pool2d(there, 2)), ig.to_numpy(y))
    assert int(np.count_nonzero(ig.to_numpy(there))) == math.prod(y.shape)


def test_of_two_elements_with_one_place_the_last_stands_there_and_both_learn():
    x, indices = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[4, 0, 4]]])
    assert_array_equal(nn.max_unpool1d(x, indices, 2), [[[2.0, 0.0, 0.0, 0.0, 3.0, 0.0]]])
    dy = np.arange(6.0).reshape(1, 1, 6)
    assert_array_equal(nn.max_unpool1d.backward(dy, x, indices, 2), [[[4.0, 0.0, 4.0]]])


def test_a_product_with_columns_is_a_convolution(device):
    x, weight = ig.array(IMAGE), ig.array(np.random.RandomState(2).randn(4, 3, 2, 3))
    xp = ig.backend.array_namespace(x)
    columns = nn.unfold(x, (2, 3), (1, 2), (1, 0), 2)
    y = nn.conv2d(x, weight, dilation=(1, 2), padding=(1, 0), stride=2)
    found = xp.reshape(xp.matmul(xp.reshape(weight, (4, -1)), columns), y.shape)
    assert_allclose(ig.to_numpy(found), ig.to_numpy(y), rtol=1e-12, atol=1e-14)


def test_folding_back_counts_every_element_as_often_as_windows_hold_it():
    settings = (3, 1, 1, 2)
    counts = nn.fold(nn.unfold(np.ones_like(IMAGE), *settings), (5, 6), *settings)
    assert_allclose(nn.fold(nn.unfold(IMAGE, *settings), (5, 6), *settings), IMAGE * counts)
    assert counts.min() == 1.0
    assert counts.max() == 4.0


def test_vectors_of_zeros_have_similarity_zero_and_no_gradient(device):
    zeros, others = ig.array(np.zeros((2, 3))), ig.array(X[0, :2, :3])
    assert_array_equal(ig.to_numpy(nn.cosine_similarity(zeros, others)), [0.0, 0.0])
    for p in (1.0, 2.0, 3.0, math.inf):
        y, pull = ig.vjp(lambda x, p=p: nn.normalize(x, p=p, eps=0.5), zeros)
        assert_array_equal(ig.to_numpy(y), np.zeros((2, 3)))
        assert_allclose(ig.to_numpy(pull(others)[0]), 2.0 * X[0, :2, :3])


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
def test_normalized_vectors_have_length_one(p, device):
    y = ig.to_numpy(nn.normalize(ig.array(X), p=p, axis=-1))
    assert_allclose(np.linalg.norm(y, p, axis=-1), np.ones((2, 4)), rtol=1e-13)


def test_channels_are_dealt_like_cards():
    x = np.arange(6.0).reshape(1, 6, 1)
    assert_array_equal(nn.channel_shuffle(x, 2).ravel(), [0, 3, 1, 4, 2, 5])
    assert_array_equal(nn.ChannelShuffle(3)(nn.ChannelShuffle(2)(x)), x)


def test_a_distance_that_is_a_module_learns_with_the_loss():
    class Projected(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(3, 2, dtype="float64")

        def forward(self, a, b):
            return nn.pairwise_distance(self.linear(a), self.linear(b))

    loss = nn.TripletMarginWithDistanceLoss(Projected(), margin=2.0)
    assert [name for name, _ in loss.named_parameters()] == [
        "distance_function.linear.weight",
        "distance_function.linear.bias",
    ]
    loss(X[0, :, :3], X[0, :, 3:], X[1, :, :3]).backward()
    assert np.abs(loss.distance_function.linear.weight.grad).max() > 0.0


@pytest.mark.parametrize("swap", [False, True])
def test_triplets_with_the_usual_distance_are_triplets(swap):
    rows = X[0], X[0] ** 2, X[1]
    expected = nn.triplet_margin(*rows, margin=0.7, swap=swap)
    found = nn.triplet_margin_with_distance(*rows, margin=0.7, swap=swap)
    assert_array_equal(found, expected)


def test_the_absolute_penalty_is_the_sum_of_sizes_and_pulls_by_the_sign(device):
    weights = [ig.array(np.array([[1.0, -2.0], [0.0, 3.0]])), ig.array(np.array([-4.0]))]
    assert float(nn.l1_penalty(weights, 0.5)) == 5.0
    slope = ig.grad(lambda w: nn.l1_penalty([w, weights[1]], 0.5))(weights[0])
    assert_array_equal(ig.to_numpy(slope), [[0.5, -0.5], [0.0, 0.5]])


SMALL = {  # a function of each kind, and its inputs
    "max_unpool": (lambda x, i: nn.max_unpool1d(x, i, 2), (X, np.tile(np.arange(6), (2, 4, 1)))),
    "unfold": (lambda x: nn.unfold(x, 2, padding=1), (IMAGE,)),
    "fold": (lambda x: nn.fold(x, (3, 4), 2), (X,)),
    "bilinear": (
        lambda x1, x2: nn.bilinear(x1, x2, np.ones((2, 6, 6))),
        (X, X**2),
    ),
    "residual": (nn.Residual(nn.Tanh()), (X,)),
    "local_response_norm": (lambda x: nn.local_response_norm(x, 3, alpha=0.5), (X,)),
    "channel_shuffle": (lambda x: nn.channel_shuffle(x, 2), (X,)),
    "cosine_similarity": (nn.cosine_similarity, (X, X**2)),
    "pairwise_distance": (nn.pairwise_distance, (X, X**2)),
    "normalize": (nn.normalize, (X,)),
}


@pytest.mark.parametrize("name", SMALL)
def test_batches_of_any_length_and_any_layout_are_alike(name):
    function, inputs = SMALL[name]
    y, pull = ig.vjp(lambda x: function(x, *inputs[1:]), inputs[0])
    dy = np.cos(np.arange(y.size)).reshape(y.shape)
    dx = pull(dy)[0]
    spread = [np.repeat(x, 2, axis=-1)[..., ::2] for x in inputs]
    spread[0].flags.writeable = False
    found, pull = ig.vjp(lambda x: function(x, *spread[1:]), spread[0])
    assert_allclose(found, y, rtol=1e-14)
    assert_allclose(pull(dy)[0], dx, rtol=1e-13, atol=1e-15)
    for n in (1, 0):
        part = [x[:n] for x in inputs]
        found, pull = ig.vjp(lambda x, part=part: function(x, *part[1:]), part[0])
        assert_allclose(found, y[:n], rtol=1e-14)
        assert_allclose(pull(dy[:n])[0], dx[:n], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", SMALL)
def test_an_empty_batch_has_an_empty_gradient_on_every_library(name, device):
    function, inputs = SMALL[name]
    if name == "bilinear":
        pytest.skip("its weight is NumPy's; test_embedding has it")
    x, *others = (ig.array(x[:0]) for x in inputs)
    y, pull = ig.vjp(lambda x: function(x, *others), x)
    assert y.shape[0] == 0
    assert tuple(pull(y)[0].shape) == tuple(x.shape)


INDICES = np.zeros((2, 4, 6), int)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.max_unpool1d(X, INDICES[:1], 2), ShapeError, r"shape \(2, 4, 6\) of x"),
        (lambda: nn.max_unpool1d(X, X, 2), DtypeError, "indices must be integers, got float64"),
        (lambda: nn.max_unpool1d(INDICES, INDICES, 2), DtypeError, "x must be floating"),
        (lambda: nn.max_unpool1d(X, INDICES + 12, 2), LabelError, r"in \[0, 12\)"),
        (lambda: nn.max_unpool1d(X, INDICES - 1, 2), LabelError, r"in \[0, 12\)"),
        (lambda: nn.max_unpool2d(X[0], INDICES[0], 2), ShapeError, "batch, channels, height"),
        (lambda: nn.max_unpool1d(X, INDICES, 1, 1, 5), ShapeError, "at least one element"),
        (
            lambda: nn.max_unpool1d(X, INDICES, 2, output_size=(14,)),
            HyperparameterError,
            r"output_size must be 1 lengths that differ from \(12,\) by less than stride, \(2,\)",
        ),
        (lambda: nn.MaxUnpool2d(2, padding=2), HyperparameterError, "at most half of kernel"),
        (lambda: nn.unfold(IMAGE, 6), ShapeError, r"must fit the padded image, got .*\(6, 6\)"),
        (lambda: nn.unfold(X[0], 2), ShapeError, r"got x of shape \(4, 6\)"),
        (lambda: nn.unfold(INDICES, 2), DtypeError, "unfold: x must be floating"),
        (lambda: nn.Unfold(0), HyperparameterError, "Unfold: kernel_size must be an integer >= 1"),
        (lambda: nn.fold(X, (3, 3), 2), ShapeError, r"\(batch, channels \* 4, 4\).*\(2, 4, 6\)"),
        (lambda: nn.fold(X[:, :3], (3, 4), 2), ShapeError, r"channels \* 4, 6\)"),
        (lambda: nn.Fold((4, 0), 2), HyperparameterError, "Fold: output_size"),
        (lambda: nn.Fold(4, 2, stride=0), HyperparameterError, "Fold: stride"),
        (lambda: nn.local_response_norm(X[0, 0], 3), ShapeError, "at least one channel"),
        (lambda: nn.LocalResponseNorm(0), HyperparameterError, "size must be an integer >= 1"),
        (lambda: nn.LocalResponseNorm(3, math.nan), HyperparameterError, "alpha=nan"),
        (lambda: nn.channel_shuffle(X, 3), ShapeError, r"divisible by groups = 3, got .*4, 6\)"),
        (lambda: nn.ChannelShuffle(0), HyperparameterError, "groups must be an integer >= 1"),
        (lambda: nn.cosine_similarity(X, X[:, :3]), ShapeError, "must broadcast"),
        (lambda: nn.cosine_similarity(X, X, axis=3), ShapeError, "must have the axis 3"),
        (lambda: nn.cosine_similarity(X, np.float32(X)), DtypeError, "x2 must be float64 like x1"),
        (lambda: nn.CosineSimilarity(eps=0.0), HyperparameterError, "eps must be positive"),
        (lambda: nn.PairwiseDistance(p=0.0), HyperparameterError, "p must be positive, got 0.0"),
        (lambda: nn.normalize(X, p=math.nan), HyperparameterError, "p must be positive, got nan"),
        (lambda: nn.normalize(INDICES), DtypeError, "x must be floating"),
        (lambda: nn.l1_penalty([X], -1.0), HyperparameterError, "l1_penalty: strength must be"),
        (
            lambda: nn.triplet_margin_with_distance(X, X, X[:1]),
            ShapeError,
            "anchor and negative must have the same shape",
        ),
        (
            lambda: nn.TripletMarginWithDistanceLoss(2.0),
            HyperparameterError,
            "distance_function must be a function of two arrays, got 2.0",
        ),
    ],
)
def test_bad_input_is_refused_and_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_settings_are_kept_and_shown():
    texts = {
        nn.MaxUnpool2d(3, 2, 1): "MaxUnpool2d(kernel_size=3, stride=2, padding=1)",
        nn.Fold(4, 2): "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)",
        nn.LocalResponseNorm(3): "LocalResponseNorm(3, alpha=0.0001, beta=0.75, k=1.0)",
        nn.ChannelShuffle(2): "ChannelShuffle(groups=2)",
        nn.CosineSimilarity(): "CosineSimilarity(axis=1, eps=1e-08)",
        nn.PairwiseDistance(p=1.0): "PairwiseDistance(p=1.0, eps=1e-06, keepdims=False)",
    }
    for layer, text in texts.items():
        assert text in repr(layer)


def test_near_numbers_are_near():
    assert_near(np.array([1.0, np.inf]), np.array([1.0, np.inf]), 1e-9, "infinity does not count")
    with pytest.raises(AssertionError):
        assert_near(np.array([1.1, np.inf]), np.array([1.0, np.inf]), 1e-9, "y")
