"""checkpoint: the same gradients for less memory and one more forward pass."""

import tracemalloc

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import GraphFreedError, NotDifferentiableError


def array(values):
    return ig.array(values, dtype="float64")


def leaf(values):
    return ig.Tensor(array(values), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


WEIGHT = np.array([[0.5, -0.25], [1.0, 0.75]])
X = np.array([[0.5, 1.0], [-1.0, 0.25], [0.75, -0.5]])


def block(x, weight):
    xp = array_namespace(x, weight)
    return xp.tanh(x @ weight) * xp.exp(x)


def gradients(run):
    """The value, and the gradients of x and of a weight that the function closes over."""
    x, weight = leaf(X), leaf(WEIGHT)
    loss = total(run(lambda x: block(x, weight), x))
    loss.backward()
    return float(loss), ig.to_numpy(x.grad), ig.to_numpy(weight.grad)


def test_gradients_are_those_of_the_plain_function_bit_for_bit(device):
    plain = gradients(lambda f, x: f(x * 2.0) * x)
    checkpointed = gradients(lambda f, x: ig.checkpoint(f, x * 2.0) * x)
    for a, b in zip(plain, checkpointed, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_function_runs_once_more_in_backward(device):
    calls = []

    def f(x):
        calls.append(x)
        return x * x

    loss = total(ig.checkpoint(f, leaf(X)))
    assert len(calls) == 1
    loss.backward()
    assert len(calls) == 2


def test_nested_checkpoints(device):
    plain = gradients(lambda f, x: f(f(f(x))))
    nested = gradients(
        lambda f, x: ig.checkpoint(lambda x: ig.checkpoint(f, ig.checkpoint(f, x)), f(x))
    )
    for a, b in zip(plain, nested, strict=True):
        np.testing.assert_array_equal(a, b)


def test_random_draws_are_repeated_and_the_stream_goes_on():
    def dropout(x):
        return x * (ig.random.default_generator().random((3, 2), dtype="float64") < 0.5)

    def run(keep):
        ig.random.seed(7)
        x = leaf(X)
        y = keep(dropout, x)
        between = ig.random.default_generator().random(3)
        total(y).backward()
        after = ig.random.default_generator().random(3)
        return ig.to_numpy(x.grad), between, after

    for a, b in zip(run(lambda f, x: f(x)), run(ig.checkpoint), strict=True):
        np.testing.assert_array_equal(a, b)


def test_backward_within_no_grad_computes_again_as_it_was(device):
    x = leaf(X)
    loss = total(ig.checkpoint(lambda x: x * x, x))
    with ig.no_grad():
        loss.backward()
    np.testing.assert_array_equal(ig.to_numpy(x.grad), 2.0 * X)


def test_the_current_device_is_that_of_the_forward_pass():
    x = leaf([1.0, 2.0])
    with ig.using("strict:device1"):
        x = ig.Tensor(array([1.0, 2.0]), requires_grad=True)
        loss = total(ig.checkpoint(lambda x: x * array([3.0, 4.0]), x))
    loss.backward()
    np.testing.assert_array_equal(ig.to_numpy(x.grad), [3.0, 4.0])


def test_nothing_is_kept_within_no_grad_or_of_constants(device):
    with ig.no_grad():
        assert not ig.checkpoint(lambda x: x * x, leaf(X)).requires_grad
    assert not ig.checkpoint(lambda x: x * x, ig.Tensor(array(X))).requires_grad
    x = array(X)
    assert type(ig.checkpoint(lambda x: x * x, x)) is type(x)


def test_higher_derivatives(device):
    f = lambda x: ig.checkpoint(lambda x: x * x * x, x)  # noqa: E731
    for expected in (3.0 * 4.0, 6.0 * 2.0, 6.0):
        f = ig.grad(f)
        assert float(f(array(2.0))) == expected


def test_check_gradients_of_a_checkpointed_function(device):
    ig.check_gradients(
        lambda x, weight: ig.checkpoint(block, x, weight), array(X), array(WEIGHT), order=2
    )


def test_directional_derivatives(device):
    f = lambda x: block(x, array(WEIGHT))  # noqa: E731
    plain = ig.jvp(f, (array(X),), (array(X),))
    checkpointed = ig.jvp(lambda x: ig.checkpoint(f, x), (array(X),), (array(X),))
    for a, b in zip(plain, checkpointed, strict=True):
        np.testing.assert_array_equal(ig.to_numpy(a), ig.to_numpy(b))


def test_several_and_nested_inputs(device):
    x, weight = leaf(X), leaf(WEIGHT)
    y = ig.checkpoint(
        lambda p, flag, none: block(p["x"], p["w"][0]), {"x": x, "w": [weight]}, True, None
    )
    total(y).backward()
    _, dx, dweight = gradients(lambda f, x: f(x))
    np.testing.assert_array_equal(ig.to_numpy(x.grad), dx)
    np.testing.assert_array_equal(ig.to_numpy(weight.grad), dweight)


def test_an_input_changed_in_place_afterwards_is_recomputed_as_it_was(device):
    """Saved arrays are not touched by changes in place; the inputs kept here must not be either."""
    x = leaf(X)
    z = x * 1.0
    y = ig.checkpoint(lambda z: z * z, z)
    z *= 100.0
    total(y).backward()
    np.testing.assert_array_equal(ig.to_numpy(x.grad), 2.0 * X)


def test_a_function_that_works_in_place_on_its_input_is_recomputed_from_the_start(device):
    def f(z):
        z += 1.0
        z *= z
        return z

    x = leaf(X)
    loss = total(ig.checkpoint(f, x * 1.0))
    for n_times in (1.0, 2.0):
        loss.backward(retain_graph=True)
        np.testing.assert_allclose(ig.to_numpy(x.grad), n_times * 2.0 * (X + 1.0), rtol=1e-15)


def test_backward_twice_is_refused_unless_retained(device):
    x = leaf(X)
    loss = total(ig.checkpoint(lambda x: x * x, x))
    loss.backward(retain_graph=True)
    loss.backward()
    np.testing.assert_array_equal(ig.to_numpy(x.grad), 4.0 * X)
    with pytest.raises(GraphFreedError):
        loss.backward()


def test_one_array_must_come_out(device):
    with pytest.raises(NotDifferentiableError, match="must return one array, got a tuple"):
        ig.checkpoint(lambda x: (x, x), leaf(X))


def test_an_exception_while_computing_again_leaves_the_stream_as_it_was():
    calls = []

    def f(x):
        calls.append(x)
        if len(calls) == 2:
            ig.random.default_generator().random(5)
            raise KeyError("second time")
        return x * x

    x = leaf(X)
    loss = total(ig.checkpoint(f, x))
    before = ig.random.default_generator().state
    with pytest.raises(KeyError):
        loss.backward()
    assert ig.random.default_generator().state == before
    assert x.grad is None


def test_intermediate_results_are_not_kept():
    size, n_ops = 2**15, 30

    def f(x):
        for _ in range(n_ops):
            x = array_namespace(x).tanh(x)
        return x

    x = leaf(np.linspace(-1.0, 1.0, size))
    kept = []
    for run in (lambda: f(x), lambda: ig.checkpoint(f, x)):
        tracemalloc.start()
        try:
            y = run()
            kept.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        del y
    assert kept[0] > n_ops * size * 8
    assert kept[1] < 2 * size * 8
