"""check_gradients: finds planted mistakes of each order, names them, and passes what is right."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import DtypeError, GradientCheckError


def array(values):
    return ig.array(values, dtype="float64")


def total(x):
    return array_namespace(x).sum(x)


def op_with(rule):
    """sin, whose rule is given."""

    @ig.differentiable
    def planted(x):
        return array_namespace(x).sin(x)

    planted.backward(rule)
    return planted


X = np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]])


def right(dy, x):
    return dy * array_namespace(x).cos(x)


def one_entry_wrong(dy, x):
    dx = right(dy, x)
    return dx + array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]])


def slightly_wrong(dy, x):
    return right(dy, x) * (1.0 + 1e-4)


def wrong_second(dy, x):
    """Right values whose own derivative is lost."""
    return (
        dy * ig.Tensor(array_namespace(x).cos(x)).detach()
        if not isinstance(x, ig.Tensor)
        else (dy * array_namespace(x).cos(x.detach()))
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_rules_pass_and_the_error_comes_back(device, order):
    worst = ig.check_gradients(op_with(right), array(X), order=order)
    assert isinstance(worst, float)
    assert 0.0 <= worst < 1e-6


def test_a_wrong_entry_is_found_and_named(device):
    planted = op_with(one_entry_wrong)
    with pytest.raises(GradientCheckError) as error:
        ig.check_gradients(planted, array(X))
    message = str(error.value)
    assert "order 1 of planted" in message
    assert "argument 0, index (1, 2)" in message
    ours, numeric = (
        float(message.split(word)[1].split(",")[0]) for word in ("rule ", "central difference ")
    )
    assert ours - numeric == pytest.approx(0.5, abs=1e-6)


def test_the_argument_is_named(device):
    @ig.differentiable
    def product(a, b):
        return a * b

    product.backward(a=lambda dy, b: dy * b, b=lambda dy, a: dy * a * 1.01)
    with pytest.raises(GradientCheckError, match=r"argument 1, index \(2,\)"):
        ig.check_gradients(product, array([1.0, 2.0, 3.0]), array([4.0, 5.0, 6.0]))


def test_a_small_relative_mistake_is_found(device):
    with pytest.raises(GradientCheckError):
        ig.check_gradients(op_with(slightly_wrong), array(X))


def test_a_mistake_of_order_two_passes_order_one_and_fails_order_two(device):
    planted = op_with(
        lambda dy, x: dy * array_namespace(x).cos(x.detach() if isinstance(x, ig.Tensor) else x)
    )
    ig.check_gradients(planted, array(X), order=1)
    with pytest.raises(GradientCheckError, match="order 2 of planted"):
        ig.check_gradients(planted, array(X), order=2)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_rule_that_gives_nan_or_infinity_fails(bad):
    planted = op_with(lambda dy, x: right(dy, x) + np.array([[0.0, 0.0, 0.0], [0.0, bad, 0.0]]))
    with pytest.raises(GradientCheckError, match=r"index \(1, 1\)"):
        ig.check_gradients(planted, X)


def test_the_worst_entry_is_the_one_that_is_named():
    """NaN is worse than any number."""
    errors = np.array([[0.1, 0.3, 0.2], [0.0, np.nan, 0.5]])
    with pytest.raises(GradientCheckError, match=r"index \(1, 1\)"):
        ig.check_gradients(op_with(lambda dy, x: right(dy, x) + errors), X)
    errors[1, 1] = 0.0
    with pytest.raises(GradientCheckError, match=r"index \(1, 2\)"):
        ig.check_gradients(op_with(lambda dy, x: right(dy, x) + errors), X)


def test_scalars_empty_arrays_and_several_outputs(device):
    ig.check_gradients(lambda x: x * x, array(2.0), order=3)
    ig.check_gradients(lambda x: x * x, array(np.ones((0, 3))), order=2)
    ig.check_gradients(
        lambda x, y: {"a": x * y, "b": (x[0], None)}, array([1.0, 2.0]), array(3.0), order=2
    )


def test_numpy_scalars_are_arrays():
    ig.check_gradients(lambda x: x * x * x, np.float64(2.0), order=2)


def test_lower_precision_is_refused(device):
    for x in (ig.array([1.0], dtype="float32"), ig.array([1], dtype="int64"), 1.0):
        with pytest.raises(DtypeError, match=r"input 1 must be a float64 array, got"):
            ig.check_gradients(lambda x, y: x * y, array([1.0]), x)


def test_the_inputs_are_left_as_they_are(device):
    x = array(X)
    ig.check_gradients(op_with(right), x, order=2)
    np.testing.assert_array_equal(ig.to_numpy(x), X)


def test_a_function_may_close_over_parameters(device):
    """check_gradients(model, x): the gradient with respect to x is itself recorded by weight."""
    weight = ig.Tensor(array(X), requires_grad=True)
    ig.check_gradients(lambda x: array_namespace(weight).tanh(weight * x), array(X), order=2)
    assert weight.grad is None


def test_large_inputs_are_sampled():
    calls = []

    def f(x):
        calls.append(x)
        return x * x

    ig.check_gradients(f, np.linspace(-1.0, 1.0, 1000), max_entries=5)
    assert len(calls) < 20


def test_the_same_seed_checks_the_same_entries():
    x = np.linspace(-1.0, 1.0, 100)
    f = lambda x: array_namespace(x).exp(x)  # noqa: E731
    first, again = (ig.check_gradients(f, x, max_entries=5, seed=3) for _ in range(2))
    assert first == again


def test_large_values_are_compared_on_their_own_scale(device):
    ig.check_gradients(lambda x: x * x * x, array([1e4, 2e4]), order=2)
