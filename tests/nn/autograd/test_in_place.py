"""Changes in place: recorded on results, refused on leaves, found if a rule saved the array."""

import operator

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import DtypeError, InPlaceError, ShapeError, StaleArrayError
from isograd.nn.autograd.tensor import write_in_place


def leaf(values, dtype="float64"):
    return ig.Tensor(ig.array(values, dtype=dtype), requires_grad=True)


def constant(values, dtype="float64"):
    return ig.Tensor(ig.array(values, dtype=dtype))


def total(x):
    return array_namespace(x).sum(x)


def numbers(x):
    return ig.to_numpy(x.detach() if isinstance(x, ig.Tensor) else x)


# -- operators ----------------------------------------------------------------------------------

IN_PLACE = {
    "+=": (operator.iadd, lambda x: np.ones_like(x)),
    "-=": (operator.isub, lambda x: np.ones_like(x)),
    "*=": (operator.imul, lambda x: np.full_like(x, 3.0)),
    "/=": (operator.itruediv, lambda x: np.full_like(x, 1 / 3.0)),
    "**=": (operator.ipow, lambda x: 3.0 * x**2),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_changing_a_result_in_place_is_recorded(device, name):
    change, derivative = IN_PLACE[name]
    x = leaf([1.0, -2.0])
    y = x * 1.0
    before = y
    y = change(y, 3.0)
    assert y is before
    total(y).backward()
    np.testing.assert_allclose(numbers(x.grad), derivative(np.array([1.0, -2.0])), rtol=1e-15)


def test_matmul_in_place_is_recorded(device):
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    weights = ig.array([[2.0, 0.0], [1.0, 1.0]], dtype="float64")
    y = x * 1.0
    y @= weights
    total(y).backward()
    np.testing.assert_array_equal(numbers(x.grad), [[2.0, 2.0], [2.0, 2.0]])


def test_a_recorded_value_may_be_added_to_a_constant_in_place(device):
    x = leaf([1.0, 2.0])
    total_so_far = constant([0.0, 0.0])
    for factor in (1.0, 10.0):
        total_so_far += x * factor
    total(total_so_far).backward()
    np.testing.assert_array_equal(numbers(x.grad), [11.0, 11.0])


def test_saved_arrays_are_not_touched_by_changes_in_place(device):
    x = leaf([1.0, 2.0])
    xp = array_namespace(x)
    y = x * 1.0
    z = xp.exp(y)
    square = y * y
    y *= 100.0
    kept = z
    z += 1.0
    total(square + kept).backward()
    np.testing.assert_allclose(numbers(x.grad), [2.0 + np.e, 4.0 + np.exp(2.0)], rtol=1e-14)


def test_the_array_of_a_constant_is_not_written_to_by_changes_in_place():
    data = np.array([1.0, 2.0])
    x = ig.Tensor(data)
    x += 1.0
    x[0] = 7.0
    np.testing.assert_array_equal(data, [1.0, 2.0])
    np.testing.assert_array_equal(x.data, [7.0, 3.0])


def test_a_leaf_refuses_changes_in_place_and_stays_as_it_was(device):
    x = leaf([1.0, 2.0])
    with pytest.raises(InPlaceError, match=r"leaf.*in place.*no_grad.*copy"):
        x += 1.0
    with pytest.raises(InPlaceError, match="leaf"):
        x[0] = 5.0
    np.testing.assert_array_equal(numbers(x), [1.0, 2.0])


def test_a_leaf_changed_within_no_grad_stays_the_same_leaf_in_the_same_memory(device):
    """The hand-written optimizer step; an optimizer's arena must see the new values too."""
    x = leaf([1.0, 2.0])
    memory = x.data
    with ig.no_grad():
        x -= 0.5
        x[0] = 7.0
        x *= leaf([2.0, 2.0])
    assert x.data is memory
    assert x.requires_grad
    np.testing.assert_array_equal(numbers(memory), [14.0, 3.0])
    total(x * 3.0).backward()
    np.testing.assert_array_equal(numbers(x.grad), [3.0, 3.0])


def test_a_leaf_without_axes_can_be_changed_within_no_grad():
    """NumPy's 0-d results are immutable scalars; a parameter must not be one."""
    for data in (np.float64(1.0), 1.0, np.asarray(1.0)):
        x = ig.Tensor(data, requires_grad=True)
        with ig.no_grad():
            x += 1.0
        assert float(x) == 2.0


def test_a_result_changed_within_no_grad_keeps_its_path(device):
    """As in torch: the values change, the derivative does not."""
    x = leaf([1.0, 2.0])
    y = x * 2.0
    with ig.no_grad():
        y *= 3.0
    np.testing.assert_array_equal(numbers(y), [6.0, 12.0])
    total(y * y).backward()
    np.testing.assert_array_equal(numbers(x.grad), [24.0, 48.0])


def test_the_variable_of_a_transform_is_changed_in_a_copy():
    """grad's own input must not be overwritten by a function that works in place."""
    data = np.array([1.0, 2.0])

    def f(x):
        x *= x
        x[0] = 0.0
        return total(x)

    def g(x):
        with ig.no_grad():
            x[0] = 5.0
        return total(x * x)

    np.testing.assert_array_equal(ig.grad(f)(data), [0.0, 4.0])
    np.testing.assert_array_equal(ig.grad(g)(data), [10.0, 4.0])
    np.testing.assert_array_equal(data, [1.0, 2.0])


def test_changes_in_place_keep_shape_and_dtype(device):
    x = constant([1.0, 2.0], "float32")
    x += constant([0.5, 0.5], "float64")
    assert x.dtype == ig.array([1.0]).dtype
    np.testing.assert_array_equal(numbers(x), [1.5, 2.5])
    with pytest.raises(ShapeError, match=r"shape \(2, 2\) must be \(2,\)"):
        x += constant([[1.0, 1.0], [1.0, 1.0]], "float32")
    counts = constant([1, 2], "int64")
    with pytest.raises((DtypeError, TypeError), match=r"int64|dtype"):
        counts += constant([0.5, 0.5], "float64")
    assert counts.dtype == ig.array([1]).dtype


def test_dtype_is_kept_in_place_with_a_gradient(device):
    x = leaf([1.0, 2.0])
    y = constant([0.0, 0.0], "float32")
    y += x * 3.0
    assert y.dtype == ig.array([1.0]).dtype
    total(y).backward()
    assert x.grad.dtype == x.dtype
    np.testing.assert_array_equal(numbers(x.grad), [3.0, 3.0])


def test_a_leaf_takes_no_recorded_value_within_no_grad():
    """An inner transform records there; its derivative would be lost in the leaf's memory."""
    w = leaf([1.0, 2.0])

    def f(y):
        nonlocal w
        w += y
        return total(w)

    with ig.no_grad(), pytest.raises(InPlaceError):
        ig.grad(f)(np.ones(2))
    np.testing.assert_array_equal(w.data, [1.0, 2.0])


# -- parameters that change between forward and backward ----------------------------------------


def new_values(x):
    return ig.array(np.zeros(x.shape), dtype="float64")


def test_a_saved_parameter_changed_before_backward_is_found(device):
    weight, x = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([1.0, 1.0])
    loss = total(x @ weight)
    write_in_place(weight, new_values(weight))
    with pytest.raises(StaleArrayError, match=r"matmul.*\(2, 2\).*in place.*before the change"):
        loss.backward()
    assert x.grad is None


@pytest.mark.parametrize(
    "view",
    [
        lambda w: w.T,
        lambda w: w.mT,
        lambda w: w[0:1],
        lambda w: w[None, ...],
        lambda w: array_namespace(w).reshape(w, (4,)),
        lambda w: array_namespace(w).permute_dims(w.T, (1, 0))[:, 1],
        lambda w: array_namespace(w).broadcast_to(w, (3, 2, 2)),
    ],
)
def test_it_is_found_through_a_view(view):
    weight = leaf([[1.0, 2.0], [3.0, 4.0]])
    seen = view(weight)
    loss = total(seen * seen)
    write_in_place(weight, new_values(weight))
    with pytest.raises(StaleArrayError, match="multiply"):
        loss.backward()


def test_a_change_within_no_grad_is_found_too(device):
    weight = leaf([1.0, 2.0])
    loss = total(weight * weight)
    with ig.no_grad():
        weight -= 0.1
    with pytest.raises(StaleArrayError):
        loss.backward()


def test_a_parameter_that_no_rule_has_kept_may_change(device):
    """The bias of an addition, or a factor of a constant: their derivatives do not need them."""
    bias, scaled = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    weights = ig.array([5.0, 6.0], dtype="float64")
    loss = total(bias + scaled * weights + total(bias))
    write_in_place(bias, new_values(bias))
    write_in_place(scaled, new_values(scaled))
    loss.backward()
    np.testing.assert_array_equal(numbers(bias.grad), [3.0, 3.0])
    np.testing.assert_array_equal(numbers(scaled.grad), [5.0, 6.0])


def test_a_forward_pass_after_the_change_is_good(device):
    weight = leaf([1.0, 2.0])
    for expected in ([2.0, 4.0], [0.0, 0.0]):
        weight.grad = None
        total(weight * weight).backward()
        np.testing.assert_array_equal(numbers(weight.grad), expected)
        write_in_place(weight, new_values(weight))


def test_a_copy_of_a_leaf_stays_right_when_the_leaf_changes():
    weight = leaf([1.0, 2.0])
    copied = weight * 1.0
    loss = total(copied * copied)
    write_in_place(weight, new_values(weight))
    loss.backward()
    np.testing.assert_array_equal(weight.grad, [2.0, 4.0])
