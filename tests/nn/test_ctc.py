"""ctc_loss: torch's numbers, the sum over all paths, gradients, and what is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.testing import assert_allclose, assert_array_equal
from torch_cases import assert_near, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import (
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    LabelError,
    ShapeError,
)

CASES = torch_cases("ctc")
LOG_PROBS = nn.log_softmax(RandomState(0).randn(6, 3, 4))
TARGETS = np.array([[1, 3, 3], [2, 9, -9], [1, 2, 3]])
LENGTHS = [6, 4, 5], [3, 1, 3]


def loss(log_probs=LOG_PROBS, targets=TARGETS, lengths=LENGTHS, **options):
    return nn.ctc_loss(log_probs, targets, *lengths, **options)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("library", ["cpu", "strict:device1"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_torch(name, library, reduction):
    if library != "cpu":
        pytest.importorskip("array_api_strict")
    case = CASES[name]
    lengths = case.settings["input_lengths"], case.settings["target_lengths"]
    with ig.using(library):
        logits = ig.Tensor(ig.array(case.arrays["logits"]), requires_grad=True)
        targets = ig.array(case.arrays["targets"])
        options = {"reduction": reduction, **case.settings["options"]}
        y = loss(nn.log_softmax(logits), targets, lengths, **options)
        assert_near(y, case.arrays[f"y/{reduction}"], 1e-9, name)
        y.backward(ig.array(0.5 + np.arange(y.size, dtype=np.float64).reshape(y.shape)))
        assert_near(logits.grad, case.arrays[f"d/{reduction}"], 1e-9, name)


@pytest.mark.parametrize("target", [[], [1], [2, 1], [1, 1], [1, 2, 1], [2, 2, 2]])
def test_the_loss_is_minus_the_logarithm_of_the_sum_over_all_paths(target):
    log_probs = RandomState(1).randn(5, 3)  # no probabilities: the definition is the sum alone
    total = 0.0
    for path in itertools.product(range(3), repeat=5):
        labels = [label for label, _ in itertools.groupby(path) if label]
        if labels == target:
            total += math.exp(sum(log_probs[range(5), path]))
    found = nn.ctc_loss(log_probs, np.array(target, int), 5, len(target), reduction="sum")
    assert_allclose(found, -math.log(total), rtol=1e-13)


def test_lengths_may_be_arrays_of_the_library(device):
    arrays = [ig.array(np.array(lengths)) for lengths in LENGTHS]
    found = nn.ctc_loss(ig.array(LOG_PROBS), ig.array(TARGETS), *arrays, reduction="none")
    assert_allclose(ig.to_numpy(found), loss(reduction="none"), rtol=1e-14)


def test_steps_and_labels_behind_the_ends_do_not_count():
    log_probs, targets = LOG_PROBS.copy(), TARGETS.copy()
    log_probs[4:, 1], log_probs[5:, 2], targets[1, 1:] = np.nan, np.inf, 100
    value, slope = ig.value_and_grad(lambda x: loss(x, targets))(log_probs)
    assert_array_equal(value, loss())
    assert_array_equal(slope[4:, 1], np.zeros((2, 4)))


def test_a_batch_of_one_and_one_with_gaps_in_memory_are_like_any_other():
    rows = loss(reduction="none")
    one = loss(LOG_PROBS[:, 2:], TARGETS[2:], ([5], [3]), reduction="none")
    assert_allclose(one, rows[2:], rtol=1e-14)
    spread = np.repeat(LOG_PROBS, 2, axis=1)[:, ::2], np.repeat(TARGETS, 2, axis=1)[:, ::2]
    assert_array_equal(loss(*spread, reduction="none"), rows)


def test_a_batch_of_nothing_has_the_sum_zero_and_no_mean(device):
    nothing = ig.array(LOG_PROBS[:, :0]), ig.array(TARGETS[:0]), ([], [])
    assert float(loss(*nothing, reduction="sum")) == 0.0
    with pytest.raises(EmptyReductionError, match=r"^ctc_loss: the mean must be over at least one"):
        loss(*nothing)


def test_input_of_no_steps_is_certain_to_hold_nothing_else_than_nothing(device):
    log_probs = ig.Tensor(ig.array(np.zeros((0, 2, 4))), requires_grad=True)
    losses = loss(log_probs, ig.array(TARGETS[:2]), ([0, 0], [0, 1]), reduction="none")
    assert_array_equal(ig.to_numpy(losses.detach()), [0.0, math.inf])
    losses.backward(ig.array(np.ones(2)))
    assert log_probs.grad.shape == (0, 2, 4)


def test_an_infinite_loss_that_does_not_count_leaves_the_gradient_alone():
    def finite(x):
        losses = loss(x, TARGETS, ([6, 4, 2], [3, 1, 3]), reduction="none")
        xp = ig.backend.array_namespace(losses)
        return xp.sum(xp.where(losses < math.inf, losses, xp.zeros_like(losses)))

    slope = ig.grad(finite)(LOG_PROBS)
    expected = ig.grad(lambda x: loss(x, TARGETS[:2], ([6, 4], [3, 1]), reduction="sum"))
    assert_allclose(slope[:, :2], expected(LOG_PROBS[:, :2]), rtol=1e-14)
    assert not slope[:, 2].any()


def test_a_class_that_cannot_be_has_no_gradient_and_spoils_none():
    logits = RandomState(2).randn(6, 3, 5)
    logits[..., 4] = -np.inf
    slope = ig.grad(lambda x: loss(nn.log_softmax(x)))(logits)
    expected = ig.grad(lambda x: loss(nn.log_softmax(x)))(logits[..., :4].copy())
    assert_allclose(slope[..., :4], expected, rtol=1e-12, atol=1e-15)
    assert not slope[..., 4].any()


def test_a_layer_keeps_the_settings():
    layer = nn.CTCLoss(blank=3, reduction="sum", zero_infinity=True)
    targets = np.array([[0, 1, 1], [2, 0, 0], [0, 1, 2]])
    given = LOG_PROBS, targets, *([6, 4, 2], [3, 1, 3])
    expected = nn.ctc_loss(*given, blank=3, reduction="sum", zero_infinity=True)
    assert_array_equal(layer(*given), expected)
    assert math.isfinite(float(expected))
    assert "reduction='sum', blank=3, zero_infinity=True" in repr(layer)


@pytest.mark.parametrize("wrong", [0, 4, -1])
def test_a_target_that_is_no_label_is_refused_by_name(wrong, device):
    targets = TARGETS.copy()
    targets[2, 1] = wrong
    together = np.concatenate([targets[0], targets[1, :1], targets[2]])
    says = rf"in \[0, 4\) and not the blank, 0; got {wrong} as label 1 of target 2"
    for given in (targets, together):
        with pytest.raises(LabelError, match=says):
            loss(ig.array(LOG_PROBS), ig.array(given))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"lengths": ([7, 4, 5], [3, 1, 3])}, ShapeError, "input_lengths .* to 6, .*got 7 at pos"),
        ({"lengths": ([6, 4, -1], [3, 1, 3])}, ShapeError, "from 0 to 6, .*got -1 at position 2"),
        ({"lengths": ([6, 4], [3, 1, 3])}, ShapeError, "each of the 3 items of the batch, got 2"),
        ({"lengths": ([6, 4, 5], [4, 1, 3])}, ShapeError, "target_lengths must be at most 3"),
        ({"lengths": ([6, 4, 5], [3, -1, 3])}, ShapeError, "target_lengths must be at least 0"),
        ({"lengths": ([6, 4, 5.5], [3, 1, 3])}, DtypeError, "input_lengths must be integers"),
        ({"lengths": (np.ones(3), [3, 1, 3])}, DtypeError, "input_lengths must be integers"),
        ({"targets": TARGETS.reshape(-1)}, ShapeError, "as many as .* add up to, 7, got 9"),
        ({"targets": TARGETS[:2]}, ShapeError, r"batch = 3, .*got shape \(2, 3\)"),
        ({"targets": TARGETS * 1.0}, DtypeError, "targets must be integer labels"),
        ({"log_probs": LOG_PROBS[0, 0]}, ShapeError, r"\(time, batch, classes\)"),
        ({"log_probs": TARGETS}, DtypeError, "log_probs must be floating"),
        ({"blank": 4}, HyperparameterError, "blank must be one of the 4 classes"),
        ({"blank": -1}, HyperparameterError, "blank must be an integer >= 0, got -1"),
        ({"reduction": "batchmean"}, HyperparameterError, "reduction must be one of"),
    ],
)
def test_what_does_not_fit_is_refused(change, error, says):
    with pytest.raises(error, match=f"^ctc_loss: .*{says}"):
        loss(**change)
    if "blank" in change and change["blank"] < 0:
        with pytest.raises(error, match=r"^CTCLoss: blank"):
            nn.CTCLoss(**change)
