"""xp.special: values, derivatives, limits, and where what is missing comes from."""

import importlib.util
import math

import numpy as np
import pytest
from matrices import drawn, namespace
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, MissingFunctionError
from isograd.backend.special import MODULES

NATIVE = ("gammaln", "digamma", "i0", "i1", "i0e", "i1e")

# name: where its inputs lie
OURS = {
    "erf": [(-2, 2)],
    "erfc": [(-2, 4)],
    "erfinv": [(-0.9, 0.9)],
    "expit": [(-4, 4)],
    "log_ndtr": [(-6, 3)],
    "logit": [(0.05, 0.95)],
    "ndtr": [(-3, 3)],
    "ndtri": [(0.05, 0.95)],
    "xlog1py": [(-1, 2), (-0.5, 2)],
    "xlogy": [(-1, 2), (0.3, 2)],
}
OVER_AXES = ("logsumexp", "softmax", "log_softmax")
AXES = [None, 0, -1, (0, 2), (2, 1)]
OF_LIBRARY = {
    "gammaln": [(0.3, 3)],
    "digamma": [(0.3, 3)],
    "i0": [(-2, 2)],
    "i1": [(-2, 2)],
    "i0e": [(0.2, 2)],
    "i1e": [(0.2, 2)],
}


def special(name):
    return getattr(namespace().special, name)


def inputs(limits, n=5):
    random = np.random.default_rng(0)
    return [ig.array(random.uniform(low, high, n)) for low, high in limits]


@pytest.fixture
def scipy_special():
    """scipy.special; the test is skipped where SciPy is not installed."""
    return pytest.importorskip("scipy.special")


# -- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_values_are_those_of_scipy(name, device, scipy_special):
    xs = inputs(OURS[name], 40)
    expected = getattr(scipy_special, name)(*map(ig.to_numpy, xs))
    assert_allclose(ig.to_numpy(special(name)(*xs)), expected, rtol=2e-14, atol=1e-15)


@pytest.mark.parametrize("name", OVER_AXES)
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_values_along_axes_are_those_of_scipy(name, axis, device, scipy_special):
    x = drawn(2, 3, 4)
    expected = getattr(scipy_special, name)(ig.to_numpy(x), axis=axis)
    assert_allclose(ig.to_numpy(special(name)(x, axis=axis)), expected, rtol=1e-14, atol=1e-15)


def test_softmax_of_layers_is_the_one_along_the_last_axis():
    x = drawn(2, 3)
    assert_array_equal(special("softmax")(x, axis=-1), nn.softmax(x))
    assert_array_equal(special("log_softmax")(x, axis=-1), nn.log_softmax(x))


def test_erf_of_layers_is_this_one():
    assert nn.erf is special("erf")


# -- derivatives --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_derivatives_agree_with_central_differences(name, device):
    order = 3 if device == "cpu" else 2
    ig.check_gradients(special(name), *inputs(OURS[name]), order=order, rtol=1e-5)


@pytest.mark.parametrize("name", OVER_AXES)
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_derivatives_along_axes_agree_with_central_differences(name, axis, device):
    f = special(name)
    ig.check_gradients(lambda x: f(x, axis=axis), drawn(2, 3, 2), order=2, max_entries=4)


@pytest.mark.parametrize("name", OF_LIBRARY)
def test_the_librarys_functions_and_their_derivatives_are_right(name, device, scipy_special):
    (x,) = inputs(OF_LIBRARY[name])
    expected = getattr(scipy_special, name)(ig.to_numpy(x))
    assert_allclose(ig.to_numpy(special(name)(x)), expected, rtol=1e-13)
    ig.check_gradients(special(name), x, order=3, rtol=1e-5)


def test_polygamma_has_the_next_one_as_derivative(scipy_special):
    (x,) = inputs([(0.5, 3)])
    ig.check_gradients(lambda x: special("polygamma")(1, x), x, order=2)
    assert_allclose(special("polygamma")(2, x), scipy_special.polygamma(2, x))


@pytest.mark.parametrize("x", [0.0, 0.0099, 0.0101])
def test_bessel_functions_have_right_derivatives_near_zero(x, scipy_special):
    """i1(x) = x/2 + x^3/16 + ...: 1/2 + 3 x^2 / 16, 3 x / 8, 3/8 + ..."""
    first = ig.grad(special("i1"))
    second = ig.grad(first)
    point = np.asarray(x)
    assert_allclose(first(point), 0.5 + 3 * x**2 / 16 + 5 * x**4 / 384, rtol=1e-12)
    assert_allclose(second(point), 3 * x / 8 + 20 * x**3 / 384, rtol=1e-8)
    assert_allclose(ig.grad(second)(point), 0.375 + 60 * x**2 / 384, rtol=1e-6)


# -- limits -------------------------------------------------------------------------------------


def test_xlogy_is_zero_with_gradient_zero_at_the_corner(device):
    xp = namespace()
    x1 = ig.array(np.asarray([0.0, 0.0, 2.0]))
    x2 = ig.array(np.asarray([0.0, 3.0, 4.0]))
    dx1, dx2 = ig.grad(lambda a, b: xp.sum(xp.special.xlogy(a, b)), (0, 1))(x1, x2)
    assert_allclose(ig.to_numpy(xp.special.xlogy(x1, x2)), [0.0, 0.0, 2.0 * math.log(4.0)])
    assert_allclose(ig.to_numpy(dx1), [0.0, math.log(3.0), math.log(4.0)])
    assert_allclose(ig.to_numpy(dx2), [0.0, 0.0, 0.5])


def test_xlog1py_is_zero_with_gradient_zero_at_the_corner(device):
    xp = namespace()
    x1, x2 = ig.array(np.asarray([0.0, 2.0])), ig.array(np.asarray([-1.0, 3.0]))
    dx1, dx2 = ig.grad(lambda a, b: xp.sum(xp.special.xlog1py(a, b)), (0, 1))(x1, x2)
    assert_allclose(ig.to_numpy(dx1), [0.0, math.log(4.0)])
    assert_allclose(ig.to_numpy(dx2), [0.0, 0.5])


def test_xlogy_keeps_nan_and_takes_numbers_and_counts():
    xlogy = special("xlogy")
    assert_array_equal(xlogy(np.zeros(1), np.asarray([math.nan])), [math.nan])
    assert_allclose(xlogy(2.0, np.asarray([3.0])), [2.0 * math.log(3.0)])
    assert_allclose(xlogy(np.asarray([3]), np.asarray([2.0])), [3.0 * math.log(2.0)])
    assert_allclose(ig.grad(lambda p: xlogy(np.asarray(3), p))(np.asarray(2.0)), 1.5)
    with pytest.raises(DtypeError, match="xlogy: one array must be floating, got int64 and int64"):
        xlogy(np.asarray([1]), np.asarray([2]))


@pytest.mark.parametrize(("name", "at"), [("erfinv", 1.0), ("ndtri", 0.0), ("gammaln", 0.0)])
def test_a_zero_cotangent_stays_zero_where_the_slope_is_infinite(name, at):
    if name == "gammaln":
        pytest.importorskip("scipy")
    _, pull = ig.vjp(special(name), np.asarray([at, 0.5]))
    assert pull(np.asarray([0.0, 1.0]))[0][0] == 0.0


def test_logsumexp_of_infinities_has_no_nan(device):
    xp = namespace()
    x = ig.array(np.asarray([[-math.inf, -math.inf], [0.0, -math.inf], [math.inf, 0.0]]))
    y, pull = ig.vjp(lambda x: xp.special.logsumexp(x, axis=1), x)
    assert_array_equal(ig.to_numpy(y), [-math.inf, 0.0, math.inf])
    (dx,) = pull(ig.array(np.ones(3)))
    assert_array_equal(ig.to_numpy(dx), [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])


def test_logsumexp_of_nothing_is_minus_infinity(device):
    xp = namespace()
    x = ig.array(np.zeros((2, 0)))
    assert_array_equal(ig.to_numpy(xp.special.logsumexp(x, axis=1)), [-math.inf, -math.inf])
    assert tuple(xp.special.logsumexp(x, axis=0).shape) == (0,)
    assert tuple(xp.special.logsumexp(x, axis=1, keepdims=True).shape) == (2, 1)


def test_expit_and_logit_are_accurate_at_the_ends_and_in_the_middle():
    expit, logit = special("expit"), special("logit")
    assert_allclose(expit(np.asarray([-700.0, 700.0])), [math.exp(-700.0), 1.0])
    assert_allclose(ig.grad(expit)(np.asarray(50.0)), math.exp(-50.0), rtol=1e-14)
    assert_allclose(logit(np.asarray([0.5 + 2.0**-40])), [2.0**-38], rtol=1e-15)


def test_integers_are_refused_with_the_remedy():
    for name in ("erfc", "logsumexp", "softmax"):
        with pytest.raises(DtypeError, match=f"{name}: x must be .*floating, got int64; cast it"):
            special(name)(np.asarray([1, 2]))


# -- what is missing ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NATIVE)
def test_without_scipy_the_error_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(MissingFunctionError, match=rf'{name}: .* pip install "isograd\[scipy\]"'):
        special(name)(np.asarray([1.0]))


def test_a_library_without_the_function_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: True)
    monkeypatch.delitem(MODULES, "numpy")
    with pytest.raises(MissingFunctionError, match="digamma: numpy has no such function; move"):
        special("digamma")(np.asarray([1.0]))
