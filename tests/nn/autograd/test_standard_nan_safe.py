"""A zero cotangent stays zero where the slope is infinite or NaN, and kinks have finite slopes."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig
from isograd.nn.autograd.ops.zero_safe import divided, scaled

INF, NAN = np.inf, np.nan

pytestmark = [  # what the libraries say of the forward pass, and of infinite slopes that count
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:.*degrees of freedom"),
]

# (function, numbers whose slope is infinite or NaN)
SINGULAR_UNARY = [
    ("sqrt", [0.0]),
    ("log", [0.0, INF]),
    ("log2", [0.0]),
    ("log10", [0.0]),
    ("log1p", [-1.0]),
    ("reciprocal", [0.0]),
    ("exp", [1000.0, INF]),
    ("expm1", [1000.0]),
    ("sinh", [1000.0]),
    ("cosh", [-1000.0]),
    ("asin", [1.0, -1.0, 2.0]),
    ("acos", [1.0, 2.0]),
    ("acosh", [1.0, 0.5]),
    ("atanh", [1.0, -1.0, 2.0]),
]
SINGULAR_BINARY = [
    ("divide", 1.0, 0.0),
    ("divide", 0.0, 0.0),
    ("divide", 1.0, NAN),
    ("pow", 0.0, -1.0),
    ("pow", 0.0, 0.5),
    ("pow", -1.0, 0.5),
    ("pow", INF, 2.0),
    ("remainder", 1.0, 0.0),
    ("hypot", INF, INF),
    ("atan2", 0.0, 0.0),
    ("atan2", INF, INF),
]


def namespace_and(*numbers):
    xp = ig.wrap_namespace(ig.current_device().xp)
    return xp, [ig.array([x], dtype="float64") for x in numbers]


def masked(name, xp):
    """The function behind a mask that hides every element of its result."""

    def f(*xs):
        y = getattr(xp, name)(*xs)
        return xp.sum(xp.where(xp.zeros_like(y) > 0, y, 0.0))

    return f


@pytest.mark.parametrize(
    ("name", "number"), [(name, x) for name, numbers in SINGULAR_UNARY for x in numbers]
)
def test_a_hidden_singularity_of_a_unary_function_poisons_nothing(name, number, device):
    xp, xs = namespace_and(number)
    f = masked(name, xp)
    assert_array_equal(ig.to_numpy(ig.grad(f)(*xs)), [0.0])
    second = ig.grad(lambda x: xp.sum(ig.grad(f)(x)))
    assert_array_equal(ig.to_numpy(second(*xs)), [0.0])


@pytest.mark.parametrize(("name", "x1", "x2"), SINGULAR_BINARY)
def test_a_hidden_singularity_of_a_binary_function_poisons_nothing(name, x1, x2, device):
    xp, xs = namespace_and(x1, x2)
    f = masked(name, xp)
    for dx in ig.grad(f, argnums=(0, 1))(*xs):
        assert_array_equal(ig.to_numpy(dx), [0.0])


def test_the_square_root_of_what_is_not_negative_is_the_example_of_the_books(device):
    """torch#68425: the gradient of where(x > 0, sqrt(x), 0) at 0 is 0 * inf elsewhere."""
    xp, _ = namespace_and()
    x = ig.array([0.0, 4.0], dtype="float64")
    dx = ig.grad(lambda x: xp.sum(xp.where(x > 0, xp.sqrt(x), xp.zeros_like(x))))(x)
    assert_array_equal(ig.to_numpy(dx), [0.0, 0.25])


def test_an_infinite_slope_that_counts_is_infinite(device):
    xp, xs = namespace_and(0.0)
    assert_array_equal(ig.to_numpy(ig.grad(lambda x: xp.sum(xp.sqrt(x)))(*xs)), [INF])


def test_the_guard_leaves_directional_derivatives_alone(device):
    """jvp pulls back zero cotangents: their mask must not become part of the derivative."""
    xp, xs = namespace_and(4.0)
    v = ig.array([3.0], dtype="float64")
    assert ig.to_numpy(ig.jvp(xp.sqrt, xs, [v])[1]) == [0.75]
    assert ig.to_numpy(ig.jvp(xp.log, xs, [v])[1]) == [0.75]
    _, zero = namespace_and(0.0)
    assert ig.to_numpy(ig.jvp(xp.sqrt, zero, [v])[1]) == [INF]


@pytest.mark.parametrize("x", [0.0, NAN])
def test_a_quotient_of_nothing_has_no_slope_whatever_comes_back(x):
    """The rules of the guards: an infinite cotangent of a zero, from a later singularity."""
    cotangent, x, dy = np.array([0.0]), np.array([x]), np.array([INF])
    for op in (scaled, divided):
        assert_array_equal(ig.vjp(lambda x, op=op: op(cotangent, x), x)[1](dy)[0], [0.0])


def test_the_product_of_an_infinite_number_and_another_has_the_other_for_slope(device):
    xp, _ = namespace_and()
    x = ig.array([INF, 2.0], dtype="float64")
    assert_array_equal(ig.to_numpy(ig.grad(lambda x: xp.prod(x))(x)), [2.0, INF])


# -- kinks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "numbers", "slopes"),
    [
        ("abs", [0.0], [0.0]),
        ("hypot", [0.0, 0.0], [0.0, 0.0]),
        ("atan2", [0.0, 0.0], [0.0, 0.0]),
        ("maximum", [2.0, 2.0], [0.5, 0.5]),
        ("minimum", [2.0, 2.0], [0.5, 0.5]),
        ("pow", [0.0, 0.0], [0.0, 0.0]),
        ("pow", [0.0, 1.0], [1.0, 0.0]),
        ("pow", [0.0, 2.0], [0.0, 0.0]),
        ("pow", [-2.0, 3.0], [12.0, NAN]),
        ("copysign", [0.0, -1.0], [0.0, 0.0]),
        ("logaddexp", [-INF, -INF], [0.5, 0.5]),
        ("logaddexp", [INF, 1.0], [1.0, 0.0]),
        ("logaddexp", [1.0, -INF], [1.0, 0.0]),
        ("nextafter", [1.0, 2.0], [1.0, 0.0]),
    ],
)
def test_the_slope_at_a_kink(name, numbers, slopes, device):
    xp, xs = namespace_and(*numbers)
    f = getattr(xp, name)
    dxs = ig.grad(lambda *xs: xp.sum(f(*xs)), argnums=range(len(xs)))(*xs)
    assert_array_equal([ig.to_numpy(dx)[0] for dx in dxs], slopes)


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 2])
def test_a_number_as_exponent_has_the_slope_of_its_power_at_zero(exponent, device):
    xp, xs = namespace_and(0.0)
    dx = ig.grad(lambda x: xp.sum(x**exponent))(*xs)
    assert ig.to_numpy(dx) == [1.0 if exponent == 1 else 0.0]


@pytest.mark.parametrize(
    ("x", "low", "high", "slopes"),
    [
        (0.0, -1.0, 1.0, (1, 0, 0)),
        (-1.0, -1.0, 1.0, (1, 0, 0)),
        (-2.0, -1.0, 1.0, (0, 1, 0)),
        (2.0, -1.0, 1.0, (0, 0, 1)),
        (NAN, -1.0, 1.0, (0, 0, 0)),
    ],
)
def test_clip_hands_its_gradient_to_what_it_returns(x, low, high, slopes, device):
    xp, xs = namespace_and(x, low, high)
    dxs = ig.grad(lambda *xs: xp.sum(xp.clip(*xs)), argnums=(0, 1, 2))(*xs)
    assert tuple(float(dx[0]) for dx in dxs) == slopes


def test_clip_with_crossed_bounds_returns_the_upper_one_and_so_does_its_gradient():
    """array_api_strict refuses such bounds."""
    xp, xs = ig.xp.numpy, [np.array([0.0]), np.array([2.0]), np.array([1.0])]
    dxs = ig.grad(lambda *xs: xp.sum(xp.clip(*xs)), argnums=(0, 1, 2))(*xs)
    assert_array_equal(np.concatenate(dxs), [0.0, 0.0, 1.0])


# -- reductions ---------------------------------------------------------------------------------


def test_the_deviation_of_equal_numbers_has_slope_zero(device):
    xp, _ = namespace_and()
    x = ig.array([2.0, 2.0, 2.0], dtype="float64")
    assert_array_equal(ig.to_numpy(ig.grad(lambda x: xp.std(x))(x)), [0.0, 0.0, 0.0])


def test_the_maximum_is_shared_by_those_that_attain_it_and_nan_attains_nothing(device):
    xp, _ = namespace_and()
    x = ig.array([[1.0, 3.0, 3.0], [NAN, 1.0, 2.0]], dtype="float64")
    dx = ig.grad(lambda x: xp.sum(xp.max(x, axis=1)))(x)
    assert_array_equal(ig.to_numpy(dx), [[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_the_mean_of_nothing_has_the_gradient_of_nothing(name, device):
    xp, _ = namespace_and()
    x = ig.array([], dtype="float64")
    assert ig.grad(lambda x: getattr(xp, name)(x))(x).shape == (0,)


def test_the_variance_of_one_number_with_correction_has_no_slope_unless_nothing_asks(device):
    xp, xs = namespace_and(3.0)
    var = lambda x: xp.var(x, correction=1.0)  # noqa: E731  # 0 / 0
    assert np.isnan(ig.to_numpy(ig.grad(var)(*xs))).all()
    assert_array_equal(ig.to_numpy(ig.vjp(var, *xs)[1](0.0)[0]), [0.0])


@pytest.mark.parametrize("place", [0, 2, 4])
def test_running_products_differentiate_through_zeros(place, device):
    xp, _ = namespace_and()
    x = ig.array([2.0, -1.5, 3.0, 0.5, 1.25], dtype="float64")
    x[place] = 0.0
    ig.check_gradients(lambda x: xp.cumulative_prod(x), x, order=2)
    x[(place + 2) % 5] = 0.0
    ig.check_gradients(lambda x: xp.cumulative_prod(x, include_initial=True), x, order=2)
    ig.check_gradients(lambda x: xp.prod(x), x, order=2)
