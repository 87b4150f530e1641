"""Likelihoods, divergences and margins: torch's numbers, layers, empty batches, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.testing import assert_allclose, assert_array_equal
from torch_cases import assert_near, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import (
    DomainError,
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    LabelError,
    ShapeError,
)

CASES = torch_cases("more_losses")
REDUCTIONS = ("mean", "sum", "none")
X = RandomState(5).uniform(0.1, 0.9, (3, 4))
SIGNS = np.where(RandomState(6).randn(3, 4) > 0, 1.0, -1.0)
LABELS = np.array([0, 3, 1])
SEVERAL = np.array([[0, 2, -1, 3], [-1, 0, 0, 0], [3, 2, 1, 0]])
WEIGHT = np.array([0.5, 1.0, 2.0, 0.25])

# A loss, good arguments for it, its layer
LOSSES = {
    "nll": ((np.log(X), LABELS, WEIGHT), nn.NLLLoss(WEIGHT)),
    "kl_div": ((np.log(X), X), nn.KLDivLoss()),
    "poisson_nll": ((X, 3.0 * X), nn.PoissonNLLLoss(full=True)),
    "gaussian_nll": ((X, X - 0.3, X + 0.1), nn.GaussianNLLLoss(full=True)),
    "smooth_l1": ((X, 2.0 * X), nn.SmoothL1Loss(beta=0.3)),
    "focal": ((X, (SIGNS + 1.0) / 2.0), nn.FocalLoss(gamma=1.5)),
    "hinge_embedding": ((X, SIGNS), nn.HingeEmbeddingLoss(0.4)),
    "soft_margin": ((X, SIGNS), nn.SoftMarginLoss()),
    "margin_ranking": ((X, 2.0 * X - 0.5, SIGNS), nn.MarginRankingLoss(0.2)),
    "cosine_embedding": ((X, X**3, SIGNS[:, 0]), nn.CosineEmbeddingLoss(0.1)),
    "triplet_margin": ((X, X**2, X - 0.4), nn.TripletMarginLoss(p=3.0, swap=True)),
    "multi_margin": ((X, LABELS, WEIGHT), nn.MultiMarginLoss(2, 0.7, WEIGHT)),
    "multilabel_margin": ((X, SEVERAL), nn.MultiLabelMarginLoss()),
    "multilabel_soft_margin": ((X, X**2, WEIGHT), nn.MultiLabelSoftMarginLoss(WEIGHT)),
}
PAIRS = ("kl_div", "poisson_nll", "smooth_l1", "focal", "hinge_embedding", "soft_margin")
SETTINGS_OF = {
    "poisson_nll": {"full": True},
    "gaussian_nll": {"full": True},
    "smooth_l1": {"beta": 0.3},
    "focal": {"gamma": 1.5},
    "hinge_embedding": {"margin": 0.4},
    "margin_ranking": {"margin": 0.2},
    "cosine_embedding": {"margin": 0.1},
    "triplet_margin": {"p": 3.0, "swap": True},
    "multi_margin": {"p": 2, "margin": 0.7},
}
each_loss = pytest.mark.parametrize("name", LOSSES)


def loss_named(name):
    return getattr(nn, name)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("library", ["cpu", "strict:device1"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_torch(name, library, reduction):
    if library != "cpu":
        pytest.importorskip("array_api_strict")
    case = CASES[name]
    with ig.using(library):
        given = [case.arrays[str(i)] for i in range(9) if str(i) in case.arrays]
        leaves = [ig.Tensor(ig.array(x), requires_grad=x.dtype == np.float64) for x in given]
        y = loss_named(case.settings["loss"])(
            *leaves, reduction=reduction, **case.settings["options"]
        )
        assert_near(y, case.arrays[f"y/{reduction}"], 1e-9, name)
        dy = 0.5 + np.arange(y.size, dtype=np.float64).reshape(y.shape)
        y.backward(ig.array(dy))
        for position, expected in case.under(f"d/{reduction}").items():
            assert_near(leaves[int(position)].grad, expected, 1e-9, position)


def test_the_kept_numbers_cover_every_loss():
    assert {case.settings["loss"] for case in CASES.values()} == set(LOSSES)


@each_loss
def test_a_layer_is_its_function_with_the_settings_kept(name):
    arguments, layer = LOSSES[name]
    expected = loss_named(name)(*arguments, **SETTINGS_OF.get(name, {}))
    own = [x for x in arguments if x is not WEIGHT]
    assert_array_equal(layer(*own), expected)
    assert layer.parameters() == []
    assert "reduction='mean'" in repr(layer)


@each_loss
def test_a_batch_of_one_and_a_batch_with_gaps_in_memory_are_like_any_other(name):
    arguments, _ = LOSSES[name]
    loss = loss_named(name)
    rows = loss(*arguments, reduction="none")
    one = [x if x is WEIGHT else x[:1] for x in arguments]
    assert_allclose(loss(*one, reduction="none"), rows[:1], rtol=1e-14)
    spread = [x if x is WEIGHT else np.repeat(x, 2, axis=0)[::2] for x in arguments]
    assert_array_equal(loss(*spread, reduction="none"), rows)


@each_loss
def test_a_batch_of_nothing_has_the_sum_zero_and_no_mean(name, device):
    arguments, _ = LOSSES[name]
    empty = [ig.array(x if x is WEIGHT else x[:0]) for x in arguments]
    assert float(loss_named(name)(*empty, reduction="sum")) == 0.0
    with pytest.raises(EmptyReductionError, match=f"^{name}: the mean must be over at least one"):
        loss_named(name)(*empty)


@each_loss
def test_an_unknown_reduction_is_refused_by_function_and_layer(name):
    arguments, layer = LOSSES[name]
    with pytest.raises(HyperparameterError, match=f"^{name}: reduction must be one of mean, sum"):
        loss_named(name)(*arguments, reduction="average")
    with pytest.raises(HyperparameterError, match="reduction must be one of mean, sum, none"):
        type(layer)(reduction="average")


@pytest.mark.parametrize("name", PAIRS)
def test_predictions_and_targets_never_broadcast(name):
    arguments, _ = LOSSES[name]
    for shape in ((3, 1), (4,), (1, 4), ()):
        with pytest.raises(ShapeError, match=f"^{name}: .*must have the same shape"):
            loss_named(name)(arguments[0], np.ones(shape))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("gaussian_nll", (X, X, np.ones(4)), r"variance must have the shape \(3, 4\)"),
        ("margin_ranking", (X, X[:, :1], SIGNS), "first and second must have the same shape"),
        ("margin_ranking", (X, X, SIGNS[:1]), "first and target must have the same shape"),
        ("triplet_margin", (X, X, X[0]), "anchor and negative must have the same shape"),
        ("cosine_embedding", (X, X, SIGNS), r"target \(batch,\)"),
        ("nll", (X, LABELS[:2]), r"must have the shape \(3,\)"),
        ("nll", (X, X), "targets must be integer labels"),
        ("nll", (X, LABELS, WEIGHT[:3]), r"one number for each class, shape \(4,\)"),
        ("multi_margin", (X, LABELS[:, None]), r"reshape\(targets, \(3,\)\)"),
        ("multi_margin", (X, LABELS, WEIGHT[:1]), "one number for each class"),
        ("multi_margin", (X[0], LABELS), r"scores\[None, :\]"),
        ("multilabel_margin", (X, SEVERAL[:, :2]), r"must have the shape \(3, 4\)"),
        ("multilabel_soft_margin", (X, X, WEIGHT[:1]), "one number for each class"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(name, arguments, message):
    with pytest.raises(ShapeError, match=f"^{name}: .*{message}"):
        loss_named(name)(*arguments)


@pytest.mark.parametrize("name", ["hinge_embedding", "soft_margin"])
def test_targets_other_than_1_and_minus_1_are_refused_with_the_remedy(name, device):
    with pytest.raises(DomainError, match=r"1 or -1, .*2\.0 \* target - 1\.0"):
        loss_named(name)(ig.array([0.5, 0.5]), ig.array([0.0, 1.0]))


@pytest.mark.parametrize("wrong", [-0.1, math.nan])
def test_a_variance_that_is_none_is_refused(wrong):
    with pytest.raises(DomainError, match="every variance must be at least 0"):
        nn.gaussian_nll(X, X, np.full((3, 4), wrong))


@pytest.mark.parametrize("wrong", [-1, 4])
@pytest.mark.parametrize("name", ["nll", "multi_margin"])
def test_a_label_out_of_range_is_refused(name, wrong, device):
    with pytest.raises(LabelError, match=name):
        loss_named(name)(ig.array(X), ig.array(np.array([0, wrong, 1])))


def test_a_label_out_of_range_among_several_is_refused():
    with pytest.raises(LabelError, match=r"-1 or in \[0, 4\)"):
        nn.multilabel_margin(X, np.full((3, 4), 4))


def test_labels_that_are_not_integers_are_refused():
    for name in ("multi_margin", "multilabel_margin"):
        with pytest.raises(DtypeError, match="must be integer"):
            loss_named(name)(X, X)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SmoothL1Loss(beta=-1.0), "SmoothL1Loss: beta must be finite and at least 0"),
        (lambda: nn.FocalLoss(alpha=1.5), r"alpha must be in \[0, 1\], or -1"),
        (lambda: nn.FocalLoss(gamma=math.nan), "gamma must be finite and at least 0"),
        (lambda: nn.HingeEmbeddingLoss(math.nan), "margin must be finite"),
        (lambda: nn.MarginRankingLoss(math.inf), "margin must be finite"),
        (lambda: nn.CosineEmbeddingLoss(1.5), r"margin must be in \[-1, 1\]"),
        (lambda: nn.TripletMarginLoss(0.0), "margin must be positive"),
        (lambda: nn.TripletMarginLoss(p=-1.0), "p must be positive"),
        (lambda: nn.MultiMarginLoss(3), "p must be 1 or 2, got 3"),
        (lambda: nn.PoissonNLLLoss(eps=0.0), "eps must be positive"),
        (lambda: nn.GaussianNLLLoss(eps=math.nan), "eps must be positive"),
    ],
)
def test_a_setting_of_no_use_is_refused_when_the_layer_is_made(make, message):
    with pytest.raises(HyperparameterError, match=message):
        make()


def test_nll_of_log_softmax_is_cross_entropy():
    for settings in ({}, {"ignore_index": 3}, {"reduction": "sum"}):
        logits = RandomState(7).randn(2, 3, 4)
        labels = np.array([[0, 3, 1], [2, 2, 3]])
        found = nn.nll(nn.log_softmax(logits), labels, WEIGHT, **settings)
        assert_allclose(found, nn.cross_entropy(logits, labels, WEIGHT, **settings), rtol=1e-13)


def test_nll_over_ignored_rows_alone_is_refused():
    with pytest.raises(EmptyReductionError, match="at least one row of nonzero weight"):
        nn.nll(X, np.full(3, 2), ignore_index=2)


def test_batchmean_is_the_divergence_of_distributions():
    t, p = RandomState(8).dirichlet([1.0] * 4, 3), RandomState(9).dirichlet([1.0] * 4, 3)
    t[0] = [0.0, 0.0, 0.5, 0.5]
    rows = zip(p.tolist(), t.tolist(), strict=True)
    expected = [sum(b * math.log(b / a) for a, b in zip(*row, strict=True) if b) for row in rows]
    assert_allclose(nn.kl_div(np.log(p), t, reduction="batchmean"), np.mean(expected), rtol=1e-13)
    assert_allclose(
        nn.KLDivLoss(reduction="batchmean")(np.log(p), t), np.mean(expected), rtol=1e-13
    )


def test_soft_margin_and_focal_are_finite_for_logits_of_any_size(device):
    logits, signs = ig.array([1e4, -1e4], "float64"), ig.array([-1.0, 1.0], "float64")
    assert_array_equal(ig.to_numpy(nn.soft_margin(logits, signs, reduction="none")), [1e4, 1e4])
    target = ig.array([0.0, 1.0], "float64")
    found = nn.focal(logits, target, alpha=-1.0, reduction="none")
    assert_array_equal(ig.to_numpy(found), [1e4, 1e4])


def test_focal_without_focus_is_binary_cross_entropy():
    x, t = RandomState(3).randn(4, 2), RandomState(4).uniform(0.0, 1.0, (4, 2))
    expected = nn.binary_cross_entropy_with_logits(x, t)
    assert_allclose(nn.focal(x, t, alpha=-1.0, gamma=0.0), expected, rtol=1e-14)


def test_triplets_of_equal_rows_have_a_finite_gradient():
    dx = ig.grad(lambda a: nn.triplet_margin(a, X, X))(X)
    assert np.isfinite(dx).all()


@each_loss
def test_a_few_steps_down_the_gradient_lower_the_loss(name):
    (x, *others), _ = LOSSES[name]
    loss = loss_named(name)
    start, slope = ig.value_and_grad(lambda z: loss(z, *others))(x)
    for _ in range(5):
        x = x - 0.02 * slope
        end, slope = ig.value_and_grad(lambda z: loss(z, *others))(x)
    assert float(end) < float(start)
