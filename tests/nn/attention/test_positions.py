"""Sinusoidal and rotary positions: their formulas, what they leave alone, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError


def test_sines_and_cosines_take_turns_as_in_the_paper(device):
    y = ig.to_numpy(nn.sinusoidal_positions(7, 5, dtype="float64"))
    for t in range(7):
        for i in range(5):
            angle = t / 10_000 ** ((i - i % 2) / 5)
            assert y[t, i] == pytest.approx((math.cos if i % 2 else math.sin)(angle), abs=1e-12)


def test_the_layer_adds_the_first_rows_of_the_table(device):
    layer, x = nn.SinusoidalPositions(4, 9), ig.array(np.ones((2, 3, 4), dtype=np.float32))
    expected = 1.0 + ig.to_numpy(nn.sinusoidal_positions(3, 4))
    assert_allclose(ig.to_numpy(layer(x)), np.stack([expected, expected]), rtol=1e-6)
    assert layer.parameters() == []


def test_a_longer_sequence_than_the_table_is_refused():
    layer = nn.SinusoidalPositions(4, 2)
    with pytest.raises(ShapeError, match=r"length at most 2, got shape \(3, 4\)"):
        layer(np.ones((3, 4), dtype=np.float32))


def turned(x, pairs, positions, base=10_000.0):
    """The rotation pair by pair as complex numbers."""
    y, n = x.copy(), x.shape[-1]
    for i, (a, b) in enumerate(pairs):
        factors = np.exp(1j * positions / base ** (2 * i / n))
        z = (x[..., a] + 1j * x[..., b]) * factors
        y[..., a], y[..., b] = z.real, z.imag
    return y


PAIRS = {True: [(0, 1), (2, 3), (4, 5)], False: [(0, 3), (1, 4), (2, 5)]}


@pytest.mark.parametrize("interleaved", [True, False])
def test_rotary_turns_pairs_as_complex_numbers(interleaved, device):
    x = np.random.RandomState(0).randn(2, 4, 6)
    y = nn.rotary(ig.array(x), interleaved=interleaved)
    assert_allclose(ig.to_numpy(y), turned(x, PAIRS[interleaved], np.arange(4)), rtol=1e-12)
    positions = np.array([5, 0, 9, 2])
    y = nn.Rotary(6, base=50.0, interleaved=interleaved)(ig.array(x), ig.array(positions))
    assert_allclose(ig.to_numpy(y), turned(x, PAIRS[interleaved], positions, 50.0), rtol=1e-12)


@pytest.mark.parametrize("interleaved", [True, False])
def test_inner_products_depend_on_the_distance_alone(interleaved):
    random = np.random.RandomState(1)
    query, key = np.tile(random.randn(6), (9, 1)), np.tile(random.randn(6), (9, 1))
    scores = nn.rotary(query, interleaved=interleaved) @ nn.rotary(key, interleaved=interleaved).T
    for distance in range(-8, 9):
        diagonal = np.diagonal(scores, distance)
        assert_allclose(diagonal, np.full_like(diagonal, diagonal[0]), rtol=1e-12)


def test_the_inverse_turns_back():
    x = np.random.RandomState(2).randn(5, 4)
    assert_allclose(nn.rotary(nn.rotary(x), inverse=True), x, rtol=1e-12)
    assert_array_equal(nn.rotary(x)[0], x[0])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.rotary(np.ones((3, 5))), ShapeError, "even number of features"),
        (lambda: nn.rotary(np.ones((3, 4)), np.arange(2)), ShapeError, r"\(length,\) = \(3,\)"),
        (lambda: nn.rotary(np.ones((3, 4), dtype=np.int64)), DtypeError, "must be floating"),
        (lambda: nn.Rotary(4)(np.ones((3, 6))), ShapeError, r"must be \(..., length, 4\)"),
        (lambda: nn.Rotary(1), HyperparameterError, "features must be an integer >= 2"),
        (lambda: nn.sinusoidal_positions(0, 4), HyperparameterError, "length must be an integer"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, says):
    with pytest.raises(error, match=says):
        call()
