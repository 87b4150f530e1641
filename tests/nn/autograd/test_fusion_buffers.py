"""Fused kernels that write gradients of leaves into the leaves' own buffers."""

import numpy as np

import isograd as ig
from isograd.backend import array_namespace
from isograd.kernels.fused import Fused

X = np.array([1.0, -2.0])


def leaf(values):
    return ig.Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def product_op(backward, forward=lambda a, b: a * b, **options):
    @ig.differentiable
    def product(a, b):
        return a * b

    product.backward(a=lambda dy, b: dy * b, b=lambda dy, a: dy * a)
    product.fused_by(numpy=Fused(forward, backward, of=("a", "b"), **options))
    return product


def writing_op(offered):
    def backward(dy, a, b, into):
        offered.append(set(into))
        gradients = []
        for name, other in (("a", b), ("b", a)):
            if name in into:
                into[name][...] = dy * other
                gradients.append(into[name])
            else:
                gradients.append(dy * other)
        return tuple(gradients)

    return product_op(backward)


def with_buffer(values):
    x = leaf(values)
    x._node.buffer = np.full(np.shape(values), np.nan)
    return x


def test_a_kernel_may_write_into_a_leafs_buffer():
    offered = []
    product = writing_op(offered)
    a, b = with_buffer(X), leaf([3.0, 4.0])
    total(product(a, b)).backward()
    assert offered == [{"a"}]
    assert a.grad is a._node.buffer
    np.testing.assert_array_equal(a.grad, [3.0, 4.0])
    np.testing.assert_array_equal(b.grad, X)


def test_a_buffer_that_holds_a_gradient_is_added_to_not_written_over():
    offered = []
    product = writing_op(offered)
    a, b = with_buffer(X), np.array([3.0, 4.0])
    for _ in range(2):
        total(product(a, b)).backward()
    assert offered == [{"a"}, set()]
    assert a.grad is a._node.buffer
    np.testing.assert_array_equal(a.grad, [6.0, 8.0])
    a.grad = None
    total(product(a, b)).backward()
    np.testing.assert_array_equal(a.grad, [3.0, 4.0])


def test_two_uses_of_a_leaf_in_one_pass_are_added_in_its_buffer():
    product = writing_op([])
    three, ten = np.array([3.0, 4.0]), np.array([10.0, 10.0])
    for loss, expected in (
        (lambda a: product(a, three) + product(a, ten), [13.0, 14.0]),
        (lambda a: product(a, three) + product(a, ten) + a, [14.0, 15.0]),
        (lambda a: a + product(a, three) + product(a, ten), [14.0, 15.0]),
    ):
        a = with_buffer(X)
        total(loss(a)).backward()
        np.testing.assert_array_equal(a.grad, expected)


def test_a_leaf_that_is_both_arguments_is_added_in_its_buffer():
    """Its one buffer was offered under two names: the second gradient overwrote the first."""

    def backward(dy, a, b, into):
        da, db = into.get("a", np.empty(2)), into.get("b", np.empty(2))
        da[...] = dy * b
        db[...] = dy * a * 100.0  # no derivative, but different from the first one
        return da, db

    a = with_buffer([3.0, 5.0])
    total(product_op(backward)(a, a)).backward()
    np.testing.assert_array_equal(a.grad, [303.0, 505.0])


def test_gradients_of_plain_rules_reach_the_buffer_too():
    a = with_buffer(X)
    total(a * 3.0 + a).backward()
    assert a.grad is a._node.buffer
    total(a * 2.0).backward()
    np.testing.assert_array_equal(a._node.buffer, [6.0, 6.0])


def test_a_gradient_set_by_hand_is_added_to_in_the_buffer():
    """What the buffer held before was taken for the gradient."""
    a = with_buffer(X)
    total(a * 3.0).backward()
    a.grad = np.array([100.0, 200.0])
    total(a * 3.0).backward()
    np.testing.assert_array_equal(a.grad, [103.0, 203.0])
    assert a.grad is a._node.buffer
