"""ISOGRAD_DEBUG: a saved array that is changed through an alias before backward is found."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace, settings_override
from isograd.backend.errors import StaleArrayError


@pytest.fixture
def debug():
    with settings_override(debug=True):
        yield
    leaf([0.0])  # the next leaf reads the setting again


def leaf(values):
    return ig.Tensor(ig.array(values, dtype="float64"), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def test_a_change_through_numpys_own_array_is_found(debug):
    """torch, JAX and autograd give a wrong gradient here without a word."""
    data = np.array([1.0, 2.0])
    x = leaf([3.0, 4.0])
    loss = total(x * data)
    data[0] = 100.0
    with pytest.raises(StaleArrayError, match=r"multiply.*\(2,\).*in place"):
        loss.backward()
    assert x.grad is None


def test_it_is_found_on_every_device(device, debug):
    data = ig.array([1.0, 2.0], dtype="float64")
    x = leaf([3.0, 4.0])
    loss = total(x * data)
    data[0] = 100.0
    with pytest.raises(StaleArrayError, match="multiply"):
        loss.backward()


def test_it_is_found_through_a_view(debug):
    memory = np.arange(6.0)
    x = ig.Tensor(memory[2:4], requires_grad=True)
    loss = total(array_namespace(x).sin(x))
    memory[3] += 1.0
    with pytest.raises(StaleArrayError, match="sin"):
        loss.backward()


def test_saved_outputs_are_watched_too(debug):
    y = array_namespace(leaf([0.0])).exp(leaf([1.0, 2.0]))
    loss = total(y)
    y.data[0] = 100.0
    with pytest.raises(StaleArrayError, match="exp"):
        loss.backward()


def test_what_the_transforms_save_is_watched_too(debug):
    data = np.array([1.0, 2.0])
    _, pull = ig.vjp(lambda x: x * data, np.ones(2))
    data[0] = 100.0
    with pytest.raises(StaleArrayError, match="multiply"):
        pull(np.ones(2))


def test_group_rules_and_several_arrays_are_watched(debug):
    @ig.differentiable
    def product(a, b):
        return a * b

    product.backward("a", "b")(lambda dy, a, b: (dy * b, dy * a))
    data = np.array([1.0, 2.0])
    loss = total(product(leaf([3.0, 4.0]), data))
    data[1] = 0.0
    with pytest.raises(StaleArrayError, match="product"):
        loss.backward()


def test_ops_of_several_outputs_are_watched(debug):
    @ig.differentiable
    def both(x, factor):
        return x * factor, x + 1.0

    both.backward(x=lambda dy, factor: dy[0] * factor + dy[1])
    data = np.array([1.0, 2.0])
    scaled, _ = both(leaf([3.0, 4.0]), data)
    data[1] = 0.0
    with pytest.raises(StaleArrayError, match="both"):
        total(scaled).backward()


def test_arrays_that_no_rule_has_saved_may_change(debug):
    data, x = np.array([1.0, 2.0]), leaf([3.0, 4.0])
    loss = total(x + data)
    data[0] = 100.0
    loss.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 1.0])


def test_unchanged_arrays_pass_and_backward_is_as_ever(device, debug):
    x = leaf([1.0, 2.0])
    xp = array_namespace(x)
    total(xp.concat([xp.exp(x) * x, x[:1] @ x[:1, None]])).backward()
    expected = np.exp([1.0, 2.0]) * np.array([2.0, 3.0]) + np.array([2.0, 0.0])
    np.testing.assert_allclose(ig.to_numpy(x.grad), expected, rtol=1e-14)


def test_a_change_and_back_is_no_change(debug):
    data, x = np.array([1.0, 2.0]), leaf([3.0, 4.0])
    loss = total(x * data)
    data[0] = 100.0
    data[0] = 1.0
    loss.backward()
    np.testing.assert_array_equal(x.grad, [1.0, 2.0])


def test_nothing_is_watched_without_the_setting():
    """The price of speed, and the documented default."""
    data, x = np.array([1.0, 2.0]), leaf([3.0, 4.0])
    loss = total(x * data)
    data[0] = 100.0
    loss.backward()
    np.testing.assert_array_equal(x.grad, [100.0, 2.0])
