"""The distribution functions of xp.special: SciPy's values, densities for slopes."""

import math

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError
from isograd.nn.autograd.ops import distributions

reference = pytest.importorskip("scipy.special")

REAL = [-1.7, -0.4, 0.3, 0.9, 1.8]
POSITIVE = [0.3, 0.8, 1.1, 1.9, 2.6]
UNIT = [0.05, 0.3, 0.45, 0.7, 0.95]
FIRST = [0.7, 1.0, 1.5, 2.0, 4.0]
SECOND = [3.0, 0.6, 1.0, 2.5, 1.2]

# Parameters without a derivative, then the variables.
ARGUMENTS = {
    "betainc": ([FIRST, SECOND], [UNIT]),
    "betaincc": ([FIRST, SECOND], [UNIT]),
    "betaincinv": ([FIRST, SECOND], [UNIT]),
    "betaln": ([], [FIRST, SECOND]),
    "fdtr": ([FIRST, SECOND], [POSITIVE]),
    "fdtrc": ([FIRST, SECOND], [POSITIVE]),
    "gammainc": ([FIRST], [POSITIVE]),
    "gammaincc": ([FIRST], [POSITIVE]),
    "gammainccinv": ([FIRST], [UNIT]),
    "gammaincinv": ([FIRST], [UNIT]),
    "kl_div": ([], [POSITIVE, FIRST]),
    "stdtr": ([FIRST], [REAL]),
    "stdtrit": ([FIRST], [UNIT]),
    "erfcx": ([], [REAL]),
    "j0": ([], [REAL]),
    "j1": ([], [REAL]),
}
NAMES = sorted(distributions.__all__)
WITH_PARAMETERS = [name for name in NAMES if ARGUMENTS.get(name, ([], []))[0]]


def arrays(name, device):
    """The function over that device, its parameters and its variables."""
    parameters, variables = ARGUMENTS.get(name, ([], [POSITIVE]))
    with ig.using(device):
        made = [[ig.array(x, dtype="float64") for x in part] for part in (parameters, variables)]
    xp = ig.wrap_namespace(array_namespace(made[1][0]))
    return getattr(xp.special, name), *made


def has_it(name, device):
    """Whether the library brings the function: NumPy has SciPy's, and so has the stand-in."""
    return device == "cpu" or device.startswith("strict")


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_scipy(device, name):
    if not has_it(name, device):
        pytest.skip("this library brings few of them, or none")
    function, parameters, variables = arrays(name, device)
    host = [np.asarray(x) for part in ARGUMENTS.get(name, ([], [POSITIVE])) for x in part]
    result = ig.to_numpy(function(*parameters, *variables))
    assert np.allclose(result, getattr(reference, name)(*host), rtol=1e-14, atol=0.0)


@pytest.mark.parametrize("name", NAMES)
def test_derivatives_are_right_to_the_second_order(device, name):
    if not has_it(name, device):
        pytest.skip("this library brings few of them, or none")
    function, parameters, variables = arrays(name, device)
    ig.check_gradients(lambda *xs: function(*parameters, *xs), *variables, order=2)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_parameters_may_be_numbers(name):
    function, parameters, variables = arrays(name, "cpu")
    numbers = [float(p[2]) for p in parameters]
    ig.check_gradients(lambda *xs: function(*numbers, *xs), *variables, order=2)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_a_recorded_parameter_is_refused(name):
    function, parameters, variables = arrays(name, "cpu")
    recorded = [ig.Tensor(p, requires_grad=True) for p in parameters]
    with pytest.raises(NotDifferentiableError, match="no derivative with respect to"):
        function(*recorded, *variables)


def test_an_element_that_nothing_depends_on_gets_gradient_zero():
    """The density of the gamma distribution with shape 1/2 is infinite at 0."""

    def f(x):
        xp = array_namespace(x)
        return xp.sum(xp.where(x > 0.0, xp.special.gammainc(0.5, x), 0.0))

    with np.errstate(divide="ignore"):
        gradient = ig.grad(f)(np.asarray([0.0, 1.0]))
    assert np.allclose(gradient, [0.0, math.exp(-1.0) / math.sqrt(math.pi)])


def test_the_density_of_a_distribution_that_starts_with_a_jump_is_finite_there():
    special = ig.wrap_namespace(np).special
    slope = ig.grad(lambda x: special.gammainc(1.0, x))(np.asarray(0.0))
    assert slope == 1.0  # of 1 - exp(-x)


def test_entropies_at_the_edge_of_their_domain():
    special = ig.wrap_namespace(np).special
    assert np.array_equal(special.entr(np.asarray([0.0, 1.0, -1.0])), [0.0, 0.0, -np.inf])
    p, q = np.asarray([0.0, -1.0, 1.0]), np.asarray([2.0, 1.0, 1.0])
    assert np.array_equal(special.kl_div(p, q), [2.0, np.inf, 0.0])


def test_the_slope_of_the_bessel_function_of_order_one_at_zero():
    special = ig.wrap_namespace(np).special
    assert ig.grad(special.j1)(np.asarray(0.0)) == 0.5
