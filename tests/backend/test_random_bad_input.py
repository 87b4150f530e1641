import math

import pytest

from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError
from isograd.backend.random import Generator


@pytest.mark.parametrize("shape", [-1, (2, -3), 1.5, "3", (2.0,)])
def test_a_shape_that_is_none_is_refused(shape):
    generator = Generator(0)
    for draw in (generator.random, generator.normal, generator.permutation):
        with pytest.raises(ShapeError, match="shape must be integers >= 0"):
            draw(shape)
    assert generator.state["position"] == 0


@pytest.mark.parametrize("dtype", ["int32", "complex64", "float16", "bool"])
def test_a_dtype_that_is_not_made_is_refused(dtype):
    generator = Generator(0)
    for draw in (generator.random, generator.uniform, generator.normal):
        with pytest.raises(DtypeError, match="float32 or float64"):
            draw(3, dtype=dtype)


def test_integers_of_a_floating_dtype_are_refused():
    with pytest.raises(DtypeError, match="integer dtype"):
        Generator(0).integers(0, 3, 4, dtype="float32")


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, math.inf])
def test_a_probability_outside_0_to_1_is_refused(p):
    with pytest.raises(HyperparameterError, match=r"p must be in \[0, 1\]"):
        Generator(0).bernoulli(p, 3)


@pytest.mark.parametrize(
    ("low", "high"), [(1, 1), (2, 1), (math.nan, 1), (0, math.inf), (-3e38, 3e38), (1, 1 + 1e-12)]
)
def test_an_interval_that_is_empty_or_infinite_is_refused(low, high):
    with pytest.raises(HyperparameterError, match="low must be below high"):
        Generator(0).uniform(3, low, high)


@pytest.mark.parametrize(("mean", "std"), [(0, -1), (0, math.nan), (math.inf, 1), (0, 1e39)])
def test_a_mean_or_standard_deviation_that_is_none_is_refused(mean, std):
    with pytest.raises(HyperparameterError, match="std must be >= 0"):
        Generator(0).normal(3, mean, std)


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(3, 3, None), (4, 3, None), (-(2**63), 1, None), (0, 257, "uint8"), (-1, 3, "uint8")],
)
def test_integers_that_do_not_fit_are_refused(low, high, dtype):
    with pytest.raises(HyperparameterError, match="low must be below high"):
        Generator(0).integers(low, high, 3, dtype=dtype)


@pytest.mark.parametrize("bound", [1.5, "3", True])
def test_bounds_that_are_not_integers_are_refused(bound):
    with pytest.raises(HyperparameterError, match="must be an integer"):
        Generator(0).integers(0, bound, 3)


@pytest.mark.parametrize("number", [-1, 1.5, "1", True])
def test_a_seed_that_is_none_is_refused(number):
    with pytest.raises(HyperparameterError, match="seed must be an integer"):
        Generator(number)


@pytest.mark.parametrize("name", [1.5, None, True, b"x"])
def test_a_name_that_is_neither_text_nor_number_is_refused(name):
    with pytest.raises(HyperparameterError, match="fold_in"):
        Generator(0).fold_in(name)
