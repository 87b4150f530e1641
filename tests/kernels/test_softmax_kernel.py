"""The NumPy kernels of softmax and log_softmax against their definitions."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance
from isograd.kernels.threads import threads

OPS = {"softmax": nn.softmax, "log_softmax": nn.log_softmax}
CASES = [
    ((7,), -1),
    ((5, 9), 1),
    ((5, 9), 0),
    ((2, 3, 4), -1),
    ((2, 3, 4), 1),
    ((3, 400), -1),
    ((2, 5000), -1),
]


def y_and_dx(op, x, dy, axis):
    tensor = ig.Tensor(x, requires_grad=True)
    y = op(tensor, axis=axis)
    y.backward(dy)
    return y.data, tensor.grad


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "axis"), CASES)
@pytest.mark.parametrize("name", OPS)
def test_the_kernel_agrees_with_the_definition(name, shape, axis, dtype):
    random = np.random.RandomState(2)
    x, dy = (random.randn(*shape).astype(dtype) for _ in range(2))
    before = x.copy(), dy.copy()
    found = y_and_dx(OPS[name], x, dy, axis)
    with settings_override(disable_kernels=True):
        expected = y_and_dx(OPS[name], x, dy, axis)
    bounds = tolerance(dtype)
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=bounds.rtol, atol=bounds.atol)
    assert np.array_equal(x, before[0])
    assert np.array_equal(dy, before[1])


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", OPS)
def test_transposed_and_broadcast_arrays_are_served(name):
    random = np.random.RandomState(3)
    x, dy = random.randn(9, 5).T, np.broadcast_to(random.randn(9), (5, 9))
    found = y_and_dx(OPS[name], x, dy, -1)
    expected = y_and_dx(OPS[name], x.copy(), dy.copy(), -1)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-15)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", OPS)
def test_huge_differences_neither_overflow_nor_give_nan(name):
    x = np.array([[1e30, 0.0, -1e30]], np.float32)
    y, dx = y_and_dx(OPS[name], x, np.ones_like(x), -1)
    assert not np.any(np.isnan(y))
    assert not np.any(np.isnan(dx))


@pytest.mark.parametrize("name", OPS)
def test_half_precision_is_left_to_the_definition(name):
    x = np.array([[1.0, 2.0]], np.float16)
    assert OPS[name]._fused["numpy"].forward(x) is NotImplemented
    assert OPS[name](x).dtype == np.float16


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", OPS)
def test_infinities_and_nan_are_the_definitions(name):
    rows = [[0.0, -np.inf, 1.0], [np.inf, 0.0, 1.0], [-np.inf] * 3, [0.0, np.nan, 1.0]]
    x = np.array(rows, np.float32)
    with np.errstate(invalid="ignore"):
        found = OPS[name](x)
        with settings_override(disable_kernels=True):
            expected = OPS[name](x)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("name", OPS)
def test_the_number_of_threads_changes_no_bit(name):
    random = np.random.RandomState(5)
    x, dy = (random.randn(300, 900).astype("float32") for _ in range(2))
    found = []
    for n in (1, 2, 3):
        with threads(n):
            found.append(y_and_dx(OPS[name], x, dy, -1))
    for more in found[1:]:
        for one, other in zip(found[0], more, strict=True):
            assert np.array_equal(one, other)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (40, 5000)])
def test_cross_entropy_agrees_with_its_definition_in_float64(shape, reduction):
    random = np.random.RandomState(6)
    logits = random.randn(*shape) * 5.0 + 100.0
    labels = random.randint(0, shape[1], shape[0])
    found = loss_and_dlogits(logits.astype("float32"), labels, reduction)
    with settings_override(disable_kernels=True):
        given = logits.astype("float32").astype("float64")
        expected = loss_and_dlogits(given, labels, reduction)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_takes_transposed_logits(dtype):
    logits = np.random.RandomState(7).randn(5, 4).astype(dtype).T
    labels = np.array([0, 4, 2, 2])
    found = loss_and_dlogits(logits, labels, "mean")
    expected = loss_and_dlogits(logits.copy(order="C"), labels, "mean")
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def loss_and_dlogits(logits, labels, reduction):
    tensor = ig.Tensor(logits, requires_grad=True)
    loss = nn.cross_entropy(tensor, labels, reduction=reduction)
    loss.backward(np.ones(loss.shape, logits.dtype))
    return loss.data, tensor.grad


X, ROWS, FIVE = np.ones((4, 6), np.float32), np.ones(4, np.float32), np.ones(5, np.float32)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: f.softmax(X, X[:3], 6), "argument 1 must have 24"),
        (lambda f: f.log_softmax(X, X.copy(), 5), "24 numbers are not rows of 5"),
        (lambda f: f.softmax(X, X.copy(), 0), "rows of 0"),
        (lambda f: f.dsoftmax(X, X[:3], X.copy(), 6), "argument 1 must have 24"),
        (lambda f: f.dlog_softmax(X, X, ROWS, 6), "argument 2 must have 24"),
        (lambda f: f.row_exponentials(X, ROWS, ROWS, ROWS), "argument 1 must have 24"),
        (lambda f: f.row_exponentials(X, X.copy(), ROWS, ROWS[:2]), "argument 3 must have 4"),
        (lambda f: f.row_exponentials(X, X.copy(), FIVE, ROWS), "24 numbers are not 5 rows"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(loops, call, says):
    with pytest.raises(ValueError, match=says):
        call(loops)
