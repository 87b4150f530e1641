"""Standardised features, and the penalty on weights."""

import math

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd.backend.errors import (
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    ShapeError,
)
from isograd.nn.preprocessing import feature_statistics, standardize
from isograd.nn.regularization import l2_penalty

X = default_rng(0).normal([1.0, -20.0, 300.0], [0.1, 5.0, 40.0], (50, 3))


def test_standardized_features_have_mean_zero_and_spread_one(device):
    y = ig.to_numpy(standardize(ig.array(X)))
    assert_allclose(y.mean(axis=0), 0.0, atol=1e-13)
    assert_allclose(y.std(axis=0), 1.0, rtol=1e-13)


def test_test_data_takes_the_statistics_of_the_training_data():
    train, test = X[:30], X[30:]
    statistics = feature_statistics(train)
    expected = (test - train.mean(axis=0)) / train.std(axis=0)
    assert_allclose(standardize(test, statistics), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_feature_becomes_zero_and_not_rounding_noise(dtype):
    x = np.column_stack([X[:, 0], np.full(50, 0.1)]).astype(dtype)
    assert feature_statistics(x).std[1] == 1.0
    assert np.abs(standardize(x)[:, 1]).max() < 1e-6
    assert standardize(x).dtype == dtype


def test_leading_axes_are_examples():
    assert_allclose(standardize(X.reshape(5, 10, 3)), standardize(X).reshape(5, 10, 3), rtol=1e-12)


def test_what_has_no_features_is_refused():
    with pytest.raises(DtypeError, match="must be a floating array, got int64"):
        standardize(X.astype("int64"))
    with pytest.raises(DtypeError, match="must be a floating array, got list"):
        feature_statistics([[1.0]])
    with pytest.raises(ShapeError, match=r"x\[:, None\]"):
        standardize(X[:, 0])
    with pytest.raises(EmptyReductionError, match="at least one example"):
        feature_statistics(X[:0])
    with pytest.raises(ShapeError, match="statistics must be of the 2 features"):
        standardize(X[:, :2], feature_statistics(X))


def test_the_penalty_is_half_the_squares_and_pulls_every_weight_to_zero(device):
    weights = [ig.Tensor(ig.array(w), requires_grad=True) for w in (X[:2], X[2:3])]
    penalty = l2_penalty(weights, 0.1)
    penalty.backward()
    assert_allclose(float(penalty), 0.05 * (X[:3] ** 2).sum(), rtol=1e-12)
    assert_allclose(ig.to_numpy(weights[1].grad), 0.1 * X[2:3], rtol=1e-12)


def test_a_strength_of_zero_costs_nothing():
    assert_array_equal(l2_penalty([X], 0.0), 0.0)


@pytest.mark.parametrize("strength", [-1.0, math.nan, math.inf])
def test_a_strength_of_no_use_is_refused(strength):
    with pytest.raises(HyperparameterError, match="strength must be >= 0 and finite"):
        l2_penalty([X], strength)


def test_a_penalty_on_nothing_is_refused():
    with pytest.raises(EmptyReductionError, match="at least one array of weights"):
        l2_penalty([], 0.1)
