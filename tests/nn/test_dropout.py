"""dropout and Dropout: shares, scale, the ends of p, modes, generators, devices."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import HyperparameterError


def generator(seed=0):
    return ig.random.Generator(seed)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_a_share_p_is_dropped_and_the_rest_is_scaled_up(p, device):
    y = ig.to_numpy(nn.dropout(ig.array(np.ones(10_000)), p, generator=generator()))
    assert_allclose(sorted(set(y.tolist())), [0.0, 1.0 / (1.0 - p)])
    assert_allclose((y == 0).mean(), p, atol=4 * math.sqrt(p * (1 - p) / 10_000))  # 4 sigma


def test_the_same_elements_are_dropped_on_every_device(device):
    here = nn.dropout(np.ones((7, 5), dtype=np.float32), 0.3, generator=generator(5))
    there = nn.dropout(ig.array(np.ones((7, 5), dtype=np.float32)), 0.3, generator=generator(5))
    assert_array_equal(ig.to_numpy(there), here)


def test_the_gradient_is_dropped_and_scaled_alike(device):
    x = ig.Tensor(ig.array(np.ones(100)), requires_grad=True)
    y = nn.dropout(x, 0.4, generator=generator())
    y.backward(x.__array_namespace__().ones_like(x.data))
    assert_array_equal(ig.to_numpy(x.grad), ig.to_numpy(y.detach()))


def test_p_of_zero_is_the_identity_and_p_of_one_gives_zeros_and_no_gradient(device):
    x = ig.Tensor(ig.array([1.0, 2.0]), requires_grad=True)
    assert nn.dropout(x, 0.0) is x
    y = nn.dropout(x, 1.0)
    y.backward(ig.array([1.0, 1.0]))
    assert_array_equal(ig.to_numpy(y.detach()), [0.0, 0.0])
    assert_array_equal(ig.to_numpy(x.grad), [0.0, 0.0])


def test_evaluation_is_the_identity():
    x = np.ones(5)
    layer = nn.Dropout(0.9)
    assert layer.eval()(x) is x
    assert nn.dropout(x, 0.9, training=False) is x
    assert (layer.train()(np.ones(1000)) == 0.0).any()


def test_each_call_draws_anew():
    layer = nn.Dropout(generator=generator())
    x = np.ones(100)
    assert (layer(x) != layer(x)).any()


def test_a_copied_layer_goes_on_with_the_same_draws():
    layer = nn.Dropout(generator=generator())
    twin = copy.deepcopy(layer)
    x = np.ones(100)
    assert_array_equal(layer(x), twin(x))


def test_the_default_generator_is_used_when_none_is_given():
    ig.random.seed(1)
    first = nn.dropout(np.ones(100))
    ig.random.seed(1)
    assert_array_equal(nn.Dropout()(np.ones(100)), first)


def test_a_batch_without_rows_is_no_trouble(device):
    assert tuple(nn.dropout(ig.array(np.ones((0, 3)))).shape) == (0, 3)


def test_the_dtype_is_kept(device):
    y = nn.dropout(ig.array(np.ones(4), "float32"), 0.3)
    assert str(y.dtype).endswith("float32")


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
def test_p_outside_of_zero_to_one_is_refused(p):
    with pytest.raises(HyperparameterError, match=r"Dropout: p, .*must be in \[0, 1\], got"):
        nn.Dropout(p)
    with pytest.raises(HyperparameterError, match=r"dropout: p, .*must be in \[0, 1\], got"):
        nn.dropout(np.ones(3), p)
