"""Compiled activations against the definitions: as ops, and after linear."""

import numpy as np
import pytest
from scipy import special

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance
from isograd.kernels import activated
from isograd.kernels.threads import threads
from isograd.nn.activation import BY_NAME

NAMES = ["relu", *activated.KINDS]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3.4e38, -3.4e38]


@pytest.fixture(autouse=True)
def _small_arrays_are_served(monkeypatch):
    monkeypatch.setattr(activated, "SMALL", 1)


def y_and_dx(op, x, dy):
    tensor = ig.Tensor(x, requires_grad=True)
    y = op(tensor)
    y.backward(dy)
    return y.data, tensor.grad


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 171), (0, 4)])
@pytest.mark.parametrize("name", NAMES)
def test_an_op_agrees_with_its_definition_in_float64(name, shape):
    random = np.random.RandomState(6)
    x, dy = (random.randn(*shape).astype("float32") * 3.0 for _ in range(2))
    before = x.copy(), dy.copy()
    found = y_and_dx(BY_NAME[name], x, dy)
    with settings_override(disable_kernels=True):
        expected = y_and_dx(BY_NAME[name], x.astype("float64"), dy.astype("float64"))
    bounds = tolerance("float32")
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == "float32"
        np.testing.assert_allclose(a, b, rtol=bounds.rtol, atol=10.0 * bounds.atol)
    assert np.array_equal(x, before[0])
    assert np.array_equal(dy, before[1])


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("name", NAMES)
def test_infinities_and_nan_are_the_definitions(name):
    x = np.array(SPECIAL, np.float32)
    with np.errstate(all="ignore"):
        found = BY_NAME[name](x)
        with settings_override(disable_kernels=True):
            expected = BY_NAME[name](x)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("name", NAMES)
def test_broadcast_gradients_transposed_arrays_and_scalars_are_served(name):
    x = np.random.RandomState(7).randn(4, 5).astype("float32")
    dy = np.broadcast_to(np.float32(2.0), (5, 4))
    found = y_and_dx(BY_NAME[name], x.T, dy)
    expected = y_and_dx(BY_NAME[name], x.T.copy(), dy.copy())
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert BY_NAME[name](np.max(x)).shape == ()


@pytest.mark.parametrize("name", NAMES)
def test_float64_is_left_to_the_definition(name):
    x = np.linspace(-3.0, 3.0, 50)
    with settings_override(disable_kernels=True):
        expected = BY_NAME[name](x)
    assert np.array_equal(BY_NAME[name](x), expected)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("bias", [None, np.linspace(-1.0, 1.0, 5, dtype="float32")])
@pytest.mark.parametrize("name", [None, *NAMES, "tanh"])
def test_linear_is_its_parts(name, bias, monkeypatch):
    """Parts of two rows: each adds the bias once, to its own rows."""
    monkeypatch.setattr(activated, "PART", 10)
    monkeypatch.setattr(activated, "CHEAP_PART", 10)
    random = np.random.RandomState(8)
    x, weight, dy = (random.randn(*s).astype("float32") for s in ((7, 3), (5, 3), (7, 5)))
    tensors = [ig.Tensor(a, requires_grad=True) for a in (x, weight)]
    y = nn.linear(*tensors, bias, activation=name)
    y.backward(dy)
    z = x.astype("float64") @ weight.T + (0.0 if bias is None else bias)
    with settings_override(disable_kernels=True):
        expected, dz = (z, dy) if name is None else y_and_dx(BY_NAME[name], z, dy.astype("float64"))
    np.testing.assert_allclose(y.data, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tensors[0].grad, dz @ weight, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tensors[1].grad, dz.T @ x, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("loops")
def test_a_layer_without_outputs_is_served():
    y = nn.linear(*(np.ones(s, np.float32) for s in ((4, 3), (0, 3), (0,))), activation="relu")
    assert y.shape == (4, 0)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_threads_changes_no_bit(name):
    random = np.random.RandomState(9)
    x, dy = (random.randn(2**19 + 9).astype("float32") for _ in range(2))
    found = []
    for n in (1, 2, 3):
        with threads(n):
            found.append(y_and_dx(BY_NAME[name], x, dy))
    for more in found[1:]:
        for one, other in zip(found[0], more, strict=True):
            assert np.array_equal(one, other)


def test_phi_is_within_3_units_in_the_last_place_where_it_is_not_small(loops):
    x = np.linspace(-1.0, 9.0, 100_003, dtype=np.float32)
    y, phi = np.empty_like(x), np.empty_like(x)
    loops.activated(x, y, phi, activated.KINDS["gelu"])
    expected = special.ndtr(x.astype(np.float64))
    assert np.max(np.abs(phi - expected) / np.spacing(expected.astype(np.float32))) <= 3.0


X, SHORT = np.ones(6, np.float32), np.ones(5, np.float32)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: f.activated(X, SHORT, X, 0), "argument 1 must have 6"),
        (lambda f: f.activated(X, X, SHORT, 0), "argument 2 must have 6"),
        (lambda f: f.activated(X, X.copy(), X.copy(), 3), "no activation 3"),
        (lambda f: f.activated(X, X.copy(), X.copy(), -1), "no activation -1"),
        (lambda f: f.dactivated(X, X, SHORT, X, 0), "argument 2 must have 6"),
        (lambda f: f.dactivated(X, X, X, SHORT, 0), "argument 3 must have 6"),
        (lambda f: f.rectified(X, SHORT), "argument 1 must have 6"),
        (lambda f: f.drectified(X, SHORT, X), "argument 1 must have 6"),
        (lambda f: f.drectified(X, X, SHORT), "argument 2 must have 6"),
        (lambda f: f.bias_added(X, X[:4]), "6 numbers are not rows of 4"),
        (lambda f: f.bias_added(X, X[:0]), "rows of 0"),
    ],
)
def test_what_does_not_fit_is_refused(loops, call, says):
    with pytest.raises(ValueError, match=says):
        call(loops)
