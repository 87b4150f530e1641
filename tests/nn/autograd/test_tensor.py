"""Tensor as an array: what it wraps, converts to, refuses, and how it is copied."""

import copy
import operator

import array_api_compat
import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError, NotRecordedError, ShapeError
from isograd.nn.autograd.tensor import write_in_place


def leaf(values, dtype="float64"):
    return ig.Tensor(ig.array(values, dtype=dtype), requires_grad=True)


def constant(values, dtype="float64"):
    return ig.Tensor(ig.array(values, dtype=dtype))


def total(x):
    return array_namespace(x).sum(x)


def numbers(x):
    return ig.to_numpy(x.detach() if isinstance(x, ig.Tensor) else x)


# -- what it is ---------------------------------------------------------------------------------


def test_a_tensor_wraps_an_array_without_copying_it(device):
    x = ig.array([[1.0, 2.0, 3.0]])
    tensor = ig.Tensor(x)
    assert tensor.data is x
    assert (tensor.shape, tensor.ndim, tensor.size) == ((1, 3), 2, 3)
    assert tensor.dtype == x.dtype
    assert tensor.device == array_api_compat.device(x)
    assert (tensor.level, tensor.requires_grad, tensor.grad) == (0, False, None)


def test_lists_and_numbers_become_arrays_of_the_current_device(device):
    x = ig.Tensor([[1.0, 2.0]], requires_grad=True)
    assert ig.device_of(x.data) == ig.current_device()
    assert ig.Tensor(2).dtype == ig.array(2).dtype


def test_a_tensor_is_not_wrapped_again():
    with pytest.raises(TypeError, match=r"must be an array, got a Tensor.*detach"):
        ig.Tensor(constant([1.0]))


def test_repr_says_what_records_it():
    x = leaf([1.0])
    assert "leaf" in repr(x)
    assert "from add" in repr(x + 1.0)
    assert "constant" in repr(x.detach())
    seen = []
    ig.grad(lambda y: seen.append(repr(y)) or total(y))(np.ones(1))
    assert "level" in seen[0]


def test_requires_grad_can_be_set_on_leaves_and_constants_alone(device):
    x = constant([1.0])
    x.requires_grad = True
    assert x.is_leaf
    y = x * 2.0
    with pytest.raises(NotRecordedError, match="detach"):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2.0).requires_grad


def test_a_gradient_may_be_set_in_the_leafs_shape_alone(device):
    x = leaf([1.0, 2.0])
    x.grad = ig.array([3.0, 4.0], dtype="float64")
    total(x).backward()
    np.testing.assert_array_equal(numbers(x.grad), [4.0, 5.0])
    with pytest.raises(ShapeError, match=r"\(2,\), the leaf's, got \(1, 2\)"):
        x.grad = ig.array([[1.0, 2.0]])
    with pytest.raises(NotRecordedError, match="only a leaf"):
        (x * 2.0).grad = ig.array([1.0, 2.0])


def test_detach_shares_memory_and_stops_the_gradient(device):
    x = leaf([1.0, 2.0])
    assert x.detach().data is x.data
    total(x * x.detach()).backward()
    np.testing.assert_array_equal(numbers(x.grad), [1.0, 2.0])


def test_tensors_are_hashed_by_identity_and_compared_elementwise(device):
    x, same = leaf([1.0, 2.0]), constant([1.0, 5.0])
    assert len({x, same, x}) == 2
    assert numbers(x == same).tolist() == [True, False]
    assert numbers(x != same).tolist() == [False, True]
    assert numbers(x < 1.5).tolist() == [True, False]
    assert not (x == same).requires_grad
    assert (x == None) is False  # noqa: E711
    assert (x == "text") is False


# -- conversions --------------------------------------------------------------------------------


def test_a_tensor_without_axes_becomes_a_python_number(device):
    x = leaf(2.5)
    assert float(x) == 2.5
    assert int(x) == 2
    assert bool(x) is True
    assert complex(constant(1.0, "complex128")) == 1.0
    assert x.item() == 2.5
    assert isinstance(x.item(), float)
    assert f"{x:.2f}" == "2.50"
    assert [10, 20, 30][constant(1, "int64")] == 20


@pytest.mark.parametrize("convert", [float, int, bool, complex])
def test_a_tensor_with_axes_is_no_python_number(device, convert):
    for values in ([1.0], [1.0, 2.0], []):
        with pytest.raises(TypeError, match=r"0-d|shape|dimension"):
            convert(leaf(values))


def test_a_floating_tensor_is_no_index(device):
    with pytest.raises(TypeError):
        operator.index(constant(1.0))


def test_length_and_iteration_go_along_the_first_axis(device):
    x = leaf([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(x) == 3
    total(sum(row * i for i, row in enumerate(x))).backward()
    np.testing.assert_array_equal(numbers(x.grad), [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    for function in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            function(leaf(1.0))


def test_numpy_cannot_take_a_recorded_tensor_off_its_tape():
    x = leaf([1.0, 2.0])
    for convert in (np.asarray, np.array, lambda x: np.array([x, x]), ig.to_numpy, ig.array):
        with pytest.raises(NotDifferentiableError, match="detach"):
            convert(x)
    with pytest.raises(NotDifferentiableError, match="detach"):
        np.from_dlpack(x)


def test_numpy_reads_a_constant(device):
    x = constant([1.0, 2.0])
    if device in ("cpu", "strict"):
        np.testing.assert_array_equal(np.asarray(x), [1.0, 2.0])
        assert np.asarray(x, dtype=np.float32).dtype == np.float32
        np.testing.assert_array_equal(np.from_dlpack(x), [1.0, 2.0])
    np.testing.assert_array_equal(ig.to_numpy(x), [1.0, 2.0])


def test_numpy_arrays_and_scalars_leave_operators_to_the_tensor():
    x = leaf([1.0, 2.0])
    array, scalar = np.array([3.0, 5.0]), np.float64(2.0)
    for result in (array + x, array - x, array * x, array / x, scalar * x, scalar**x, array @ x):
        assert isinstance(result, ig.Tensor)
        assert result.requires_grad
    assert isinstance(array < x, ig.Tensor)
    total(array * x + scalar**x).backward()
    np.testing.assert_allclose(x.grad, array + np.log(2.0) * np.array([2.0, 4.0]), rtol=1e-15)
    with pytest.raises(TypeError):
        array += x  # would write a recorded value into a plain array


def test_operators_refuse_what_is_no_array(device):
    x = leaf([1.0, 2.0])
    for other in ([1.0, 2.0], None, "text", {}):
        with pytest.raises(TypeError):
            x + other
        with pytest.raises(TypeError):
            other @ x


def test_python_numbers_on_either_side(device):
    x = leaf([0.5, 2.0])
    total(2.0 - x + 3.0 / x + 2.0**x + x**3.0 - x % 0.75 + (1.0 + x) * 4.0).backward()
    v = np.array([0.5, 2.0])
    expected = -1.0 - 3.0 / v**2 + np.log(2.0) * 2.0**v + 3.0 * v**2 - 1.0 + 4.0
    np.testing.assert_allclose(numbers(x.grad), expected, rtol=1e-14)


def test_transposes(device):
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    weights = ig.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype="float64")
    total(x.T * weights + x.mT * weights).backward()
    np.testing.assert_array_equal(numbers(x.grad), 2.0 * numbers(weights).T)
    with pytest.raises(ShapeError, match=r"two axes.*\(2, 3, 1\)"):
        _ = x[:, :, None].T


# -- copies -------------------------------------------------------------------------------------


def test_a_deep_copy_of_a_leaf_is_a_leaf_of_its_own(device):
    """As in torch: data and gradient are copied, later gradients do not meet."""
    x = leaf([1.0, 2.0])
    total(x * 3.0).backward()
    twin = copy.deepcopy(x)
    assert twin.requires_grad
    assert twin.is_leaf
    np.testing.assert_array_equal(numbers(twin.grad), [3.0, 3.0])
    total(twin * 4.0).backward()
    np.testing.assert_array_equal(numbers(x.grad), [3.0, 3.0])
    np.testing.assert_array_equal(numbers(twin.grad), [7.0, 7.0])
    write_in_place(twin, ig.array([9.0, 9.0], dtype="float64"))
    np.testing.assert_array_equal(numbers(x), [1.0, 2.0])
    assert ig.device_of(twin.data) == ig.current_device()


def test_a_deep_copy_keeps_what_is_shared_shared():
    x = leaf([1.0])
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert first is not x


def test_a_deep_copy_leaves_an_optimizers_buffer_behind():
    x = leaf([1.0])
    x._node.buffer = np.zeros(1)
    twin = copy.deepcopy(x)
    total(twin * 2.0).backward()
    np.testing.assert_array_equal(x._node.buffer, [0.0])
    np.testing.assert_array_equal(twin.grad, [2.0])


def test_a_deep_copy_of_a_constant_is_a_constant(device):
    x = constant([1.0, 2.0])
    twin = copy.deepcopy(x)
    assert not twin.requires_grad
    assert twin.data is not x.data
    np.testing.assert_array_equal(numbers(twin), [1.0, 2.0])


def test_a_result_cannot_be_deeply_copied(device):
    """Its copy would need the whole recording; torch refuses too."""
    with pytest.raises(NotRecordedError, match=r"deepcopy.*leaf.*detach"):
        copy.deepcopy(leaf([1.0]) * 2.0)


def test_the_variable_of_a_transform_cannot_be_deeply_copied():
    """A copy would be a leaf of its own, whose gradient nobody asks for: 2x became x."""
    with pytest.raises(NotRecordedError, match="deepcopy"):
        ig.grad(lambda x: x * copy.deepcopy(x))(np.float64(2.0))
