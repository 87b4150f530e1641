"""erfc, ndtr, log_ndtr and their inverses against numbers of 40 digits (mpmath 1.4.1)."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd.backend.erfc import erfc, log_ndtr, log_ndtr_slope, ndtr
from isograd.backend.errors import DtypeError
from isograd.backend.quantile import erfinv, ndtri

# x, erfc(x), ndtr(x), log(ndtr(x))
NUMBERS = [
    (-30.0, 2.0, 4.906713927148187e-198, -454.3212439563432),
    (-6.5, 2.0, 4.016000583859118e-11, -23.938149495161838),
    (-1.0, 1.8427007929497148, 0.15865525393145705, -1.8410216450092636),
    (-0.25, 1.276326390168237, 0.4012936743170763, -0.9130617648111351),
    (0.0, 1.0, 0.5, -0.6931471805599453),
    (0.5, 0.4795001221869535, 0.6914624612740131, -0.3689464152886564),
    (1.0, 0.15729920705028513, 0.8413447460685429, -0.17275377902344988),
    (3.0, 2.209049699858544e-05, 0.9986501019683699, -0.0013508099647481938),
    (10.0, 2.088487583762545e-45, 1.0, -7.619853024160525e-24),
    (26.0, 5.663192408856143e-296, 1.0, -2.4760633155033892e-149),
    (-36.7, 2.0, 3.651529302803418e-295, -677.9674563663302),
    (-11.3, 2.0, 6.560899940904157e-30, -67.1964250101611),
    (7.7, 1.2942740067717136e-27, 0.9999999999999932, -6.803311540773985e-15),
    (25.3, 2.293036860845902e-280, 1.0, -1.5971151302422e-141),
]
X, *EXPECTED = (np.asarray(column) for column in zip(*NUMBERS, strict=True))
FUNCTIONS = (erfc, ndtr, log_ndtr)
each_function = pytest.mark.parametrize(
    ("f", "expected"),
    list(zip(FUNCTIONS, EXPECTED, strict=True)),
    ids=[f.__name__ for f in FUNCTIONS],
)


@each_function
def test_values_are_within_four_units_of_eps(f, expected, device):
    y = ig.to_numpy(f(ig.array(X)))
    rtol = 4 * 2.0**-52 if not device.startswith("torch") else 1e-14
    assert_allclose(y, expected, rtol=rtol)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_single_precision_is_as_good_in_its_own_units(f):
    x = X.astype("float32")
    y, expected = f(x), f(x.astype("float64"))
    assert y.dtype == np.float32
    normal = np.abs(expected) > np.finfo("float32").tiny
    assert_allclose(y[normal], expected[normal], rtol=4 * 2.0**-23)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_half_precision_is_computed_in_single(f):
    x = X.astype("float16")
    y, expected = f(x), f(x.astype("float64"))
    assert y.dtype == np.float16
    inside = (np.abs(expected) > np.finfo("float16").tiny) & (np.abs(expected) < 6e4)
    assert_allclose(y[inside], expected[inside], rtol=2.0**-10)


def test_limits_are_reached_without_a_warning():
    ends = np.asarray([-math.inf, math.inf, math.nan])
    assert_array_equal(erfc(ends), [2.0, 0.0, math.nan])
    assert_array_equal(ndtr(ends), [0.0, 1.0, math.nan])
    assert_array_equal(log_ndtr(ends), [-math.inf, 0.0, math.nan])
    assert_array_equal(log_ndtr_slope(ends), [math.inf, 0.0, math.nan])
    far = np.asarray([-1e300, 1e300])
    assert_array_equal(ndtr(far), [0.0, 1.0])


def test_the_slope_of_log_ndtr_is_density_over_distribution():
    x = np.asarray([-5.0, -1.0, 0.0, 1.0, 5.0])
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    assert_allclose(log_ndtr_slope(x), density / ndtr(x), rtol=1e-14)
    # beyond the reach of both: -x + 1/-x - ...
    assert_allclose(log_ndtr_slope(np.asarray([-1e6])), 1e6 + 1e-6, rtol=1e-15)


def test_quantiles_undo_the_distribution_function(device):
    p = np.concatenate([10.0 ** np.arange(-300.0, 0.0, 7.0), np.linspace(0.05, 0.95, 19)])
    x = ig.to_numpy(ndtri(ig.array(p)))
    # an error of eps in x moves p by eps x**2 of itself
    assert np.all(np.abs(ndtr(x) / p - 1.0) < 8 * 2.0**-52 * (2.0 + x * x))
    y = np.concatenate([np.linspace(-0.99, 0.99, 37), 10.0 ** np.arange(-300.0, 0.0, 7.0)])
    t = ig.to_numpy(erfinv(ig.array(y)))
    assert_allclose([math.erf(value) for value in t], y, rtol=4e-15)


def test_quantiles_end_at_infinity_and_nan(device):
    p = ig.array(np.asarray([0.0, 1.0, -0.1, 1.1, math.nan, 0.5]))
    ends = [-math.inf, math.inf, math.nan, math.nan, math.nan, 0.0]
    assert_array_equal(ig.to_numpy(ndtri(p)), ends)
    assert_array_equal(ig.to_numpy(erfinv(p * 2.0 - 1.0)), ends)


@pytest.mark.parametrize("f", [*FUNCTIONS, ndtri, erfinv], ids=lambda f: f.__name__)
def test_other_dtypes_are_refused_by_name(f):
    with pytest.raises(DtypeError, match=f"{f.__name__}: x must be real floating, got int64"):
        f(np.asarray([1, 2]))
