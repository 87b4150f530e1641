"""The tape: accumulation, undone broadcasting and promotion, errors of backward(), long chains."""

import threading

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import (
    DeviceError,
    GraphFreedError,
    NotDifferentiableError,
    NotRecordedError,
    ShapeError,
)
from isograd.nn.autograd.tape import sum_to_shape


def leaf(values, dtype="float64"):
    return ig.Tensor(ig.array(values, dtype=dtype), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def assert_grad(tensor, expected):
    np.testing.assert_allclose(ig.to_numpy(tensor.grad), expected, rtol=1e-12)


# -- accumulation -------------------------------------------------------------------------------


def test_contributions_add_up_where_a_value_is_used_twice(device):
    x = leaf([1.0, 2.0, -3.0])
    total(x * x * x + 2.0 * x).backward()
    assert_grad(x, 3.0 * np.array([1.0, 4.0, 9.0]) + 2.0)


def test_contributions_add_up_in_a_diamond(device):
    x = leaf([0.5, -1.0])
    xp = array_namespace(x)
    a = x * 2.0
    left, right = xp.exp(a), a * a
    total(left * right + a).backward()
    a = 2.0 * np.array([0.5, -1.0])
    assert_grad(x, 2.0 * (np.exp(a) * a * a + np.exp(a) * 2.0 * a + 1.0))


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (lambda x: x + x, [2.0, 2.0]),
        (lambda x: x - x, [0.0, 0.0]),
        (lambda x: x * x, [3.0, -4.0]),
        (lambda x: x / x, [0.0, 0.0]),
        (lambda x: x @ x, [3.0, -4.0]),
    ],
)
def test_both_arguments_of_an_op_may_be_the_same_leaf(device, op, expected):
    x = leaf([1.5, -2.0])
    total(op(x)).backward()
    assert_grad(x, expected)


def test_a_node_is_processed_once_and_after_all_its_readers(device):
    calls = []

    @ig.differentiable
    def doubled(x):
        return x * 2.0

    @doubled.backward
    def _(dy):
        calls.append(dy)
        return dy * 2.0

    x = leaf([1.0])
    y = x
    for _ in range(30):
        y = doubled(y) + 0.5 * y  # 2**30 paths lead back to x
    total(y).backward()
    assert len(calls) == 30
    assert_grad(x, [2.5**30])


def test_gradients_of_several_backward_calls_add_up(device):
    x = leaf([1.0, 2.0])
    total(x * 3.0).backward()
    total(x * x).backward()
    assert_grad(x, [5.0, 7.0])


def test_a_leaf_is_its_own_gradient_path(device):
    x = leaf(2.0)
    x.backward()
    assert_grad(x, 1.0)


def test_leaves_that_share_a_cotangent_do_not_share_their_gradients_memory():
    """Else `a.grad *= 0.5` would change b.grad, and the caller's dy."""
    dy, weights = np.ones(2), np.array([5.0, 6.0])
    for expected, walk in (
        (dy, lambda a, b: (a + b).backward(dy)),
        (weights, lambda a, b: total((a + b) * weights).backward()),
        (weights, lambda a, b: total(a * weights + b * weights).backward()),
    ):
        a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
        walk(a, b)
        a.grad *= 5.0
        np.testing.assert_array_equal(b.grad, expected)
    np.testing.assert_array_equal(dy, [1.0, 1.0])
    np.testing.assert_array_equal(weights, [5.0, 6.0])


def test_a_gradient_can_be_written_to():
    """The rule of sum returns a broadcast view, which NumPy makes read-only."""
    x = leaf([1.0, 2.0])
    total(x).backward()
    x.grad *= 2.0
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


# -- what the forward pass broadcast or promoted ------------------------------------------------


@pytest.mark.parametrize("xp", [np, array_api_strict])
@hypothesis_settings(deadline=None, derandomize=True, max_examples=60)
@given(shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3))
def test_broadcasting_is_undone_for_all_pairs_of_shapes(xp, shapes):
    generator = np.random.default_rng(0)
    first, second = (generator.normal(size=shape) for shape in shapes.input_shapes)
    weights = generator.normal(size=shapes.result_shape)
    x1, x2 = (ig.Tensor(xp.asarray(x), requires_grad=True) for x in (first, second))
    total((x1 * x2) * xp.asarray(weights)).backward()
    for x, other in ((x1, second), (x2, first)):
        full = weights * np.broadcast_to(other, weights.shape)
        assert x.grad.shape == x.shape
        expected = np.zeros(x.shape)
        for index in np.ndindex(*full.shape):  # the transpose of broadcasting, element by element
            kept = index[full.ndim - x.ndim :]
            expected[tuple(i if n > 1 else 0 for i, n in zip(kept, x.shape, strict=True))] += full[
                index
            ]
        np.testing.assert_allclose(np.asarray(x.grad), expected, rtol=1e-12, atol=1e-12)


def test_promotion_is_undone(device):
    x = leaf([1.0, 2.0], "float32")
    w = leaf([3.0, 4.0])
    y = x * w
    assert y.dtype == w.dtype
    total(y).backward()
    assert x.grad.dtype == x.dtype
    assert w.grad.dtype == w.dtype
    assert_grad(x, [3.0, 4.0])
    assert_grad(w, [1.0, 2.0])


def test_a_gradient_of_another_dtype_is_cast_to_that_of_the_result(device):
    for path in (lambda x: x + 1.0, lambda x: x):
        x = leaf([1.0, 2.0], "float32")
        path(x).backward(ig.array([1.0, 3.0], dtype="float64"))
        assert x.grad.dtype == x.dtype
        assert_grad(x, [1.0, 3.0])


@pytest.mark.parametrize(
    ("returned", "wanted"),
    [((3,), (2, 3)), ((2,), (3,)), ((4, 3, 2), (2, 3)), ((), (1,)), ((2, 2, 3), (2, 3, 2))],
)
def test_a_rule_that_returns_a_shape_that_cannot_be_summed_is_named(returned, wanted):
    @ig.differentiable
    def crooked(x):
        return x * 1.0

    @crooked.backward
    def _(dy):
        return np.zeros(returned)

    with pytest.raises(ShapeError, match=r"crooked.*must return the shape") as error:
        total(crooked(leaf(np.zeros(wanted)))).backward()
    assert str(wanted) in str(error.value)
    assert str(returned) in str(error.value)


def test_summing_to_a_shape_keeps_axes_of_length_one(device):
    dx = ig.array(np.arange(24.0).reshape(2, 3, 4), dtype="float64")
    summed = sum_to_shape(dx, (3, 1))
    np.testing.assert_array_equal(
        ig.to_numpy(summed), np.arange(24.0).reshape(2, 3, 4).sum(axis=(0, 2))[:, None]
    )


# -- errors of backward() -----------------------------------------------------------------------


def test_backward_twice_says_what_to_do(device):
    x = leaf([1.0, 2.0])
    loss = total(x * x)
    loss.backward()
    with pytest.raises(GraphFreedError, match=r"freed.*retain_graph=True"):
        loss.backward()
    assert_grad(x, [2.0, 4.0])


def test_backward_through_a_part_that_another_loss_has_freed_is_refused(device):
    x = leaf([1.0, 2.0])
    shared = x * x
    total(shared).backward()
    with pytest.raises(GraphFreedError, match="multiply"):
        total(shared * 3.0).backward()
    assert_grad(x, [2.0, 4.0])


def test_a_kept_graph_can_be_walked_again(device):
    x = leaf([1.0, 2.0])
    loss = total(x * x)
    loss.backward(retain_graph=True)
    loss.backward()
    assert_grad(x, [4.0, 8.0])
    with pytest.raises(GraphFreedError):
        loss.backward()


def test_backward_of_a_non_scalar_needs_a_cotangent(device):
    x = leaf([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"shape \(2,\).*scalar.*reduce"):
        (x * 2.0).backward()
    (x * 2.0).backward(ig.array([1.0, 10.0], dtype="float64"))
    assert_grad(x, [2.0, 20.0])


def test_a_cotangent_must_have_the_results_shape(device):
    x = leaf([1.0, 2.0])
    for dy in (ig.array([[1.0, 2.0]], dtype="float64"), ig.array(1.0, dtype="float64"), 1.0):
        with pytest.raises(ShapeError, match=r"dy must have the shape \(2,\), got \("):
            (x * 2.0).backward(dy)
    assert x.grad is None


def test_a_number_is_a_cotangent_of_a_scalar(device):
    x = leaf([1.0, 2.0])
    total(x).backward(3.0)
    assert_grad(x, [3.0, 3.0])


def test_a_cotangent_of_another_library_is_refused():
    """Else the gradient of an addition would be an array of that library."""
    x = leaf([1.0, 2.0])
    with pytest.raises(DeviceError, match=r"backward.*cpu and strict:cpu"):
        (x + 1.0).backward(array_api_strict.ones(2))


def test_backward_needs_a_recording(device):
    constant = ig.Tensor(ig.array([1.0]))
    for tensor in (constant, constant * 2.0, total(constant)):
        with pytest.raises(NotRecordedError, match=r"requires_grad=True.*no_grad"):
            tensor.backward()


def test_backward_inside_a_transform_is_refused(device):
    def f(x):
        (x * x).backward()

    with pytest.raises(NotRecordedError, match=r"inside grad or vjp.*return the value"):
        ig.grad(f)(ig.array(1.0, dtype="float64"))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_only_floating_arrays_can_require_gradients(dtype):
    with pytest.raises(NotDifferentiableError, match=f"floating.*got.*{dtype}.*cast"):
        ig.Tensor(np.ones(2, dtype=dtype), requires_grad=True)


def test_an_error_in_a_rule_leaves_all_gradients_as_they_were(device):
    @ig.differentiable
    def fragile(x):
        return x * 1.0

    @fragile.backward
    def _(dy):
        raise KeyboardInterrupt

    x, w = leaf([1.0]), leaf([2.0])
    loss = total(fragile(x) + w)
    with pytest.raises(KeyboardInterrupt):
        loss.backward()
    assert x.grad is None
    assert w.grad is None


# -- long chains --------------------------------------------------------------------------------


def run_with_small_stack(function, stack_bytes=2**20):
    """function() in a thread whose stack has this size; its exception is raised here."""
    failures = []

    def run():
        try:
            function()
        except BaseException as error:
            failures.append(error)

    before = threading.stack_size(stack_bytes)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("how", ["backward", "backward_retained", "never_walked"])
def test_a_chain_of_100_000_ops_needs_no_deep_stack(how):
    """Forward, backward and destruction: none may recurse, in Python or in C."""
    x = leaf(1.0)

    def run():
        y = x
        for _ in range(100_000):
            y = -y
        if how != "never_walked":
            y.backward(retain_graph=how == "backward_retained")
        del y

    run_with_small_stack(run)
    if how != "never_walked":
        assert x.grad == 1.0
