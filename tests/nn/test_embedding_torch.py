"""Embedding with its options and EmbeddingBag: what torch 2.13 gives, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from torch_cases import assert_like_torch, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError

CASES = torch_cases("embedding")
HOSTS = pytest.mark.parametrize("device", ["cpu", "strict", "torch"], indirect=True)
TABLE = np.arange(12.0).reshape(4, 3)


@HOSTS
@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_a_table_is_that_of_torch_with_its_gradients_and_shortened_rows(case, device):
    kind = nn.Embedding if case.name.startswith("embedding") else nn.EmbeddingBag
    module = kind(5, 3, **case.settings, dtype="float64")
    module.load_state_dict(case.under("parameter"))

    def call(module, inputs, constants):
        return {"y": module(**constants, **inputs)}

    assert_like_torch(module, case, call)
    assert_allclose(ig.to_numpy(module.weight.data), case.arrays["after/weight"], rtol=1e-12)


def test_a_table_may_be_looked_up_twice_before_the_backward_pass():
    table = nn.Embedding(4, 3, max_norm=1.0, dtype="float64")
    y = table(np.array([0, 1])) + table(np.array([2, 2]))
    y.backward(np.ones((2, 3)))
    assert_array_equal(table.weight.grad, [[1.0] * 3, [1.0] * 3, [2.0] * 3, [0.0] * 3])


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_gradients_of_bags_are_divided_by_how_often_a_row_is_named(mode, device):
    indices, offsets, gradients = ig.array([1, 3, 3, 3, 1, 0]), ig.array([0, 2, 5]), []
    for scaled in (False, True):
        weight = ig.Tensor(ig.array(TABLE), requires_grad=True)
        y = nn.embedding_bag(indices, weight, offsets, mode=mode, scale_grad_by_freq=scaled)
        y.backward(ig.array(TABLE[1:]))
        gradients.append(ig.to_numpy(weight.grad))
    assert_allclose(gradients[1], gradients[0] / np.array([[1], [2], [1], [3]]), rtol=1e-15)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_empty_bags_are_zeros(mode, device):
    weight = ig.Tensor(ig.array(TABLE), requires_grad=True)
    for indices, offsets in (([], [0, 0]), ([[], []], None)):
        indices = ig.array(np.array(indices, dtype=np.int64))
        offsets = None if offsets is None else ig.array(offsets)
        y = nn.embedding_bag(indices, weight, offsets, mode=mode)
        assert_array_equal(ig.to_numpy(y.detach()), np.zeros((2, 3)))


def test_bags_of_very_different_lengths_take_no_more_memory_than_their_indices():
    indices, offsets = np.zeros(40_000, np.int64), np.arange(20_000)
    y = nn.embedding_bag(indices, TABLE, offsets, mode="sum")  # side by side: 4e8 indices
    assert_array_equal(y[-1], 20_001 * TABLE[0])


@pytest.mark.parametrize(
    ("offsets", "says"),
    [
        ([1, 2], "begin with 0"),
        ([0, 2, 1], r"got \[0, 2, 1\]"),
        ([0, 4], "not exceed 3"),
        ([[0]], r"must be \(bags,\)"),
        ([], r"must be \(bags,\)"),
    ],
)
def test_offsets_that_do_not_fit_are_refused(offsets, says, device):
    offsets = ig.array(np.array(offsets, dtype=np.int64))
    with pytest.raises(ShapeError, match=f"embedding_bag: offsets .*{says}"):
        nn.embedding_bag(ig.array([1, 2, 3]), ig.array(TABLE), offsets)


def test_other_arguments_of_bags_that_do_not_fit_are_refused():
    rows, flat, offsets = np.array([[1, 2]]), np.array([1, 2]), np.array([0])
    with pytest.raises(ShapeError, match=r"got shape \(2,\) without offsets"):
        nn.embedding_bag(flat, TABLE)
    with pytest.raises(ShapeError, match=r"got shape \(1, 2\) with offsets"):
        nn.embedding_bag(rows, TABLE, offsets)
    with pytest.raises(ShapeError, match="end with 2, the number of indices"):
        nn.embedding_bag(flat, TABLE, np.array([0, 1]), include_last_offset=True)
    with pytest.raises(ShapeError, match=r'per_sample_weights needs mode="sum" .* mode=\'mean\''):
        nn.embedding_bag(rows, TABLE, None, np.ones((1, 2)))
    with pytest.raises(DtypeError, match="offsets must be integers, got float64"):
        nn.embedding_bag(flat, TABLE, np.array([0.0]))
    with pytest.raises(LabelError, match="embedding_bag: every index"):
        nn.embedding_bag(np.array([[4]]), TABLE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Embedding(4, 3, max_norm=0.0), "Embedding: max_norm must be positive"),
        (lambda: nn.Embedding(4, 3, max_norm=1.0, norm_type=float("nan")), "norm_type must be"),
        (lambda: nn.EmbeddingBag(4, 3, mode="Mean"), "mode must be one of sum, mean, max"),
        (lambda: nn.EmbeddingBag(4, 3, None, 2.0, True, "max"), "scale_grad_by_freq must be False"),
        (lambda: nn.EmbeddingBag(4, 3, padding_idx=4), "EmbeddingBag: padding_idx must be a row"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make, says):
    with pytest.raises(HyperparameterError, match=says):
        make()
