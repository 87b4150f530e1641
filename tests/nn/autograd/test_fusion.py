"""Fused kernels under an op: when they run, when they step aside, that derivatives stay right."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace, settings_override
from isograd.backend.errors import DeviceError, StaleArrayError
from isograd.kernels.fused import Fused
from isograd.nn.autograd.tensor import write_in_place


def leaf(values):
    return ig.Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


class Counted:
    """A fused pair for x * x * x, its op, and how often each part of them ran."""

    def __init__(self, rule=True, backward=True, declines=lambda x: False):
        self.counts = {"forward": 0, "backward": 0, "definition": 0, "rule": 0}
        self.declines = declines

        @ig.differentiable
        def cube(x):
            """x * x * x."""
            self.counts["definition"] += 1
            return x * x * x

        if rule:

            @cube.backward
            def _(dy, x):
                self.counts["rule"] += 1
                return dy * (3.0 * x * x)

        self.op = cube
        cube.fused_by(numpy=Fused(self.forward, self.backward if backward else None))

    def forward(self, x):
        assert isinstance(x, np.ndarray | np.generic)
        if self.declines(x):
            return NotImplemented
        self.counts["forward"] += 1
        return x**3

    def backward(self, dy, x):
        assert isinstance(dy, np.ndarray | np.generic)
        self.counts["backward"] += 1
        return (dy * 3.0 * x**2,)

    def ran(self):
        """The parts that ran since the last call."""
        names = {name for name, count in self.counts.items() if count}
        self.counts.update(dict.fromkeys(self.counts, 0))
        return names


X = np.array([1.0, -2.0])


@pytest.mark.parametrize("rule", [True, False], ids=["rule", "composition"])
def test_the_kernels_run_for_plain_and_recorded_arrays(rule):
    cube = Counted(rule)
    np.testing.assert_array_equal(cube.op(X), X**3)
    np.testing.assert_array_equal(cube.op(ig.Tensor(X)).data, X**3)
    assert cube.ran() == {"forward"}
    x = leaf(X)
    total(cube.op(x)).backward()
    assert cube.ran() == {"forward", "backward"}
    np.testing.assert_array_equal(x.grad, 3.0 * X**2)


@pytest.mark.parametrize("rule", [True, False], ids=["rule", "composition"])
def test_a_declined_call_falls_back_to_the_definition(rule):
    cube = Counted(rule, declines=lambda x: x.ndim == 1)
    np.testing.assert_array_equal(cube.op(X), X**3)
    x = leaf(X)
    total(cube.op(x)).backward()
    np.testing.assert_array_equal(x.grad, 3.0 * X**2)
    assert cube.ran() == {"definition"} | ({"rule"} if rule else set())
    cube.op(np.ones((2, 2)))
    assert cube.ran() == {"forward"}


def test_a_pair_without_backward_uses_the_ops_own_rule():
    cube = Counted(backward=False)
    x = leaf(X)
    total(cube.op(x)).backward()
    np.testing.assert_array_equal(x.grad, 3.0 * X**2)
    assert cube.ran() == {"forward", "rule"}


def test_a_pair_without_backward_on_a_composition_differentiates_the_definition():
    cube = Counted(rule=False, backward=False)
    x = leaf(X)
    total(cube.op(x)).backward()
    np.testing.assert_array_equal(x.grad, 3.0 * X**2)
    assert cube.ran() == {"definition"}


def test_other_libraries_run_the_definition(device):
    cube = Counted()
    x = ig.Tensor(ig.array(X, dtype="float64"), requires_grad=True)
    total(cube.op(x)).backward()
    np.testing.assert_array_equal(ig.to_numpy(x.grad), 3.0 * X**2)
    on_numpy = ig.current_device().library.name == "numpy"
    assert cube.ran() == ({"forward", "backward"} if on_numpy else {"definition", "rule"})


@pytest.mark.parametrize("rule", [True, False], ids=["rule", "composition"])
def test_kernels_can_be_switched_off_and_on_at_any_time(rule):
    """What an op remembers about a type must not outlive the switch, in either direction."""
    cube = Counted(rule)
    definition = {"definition", "rule"} if rule else {"definition"}
    for _ in range(2):
        for disabled in (False, True):
            with settings_override(disable_kernels=disabled):
                cube.op(X)
                assert cube.ran() == ({"definition"} if disabled else {"forward"})
                total(cube.op(leaf(X))).backward()
                assert cube.ran() == (definition if disabled else {"forward", "backward"})


def test_a_graph_that_kernels_recorded_is_walked_by_them_when_switched_off_later():
    cube = Counted()
    x = leaf(X)
    loss = total(cube.op(x))
    with settings_override(disable_kernels=True):
        loss.backward()
    np.testing.assert_array_equal(x.grad, 3.0 * X**2)


def test_a_pair_attached_later_is_used():
    cube = Counted()
    cube.op(X)
    cube.op(leaf(X))
    other = Counted()
    cube.op.fused_by(numpy=Fused(other.forward, other.backward))
    total(cube.op(leaf(X))).backward()
    cube.op(X)
    assert other.ran() == {"forward", "backward"}


# -- higher orders ------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [True, False], ids=["rule", "composition"])
def test_higher_derivatives_through_a_fused_op(rule):
    cube = Counted(rule)
    f = lambda x: cube.op(x)  # noqa: E731
    for expected in (3.0 * 4.0, 6.0 * 2.0, 6.0, 0.0):
        f = ig.grad(f)
        assert float(f(np.float64(2.0))) == expected


@pytest.mark.parametrize("rule", [True, False], ids=["rule", "composition"])
def test_forward_and_second_directional_derivatives_through_a_fused_op(rule):
    """jvp differentiates the backward pass in dy: the kernel cannot serve, the rule must."""
    cube = Counted(rule)
    v = np.array([1.0, 0.5])
    y, dy = ig.jvp(cube.op, (X,), (v,))
    np.testing.assert_allclose(y, X**3)
    np.testing.assert_allclose(dy, 3.0 * X**2 * v)
    (hv,) = ig.hvp(lambda x: total(cube.op(x)), (X,), (v,))
    np.testing.assert_allclose(hv, 6.0 * X * v)
    _, second = ig.jvp(lambda x: ig.jvp(cube.op, (x,), (v,))[1], (X,), (v,))
    np.testing.assert_allclose(second, 6.0 * X * v * v)


@pytest.mark.parametrize("rule", [True, False], ids=["rule", "composition"])
def test_a_gradient_penalty_through_a_fused_op(rule):
    cube = Counted(rule)
    w = leaf(X)
    dx = ig.grad(lambda x: total(cube.op(x * w)))(np.ones(2))  # 3 w^3
    total(dx).backward()
    np.testing.assert_allclose(w.grad, 9.0 * X**2)


# -- saved, needs, into -------------------------------------------------------------------------


def product_op(backward, forward=lambda a, b: a * b, **options):
    @ig.differentiable
    def product(a, b):
        return a * b

    product.backward(a=lambda dy, b: dy * b, b=lambda dy, a: dy * a)
    product.fused_by(numpy=Fused(forward, backward, of=("a", "b"), **options))
    return product


def test_what_the_forward_kernel_saves_comes_back():
    saved_arrays = []

    def forward(a, b):
        return a * b, (a + 0.0, "anything")

    def backward(dy, saved, b, y):
        saved_arrays.append(saved)
        return dy * b, dy * saved[0]

    product = product_op(backward, forward, saves=True)
    np.testing.assert_array_equal(product(X, X), X * X)
    a, b = leaf(X), leaf([3.0, 4.0])
    total(product(a, b)).backward()
    np.testing.assert_array_equal(a.grad, [3.0, 4.0])
    np.testing.assert_array_equal(b.grad, X)
    assert saved_arrays[0][1] == "anything"


def test_a_kernel_for_inference_runs_where_nothing_is_recorded():
    def forward(a, b):
        return a * b, a + b

    def inference(a, b):
        return NotImplemented if a.size == 1 else a * b + 1.0

    def backward(dy, saved):
        return dy * saved, None

    product = product_op(backward, forward, saves=True, inference=inference)
    np.testing.assert_array_equal(product(X, X), X * X + 1.0)
    np.testing.assert_array_equal(product(ig.Tensor(X), X).data, X * X + 1.0)
    np.testing.assert_array_equal(product(X[:1], X[:1]), X[:1] * X[:1])
    a = leaf(X)
    y = product(a, X)
    np.testing.assert_array_equal(y.data, X * X)
    total(y).backward()
    np.testing.assert_array_equal(a.grad, X + X)


def test_a_kernel_is_told_which_gradients_are_wanted():
    seen = []

    def backward(dy, a, b, needs):
        seen.append(needs)
        return (dy * b if "a" in needs else None), (dy * a if "b" in needs else None)

    product = product_op(backward)
    a = leaf(X)
    total(product(a, np.array([3.0, 4.0]))).backward()
    total(product(X, leaf(X))).backward()
    total(product(leaf(X), leaf(X))).backward()
    assert seen == [{"a"}, {"b"}, {"a", "b"}]
    np.testing.assert_array_equal(a.grad, [3.0, 4.0])


def test_an_argument_for_which_the_kernel_has_no_gradient_gets_it_from_the_op():
    def product(a, b):
        return a * b

    product = ig.differentiable(product)
    product.fused_by(numpy=Fused(lambda a, b: a * b, lambda dy, b: (dy * b,), of=("a",)))
    a, b = leaf(X), leaf([3.0, 4.0])
    total(product(a, b)).backward()
    np.testing.assert_array_equal(a.grad, [3.0, 4.0])
    np.testing.assert_array_equal(b.grad, X)


# -- arguments ----------------------------------------------------------------------------------


def test_a_number_may_come_before_the_array():
    """The kernels are found by the library of the first array, not of the first argument."""

    @ig.differentiable
    def scaled(factor, x):
        return factor * x

    scaled.backward(x=lambda dy, factor: dy * factor)
    counts = []
    scaled.fused_by(
        numpy=Fused(
            lambda factor, x: counts.append("forward") or factor * x,
            lambda dy, factor: (counts.append("backward") or dy * factor,),
        )
    )
    np.testing.assert_array_equal(scaled(2.0, X), 2.0 * X)
    x = leaf(X)
    total(scaled(2.0, x)).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])
    assert counts == ["forward", "forward", "backward"]


def test_a_broadcast_input_gets_its_gradient_in_its_own_shape():
    product = product_op(lambda dy, a, b: (dy * b, dy * a))
    a, b = leaf([[1.0], [2.0]]), leaf([3.0, 4.0, 5.0])
    total(product(a, b)).backward()
    np.testing.assert_array_equal(a.grad, [[12.0], [12.0]])
    np.testing.assert_array_equal(b.grad, [3.0, 3.0, 3.0])


def test_arrays_of_two_devices_do_not_reach_a_kernel():
    """NumPy would convert the other library's array in silence."""
    product = product_op(lambda dy, a, b: (dy * b, dy * a))
    other = ig.array([1.0, 2.0], dtype="float64", device="strict")
    for a in (X, leaf(X), ig.Tensor(X)):
        product(a, a)
        with pytest.raises(DeviceError, match=r"product.*cpu and strict:cpu"):
            product(a, other)


def test_a_changed_parameter_is_found_under_a_kernel_too():
    product = product_op(lambda dy, a, b: (dy * b, dy * a))
    a, b = leaf(X), leaf(X)
    loss = total(product(a, b))
    write_in_place(b, np.zeros(2))
    with pytest.raises(StaleArrayError, match="product"):
        loss.backward()


def test_a_fused_op_frees_what_it_saved():
    cube = Counted()
    loss = total(cube.op(leaf(X)))
    loss.backward()
    with pytest.raises(ig.errors.GraphFreedError):
        loss.backward()
