"""grad, value_and_grad, vjp, jvp, hvp, jacobian, hessian: values, structures, agreement, errors."""

from collections import namedtuple

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError, ShapeError

Pair = namedtuple("Pair", "weight bias")


def array(values, dtype="float64"):
    return ig.array(values, dtype=dtype)


def total(x):
    return array_namespace(x).sum(x)


def assert_equal(x, expected, rtol=1e-13):
    np.testing.assert_allclose(ig.to_numpy(x), expected, rtol=rtol, atol=1e-14)


# -- grad and value_and_grad --------------------------------------------------------------------


def test_grad_of_chosen_arguments(device):
    def f(x, y, z):
        xp = array_namespace(x, y, z)
        return xp.sum(xp.add(xp.multiply(x, xp.square(y)), z))

    x, y, z = array([1.0, 2.0]), array([3.0, 4.0]), array([5.0, 6.0])
    assert_equal(ig.grad(f)(x, y, z), [9.0, 16.0])
    assert_equal(ig.grad(f, argnums=1)(x, y, z), [6.0, 16.0])
    assert_equal(ig.grad(f, argnums=-1)(x, y, z), [1.0, 1.0])
    dz, dx = ig.grad(f, argnums=(2, 0))(x, y, z)
    assert_equal(dz, [1.0, 1.0])
    assert_equal(dx, [9.0, 16.0])
    (dx,) = ig.grad(f, argnums=[0])(x, y, z)
    assert_equal(dx, [9.0, 16.0])


def test_value_and_grad_computes_the_function_once(device):
    calls = []

    def f(x):
        calls.append(x)
        return total(x * x)

    value, dx = ig.value_and_grad(f)(array([1.0, 2.0]))
    assert float(value) == 5.0
    assert_equal(dx, [2.0, 4.0])
    assert len(calls) == 1


def test_keyword_arguments_are_handed_through(device):
    def f(x, *, power, shift):
        return total(x**power + shift)

    assert_equal(ig.grad(f)(array([1.0, 2.0]), power=3.0, shift=array([1.0, 1.0])), [3.0, 12.0])


def test_arguments_that_are_not_chosen_may_be_anything(device):
    def f(x, name, flag):
        return total(x * {"two": 2.0}[name]) if flag else None

    assert_equal(ig.grad(f)(array([1.0]), "two", True), [2.0])


def test_has_aux_hands_a_second_value_through(device):
    def f(x):
        y = x * x
        return total(y), {"y": y, "name": "square", "none": None}

    x = array([1.0, 2.0])
    dx, aux = ig.grad(f, has_aux=True)(x)
    assert_equal(dx, [2.0, 4.0])
    assert_equal(aux["y"], [1.0, 4.0])
    assert type(aux["y"]) is type(x)
    assert aux["name"] == "square"
    assert aux["none"] is None
    (value, aux), dx = ig.value_and_grad(f, has_aux=True)(x)
    assert float(value) == 5.0
    assert_equal(aux["y"], [1.0, 4.0])
    assert_equal(dx, [2.0, 4.0])


def test_a_python_number_is_an_input(device):
    dx = ig.grad(lambda x: x * x)(3.0)
    assert float(dx) == 6.0
    assert ig.device_of(dx) == ig.current_device()
    assert float(ig.grad(lambda x, y: y * x, argnums=1)(2.0, array(5.0))) == 2.0


def test_the_function_keeps_its_name_and_docstring():
    def loss(x):
        """The loss."""
        return total(x)

    for transform in (ig.grad, ig.value_and_grad, ig.jacobian, ig.hessian):
        assert transform(loss).__name__ == "loss"
        assert transform(loss).__doc__ == "The loss."


def test_an_op_may_be_differentiated_directly(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    assert_equal(ig.grad(xp.exp)(array(0.5)), np.exp(0.5))
    assert_equal(ig.grad(xp.sum)(array([1.0, 2.0])), [1.0, 1.0])


def test_a_function_that_ignores_its_input_has_zero_gradient(device):
    x = array([[1.0, 2.0]], "float32")
    for constant in (lambda x: array(1.0), lambda x: total(array([1.0])), lambda x: 1.0):
        dx = ig.grad(constant)(x)
        assert dx.shape == (1, 2)
        assert dx.dtype == x.dtype
        assert_equal(dx, [[0.0, 0.0]])


# -- nests --------------------------------------------------------------------------------------


def test_inputs_may_be_nested(device):
    parameters = {
        "layers": [Pair(array([[1.0, 2.0]]), array([3.0])), Pair(array([4.0]), None)],
        "scale": (array(2.0),),
    }

    def f(p):
        first, second = p["layers"]
        assert isinstance(first, Pair)
        assert second.bias is None
        return p["scale"][0] * (
            total(first.weight * first.weight) + total(first.bias) * second.weight[0]
        )

    d = ig.grad(f)(parameters)
    assert_equal(d["layers"][0].weight, [[4.0, 8.0]])
    assert_equal(d["layers"][0].bias, [8.0])
    assert_equal(d["layers"][1].weight, [6.0])
    assert d["layers"][1].bias is None
    assert isinstance(d["layers"][0], Pair)
    assert isinstance(d["scale"], tuple)
    assert_equal(d["scale"][0], 5.0 + 12.0)
    assert list(d) == ["layers", "scale"]


def test_outputs_may_be_nested(device):
    x = array([1.0, 2.0])
    y, pull = ig.vjp(lambda x: {"a": x * 2.0, "b": (x * x, None), "c": [array([1.0])]}, x)
    assert_equal(y["a"], [2.0, 4.0])
    assert y["b"][1] is None
    dy = {"a": array([1.0, 1.0]), "b": (array([1.0, 10.0]), None), "c": [array([7.0])]}
    (dx,) = pull(dy)
    assert_equal(dx, [4.0, 42.0])


def test_one_output_may_stand_at_two_places(device):
    def f(x):
        y = x * 3.0
        return y, y, x

    _, pull = ig.vjp(f, array(1.0))
    (dx,) = pull((array(1.0), array(10.0), array(100.0)))
    assert float(dx) == 133.0


# -- vjp, jvp, hvp, jacobian, hessian -----------------------------------------------------------


def smooth(x):
    """A function from (2, 3) to (2, 2) that mixes all elements."""
    xp = array_namespace(x)
    weights = array([[0.3, -0.2], [0.8, 0.5], [-0.6, 1.1]])
    return xp.tanh(x @ weights) * xp.mean(x, axis=-1, keepdims=True) + xp.exp(x[0, :2])


POINT = np.array([[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]])
DIRECTION = np.array([[1.0, -0.5, 0.25], [0.5, 2.0, -1.0]])


def test_pull_may_be_called_many_times(device):
    _, pull = ig.vjp(lambda x: x * x, array([1.0, 2.0]))
    for factor in (1.0, 2.0, 3.0):
        assert_equal(pull(array([factor, factor]))[0], [2.0 * factor, 4.0 * factor])


def test_pull_takes_a_cotangent_of_another_dtype(device):
    x = array([1.0, 2.0], "float32")
    for f in (lambda x: x, lambda x: x + 1.0, lambda x: x * x):
        (dx,) = ig.vjp(f, x)[1](array([1.0, 1.0]))
        assert dx.dtype == x.dtype


def test_jvp_is_the_jacobian_times_the_tangent(device):
    y, dy = ig.jvp(smooth, (array(POINT),), (array(DIRECTION),))
    jacobian = ig.to_numpy(ig.jacobian(smooth)(array(POINT)))
    assert_equal(y, ig.to_numpy(smooth(array(POINT))))
    assert_equal(dy, np.einsum("abij,ij->ab", jacobian, DIRECTION))


def test_jvp_of_a_basis_vector_is_a_column_of_the_jacobian(device):
    jacobian = ig.to_numpy(ig.jacobian(smooth)(array(POINT)))
    for index in np.ndindex(2, 3):
        basis = np.zeros((2, 3))
        basis[index] = 1.0
        _, dy = ig.jvp(smooth, (array(POINT),), (array(basis),))
        assert_equal(dy, jacobian[(..., *index)])


def test_u_times_jv_is_uj_times_v(device):
    u = np.array([[1.0, -2.0], [0.5, 3.0]])
    _, jv = ig.jvp(smooth, (array(POINT),), (array(DIRECTION),))
    _, pull = ig.vjp(smooth, array(POINT))
    (uj,) = pull(array(u))
    assert (u * ig.to_numpy(jv)).sum() == pytest.approx(
        (ig.to_numpy(uj) * DIRECTION).sum(), rel=1e-13
    )


def test_jvp_of_several_and_nested_inputs(device):
    def f(p, x):
        return {"y": p["w"] * x, "z": (total(x),)}

    y, dy = ig.jvp(
        f,
        ({"w": array([2.0, 3.0])}, array([5.0, 7.0])),
        ({"w": array([1.0, 0.0])}, array([0.0, 1.0])),
    )
    assert_equal(y["y"], [10.0, 21.0])
    assert_equal(dy["y"], [5.0, 3.0])
    assert_equal(dy["z"][0], 1.0)


def test_jvp_of_a_function_that_ignores_its_input_is_zero(device):
    y, dy = ig.jvp(lambda x: array([1.0, 2.0]), (array([3.0]),), (array([1.0]),))
    assert_equal(y, [1.0, 2.0])
    assert_equal(dy, [0.0, 0.0])


def test_jvp_of_jvp_is_the_second_directional_derivative(device):
    def along(x):
        return ig.jvp(smooth, (x,), (array(DIRECTION),))[1]

    _, second = ig.jvp(along, (array(POINT),), (array(DIRECTION),))
    h = 1e-4
    values = [ig.to_numpy(smooth(array(POINT + k * h * DIRECTION))) for k in (-1, 0, 1)]
    numeric = (values[0] - 2.0 * values[1] + values[2]) / h**2
    np.testing.assert_allclose(ig.to_numpy(second), numeric, rtol=1e-5)


def test_hvp_is_the_hessian_times_the_vector(device):
    def f(x):
        y = smooth(x)
        return total(y * y)

    hessian = ig.to_numpy(ig.hessian(f)(array(POINT)))
    (hv,) = ig.hvp(f, (array(POINT),), (array(DIRECTION),))
    np.testing.assert_allclose(hessian, hessian.transpose(2, 3, 0, 1), rtol=1e-12, atol=1e-12)
    assert_equal(hv, np.einsum("abij,ij->ab", hessian, DIRECTION), rtol=1e-12)


def test_hvp_of_several_inputs_has_the_mixed_terms(device):
    """f = x^2 y: the Hessian is ((2y, 2x), (2x, 0))."""
    dx, dy = ig.hvp(lambda x, y: x * x * y, (array(3.0), array(5.0)), (array(1.0), array(10.0)))
    assert (float(dx), float(dy)) == (2.0 * 5.0 + 60.0, 6.0)


def test_hvp_of_a_linear_function_is_zero(device):
    (hv,) = ig.hvp(total, (array([1.0, 2.0]),), (array([1.0, 2.0]),))
    assert_equal(hv, [0.0, 0.0])


@pytest.mark.parametrize(
    ("n", "m"), [((), ()), ((3,), ()), ((), (2,)), ((2, 3), (3, 2)), ((1,), (1, 1))]
)
def test_a_jacobian_has_the_shapes_of_y_and_x(device, n, m):
    weights = np.arange(1.0, 1.0 + np.prod(n, dtype=int) * np.prod(m, dtype=int)).reshape((*m, *n))

    def f(x):
        xp = array_namespace(x)
        axes = len(n)
        products = x * array(weights)
        return xp.sum(products, axis=tuple(range(len(m), len(m) + axes))) if axes else products

    jacobian = ig.jacobian(f)(array(np.ones(n)))
    assert jacobian.shape == (*m, *n)
    assert_equal(jacobian, weights)


@pytest.mark.parametrize(
    ("f", "x", "shape"),
    [
        (lambda x: x * 2.0, (0,), (0, 0)),
        (lambda x: x * 2.0, (2, 0), (2, 0, 2, 0)),
        (total, (0,), (0,)),
        (lambda x: x[:0], (3,), (0, 3)),
    ],
)
def test_a_jacobian_of_no_elements_stays_on_its_device(device, f, x, shape):
    jacobian = ig.jacobian(f)(array(np.ones(x), "float32"))
    assert jacobian.shape == shape
    assert jacobian.dtype == array(1.0, "float32").dtype
    assert ig.device_of(jacobian) == ig.current_device()


def test_a_hessian_of_no_elements_stays_on_its_device(device):
    hessian = ig.hessian(lambda x: total(x * x))(array(np.ones((0, 2))))
    assert hessian.shape == (0, 2, 0, 2)
    assert ig.device_of(hessian) == ig.current_device()


def test_jacobian_and_hessian_of_another_argument(device):
    def f(x, y):
        return y * y * x

    assert_equal(
        ig.jacobian(f, argnums=1)(array([2.0, 3.0]), array([5.0, 7.0])), np.diag([20.0, 42.0])
    )
    assert_equal(
        ig.hessian(lambda x, y: total(f(x, y)), argnums=1)(array([2.0, 3.0]), array([5.0, 7.0])),
        np.diag([4.0, 6.0]),
    )


def test_a_jacobian_is_differentiable(device):
    """The sum of the squared Jacobian of x^2 is 4 x^2."""

    def f(x):
        j = ig.jacobian(lambda x: x * x)(x)
        return total(j * j)

    assert_equal(ig.grad(f)(array([1.0, 3.0])), [8.0, 24.0])


# -- errors -------------------------------------------------------------------------------------


def test_grad_needs_a_scalar(device):
    def losses(x):
        return x * 2.0

    with pytest.raises(
        ShapeError, match=r"losses must return a scalar.*\(2,\).*sum.*vjp or jacobian"
    ):
        ig.grad(losses)(array([1.0, 2.0]))
    for nothing in (lambda x: None, lambda x: (total(x), total(x)), lambda x: "text"):
        with pytest.raises((ShapeError, TypeError)):
            ig.grad(nothing)(array([1.0]))


def test_grad_needs_floating_inputs_and_values(device):
    with pytest.raises(NotDifferentiableError, match=r"floating.*int64.*cast"):
        ig.grad(total)(array([1, 2], "int64"))
    with pytest.raises(NotDifferentiableError, match=r"floating.*int64"):
        ig.grad(lambda x: x * x)(3)
    with pytest.raises(NotDifferentiableError, match=r"real and floating.*int64"):
        ig.grad(lambda x: array(1, "int64"))(array([1.0]))


def test_cotangents_and_tangents_must_fit(device):
    x = array([1.0, 2.0])
    _, pull = ig.vjp(lambda x: (x * 2.0, total(x)), x)
    with pytest.raises(ShapeError, match="2 arrays of y, got 1"):
        pull(x)
    with pytest.raises(ShapeError, match=r"shape of y \(2,\), got \(\)"):
        pull((array(1.0), array(1.0)))
    with pytest.raises(ShapeError, match=r"jvp: tangents.*\[\(2,\)\], got \[\(3,\)\]"):
        ig.jvp(lambda x: x, (x,), (array([1.0, 2.0, 3.0]),))
    with pytest.raises(ShapeError, match="hvp: tangents"):
        ig.hvp(total, (x,), ())


def test_an_exception_of_the_function_comes_through_and_leaves_no_state(device):
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ig.grad(f)(array([1.0]))
    assert_equal(ig.grad(total)(array([1.0])), [1.0])
