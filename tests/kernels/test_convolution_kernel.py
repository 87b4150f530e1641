"""The derivatives of convolution on NumPy, written where an optimizer keeps its gradients."""

import numpy as np
import pytest

from isograd.backend.geometry import Geometry
from isograd.kernels import convolution
from isograd.nn.convolution import products


@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_of_weight_and_bias_are_written_where_they_belong(groups):
    geometry = Geometry((9, 7), (3, 2), (2, 1), (1, 1), ((1, 1), (0, 1)), groups)
    random = np.random.RandomState(5)
    x, weight = random.randn(3, 4, 9, 7), random.randn(6, 4 // groups, 3, 2)
    dy = random.randn(3, 6, *geometry.counts)
    into = {"weight": np.full_like(weight, np.nan), "bias": np.full(6, np.nan)}
    dx, *found = convolution.product_backward(dy, x, weight, geometry, frozenset(into), into)
    assert dx is None
    assert found[0] is into["weight"]
    assert found[1] is into["bias"]
    expected = products.weight_product(x, dy, geometry=geometry)
    np.testing.assert_allclose(found[0], expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found[1], dy.sum(axis=(0, 2, 3)), rtol=1e-11)
