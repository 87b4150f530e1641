"""Recordings within recordings: each derivative belongs to its own variable."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotRecordedError


def number(value):
    return ig.array(value, dtype="float64")


def leaf(values):
    return ig.Tensor(ig.array(values, dtype="float64"), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def numbers(x):
    return ig.to_numpy(x.detach() if isinstance(x, ig.Tensor) else x)


def derivative(f, order):
    for _ in range(order):
        f = ig.grad(f)
    return f


# -- orders -------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_derivatives_of_a_polynomial_to_order_five(device, order):
    coefficients = np.array([0.5, -2.0, 3.0, 1.0, -0.25])  # of x^4 ... x^0

    def polynomial(x):
        y = 0.0 * x
        for c in coefficients:
            y = y * x + float(c)
        return y

    expected = np.polyval(np.polyder(coefficients, order), 1.5)
    assert float(derivative(polynomial, order)(number(1.5))) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_powers_of_x_times_itself(device, order):
    """x * x * x records the same variable on both sides at every level."""
    expected = {1: 3.0 * 4.0, 2: 6.0 * 2.0, 3: 6.0, 4: 0.0}[order]
    assert float(derivative(lambda x: x * x * x, order)(number(2.0))) == expected


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_a_rule_that_uses_its_output(device, order):
    """exp, tanh and sqrt save y: their second derivative must see that y depends on x."""
    x = 0.75

    def f(x):
        xp = array_namespace(x)
        return xp.exp(2.0 * x) + xp.sqrt(x)

    root = {1: 0.5 * x**-0.5, 2: -0.25 * x**-1.5, 3: 0.375 * x**-2.5, 4: -0.9375 * x**-3.5}[order]
    expected = 2.0**order * np.exp(2.0 * x) + root
    assert float(derivative(f, order)(number(x))) == pytest.approx(expected, rel=1e-13)


def test_mixed_partial_derivatives_agree(device):
    def f(x, y):
        xp = array_namespace(x)
        return xp.sin(x * y) * xp.exp(y)

    x, y = number(0.5), number(1.25)
    xy = ig.grad(lambda y: ig.grad(f, 0)(x, y))(y)
    yx = ig.grad(lambda x: ig.grad(f, 1)(x, y))(x)
    p = 0.5 * 1.25
    expected = np.exp(1.25) * (np.cos(p) - p * np.sin(p) + 1.25 * np.cos(p))
    assert float(xy) == pytest.approx(expected, rel=1e-13)
    assert float(yx) == pytest.approx(expected, rel=1e-13)


# -- perturbation confusion ---------------------------------------------------------------------


def test_an_inner_derivative_is_not_confused_with_the_outer_one(device):
    """Siskind and Pearlmutter 2005: d/dx (x * d/dy (x + y)) is 1, a confused engine says 2."""

    def f(x):
        return x * ig.grad(lambda y: x + y)(number(1.0))

    assert float(ig.grad(f)(number(1.0))) == 1.0


def test_an_inner_derivative_of_a_product_with_the_outer_variable(device):
    def f(x):  # x * d/dy (x y) = x^2
        return x * ig.grad(lambda y: x * y)(number(3.0))

    assert float(ig.grad(f)(number(2.0))) == 4.0
    assert float(ig.grad(ig.grad(f))(number(2.0))) == 2.0


def test_closures_over_variables_of_three_levels(device):
    """d/dx d/dy d/dz (x^2 y^3 z^2) at (2, 3, 5) with each level closing over the outer ones."""

    def f(x):
        def g(y):
            def h(z):
                return x * x * y * y * y * z * z

            return ig.grad(h)(number(5.0))

        return ig.grad(g)(number(3.0))

    assert float(ig.grad(f)(number(2.0))) == 4.0 * 27.0 * 10.0


def test_the_same_point_may_be_the_variable_of_two_levels(device):
    """f(x) = (d/dy y^3 at y = x^2) has the derivative 12 x^3."""
    assert float(
        ig.grad(lambda x: ig.grad(lambda y: y * y * y)(x * x))(number(2.0))
    ) == pytest.approx(96.0)


def test_an_inner_gradient_that_does_not_depend_on_the_outer_variable(device):
    assert float(ig.grad(lambda x: ig.grad(lambda y: 2.0 * y)(x))(number(3.0))) == 0.0


def test_detach_is_a_constant_for_every_level(device):
    """As in torch and JAX: the second derivative of x * detach(x) is 0, not 1."""
    f = lambda x: x * x.detach()  # noqa: E731
    assert float(ig.grad(f)(number(3.0))) == 3.0
    assert float(ig.grad(ig.grad(f))(number(3.0))) == 0.0


def test_what_has_aux_hands_through_keeps_the_outer_recording(device):
    """aux = 3 x was taken off the outer tape too: 3 x came out in place of 6 x."""

    def f(x):
        _, aux = ig.grad(lambda y: (y * y, 3.0 * x), has_aux=True)(number(1.0))
        return x * aux

    def g(x):
        _, aux = ig.grad(lambda y: (y * y, {"y": y * x}), has_aux=True)(1.0 * x)
        return x * aux["y"]

    assert float(ig.grad(f)(number(2.0))) == 12.0
    assert float(ig.grad(g)(number(2.0))) == 12.0


# -- transforms and backward() together ---------------------------------------------------------


def penalized(weight, x):
    """mean((|d model / dx| - 1)^2) of a small model: Gulrajani et al. 2017, equation 3."""

    def model(x):
        xp = array_namespace(x, weight)
        return xp.sum(xp.tanh(x @ weight) ** 2.0)

    dx = ig.grad(model)(x)
    xp = array_namespace(dx)
    return xp.mean((xp.sqrt(xp.sum(dx * dx, axis=-1)) - 1.0) ** 2.0)


def test_a_gradient_penalty_reaches_the_parameters(device):
    """grad inside, loss.backward() outside, against central differences."""
    values = np.array([[0.5, -0.25], [1.0, 0.75], [-0.5, 0.3]])
    x = ig.array([[0.5, 1.0, -1.0], [0.2, -0.4, 0.8]], dtype="float64")
    weight = leaf(values)
    penalized(weight, x).backward()
    for index in np.ndindex(*values.shape):
        losses = []
        for h in (1e-6, -1e-6):
            moved = values.copy()
            moved[index] += h
            losses.append(float(penalized(ig.array(moved, dtype="float64"), x)))
        numeric = (losses[0] - losses[1]) / 2e-6
        assert numbers(weight.grad)[index] == pytest.approx(numeric, rel=1e-6)


def test_grad_at_a_leaf_comes_out_recorded(device):
    x = leaf([1.0, 2.0])
    dx = ig.grad(lambda x: total(x * x * x))(x)
    assert dx.requires_grad
    assert dx.level == 0
    total(dx).backward()
    np.testing.assert_array_equal(numbers(x.grad), [6.0, 12.0])


def test_grad_of_plain_inputs_that_closes_over_a_leaf_comes_out_recorded(device):
    w = leaf([3.0, 4.0])
    dx = ig.grad(lambda x: total(w * x))(ig.array([1.0, 2.0], dtype="float64"))
    total(dx * dx).backward()
    np.testing.assert_array_equal(numbers(w.grad), [6.0, 8.0])


def test_an_inner_transform_leaves_the_outer_gradients_alone(device):
    """grad adds nothing to .grad: only backward() does."""
    w = leaf([3.0, 4.0])
    ig.grad(lambda x: total(w * x))(w)
    assert w.grad is None


def test_a_training_step_inside_a_transform_is_its_own(device):
    """backward() of leaves made inside the function: a level below the transform's."""

    def f(x):
        w = leaf([1.0])
        total(w * w).backward()
        return x * ig.Tensor(w.grad)[0]

    assert float(ig.grad(f)(number(5.0))) == 2.0


def test_vjps_pull_may_be_called_in_another_recording(device):
    """dy^T J is linear in dy: its derivative in dy is J^T."""
    matrix = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    transposed = ig.array(matrix.T, dtype="float64")
    _, pull = ig.vjp(lambda x: x @ transposed, ig.array([1.0, 1.0], dtype="float64"))
    jacobian = ig.jacobian(lambda dy: pull(dy)[0])(ig.array([1.0, 0.0, 0.0], dtype="float64"))
    np.testing.assert_array_equal(numbers(jacobian), matrix.T)


def test_pull_made_inside_a_recording_may_be_called_outside_of_it(device):
    pulls = []

    def f(x):
        y, pull = ig.vjp(lambda z: x * z * z, number(3.0))
        pulls.append(pull)
        return y

    assert float(ig.grad(f)(number(2.0))) == 9.0
    (dz,) = pulls[0](number(1.0))
    assert float(dz) == 2.0 * 2.0 * 3.0


# -- Tensors that leave their function ----------------------------------------------------------


def test_a_leaked_tensor_is_a_constant_of_later_recordings(device):
    leaked = []

    def f(x):
        leaked.append(x * 3.0)
        return x * x

    ig.grad(f)(number(2.0))
    (old,) = leaked
    assert float(old) == 6.0
    assert float(ig.grad(lambda x: x * old * x)(number(5.0))) == 60.0
    assert float(ig.grad(lambda x: old)(number(5.0))) == 0.0
    value, dx = ig.value_and_grad(lambda x: x * old)(number(5.0))
    assert (float(value), float(dx)) == (30.0, 6.0)


def test_a_leaked_tensor_of_a_later_level_is_a_constant_of_the_earlier_one(device):
    def f(x):
        leaked = []
        ig.grad(lambda y: leaked.append(y * x) or y * y)(number(3.0))
        return leaked[0] * x  # y x^2 at y = 3

    assert float(ig.grad(f)(number(2.0))) == 12.0


def test_backward_from_a_leaked_tensor_says_why_it_is_refused(device):
    leaked = []
    ig.grad(lambda x: leaked.append(x) or x * x)(number(2.0))
    with pytest.raises(NotRecordedError, match="inside grad or vjp"):
        (leaked[0] * leaf(3.0)).backward()


# -- plain arrays on the left of a Tensor: some libraries refuse them -----------------------------


def test_a_rule_may_have_what_it_saved_on_the_left_of_dy(device):
    """In jvp dy is a Tensor; the saved plain array must then be one too."""

    @ig.differentiable
    def square(x):
        return x * x

    square.backward(lambda dy, x: x * dy + x * dy)
    _, dy = ig.jvp(square, (number(3.0),), (number(5.0),))
    assert float(dy) == 30.0
    assert float(ig.grad(ig.grad(square))(number(3.0))) == 2.0


def test_a_composition_may_have_a_plain_argument_on_the_left_of_a_recorded_one(device):
    @ig.differentiable
    def product(x, weight):
        return x @ weight

    weight = leaf([[1.0, 2.0], [3.0, 4.0]])
    total(product(ig.array([1.0, 10.0], dtype="float64"), weight)).backward()
    np.testing.assert_array_equal(numbers(weight.grad), [[1.0, 1.0], [10.0, 10.0]])


# -- what comes out -----------------------------------------------------------------------------


def test_plain_arrays_in_plain_arrays_out(device):
    x = ig.array([1.0, 2.0], dtype="float64")
    kind = type(x)
    y, (dx,) = ig.value_and_grad(total)(x), ig.vjp(lambda x: x * 2.0, x)[1](x)
    assert not isinstance(y[0], ig.Tensor)
    for result in (
        y[1],
        dx,
        ig.jvp(lambda x: x * 2.0, (x,), (x,))[1],
        ig.hvp(total, (x,), (x,))[0],
        ig.jacobian(lambda x: x * x)(x),
        ig.hessian(lambda x: total(x * x))(x),
        ig.grad(lambda x: number(1.0))(x),
    ):
        assert type(result) is kind
        assert ig.device_of(result) == ig.current_device()


def test_tensors_in_tensors_out(device):
    """Whatever the rule: sum's hands on the seed, which is a plain array."""
    x = ig.Tensor(ig.array([1.0, 2.0], dtype="float64"))
    for f in (total, lambda x: total(x * x), lambda x: number(1.0), lambda x: total(x + 1.0)):
        value, dx = ig.value_and_grad(f)(x)
        assert isinstance(dx, ig.Tensor)
        assert isinstance(value, ig.Tensor)
        assert not dx.requires_grad
        assert ig.device_of(dx.data) == ig.current_device()
