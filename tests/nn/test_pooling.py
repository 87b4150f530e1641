"""Pooling: where the largest elements lie, special values, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend import settings_override
from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError

X = np.round(3.0 * np.random.RandomState(0).randn(2, 3, 6, 5))


@pytest.mark.parametrize("kernels", [True, False])
def test_indices_point_at_the_largest_elements(kernels, device):
    x = ig.array(X)
    with settings_override(disable_kernels=not kernels):
        y, indices = nn.max_pool2d(x, 3, 2, 1, return_indices=True)
        assert_array_equal(ig.to_numpy(y), ig.to_numpy(nn.max_pool2d(x, 3, 2, 1)))
    flat = np.take_along_axis(X.reshape(2, 3, 30), ig.to_numpy(indices).reshape(2, 3, -1), -1)
    assert_array_equal(flat.reshape(y.shape), ig.to_numpy(y))


def test_recorded_values_come_with_indices_that_nothing_records():
    x = ig.Tensor(X, requires_grad=True)
    for y, indices in (
        nn.max_pool2d(x, 2, return_indices=True),
        nn.adaptive_max_pool2d(x, 4, return_indices=True),
    ):
        assert y.requires_grad
        assert isinstance(indices, ig.Tensor)
        assert not indices.requires_grad


def test_nan_is_the_largest_and_has_the_gradient():
    x = np.array([[[1.0, np.nan, 2.0, 5.0, 4.0, 3.0]]])
    y, pull = ig.vjp(lambda x: nn.max_pool1d(x, 3), x)
    assert_array_equal(y, [[[np.nan, 5.0]]])
    assert_array_equal(pull(np.ones_like(y))[0], [[[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]]])


def test_the_border_is_never_the_largest_even_among_minus_infinity():
    x = np.full((1, 1, 4), -np.inf)
    y, indices = nn.max_pool1d(x, 3, 2, 1, return_indices=True)
    assert_array_equal(y, [[[-np.inf, -np.inf]]])
    assert_array_equal(indices, [[[0, 1]]])
    dx = nn.max_pool1d.backward(np.ones((1, 1, 2)), x, 3, 2, 1)
    assert_array_equal(dx, [[[1.0, 1.0, 0.0, 0.0]]])


@pytest.mark.parametrize("kernels", [True, False])
def test_a_window_of_border_alone_is_minus_infinity_and_has_no_gradient(kernels, device):
    x, options = ig.array(np.ones((1, 1, 1, 3))), {"dilation": (2, 1)}  # steps from -1 to 1
    with settings_override(disable_kernels=not kernels):
        y, pull = ig.vjp(lambda x: nn.max_pool2d(x, 2, 1, 1, **options), x)
        found, _ = nn.max_pool2d(x, 2, 1, 1, **options, return_indices=True)
        dx = pull(ig.array(np.ones((1, 1, 1, 4))))[0]
    assert_array_equal(ig.to_numpy(y), np.full((1, 1, 1, 4), -np.inf))
    assert_array_equal(ig.to_numpy(found), ig.to_numpy(y))
    assert_array_equal(ig.to_numpy(dx), np.zeros((1, 1, 1, 3)))


def test_infinity_stays_in_its_own_mean():
    x = np.arange(6.0)[None, None].copy()
    x[0, 0, 5] = np.inf
    assert_array_equal(nn.adaptive_avg_pool1d(x, 4), [[[0.5, 1.5, 3.5, np.inf]]])


def test_the_divisor_of_a_mean_can_be_chosen():
    assert_array_equal(
        nn.avg_pool2d(X, 2, divisor_override=1), 4.0 * np.asarray(nn.avg_pool2d(X, 2))
    )


def test_the_norm_of_nothing_has_the_gradient_zero():
    x = np.array([[[0.0, 0.0, 3.0, 4.0]]])
    assert_array_equal(nn.lp_pool1d(x, 2.0, 2), [[[0.0, 5.0]]])
    dx = nn.lp_pool1d.backward(np.ones((1, 1, 2)), x, 2.0, 2)
    np.testing.assert_allclose(dx, [[[0.0, 0.0, 0.6, 0.8]]], rtol=1e-12)


def test_global_pooling_leaves_one_number_a_channel(device):
    x = ig.array(X)
    np.testing.assert_allclose(ig.to_numpy(nn.global_avg_pool(x)), X.mean((2, 3)), rtol=1e-12)
    assert_array_equal(ig.to_numpy(nn.global_max_pool(x)), X.max((2, 3)))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.max_pool2d(X, 7), ShapeError, r"fit the padded x, got a kernel of \(7, 7\)"),
        (lambda: nn.max_pool2d(X, 3, padding=2), HyperparameterError, "at most half of kernel"),
        (lambda: nn.MaxPool1d(2, padding=2), HyperparameterError, "at most half of kernel"),
        (lambda: nn.AvgPool2d(0), HyperparameterError, "kernel_size must be an integer >= 1"),
        (lambda: nn.avg_pool1d(X, 2), ShapeError, r"must be \(batch, channels, length\)"),
        (lambda: nn.avg_pool2d(X.astype(int), 2), DtypeError, "x must be floating, got int64"),
        (lambda: nn.avg_pool2d(X, 2, divisor_override=0), HyperparameterError, "divisor_override"),
        (lambda: nn.lp_pool2d(X, float("nan"), 2), HyperparameterError, "norm_type must be"),
        (lambda: nn.adaptive_avg_pool2d(X, 0), HyperparameterError, "output_size must be"),
        (lambda: nn.adaptive_max_pool2d(X, (2, 2, 2)), HyperparameterError, "of the 2 spatial"),
        (lambda: nn.adaptive_avg_pool2d(X[..., :0], 2), ShapeError, "must not be empty"),
        (lambda: nn.global_avg_pool(X[0, 0]), ShapeError, "spatial axes that are not empty"),
    ],
)
def test_bad_input_is_refused_and_named(call, error, says):
    with pytest.raises(error, match=says):
        call()
