"""xp.linalg but for the factorizations: values, derivatives, and what holds where none exists."""

import math

import numpy as np
import pytest
from matrices import check, check_complex, drawn, namespace, regular
from numpy.testing import assert_allclose

import isograd as ig

EVERY_NORM = (1, -1, 2, -2, math.inf, -math.inf, "fro", "nuc")

# name: (function of (linalg, arrays), shapes; a square shape means matrices far from singular)
FUNCTIONS = {
    "cross": (lambda la, a, b: la.cross(a, b), (2, 3), (1, 3)),
    "outer": (lambda la, a, b: la.outer(a, b), (3,), (2,)),
    "matmul": (lambda la, a, b: la.matmul(a, b), (2, 3), (3, 2)),
    "tensordot": (lambda la, a, b: la.tensordot(a, b, axes=1), (2, 3), (3, 2)),
    "vecdot": (lambda la, a, b: la.vecdot(a, b), (2, 3), (3,)),
    "matrix_transpose": (lambda la, a: la.matrix_transpose(a), (2, 3)),
    "power 3": (lambda la, a: la.matrix_power(a, 3), (2, 3, 3)),
    "power -2": (lambda la, a: la.matrix_power(a, -2), (2, 3, 3)),
    "diagonal of wide ones": (lambda la, a: la.diagonal(a, offset=1), (2, 3, 4)),
    "diagonal of tall ones": (lambda la, a: la.diagonal(a, offset=1), (2, 4, 3)),
    "diagonal below": (lambda la, a: la.diagonal(a, offset=-1), (4, 2)),
    "trace": (lambda la, a: la.trace(a, offset=-1), (2, 4, 3)),
    "inv": (lambda la, a: la.inv(a), (2, 3, 3)),
    "solve": (lambda la, a, b: la.solve(a, b), (2, 3, 3), (3, 2)),
    "solve one matrix": (lambda la, a, b: la.solve(a, b), (3, 3), (2, 3, 2)),
    "solve a vector": (lambda la, a, b: la.solve(a, b), (2, 3, 3), (3,)),
    "det": (lambda la, a: la.det(a), (2, 3, 3)),
    "slogdet": (lambda la, a: la.slogdet(a), (2, 3, 3)),
    "pinv of tall ones": (lambda la, a: la.pinv(a), (2, 4, 3)),
    "pinv of wide ones": (lambda la, a: la.pinv(a, rtol=1e-9), (2, 4)),
    **{
        f"matrix_norm {ord}": (lambda la, a, ord=ord: la.matrix_norm(a, ord=ord), (2, 3, 2))
        for ord in EVERY_NORM
    },
    **{
        f"vector_norm {ord}": (lambda la, a, ord=ord: la.vector_norm(a, ord=ord, axis=1), (2, 3, 2))
        for ord in (1, 2, 3, 1.5, 0.5, -1, math.inf, -math.inf)
    },
    "vector_norm of all": (lambda la, a: la.vector_norm(a), (2, 3)),
    "vector_norm kept": (lambda la, a: la.vector_norm(a, axis=(0, 2), keepdims=True), (2, 3, 2)),
    "matrix_norm kept": (lambda la, a: la.matrix_norm(a, ord=1, keepdims=True), (2, 3, 2)),
}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def case(name):
    """(function, inputs on the current device)."""
    function, *shapes = FUNCTIONS[name]
    square = [len(shape) > 1 and shape[-1] == shape[-2] for shape in shapes]
    inputs = [
        regular(*shape, seed=i) if is_square else drawn(*shape, seed=i)
        for i, (shape, is_square) in enumerate(zip(shapes, square, strict=True))
    ]
    return lambda *arrays: function(namespace().linalg, *arrays), inputs


@each_function
def test_derivatives_agree_with_central_differences(name, device):
    function, inputs = case(name)
    check(function, *inputs)


@each_function
def test_derivatives_of_complex_arrays_agree_with_central_differences(name):
    function, inputs = case(name)
    check_complex(function, *inputs)


@each_function
def test_the_forward_derivative_is_the_transpose_of_the_backward_one(name):
    function, inputs = case(name)
    tangents = [drawn(*x.shape, seed=i + 3) for i, x in enumerate(inputs)]
    y, dy = ig.jvp(function, inputs, tangents)
    several = isinstance(y, tuple)
    cotangents = [drawn(*part.shape, seed=9) for part in (y if several else [y])]
    dxs = ig.vjp(function, *inputs)[1](type(y)(*cotangents) if several else cotangents[0])
    forward = sum(np.sum(c * d) for c, d in zip(cotangents, dy if several else [dy], strict=True))
    backward = sum(np.sum(v * dx) for v, dx in zip(tangents, dxs, strict=True))
    assert_allclose(forward, backward, rtol=1e-12)


@pytest.mark.parametrize(
    "name", ["inv", "det", "slogdet", "power 3", "pinv of tall ones", "matrix_norm nuc"]
)
def test_a_batch_has_the_gradients_of_its_matrices(name):
    xp = namespace()
    function, (x,) = case(name)

    def total(a):
        y = function(a)
        return xp.sum((y[-1] if isinstance(y, tuple) else y) ** 2)

    stacked = np.stack([ig.grad(total)(matrix) for matrix in x])
    assert_allclose(ig.grad(total)(x), stacked, rtol=1e-12, atol=1e-13)


# -- where a derivative is at its limits --------------------------------------------------------


def test_norms_have_gradient_zero_at_zero(device):
    xp = namespace()
    zero = ig.array(np.zeros((2, 3)))
    for ord in (0, 0.5, 1, 2, 3, math.inf):
        dx = ig.grad(lambda x, ord=ord: xp.linalg.vector_norm(x, ord=ord))(zero)
        assert_allclose(ig.to_numpy(dx), 0.0)
    for ord in EVERY_NORM:
        dx = ig.grad(lambda x, ord=ord: xp.linalg.matrix_norm(x, ord=ord))(zero)
        assert_allclose(ig.to_numpy(dx), 0.0)


def test_the_gradient_of_a_norm_is_right_beside_a_zero_vector(device):
    xp = namespace()
    x = ig.array(np.asarray([[0.0, 0.0], [3.0, 4.0]]))
    dx = ig.grad(lambda x: xp.sum(xp.linalg.vector_norm(x, axis=-1)))(x)
    assert_allclose(ig.to_numpy(dx), [[0.0, 0.0], [0.6, 0.8]])


def test_the_largest_elements_share_the_gradient_of_the_maximum_norm(device):
    xp = namespace()
    x = ig.array(np.asarray([2.0, -2.0, 1.0]))
    dx = ig.grad(lambda x: xp.linalg.vector_norm(x, ord=math.inf))(x)
    assert_allclose(ig.to_numpy(dx), [0.5, -0.5, 0.0])


@pytest.mark.parametrize(
    ("matrix", "cofactors"),
    [
        ([[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        ([[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [-1.0, 0.0]]),
        ([[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]),
        ([[0.0]], [[1.0]]),
    ],
)
def test_a_singular_matrix_has_its_cofactors_as_gradient_of_det(matrix, cofactors, device):
    xp = namespace()
    x = ig.array(np.asarray(matrix))
    dx = ig.grad(lambda x: xp.linalg.det(x))(x)
    assert_allclose(ig.to_numpy(dx), cofactors, atol=1e-6)  # half of the digits, as documented


def test_det_has_its_second_derivatives_where_singular_values_are_equal():
    xp = namespace()
    ig.check_gradients(lambda x: xp.linalg.det(x), np.eye(3), order=2)


def test_a_singular_matrix_of_a_batch_keeps_a_zero_cotangent_zero(device):
    xp = namespace()
    x = ig.array(np.stack([2.0 * np.eye(2), np.ones((2, 2))]))
    weight = ig.array(np.asarray([1.0, 0.0]))

    def f(x):
        y = xp.linalg.slogdet(x)
        finite = xp.where(y.sign == 0, xp.zeros_like(y.logabsdet), y.logabsdet)
        return xp.sum(finite * weight)

    with np.errstate(divide="ignore"):
        dx = ig.to_numpy(ig.grad(f)(x))
    assert_allclose(dx, np.stack([0.5 * np.eye(2), np.zeros((2, 2))]))


def test_pinv_follows_the_matrices_of_its_rank():
    xp = namespace()
    left, right = drawn(4, 2), drawn(2, 3, seed=1)
    check(lambda a, b: xp.linalg.pinv(a @ b), left, right)


def test_a_diagonal_with_nan_in_its_cotangent_spoils_nothing_beside_it():
    xp = namespace()
    _, pull = ig.vjp(lambda x: xp.linalg.diagonal(x), drawn(2, 3))
    (dx,) = pull(np.asarray([math.nan, 1.0]))
    assert_allclose(dx, [[math.nan, 0.0, 0.0], [0.0, 1.0, 0.0]])


# -- constants and options ----------------------------------------------------------------------


def test_a_rank_is_a_constant_and_rtol_may_be_an_array(device):
    xp = namespace()
    x = ig.Tensor(ig.array(np.diag([1.0, 0.1, 0.0])), requires_grad=True)
    rank = xp.linalg.matrix_rank(x)
    assert not rank.requires_grad
    assert int(rank) == 2
    assert int(xp.linalg.matrix_rank(x, rtol=xp.asarray(0.5))) == 1


def test_pinv_takes_a_recorded_tensor_as_rtol(device):
    xp = namespace()
    x = ig.Tensor(ig.array(np.diag([1.0, 0.1])), requires_grad=True)
    y = xp.linalg.pinv(x, rtol=x[0, 0] / 2.0)
    assert_allclose(ig.to_numpy(y.detach()), np.diag([1.0, 0.0]), atol=1e-15)


def test_power_zero_is_the_identity_and_has_no_gradient(device):
    xp = namespace()
    x = ig.Tensor(regular(2, 3, 3), requires_grad=True)
    y = xp.linalg.matrix_power(x, 0)
    assert_allclose(ig.to_numpy(y.detach()), np.stack([np.eye(3)] * 2))
    assert_allclose(ig.to_numpy(ig.grad(lambda a: xp.sum(xp.linalg.matrix_power(a, 0)))(x.data)), 0)


def test_recorded_values_are_those_of_the_library():
    xp = namespace()
    x = regular(3, 3)
    leaf = ig.Tensor(x, requires_grad=True)
    for ord in EVERY_NORM:
        expected = np.linalg.norm(x, ord=ord)
        assert_allclose(float(xp.linalg.matrix_norm(leaf, ord=ord)), expected, rtol=1e-14)
        assert_allclose(float(xp.linalg.matrix_norm(x, ord=ord)), expected, rtol=1e-14)
    for n in range(-3, 8):
        power = xp.linalg.matrix_power(leaf, n)
        assert_allclose(power.data, np.linalg.matrix_power(x, n), rtol=1e-12, atol=1e-13)
