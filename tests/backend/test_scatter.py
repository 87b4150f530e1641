"""scatter_add against a loop; indices out of range."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend.dtypes import dtype_name
from isograd.backend.errors import DeviceError, DtypeError, LabelError, ShapeError
from isograd.backend.scatter import check_indices, scatter_add


def added_one_by_one(shape, indices, values, axis):
    """The definition as a loop in float64."""
    result = np.zeros(shape, np.result_type(values.dtype, np.float64))
    result = np.moveaxis(result, axis, 0)
    places = range(axis, axis + indices.ndim)
    values = np.moveaxis(values, tuple(places), tuple(range(indices.ndim)))
    for place in np.ndindex(*indices.shape):
        result[indices[place]] += values[place]
    return np.moveaxis(result, 0, axis)


def agrees(shape, indices, values, axis=0, rtol=1e-6):
    y = scatter_add(shape, ig.array(indices), ig.array(values), axis)
    assert dtype_name(y.dtype) == values.dtype.name
    assert ig.device_of(y) == ig.current_device()
    expected = added_one_by_one(shape, indices, values, axis)
    np.testing.assert_allclose(ig.to_numpy(y), expected, rtol=rtol, atol=rtol)


# (n, number of indices, width): few and many repeats, columns alone, rows, one index for all
SIZES = [(5, 40, 3), (500, 90, 4), (3, 1000, 1), (1000, 10, 1), (1, 300, 2), (4, 1, 2), (64, 64, 1)]


@pytest.mark.parametrize(("n", "count", "width"), SIZES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_repeated_indices_add_up(n, count, width, dtype, device):
    random = np.random.default_rng(n)
    values = random.integers(-9, 9, (count, width)).astype(dtype)
    agrees((n, width), random.integers(0, n, count), values)


def test_every_way_of_summing_rows_agrees():
    random = np.random.default_rng(1)
    for n, count in ((4, 2000), (2000, 2000), (100, 2000)):  # reduceat, rounds, in between
        values = random.normal(size=(count, 5))
        with ig.using("cpu"):
            agrees((n, 5), random.integers(0, n, count), values, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("indices_shape", [(), (7,), (2, 3)])
def test_any_axis_and_any_shape_of_indices(axis, indices_shape, device):
    random = np.random.default_rng(2)
    shape = (3, 4, 5)
    indices = random.integers(0, shape[axis], indices_shape)
    place = axis % 3
    values = random.normal(size=shape[:place] + indices_shape + shape[place + 1 :])
    agrees(shape, indices, values, axis=place)
    x = scatter_add(shape, ig.array(indices), ig.array(values), axis)
    np.testing.assert_allclose(
        ig.to_numpy(x), added_one_by_one(shape, indices, values, place), rtol=1e-12
    )


def test_complex_values_add_up(device):
    values = np.asarray([[1 + 2j], [3j], [5.0]])
    agrees((2, 1), np.asarray([0, 0, 1]), values)


def test_negative_indices_count_from_the_end(device):
    y = scatter_add((3,), ig.array([-1, 2, 0]), ig.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(ig.to_numpy(y), [3.0, 0.0, 3.0])


@pytest.mark.parametrize("index_dtype", ["int32", "uint8", "int64"])
def test_any_integer_dtype_indexes(index_dtype, device):
    agrees(
        (300, 2), np.asarray([255, 0, 255 if index_dtype == "uint8" else 299][:2]), np.ones((2, 2))
    )
    indices = ig.array(np.asarray([1, 1], index_dtype))
    y = scatter_add((300,), indices, ig.array([1.0, 2.0]))
    assert float(y[1]) == 3.0


def test_nothing_to_add_gives_zeros(device):
    y = scatter_add((3, 2), ig.array([], dtype="int64"), ig.array(np.zeros((0, 2), np.float32)))
    np.testing.assert_array_equal(ig.to_numpy(y), np.zeros((3, 2)))
    assert scatter_add((3, 0), ig.array([1]), ig.array(np.zeros((1, 0)))).shape == (3, 0)
    assert tuple(scatter_add((0,), ig.array([], dtype="int64"), ig.array([])).shape) == (0,)


def test_what_is_not_finite_stays_in_its_own_row(device):
    values = np.asarray([[np.nan], [np.inf], [1.0], [2.0]])
    y = scatter_add((4, 1), ig.array([0, 1, 2, 2]), ig.array(values))
    np.testing.assert_array_equal(ig.to_numpy(y), [[np.nan], [np.inf], [3.0], [0.0]])


def test_the_same_call_gives_the_same_bits(device):
    random = np.random.default_rng(3)
    values, indices = ig.array(random.normal(size=(500, 3))), ig.array(random.integers(0, 7, 500))
    first = ig.to_numpy(scatter_add((7, 3), indices, values))
    np.testing.assert_array_equal(ig.to_numpy(scatter_add((7, 3), indices, values)), first)


def test_arguments_are_left_alone(device):
    indices, values = ig.array([-1, 0, -1]), ig.array([1.0, 2.0, 3.0])
    scatter_add((2,), indices, values)
    np.testing.assert_array_equal(ig.to_numpy(indices), [-1, 0, -1])
    np.testing.assert_array_equal(ig.to_numpy(values), [1.0, 2.0, 3.0])


@pytest.mark.parametrize(("index", "position"), [(3, 1), (-4, 0), (2**40, 1)])
def test_an_index_out_of_range_is_named_with_its_position(index, position, device):
    indices = [0, 0]
    indices[position] = index
    with pytest.raises(LabelError) as caught:
        scatter_add((3,), ig.array(indices), ig.array([1.0, 1.0]))
    assert str(caught.value) == (
        f"scatter_add: every index must be in [-3, 3), got {index} at position ({position},)"
    )


def test_a_position_has_a_coordinate_for_each_axis(device):
    indices = ig.array([[0, 1, 2], [2, 9, 0]])
    with pytest.raises(LabelError, match=r"in \[0, 3\), got 9 at position \(1, 1\)"):
        check_indices(indices, 3, "embedding")


def test_an_out_of_range_index_is_an_index_error(device):
    with pytest.raises(IndexError):
        check_indices(ig.array([-1]), 3, "embedding")
    assert check_indices(ig.array([], dtype="int32"), 0, "embedding") is None


def test_values_of_another_shape_are_refused(device):
    with pytest.raises(ShapeError, match=r"values must have shape \(2, 4\), as take.*got \(2, 3\)"):
        scatter_add((3, 4), ig.array([0, 1]), ig.array(np.ones((2, 3))))


@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_that_does_not_exist_is_refused(axis, device):
    with pytest.raises(ShapeError, match="axis must be one of the 2 axes"):
        scatter_add((3, 4), ig.array([0]), ig.array(np.ones((1, 4))), axis=axis)


@pytest.mark.parametrize("indices", [[0.0], [True]])
def test_indices_must_be_integers(indices, device):
    with pytest.raises(DtypeError, match="scatter_add: indices must be integers"):
        scatter_add((3,), ig.array(indices), ig.array([1.0]))


def test_indices_and_values_of_two_devices_are_refused():
    indices = ig.array([0], device="strict")
    values = ig.array([1.0], device="strict:device1")
    with pytest.raises(DeviceError, match=r"scatter_add: .*strict:cpu and strict:device1"):
        scatter_add((3,), indices, values)
