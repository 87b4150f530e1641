"""xp.linalg's factorizations: derivatives, gauges, equal values, and torch's complex gradients."""

import numpy as np
import pytest
from matrices import (
    check,
    check_complex,
    drawn,
    hermitian,
    hermitian_part,
    namespace,
    positive_definite,
    regular,
)
from numpy.testing import assert_allclose

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError


def projections(vectors):
    """v v^H of every column: what does not depend on the phases that a library chooses."""
    return [
        vectors[..., :, i : i + 1] @ hermitian(vectors[..., :, i : i + 1])
        for i in range(vectors.shape[-1])
    ]


def of_eigh(la, x):
    values, vectors = la.eigh(hermitian_part(x))
    return [values, *projections(vectors)]


def of_eig(la, x):
    values, vectors = la.eig(x)
    return [values, abs(vectors), *projections(vectors)]


def of_svd(la, x, **options):
    u, s, vh = la.svd(x, **options)
    joint = u[..., :, :1] @ vh[..., :1, :]  # the two share their phase
    return [s, joint, *projections(u)[: s.shape[-1]], *projections(hermitian(vh))[: s.shape[-1]]]


def of_complement(la, x):
    """What the further columns of complete factors span, alone."""
    u, s, _ = la.svd(x)
    others = u[..., :, s.shape[-1] :]
    q = la.qr(x, mode="complete").Q[..., :, s.shape[-1] :]
    return [others @ hermitian(others), q @ hermitian(q)]


TALL, WIDE, SQUARE = (2, 4, 3), (2, 3, 4), (2, 3, 3)
FUNCTIONS = {
    "cholesky": (lambda la, x: la.cholesky(positive_definite(x)), SQUARE),
    "cholesky upper": (lambda la, x: la.cholesky(positive_definite(x), upper=True), SQUARE),
    "eigh": (of_eigh, SQUARE),
    "eigvalsh": (lambda la, x: la.eigvalsh(hermitian_part(x)), SQUARE),
    "eig": (of_eig, SQUARE),
    "eigvals": (lambda la, x: la.eigvals(x), SQUARE),
    "svd tall": (lambda la, x: of_svd(la, x, full_matrices=False), TALL),
    "svd wide": (lambda la, x: of_svd(la, x, full_matrices=False), WIDE),
    "svd square": (lambda la, x: of_svd(la, x), SQUARE),
    "svd full tall": (of_svd, TALL),
    "svd full wide": (of_svd, WIDE),
    "svdvals": (lambda la, x: la.svdvals(x), TALL),
    "complement": (of_complement, (5, 3)),
    "qr tall": (lambda la, x: la.qr(x), TALL),
    "qr square": (lambda la, x: la.qr(x), SQUARE),
    "qr wide": (lambda la, x: la.qr(x), WIDE),
    "qr complete": (lambda la, x: la.qr(x, mode="complete").R, TALL),
}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def case(name):
    """(function, its input on the current device)."""
    function, shape = FUNCTIONS[name]
    x = regular(*shape) if shape[-1] == shape[-2] else drawn(*shape)
    return lambda a: function(namespace().linalg, a), x


@each_function
def test_derivatives_agree_with_central_differences(name, device):
    check(*case(name))


@each_function
def test_derivatives_of_complex_matrices_agree_with_central_differences(name):
    check_complex(*case(name))


@pytest.mark.parametrize("name", ["cholesky", "eigh", "svd tall", "qr wide"])
def test_the_forward_derivative_is_the_transpose_of_the_backward_one(name):
    function, x = case(name)
    tangent = drawn(*x.shape, seed=3)
    y, dy = ig.jvp(function, (x,), (tangent,))
    parts, dparts = (list(y), list(dy)) if isinstance(y, list | tuple) else ([y], [dy])
    cotangents = [drawn(*part.shape, seed=9) for part in parts]
    pull = ig.vjp(lambda a: list(function(a)) if len(parts) > 1 else [function(a)], x)[1]
    forward = sum(np.sum(c * d) for c, d in zip(cotangents, dparts, strict=True))
    assert_allclose(np.sum(tangent * pull(cotangents)[0]), forward, rtol=1e-11)


@pytest.mark.parametrize("name", ["cholesky", "eigvals", "svd full tall", "qr complete"])
def test_a_batch_has_the_gradients_of_its_matrices(name):
    xp = namespace()
    function, x = case(name)

    def total(a):
        y = function(a)
        return sum(xp.sum(abs(part) ** 3) for part in (y if isinstance(y, list) else [y]))

    stacked = np.stack([ig.grad(total)(matrix) for matrix in x])
    assert_allclose(ig.grad(total)(x), stacked, rtol=1e-10, atol=1e-12)


# -- torch 2.13.0 on the CPU, of the functions below; complex, so the convention counts ---------

GENERAL = np.asarray([[2 + 1j, 0.5 - 0.5j], [1j, 3 - 1j]])
HERMITIAN = np.asarray([[3, 1 - 1j], [1 + 1j, 4]])
TORCH = {
    "inv": [
        [0.027128027682 - 0.329134948097j, -0.027958477509 - 0.742422145329j],
        [-0.426574394464 - 0.089826989619j, -0.621591695502 - 0.060484429066j],
    ],
    "slogdet": [
        [0.980251769954 + 1.421902046359j, -0.328545436912 + 0.436265735622j],
        [-0.053860149355 - 0.382405586267j, 1.201076908157 + 0.220825138202j],
    ],
    "cholesky": [
        [0.05098215805 + 0.43588233751j, 0.135728660444 - 0.57735026919j],
        [0.866025403784 - 0.152946474151j, 1.09544511501 + 1.09544511501j],
    ],
    "eigh": [
        [0.187891087473, 0.046972771868 - 0.046972771868j],
        [0.046972771868 + 0.046972771868j, -0.187891087473],
    ],
    "eig": [
        [0.215184812373 - 0.348176340282j, 0.265646870417 - 0.183453585953j],
        [-0.041096642232 + 0.686987264753j, -0.215184812373 + 0.348176340282j],
    ],
    "eigvals": [
        [3.82917960675 + 3.535003665687j, -0.894427191 - 0.5527864045j],
        [0.72360679775 - 0.17082039325j, 6.17082039325 + 3.746149283687j],
    ],
    "svd": [
        [-0.123448615206 - 0.019924582168j, 1.430320601812 + 1.117418769452j],
        [1.225294660588 - 0.03021848066j, 0.415421209551 + 1.105674251593j],
    ],
    "qr": [
        [-3.498444358366 - 0.36362257772j, 0.306015768603 - 4.848860311236j],
        [-1.107159556481 + 4.91102155167j, -2.655267162726 - 0.662150711537j],
    ],
    "matrix_norm": [
        [0.904238304853 + 0.409783790685j, 0.077885810117 + 0.09145563685j],
        [-0.084670723484 + 0.085212683997j, 0.933003839861 - 0.339224854448j],
    ],
    "vector_norm": [
        [0.357973426704 + 0.178986713352j, 0.028300284255 - 0.028300284255j],
        [0.080045291625j, 0.759376312522 - 0.253125437507j],
    ],
}


def weighed(y):
    """Sum of w Re(y) + w^T Im(y) with w = [[1, 2], [3, 4]]."""
    xp = array_namespace(y)
    w = np.asarray([[1.0, 2.0], [3.0, 4.0]])
    return xp.sum(xp.real(y) * w) + xp.sum(xp.imag(y) * w.T)


SCALARS = {
    "inv": lambda xp, x: weighed(xp.linalg.inv(x)),
    "slogdet": lambda xp, x: (
        xp.real(xp.linalg.slogdet(x)[0])
        + 2.0 * xp.imag(xp.linalg.slogdet(x)[0])
        + 3.0 * xp.linalg.slogdet(x)[1]
    ),
    "cholesky": lambda xp, x: weighed(xp.linalg.cholesky(x)),
    "eigh": lambda xp, x: xp.sum(abs(xp.linalg.eigh(x)[1]) * np.asarray([[1.0, 2.0], [3.0, 4.0]])),
    "eig": lambda xp, x: xp.sum(abs(xp.linalg.eig(x)[1]) * np.asarray([[1.0], [2.0]])),
    "eigvals": lambda xp, x: xp.sum(
        xp.real(xp.linalg.eigvals(x)) ** 2 + 3.0 * xp.imag(xp.linalg.eigvals(x)) ** 3
    ),
    "svd": lambda xp, x: weighed(xp.linalg.svd(x)[0][:, :1] @ xp.linalg.svd(x)[2][:1, :]),
    "qr": lambda xp, x: weighed(xp.linalg.qr(x)[0]) + weighed(xp.linalg.qr(x)[1]),
    "matrix_norm": lambda xp, x: xp.linalg.matrix_norm(x, ord="nuc"),
    "vector_norm": lambda xp, x: xp.linalg.vector_norm(x, ord=3),
}


@pytest.mark.parametrize("name", TORCH)
def test_gradients_of_complex_matrices_are_those_of_torch(name):
    xp = namespace()
    of_hermitian = name in ("cholesky", "eigh")
    x = HERMITIAN if of_hermitian else GENERAL
    dx = ig.grad(lambda x: SCALARS[name](xp, x))(x)
    expected = np.asarray(TORCH[name])
    if of_hermitian:  # torch leaves the part that no Hermitian matrix sees
        expected = 0.5 * (expected + expected.conj().T)
    assert_allclose(dx, expected, rtol=1e-10, atol=1e-11)


# -- where a derivative is at its limits --------------------------------------------------------


@pytest.mark.parametrize("name", ["eigh", "eigvalsh", "eigvals", "svd", "svdvals"])
def test_equal_values_have_right_gradients(name, device):
    """The trace, or the sum of singular values, of a multiple of the identity has gradient 1."""
    xp = namespace()
    x = ig.array(2.0 * np.eye(3))

    def total(a):
        values = getattr(xp.linalg, name)(a)
        values = values[1 if name == "svd" else 0] if isinstance(values, tuple) else values
        return xp.sum(xp.real(values) if name == "eigvals" else values)

    assert_allclose(ig.to_numpy(ig.grad(total)(x)), np.eye(3), atol=1e-14)


def test_a_space_of_equal_eigenvalues_has_a_derivative_although_its_basis_has_none():
    xp = namespace()
    rotation = np.linalg.qr(drawn(4, 4))[0]
    x = rotation @ np.diag([1.0, 1.0, 3.0, 3.0]) @ rotation.T

    def projection(a):
        lower = xp.linalg.eigh(hermitian_part(a)).eigenvectors[:, :2]
        return lower @ lower.T

    check(projection, x, order=1)


def test_further_vectors_of_a_complete_factor_have_no_derivative_of_their_own():
    xp = namespace()
    x = drawn(5, 3)
    with pytest.raises(NotDifferentiableError, match="arbitrary basis"):
        ig.grad(lambda a: xp.sum(xp.linalg.svd(a).U[:, 3:] ** 3))(x)
    with pytest.raises(NotDifferentiableError, match="arbitrary basis"):
        ig.grad(lambda a: xp.sum(xp.linalg.svd(a).Vh[3:, :] ** 3))(x.T)
    with pytest.raises(NotDifferentiableError, match="mode='reduced'"):
        ig.grad(lambda a: xp.sum(xp.linalg.qr(a, mode="complete").Q ** 3))(x)


def test_a_singular_value_of_zero_has_gradient_zero(device):
    xp = namespace()
    x = ig.array(np.diag([2.0, 0.0]))
    dx = ig.grad(lambda a: xp.sum(xp.linalg.svdvals(a)))(x)
    assert_allclose(ig.to_numpy(dx), np.diag([1.0, 0.0]), atol=1e-15)


def test_the_gradient_at_a_symmetric_matrix_is_symmetric():
    xp = namespace()
    x = positive_definite(drawn(3, 3))
    for f in (xp.linalg.cholesky, xp.linalg.eigvalsh, lambda a: xp.linalg.eigh(a)[1] ** 2):
        dx = ig.grad(lambda a, f=f: xp.sum(f(a) * np.arange(1.0, 4.0)))(x)
        assert_allclose(dx, dx.T, atol=1e-14)


def test_several_results_are_a_named_tuple(device):
    la = namespace().linalg
    x = positive_definite(drawn(3, 3))
    fields = {
        "eigh": ("eigenvalues", "eigenvectors"),
        "eig": ("eigenvalues", "eigenvectors"),
        "qr": ("Q", "R"),
        "slogdet": ("sign", "logabsdet"),
        "svd": ("U", "S", "Vh"),
    }
    for name, names in fields.items():
        for given in (x, ig.Tensor(x), ig.Tensor(x, requires_grad=True)):
            assert getattr(la, name)(given)._fields == names


@pytest.mark.parametrize("name", ["eigh", "svd", "qr", "svdvals"])
def test_matrices_without_elements_have_gradients_without_elements(name):
    xp = namespace()
    for shape in [(0, 3, 3), (2, 0, 0)]:
        f = getattr(xp.linalg, name)

        def total(a, f=f):
            y = f(a)
            return xp.sum(y[0] if isinstance(y, tuple) else y)

        assert ig.grad(total)(np.ones(shape)).shape == shape
