"""Convolution and pooling numbers of the course and the book, and the book's wrong gradients.

Sources: S. Weidman, Deep Learning from Scratch, 2019, chapter 5; A. Ng, Deep Learning, course 4,
week 1.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import GradientCheckError
from isograd.backend.geometry import Geometry
from isograd.nn.autograd import differentiable
from isograd.nn.convolution.products import product, transposed_product, weight_product

POOLED = [[5.0, 1.0, 0.0, 6.0], [3.0, 5.0, 5.0, 6.0], [9.0, 0.0, 3.0, 2.0], [4.0, 7.0, 0.0, 7.0]]


def array(values):
    """Values as (batch, channels, ...), one example with one channel."""
    return ig.array(np.array(values, dtype=np.float64)[None, None])


def test_the_books_convolution_has_its_printed_sum_and_gradients(device):
    x, kernel = array([1.0, 2.0, 3.0, 4.0, 5.0]), array([1.0, 1.0, 1.0])
    y = nn.conv1d(x, kernel, padding="same")
    assert float(ig.to_numpy(y).sum()) == 39.0
    dy = ig.array(np.ones((1, 1, 5)))
    dx, dkernel = nn.conv1d.backward(dy, x, kernel, padding="same")
    assert_array_equal(ig.to_numpy(dx)[0, 0], [2.0, 3.0, 3.0, 3.0, 2.0])
    assert_array_equal(ig.to_numpy(dkernel)[0, 0], [10.0, 15.0, 14.0])


def test_the_vertical_edge_of_the_course_is_found():
    image = np.concatenate([np.full((6, 3), 10.0), np.zeros((6, 3))], axis=1)
    edges = nn.conv2d(array(image), array([[1.0, 0.0, -1.0]] * 3))
    assert_array_equal(edges[0, 0], [[0.0, 30.0, 30.0, 0.0]] * 4)


def test_pooling_has_the_numbers_of_the_course(device):
    x = array(POOLED)
    assert_array_equal(ig.to_numpy(nn.max_pool2d(x, 2))[0, 0], [[5.0, 6.0], [9.0, 7.0]])
    assert_array_equal(ig.to_numpy(nn.avg_pool2d(x, 2))[0, 0], [[3.5, 4.25], [5.0, 3.0]])


def test_the_largest_element_alone_has_the_gradient_and_of_equals_the_first():
    dx = nn.max_pool2d.backward(array([[1.0, 2.0], [3.0, 4.0]]), array(POOLED), 2)
    expected = [[1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [0, 0, 0, 4.0]]
    assert_array_equal(dx[0, 0], expected)


@pytest.mark.parametrize("batch", [1, 3])
def test_convolution_of_several_examples_and_channels_has_the_gradients_of_its_definition(batch):
    random = np.random.RandomState(0)
    x, weight, bias = (random.randn(*n) for n in [(batch, 2, 5, 4), (3, 2, 3, 2), (3,)])

    def f(*arrays):
        return nn.conv2d(*arrays, padding=(1, 1), stride=(1, 2))

    assert ig.check_gradients(f, x, weight, bias, order=2) < 1e-6


GEOMETRY = Geometry((5,), (3,), (1,), (1,), ((1, 1),))


@differentiable
def not_rotated(x, weight):
    """The convolution with the book's gradient of x, which slides the filter over dy as it is."""
    return product(x, weight, geometry=GEOMETRY)


not_rotated.backward(
    x=lambda dy, weight: product(dy, weight, geometry=GEOMETRY),
    weight=lambda dy, x: weight_product(x, dy, geometry=GEOMETRY),
)


@differentiable
def first_example_only(x, weight):
    """The convolution with the book's gradient of weight, right for a batch of one alone."""
    return product(x, weight, geometry=GEOMETRY)


first_example_only.backward(
    x=lambda dy, weight: transposed_product(dy, weight, geometry=GEOMETRY),
    weight=lambda dy, x: weight_product(x[:1, ...], dy[:1, ...], geometry=GEOMETRY),
)


@differentiable
def bias_counted_twice(x, weight, bias):
    """The convolution with the gradient of its bias summed twice."""
    return product(x, weight, bias, geometry=GEOMETRY)


@bias_counted_twice.backward("x", "weight", "bias")
def _(dy, x, weight):
    xp = ig.wrap_namespace(np)
    dx = transposed_product(dy, weight, geometry=GEOMETRY)
    return dx, weight_product(x, dy, geometry=GEOMETRY), 2.0 * xp.sum(dy, axis=(0, 2))


@pytest.mark.parametrize("wrong", [not_rotated, first_example_only, bias_counted_twice], ids=str)
def test_the_gradient_check_finds_the_wrong_gradients_of_the_book(wrong):
    random = np.random.RandomState(1)
    inputs = [random.randn(2, 1, 5), random.randn(1, 1, 3), random.randn(1)]
    n = len(wrong.names)
    with pytest.raises(GradientCheckError):
        ig.check_gradients(wrong, *inputs[:n])


def test_the_filter_gradient_that_forgets_examples_passes_for_one_which_is_why_it_stayed():
    random = np.random.RandomState(1)
    ig.check_gradients(first_example_only, random.randn(1, 1, 5), random.randn(1, 1, 3))


def test_a_symmetric_filter_hides_the_missing_rotation():
    x = np.random.RandomState(1).randn(1, 1, 5)
    weight = np.array([[[1.0, 2.0, 1.0]]])
    dx = not_rotated.backward(np.ones((1, 1, 5)), x, weight)[0]
    assert_allclose(dx, nn.conv1d.backward(np.ones((1, 1, 5)), x, weight, padding=1)[0])
