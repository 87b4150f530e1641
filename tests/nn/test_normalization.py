"""Normalization, padding and resampling: invariants, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError

X = np.random.RandomState(0).randn(4, 6, 5, 3)


@pytest.mark.parametrize(
    ("call", "axes"),
    [
        (lambda x: nn.batch_norm(x, training=True, eps=0.0), (0, 2, 3)),
        (lambda x: nn.instance_norm(x, eps=0.0), (2, 3)),
        (lambda x: nn.layer_norm(x, (6, 5, 3), eps=0.0), (1, 2, 3)),
        (lambda x: nn.group_norm(x, 1, eps=0.0), (1, 2, 3)),
    ],
    ids=["batch", "instance", "layer", "group"],
)
def test_mean_is_0_and_variance_1_whatever_shift_and_scale_came_in(call, axes):
    y = call(X)
    assert_allclose(y.mean(axes), 0.0, atol=1e-14)
    assert_allclose(y.var(axes), 1.0, rtol=1e-13)
    assert_allclose(call(1e3 * X - 50.0), y, rtol=1e-8, atol=1e-11)


def test_one_group_a_channel_is_instance_norm_and_one_group_is_layer_norm():
    assert_allclose(nn.group_norm(X, 6), nn.instance_norm(X), rtol=1e-12)
    assert_allclose(nn.group_norm(X, 1), nn.layer_norm(X, X.shape[1:]), rtol=1e-12)


def test_root_mean_square_is_1_and_the_mean_stays():
    y = nn.rms_norm(X, 3, eps=0.0)
    assert_allclose((y**2).mean(-1), 1.0, rtol=1e-13)
    assert_allclose(y / X, (y / X)[..., :1] * np.ones(3), rtol=1e-12)


def test_the_function_of_batch_norm_writes_no_running_statistics():
    mean, variance = np.zeros(6), np.ones(6)
    nn.batch_norm(X, mean, variance, training=True)
    assert_array_equal(mean, 0.0)
    assert_array_equal(variance, 1.0)


def test_batch_norm_can_be_differentiated_inside_a_transform():
    layer = nn.BatchNorm2d(6, dtype="float64")
    dx = ig.grad(lambda x: total(layer(x) * x))(X)
    assert dx.shape == X.shape
    assert int(layer.num_batches_tracked) == 1
    assert isinstance(layer.running_mean, np.ndarray)


def total(x):
    return x.__array_namespace__().sum(x)


@pytest.mark.parametrize("make", [lambda: nn.BatchNorm1d(3), lambda: nn.InstanceNorm1d(3)])
def test_one_value_a_channel_is_refused_in_training(make):
    with pytest.raises(ShapeError, match="more than one value for each channel"):
        make()(np.zeros((1, 3, 1), np.float32))
    assert nn.BatchNorm1d(3).eval()(np.zeros((1, 3), np.float32)).shape == (1, 3)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.BatchNorm2d(5, dtype="float64")(X), ShapeError, r"must have 5 channels"),
        (lambda: nn.BatchNorm1d(6, dtype="float64")(X), ShapeError, "must have 2 or 3 axes"),
        (lambda: nn.BatchNorm2d(6)(X), DtypeError, "x must be float32 like weight, got float64"),
        (lambda: nn.batch_norm(X), HyperparameterError, "with running_mean and running_var"),
        (lambda: nn.batch_norm(X, np.ones(5)), ShapeError, r"running_mean must have .*\(5,\)"),
        (lambda: nn.BatchNorm2d(3, momentum=1.5), HyperparameterError, r"in \[0, 1\] or None"),
        (lambda: nn.BatchNorm2d(3, eps=float("nan")), HyperparameterError, "eps must be >= 0"),
        (lambda: nn.BatchNorm2d(0), HyperparameterError, "num_features must be an integer >= 1"),
        (lambda: nn.GroupNorm(4, 6), HyperparameterError, "num_groups must divide num_channels"),
        (lambda: nn.group_norm(X, 4), ShapeError, "num_groups must divide the channels"),
        (lambda: nn.layer_norm(X, (6, 3)), ShapeError, r"must be normalized_shape \(6, 3\)"),
        (lambda: nn.layer_norm(X, 3, np.ones(2)), ShapeError, r"weight must have the shape"),
        (lambda: nn.LayerNorm(()), HyperparameterError, "at least one axis"),
        (lambda: nn.rms_norm(X, 3, eps=-1.0), HyperparameterError, "eps must be >= 0"),
        (lambda: nn.Upsample(), HyperparameterError, "either size or scale_factor"),
        (lambda: nn.Upsample(2, 2.0), HyperparameterError, "either size or scale_factor"),
        (lambda: nn.Upsample(2, mode="cubic"), HyperparameterError, "mode must be one of nearest"),
        (lambda: nn.Upsample(2, align_corners=True), HyperparameterError, "align_corners goes"),
        (lambda: nn.Upsample(scale_factor=0.0), HyperparameterError, "positive and finite"),
        (lambda: nn.interpolate(X, 2, mode="linear"), HyperparameterError, "use 'bilinear' or"),
        (lambda: nn.interpolate(X, scale_factor=0.1), ShapeError, "leaves nothing of lengths"),
        (lambda: nn.pixel_shuffle(X, 4), ShapeError, r"divisible by upscale_factor\^2 = 16"),
        (lambda: nn.pixel_unshuffle(X, 2), ShapeError, "divisible by downscale_factor = 2"),
        (lambda: nn.pad(X, (1, 2, 3)), HyperparameterError, "pairs of integers"),
        (lambda: nn.pad(X, (1, 1), mode="mirror"), HyperparameterError, "mode must be one of"),
        (lambda: nn.pad(X, (4, 0), mode="circular"), ShapeError, "at most 3 elements to axis 3"),
        (lambda: nn.pad(X, (-2, -2)), ShapeError, "cut off more than x has"),
        (lambda: nn.ZeroPad2d((1, 2)), HyperparameterError, "an integer or 4 of them"),
        (lambda: nn.unflatten(X, 1, (4, -1)), ShapeError, "must multiply to that of axis 1"),
    ],
)
def test_bad_input_is_refused_and_named(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_shuffled_pixels_come_back():
    x = X[:, :4, :4, :2]
    assert_array_equal(nn.pixel_unshuffle(nn.pixel_shuffle(x, 2), 2), x)
    assert_array_equal(nn.pixel_shuffle(x[:1, :, :1, :1], 2)[0, 0], x[0, :, 0, 0].reshape(2, 2))


def test_unflatten_undoes_flatten():
    assert_array_equal(nn.unflatten(nn.flatten(X), 1, (6, -1, 3)), X)
    assert nn.unflatten(X[:0], 0, (3, 0)).shape == (3, 0, 6, 5, 3)


def test_linear_functions_survive_linear_interpolation_by_the_corners():
    x = (2.0 * np.arange(5.0) - 3.0)[None, None]
    y = nn.interpolate(x, 9, mode="linear", align_corners=True)
    assert_allclose(y[0, 0], np.linspace(-3.0, 5.0, 9), rtol=1e-13)


def test_padding_widths_are_given_last_axis_first():
    y = nn.pad(np.ones((1, 1, 2, 2)), (1, 0, 0, 2), value=7.0)
    assert_array_equal(y[0, 0], [[7, 1, 1], [7, 1, 1], [7, 7, 7], [7, 7, 7]])
    assert_array_equal(nn.ReflectionPad1d(2)(np.arange(4.0)[None]), [[2, 1, 0, 1, 2, 3, 2, 1]])
    assert_array_equal(nn.CircularPad1d((1, 0))(np.arange(3.0)[None]), [[2, 0, 1, 2]])
