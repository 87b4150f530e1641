"""Complex numbers: one convention inside, the direction of steepest ascent at the public door."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd.backend import tolerance
from isograd.backend.errors import NotDifferentiableError

A = [[0.3, -0.6, 0.9], [-0.2, 0.5, 1.1]]  # real and imaginary parts, off all branch cuts
B = [[0.8, 0.4, -0.7], [-1.2, 0.6, 0.5]]

HOLOMORPHIC = [
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1", "log"),
    *("log10", "log1p", "log2", "negative", "positive", "reciprocal", "sin", "sinh", "sqrt"),
    *("square", "tan", "tanh"),
]
OTHERS = {
    "abs": lambda xp, z: xp.abs(z) + 0j,
    "sign": lambda xp, z: xp.sign(z),
    "conj": lambda xp, z: z * xp.conj(z) * z,
    "real": lambda xp, z: xp.real(z) * z,
    "imag": lambda xp, z: xp.imag(z) * z,
    "power of a number": lambda xp, z: z**3 + 2.0**z + (1.0 + 1j) ** z,
    "power": lambda xp, z: z ** (z + 1.0),
    "divide": lambda xp, z: (z + 2.0) / z,
    "times a complex number": lambda xp, z: (0.3 - 1j) * z,
    "times a real array": lambda xp, z: xp.real(z) * z * z,
    "where": lambda xp, z: xp.where(xp.real(z) > 0.0, z, z * z),
    "matmul": lambda xp, z: z @ xp.conj(xp.matrix_transpose(z)),
    "vecdot": lambda xp, z: xp.vecdot(z, z * z),
    "tensordot": lambda xp, z: xp.tensordot(z, z, axes=([1], [1])),
    "sum": lambda xp, z: xp.sum(z * z, axis=0),
    "mean": lambda xp, z: xp.mean(z * z, axis=1),
    "prod": lambda xp, z: xp.prod(z, axis=1),
    "cumulative_prod": lambda xp, z: xp.cumulative_prod(z, axis=1),
    "cumulative_sum": lambda xp, z: xp.cumulative_sum(z * z, axis=1),
    "read by key": lambda xp, z: z[0, ...] * z[1, 0:3],
    "concat": lambda xp, z: xp.concat([z, z * z]),
    "take": lambda xp, z: xp.take_along_axis(z, xp.argsort(xp.real(z)), axis=1),
    "astype": lambda xp, z: xp.astype(xp.imag(z), xp.complex128) * z,
    "written by key": lambda xp, z: written(xp, z),
}


def written(xp, z):
    y = xp.zeros_like(z)
    y[0, :] = z[1, :] * z[0, :]
    return y


def array(values, dtype="float64"):
    return ig.array(values, dtype=dtype)


@pytest.fixture
def xp(device):
    return ig.wrap_namespace(ig.current_device().xp)


@pytest.fixture
def z(device):
    return array((np.array(A) + 1j * np.array(B)).tolist(), "complex128")


def assert_close(actual, expected):
    near = tolerance("float64")
    assert_allclose(ig.to_numpy(actual), ig.to_numpy(expected), near.rtol, near.atol)


# -- every rule ---------------------------------------------------------------------------------


def of_parts(f, xp):
    """f of z = a + ib as a real function of a and b, which central differences can check."""

    def parts(a, b):
        y = f(a + 1j * b)
        return xp.real(y), xp.imag(y)

    return parts


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_a_holomorphic_rule_holds_for_complex_numbers(name, xp):
    f = of_parts(getattr(xp, name), xp)
    ig.check_gradients(f, array(A), array(B), order=2, max_entries=4)


@pytest.mark.parametrize("name", OTHERS)
def test_a_rule_holds_where_parts_and_conjugates_take_part(name, xp):
    f = of_parts(lambda z: OTHERS[name](xp, z), xp)
    ig.check_gradients(f, array(A), array(B), order=2, max_entries=4)


# -- the convention at the door -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        (lambda xp, z: xp.sum(xp.real(z)), lambda z: np.ones_like(z)),
        (lambda xp, z: xp.sum(xp.imag(z)), lambda z: np.full_like(z, 1j)),
        (lambda xp, z: xp.sum(xp.abs(z) ** 2), lambda z: 2 * z),
        (lambda xp, z: xp.sum(xp.abs(z)), lambda z: z / np.abs(z)),
        (lambda xp, z: xp.sum(xp.real(z * z)), lambda z: 2 * z.conj()),
        (lambda xp, z: xp.sum(xp.real(xp.exp(z))), lambda z: np.exp(z).conj()),
    ],
    ids=["real", "imag", "abs squared", "abs", "real of square", "real of exp"],
)
def test_the_gradient_is_the_direction_of_steepest_ascent(f, gradient, xp, z):
    """dL/da + i dL/db, as torch has it; by grad, vjp and backward alike."""
    expected = gradient(ig.to_numpy(z))
    assert_close(ig.grad(lambda z: f(xp, z))(z), array(expected.tolist(), "complex128"))
    _, pull = ig.vjp(lambda z: f(xp, z), z)
    assert_close(pull(array(1.0))[0], array(expected.tolist(), "complex128"))
    leaf = ig.Tensor(z, requires_grad=True)
    f(xp, leaf).backward()
    assert_close(leaf.grad, array(expected.tolist(), "complex128"))


def test_descent_along_the_gradient_finds_a_complex_root(xp):
    z = array([1.0 + 1.0j], "complex128")
    loss = lambda z: xp.sum(xp.abs(z * z + 1.0) ** 2)  # noqa: E731
    for _ in range(100):
        z = z - 0.05 * ig.grad(loss)(z)
    assert_allclose(ig.to_numpy(z), [1j], atol=1e-6)


def test_a_cotangent_is_a_gradient_too(xp, z):
    """With dy = dL/dy in the public form, pull(dy) is dL/dz: the chain rule across two calls."""
    inner = lambda z: z * z * 1j  # noqa: E731
    outer = lambda y: xp.sum(xp.real(xp.exp(y)))  # noqa: E731
    y, pull = ig.vjp(inner, z)
    assert_close(pull(ig.grad(outer)(y))[0], ig.grad(lambda z: outer(inner(z)))(z))
    leaf = ig.Tensor(z, requires_grad=True)
    inner(leaf).backward(ig.grad(outer)(y))
    assert_close(leaf.grad, ig.grad(lambda z: outer(inner(z)))(z))


def test_a_cotangent_of_another_precision_is_cast_and_means_the_same(z):
    leaf = ig.Tensor(z, requires_grad=True)
    dy = array(np.full((2, 3), 1j).tolist(), "complex64")
    (leaf * 1.0).backward(dy)
    assert_array_equal(ig.to_numpy(leaf.grad), np.full((2, 3), 1j))
    assert leaf.grad.dtype == z.dtype


def test_the_rule_called_by_hand_follows_the_convention(xp, z):
    dy = array((1j * np.array(A) + np.array(B)).tolist(), "complex128")
    assert_close(xp.exp.backward(dy, z), ig.vjp(xp.exp, z)[1](dy)[0])
    assert_close(xp.exp.backward(dy, z), dy * ig.current_device().xp.conj(xp.exp(z)))


def test_a_real_input_of_a_complex_result_has_a_real_gradient(xp, z):
    x = array(A)
    (dx,) = ig.vjp(lambda x: x * z, x)[1](z)
    assert dx.dtype == x.dtype
    assert_close(dx, xp.abs(z) ** 2)
    leaf = ig.Tensor(x, requires_grad=True)
    xp.sum(xp.abs(leaf * z) ** 2).backward()
    assert leaf.grad.dtype == x.dtype
    assert_close(leaf.grad, 2.0 * x * xp.abs(z) ** 2)


def test_single_precision_stays_single(xp):
    z = array([1.0 + 2.0j], "complex64")
    x = array([3.0], "float32")
    dz, dx = ig.grad(lambda z, x: xp.sum(xp.abs(z * x)), argnums=(0, 1))(z, x)
    assert dz.dtype == z.dtype
    assert dx.dtype == x.dtype


def test_gradients_of_several_uses_add_up_across_dtypes(xp):
    x = array([2.0])
    dx = ig.grad(lambda x: xp.sum(x * x + xp.real((1.0 + 1j) * x) + xp.abs(1j * x)))(x)
    assert_close(dx, array([6.0]))


# -- directions, second derivatives, jacobians --------------------------------------------------


def test_a_directional_derivative_is_that_of_the_function(xp, z):
    v = array((np.array(B) - 1j * np.array(A)).tolist(), "complex128")
    f = lambda z: xp.conj(z) * xp.exp(z)  # noqa: E731
    y, dy = ig.jvp(f, (z,), (v,))
    h = 1e-6
    numeric = (f(z + h * v) - f(z - h * v)) / (2 * h)
    assert_close(y, f(z))
    assert_allclose(ig.to_numpy(dy), ig.to_numpy(numeric), rtol=1e-8, atol=1e-8)


def test_forward_and_backward_derivatives_are_transposes(xp, z):
    """Re(conj(v) . J u) = Re(conj(J^T v) . u), the inner product of real and imaginary parts."""
    f = lambda z: xp.abs(z) * xp.exp(z)  # noqa: E731
    u, v = xp.exp(z).data if isinstance(xp.exp(z), ig.Tensor) else xp.exp(z), z * z
    _, ju = ig.jvp(f, (z,), (u,))
    (jtv,) = ig.vjp(f, z)[1](v)
    left = np.sum(ig.to_numpy(v).conj() * ig.to_numpy(ju)).real
    right = np.sum(ig.to_numpy(jtv).conj() * ig.to_numpy(u)).real
    assert_allclose(left, right, rtol=1e-12)


def test_a_hessian_vector_product_is_the_change_of_the_gradient(xp, z):
    v = array((np.array(B) - 1j * np.array(A)).tolist(), "complex128")
    loss = lambda z: xp.sum(xp.abs(xp.exp(z * z)))  # noqa: E731
    h = 1e-5
    (product,) = ig.hvp(loss, (z,), (v,))
    numeric = (ig.grad(loss)(z + h * v) - ig.grad(loss)(z - h * v)) / (2 * h)
    assert_allclose(ig.to_numpy(product), ig.to_numpy(numeric), rtol=1e-7, atol=1e-7)


def test_the_jacobian_of_a_holomorphic_function_is_its_derivative(xp):
    z = array([0.5 + 1j, -1.0 + 0.25j], "complex128")
    expected = np.diag(2 * ig.to_numpy(z))
    assert_close(ig.jacobian(lambda z: z * z)(z), array(expected.tolist(), "complex128"))


def test_the_jacobian_of_a_function_that_is_not_is_the_wirtinger_derivative(xp):
    z = array([0.5 + 1j], "complex128")
    assert_close(ig.jacobian(lambda z: xp.conj(z))(z), array([[0j]], "complex128"))
    conjugate = ig.to_numpy(z).conj()[:, None]
    assert_close(
        ig.jacobian(lambda z: z * xp.conj(z))(z), array(conjugate.tolist(), "complex128")
    )


def test_the_jacobian_of_a_complex_function_of_real_numbers_is_complex(xp):
    x = array([0.5, -1.0])
    expected = np.diag(1j * np.exp(1j * ig.to_numpy(x)))
    assert_close(
        ig.jacobian(lambda x: xp.exp(1j * x))(x), array(expected.tolist(), "complex128")
    )


def test_the_jacobian_of_a_real_function_has_gradients_for_rows(xp, z):
    z = z[0, :]
    rows = ig.jacobian(lambda z: xp.abs(z) ** 2)(z)
    assert_close(rows, array(np.diag(2 * ig.to_numpy(z)).tolist(), "complex128"))


def test_a_hessian_wants_real_numbers(z):
    with pytest.raises(NotDifferentiableError, match="hessian: x must be real"):
        ig.hessian(lambda z: abs(z))(z)


# -- what has no gradient -----------------------------------------------------------------------


def test_a_complex_scalar_has_no_gradient_without_a_cotangent(z):
    y = ig.Tensor(z, requires_grad=True)[0, 0]
    with pytest.raises(NotDifferentiableError, match="no one direction of ascent"):
        y.backward()
    with pytest.raises(NotDifferentiableError, match="must be real and floating"):
        ig.grad(lambda z: z[0, 0])(z)


def test_at_zero_size_and_sign_have_slope_zero(xp):
    z = array([0j], "complex128")
    assert_array_equal(ig.to_numpy(ig.grad(lambda z: xp.sum(xp.abs(z)))(z)), [0j])
    assert_array_equal(ig.to_numpy(ig.grad(lambda z: xp.sum(xp.real(xp.sign(z))))(z)), [0j])


def test_the_sign_of_a_real_number_is_a_constant(xp):
    assert not xp.sign(ig.Tensor(array(A), requires_grad=True)).requires_grad


def test_parts_of_real_numbers(device, xp):
    x = ig.Tensor(array(A), requires_grad=True)
    assert_array_equal(ig.to_numpy(xp.conj(x).detach()), A)
    xp.sum(xp.real(x) * 3.0).backward()
    assert_array_equal(ig.to_numpy(x.grad), np.full((2, 3), 3.0))
