"""In-place forms: the array itself changes, or nothing does and the error has a name."""

import itertools

import numpy as np
import pytest

import isograd as ig
from isograd.backend.errors import DeviceError, DtypeError, InPlaceError, ShapeError
from isograd.backend.inplace import add_, assign, divide_, multiply_, subtract_, write


def test_each_form_changes_the_array_it_is_given(device):
    for form, expected in (
        (add_, [5.0, 8.0]),
        (subtract_, [3.0, 4.0]),
        (multiply_, [4.0, 12.0]),
        (divide_, [4.0, 3.0]),
        (assign, [1.0, 2.0]),
    ):
        target = ig.array([4.0, 6.0])
        assert form(target, ig.array([1.0, 2.0])) is target
        np.testing.assert_array_equal(ig.to_numpy(target), expected)


def test_a_number_is_a_value_too(device):
    target = ig.array([4.0, 6.0])
    multiply_(add_(target, 1.0), 2.0)
    np.testing.assert_array_equal(ig.to_numpy(target), [10.0, 14.0])
    np.testing.assert_array_equal(ig.to_numpy(assign(target, 3)), [3.0, 3.0])


def test_a_value_broadcasts_to_the_target(device):
    target = ig.array(np.ones((2, 3), np.float32))
    add_(target, ig.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(ig.to_numpy(target), [[2, 3, 4], [2, 3, 4]])


def test_write_computes_any_function_into_the_target(device):
    target, x = ig.array([0.0, 0.0]), ig.array([4.0, 9.0])
    assert write(target, "sqrt", x) is target
    np.testing.assert_array_equal(ig.to_numpy(target), [2.0, 3.0])
    write(target, "maximum", x, target)
    np.testing.assert_array_equal(ig.to_numpy(target), [4.0, 9.0])


def test_write_computes_a_matrix_product_into_the_target(device):
    x, target = np.asarray([[1.0, 2.0], [3.0, 4.0]]), ig.array(np.zeros((2, 2)))
    write(target, "matmul", ig.array(x), ig.array(x))
    np.testing.assert_array_equal(ig.to_numpy(target), x @ x)


def test_a_view_of_a_buffer_can_be_the_target(device):
    buffer = ig.array(np.zeros(4, np.float32))
    assign(buffer[1:3], ig.array([1.0, 2.0]))
    multiply_(buffer[2:], 3.0)
    np.testing.assert_array_equal(ig.to_numpy(buffer), [0.0, 1.0, 6.0, 0.0])


@pytest.mark.parametrize("form", [assign, add_, multiply_])
def test_a_value_that_does_not_broadcast_is_refused(form, device):
    target = ig.array([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"target's shape \(2,\).*\(3,\)"):
        form(target, ig.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(ig.to_numpy(target), [1.0, 2.0])


@pytest.mark.parametrize("form", [assign, add_])
def test_a_value_larger_than_the_target_is_refused(form, device):
    target = ig.array([1.0])
    with pytest.raises(ShapeError):
        form(target, ig.array([1.0, 2.0]))
    np.testing.assert_array_equal(ig.to_numpy(target), [1.0])


def test_a_result_of_another_kind_is_refused(device):
    target = ig.array([1, 2])
    with pytest.raises(DtypeError, match=r"cannot become .*int64"):
        add_(target, ig.array([0.5, 0.5]))
    with pytest.raises(DtypeError):
        assign(target, 0.5)
    with pytest.raises(DtypeError):
        assign(target, ig.array([0.5, 0.5]))
    np.testing.assert_array_equal(ig.to_numpy(target), [1, 2])


def test_a_value_is_cast_within_its_kind_or_to_a_higher_one(device):
    target = ig.array([1.0, 2.0])
    assign(target, ig.array([0.1, 0.2], dtype="float64"))
    np.testing.assert_array_equal(ig.to_numpy(target), np.asarray([0.1, 0.2], np.float32))
    assign(target, ig.array([3, 4]))
    np.testing.assert_array_equal(ig.to_numpy(target), [3.0, 4.0])


@pytest.mark.parametrize("form", [assign, add_])
def test_a_value_on_another_device_is_refused(form):
    names = ["strict:device1", "strict:cpu", "cpu"]
    for here, there in itertools.permutations(names, 2):
        target = ig.array([1.0], device=here)
        with pytest.raises(DeviceError, match=f"in place: .*got {here} and {there}"):
            form(target, ig.array([1.0], device=there))


@pytest.mark.parametrize("form", [assign, add_])
def test_a_read_only_target_is_named(form):
    target = np.ones(2)
    target.flags.writeable = False
    with pytest.raises(InPlaceError, match="must be writable, got a read-only array"):
        form(target, 1.0)
