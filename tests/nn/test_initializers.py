"""Initializers: spreads by the papers' formulas, torch's fans, the same numbers everywhere."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError
from isograd.nn import initializers

SHAPE = (300, 200)  # (out, in)
KERNEL = (60, 40, 5, 3)  # (out, in, *kernel): n_in 600, n_out 900

# the standard deviation that each paper asks for, by n_in and n_out
SPREADS = {
    "glorot": lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)),
    "he": lambda n_in, n_out: math.sqrt(2 / n_in),
    "lecun": lambda n_in, n_out: math.sqrt(1 / n_in),
}
FANNED = [f"{paper}_{kind}" for paper in SPREADS for kind in ("uniform", "normal")]
RANDOM = ["uniform", "normal", *FANNED]


def made(name, shape=SHAPE, **settings):
    """The initializer's array from a generator of seed 0."""
    settings.setdefault("generator", ig.random.Generator(0))
    return getattr(initializers, name)(shape, **settings)


@pytest.mark.parametrize(("shape", "n_in", "n_out"), [(SHAPE, 200, 300), (KERNEL, 600, 900)])
@pytest.mark.parametrize("name", FANNED)
def test_the_spread_is_what_the_paper_asks_for(name, shape, n_in, n_out):
    x = made(name, shape, dtype="float64")
    paper, kind = name.split("_")
    std = SPREADS[paper](n_in, n_out)
    assert_allclose(x.std(), std, rtol=0.02)
    assert abs(x.mean()) < 0.02 * std
    if kind == "uniform":
        bound = math.sqrt(3) * std
        assert 0.999 * bound < np.abs(x).max() <= bound
    else:
        assert np.abs(x).max() > 3 * std


@pytest.mark.parametrize("name", FANNED)
def test_the_gain_is_a_factor(name):
    gain = {"gain": 1.5 * math.sqrt(2) if name.startswith("he") else 1.5}
    x, bigger = made(name, dtype="float64"), made(name, dtype="float64", **gain)
    assert_allclose(bigger, 1.5 * x, rtol=1e-12, atol=1e-15)


def test_glorot_normal_without_the_root_is_the_books():
    x = made("glorot_normal", dtype="float64", root=False)
    assert_allclose(x, made("glorot_normal", dtype="float64") * math.sqrt(2 / 500), rtol=1e-12)


def test_uniform_and_normal_have_the_parameters_given():
    x = made("uniform", low=2.0, high=3.0)
    assert 2.0 <= x.min() < 2.001
    assert 2.999 < x.max() < 3.0
    x = made("normal", mean=5.0, std=0.1, dtype="float64")
    assert_allclose([x.mean(), x.std()], [5.0, 0.1], rtol=0.01)


def test_constants_are_constant(device):
    for x, value in (
        (initializers.zeros((2, 3)), 0.0),
        (initializers.ones((2, 3)), 1.0),
        (initializers.constant((2, 3), 0.25), 0.25),
    ):
        assert ig.device_of(x) == ig.current_device()
        assert_array_equal(ig.to_numpy(x), np.full((2, 3), value, "float32"), strict=True)


@pytest.mark.parametrize("name", RANDOM)
def test_every_device_gets_the_same_bits_in_float32(name, device):
    x = made(name, (4, 3))
    assert ig.device_of(x) == ig.current_device()
    assert_array_equal(ig.to_numpy(x), made(name, (4, 3), device="cpu"), strict=True)
    assert ig.to_numpy(x).dtype == np.float32


@pytest.mark.parametrize("name", RANDOM)
def test_without_a_generator_the_processs_own_is_drawn_from(name):
    before = ig.random.default_generator().state
    ig.random.seed(3)
    x = made(name, (4, 3), generator=None)
    assert_array_equal(x, made(name, (4, 3), generator=ig.random.Generator(3)))
    assert not np.array_equal(x, made(name, (4, 3), generator=None))
    ig.random.default_generator().state = before


def test_a_device_and_a_dtype_may_be_asked_for():
    pytest.importorskip("array_api_strict")
    x = made("he_normal", (4, 3), device="strict:device1", dtype="float64")
    assert ig.device_of(x) == "strict:device1"
    assert ig.to_numpy(x).dtype == np.float64
    x = initializers.zeros((4,), device="strict:device1", dtype="int64")
    assert ig.to_numpy(x).dtype == np.int64


def test_two_fans_feed_the_symmetric_shape_alike():
    assert initializers.fans("test", KERNEL) == (600, 900)
    assert initializers.fans("test", (7, 5)) == (5, 7)


@pytest.mark.parametrize("name", FANNED)
@pytest.mark.parametrize("shape", [(), (5,)])
def test_a_shape_without_fans_is_refused(name, shape):
    with pytest.raises(ShapeError, match=rf"{name}: shape must be \(out, in, \*kernel\), got"):
        made(name, shape)


@pytest.mark.parametrize("shape", [(2, -1), (2.0, 3), 5, "ab", (True, 2)])
def test_what_is_no_shape_is_refused(shape):
    for name in ("zeros", "glorot_uniform"):
        with pytest.raises(ShapeError, match="shape must be a tuple of integers >= 0"):
            getattr(initializers, name)(shape)


@pytest.mark.parametrize("name", FANNED)
@pytest.mark.parametrize("gain", [0.0, -1.0, math.nan, math.inf])
def test_a_gain_of_no_use_is_refused(name, gain):
    with pytest.raises(HyperparameterError, match=f"{name}: gain must be positive and finite"):
        made(name, gain=gain)


def test_bad_bounds_spreads_and_dtypes_are_refused():
    with pytest.raises(HyperparameterError, match="low must be below high"):
        made("uniform", low=1.0, high=1.0)
    with pytest.raises(HyperparameterError, match="std must be >= 0"):
        made("normal", std=-1.0)
    with pytest.raises(DtypeError, match="float32 or float64, got int64"):
        made("he_normal", dtype="int64")


@pytest.mark.parametrize("name", FANNED)
def test_a_weight_without_elements_is_made_too(name):
    assert made(name, (0, 0)).shape == (0, 0)
