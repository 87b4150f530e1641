"""A Python number that was read off a recorded Tensor is not taken for a constant in silence."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend.errors import NotRecordedError

X = np.asarray([1.0, 2.0])


def total(x):
    return x.__array_namespace__().sum(x)


@pytest.mark.parametrize(
    "number",
    [lambda x: float(total(x)), lambda x: total(x).item(), lambda x: np.float64(float(total(x)))],
    ids=["float", "item", "numpy.float64"],
)
def test_a_result_that_was_read_as_a_number_is_refused(number):
    with pytest.raises(NotRecordedError, match=r"returned a Python number .* has_aux=True"):
        ig.grad(number)(X)
    with pytest.raises(NotRecordedError):
        ig.vjp(lambda x: {"loss": number(x)}, X)


def test_complex_is_a_number_too():
    with pytest.raises(NotRecordedError):
        ig.vjp(lambda z: complex(total(z)), np.asarray([1.0 + 2.0j]))


def test_a_number_of_an_inner_derivative_is_refused_by_the_outer_one():
    with pytest.raises(NotRecordedError):
        ig.grad(lambda x: float(total(ig.grad(lambda z: total(z * z))(x))))(X)


def test_a_constant_result_has_gradient_zero():
    assert np.array_equal(ig.grad(lambda x: 3.0)(X), [0.0, 0.0])


def test_numbers_may_be_read_on_the_way():
    def f(x):
        scale = float(total(x))
        return total(x * x) * (2.0 if scale > 0.0 else 1.0)

    assert np.array_equal(ig.grad(f)(X), 4.0 * X)


def test_numbers_for_a_log_come_along_as_aux():
    gradient, aux = ig.grad(lambda x: (total(x * x), float(total(x))), has_aux=True)(X)
    assert np.array_equal(gradient, 2.0 * X)
    assert aux == 3.0


def test_a_number_read_in_one_derivative_does_not_trouble_the_next():
    with pytest.raises(NotRecordedError):
        ig.grad(lambda x: float(total(x)))(X)
    assert np.array_equal(ig.grad(lambda x: 3.0)(X), [0.0, 0.0])


def test_numbers_of_outer_tensors_are_constants_of_an_inner_derivative():
    leaf = ig.Tensor(X, requires_grad=True)
    gradient = ig.grad(lambda x: float(total(leaf)))(X)
    assert np.array_equal(gradient, [0.0, 0.0])
