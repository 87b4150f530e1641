"""pad, one_hot and sliding_windows against NumPy and loops."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend.dtypes import dtype_name
from isograd.backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError
from isograd.backend.missing import one_hot, pad, sliding_windows

# one_hot


def test_one_hot_has_a_one_at_each_label(device):
    y = one_hot(ig.array([[2, 0], [1, 1]]), 3)
    assert dtype_name(y.dtype) == "float32"
    assert ig.device_of(y) == ig.current_device()
    np.testing.assert_array_equal(ig.to_numpy(y), np.eye(3)[[[2, 0], [1, 1]]])


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool"])
def test_one_hot_has_the_dtype_asked_for(dtype, device):
    assert dtype_name(one_hot(ig.array([1]), 2, dtype).dtype) == dtype


def test_one_hot_takes_narrow_labels_and_many_classes(device):
    for dtype in (np.uint8, np.int16, np.uint64):
        y = ig.to_numpy(one_hot(ig.array(np.asarray([255], dtype)), 1000))
        assert (y.argmax(), y.sum()) == (255, 1)


def test_one_hot_of_no_labels_is_empty(device):
    assert tuple(one_hot(ig.array([], dtype="int64"), 3).shape) == (0, 3)
    assert tuple(one_hot(ig.array(1), 3).shape) == (3,)


@pytest.mark.parametrize(("label", "position"), [(3, 1), (-1, 0)])
def test_a_label_out_of_range_is_named_on_every_device(label, position, device):
    labels = [0, 0]
    labels[position] = label
    with pytest.raises(LabelError) as caught:
        one_hot(ig.array(labels), 3)
    assert str(caught.value) == (
        f"one_hot: every index must be in [0, 3), got {label} at position ({position},)"
    )


def test_labels_must_be_integers(device):
    with pytest.raises(DtypeError, match="one_hot: indices must be integers"):
        one_hot(ig.array([1.0]), 3)


@pytest.mark.parametrize("n_classes", [0, -1, 2.0, True, None])
def test_a_number_of_classes_that_is_none_is_refused(n_classes):
    with pytest.raises(HyperparameterError, match="n_classes must be at least 1"):
        one_hot(np.asarray([0]), n_classes)


# pad


@pytest.mark.parametrize("widths", [0, 2, ((1, 0), (0, 3)), [(0, 0), (2, 2)]])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_pad_puts_a_border_around(widths, dtype, device):
    x = np.arange(6).reshape(2, 3).astype(dtype)
    y = pad(ig.array(x), widths, 7)
    assert dtype_name(y.dtype) == dtype
    assert ig.device_of(y) == ig.current_device()
    np.testing.assert_array_equal(ig.to_numpy(y), np.pad(x, widths, constant_values=7))


def test_pad_fills_with_zero_unless_told(device):
    np.testing.assert_array_equal(ig.to_numpy(pad(ig.array([1.5]), 1)), [0, 1.5, 0])
    np.testing.assert_array_equal(ig.to_numpy(pad(ig.array([True]), 1)), [False, True, False])


def test_pad_takes_arrays_without_axes_or_elements(device):
    assert tuple(pad(ig.array(1.0), 2).shape) == ()
    assert tuple(pad(ig.array([]), 2).shape) == (4,)


@pytest.mark.parametrize(
    "widths", [-1, ((1, -1), (0, 0)), ((1, 1),), ((1,), (1,)), (1, 1), 1.5, "ab", None, True]
)
def test_widths_that_do_not_fit_are_refused(widths):
    with pytest.raises(ShapeError, match="pad: widths must be a non-negative integer or a pair"):
        pad(np.ones((2, 3)), widths)


# sliding_windows


def windows_one_by_one(x, window, stride, dilation, axes):
    """The definition as a loop."""
    counts = list(x.shape)
    for axis, k, s, d in zip(axes, window, stride, dilation, strict=True):
        counts[axis] = (x.shape[axis] - d * (k - 1) - 1) // s + 1
    result = np.empty((*counts, *window), x.dtype)
    for place in np.ndindex(*counts):
        for inner in np.ndindex(*window):
            source = list(place)
            for axis, k, s, d in zip(axes, inner, stride, dilation, strict=True):
                source[axis] = place[axis] * s + k * d
            result[place + inner] = x[tuple(source)]
    return result


CASES = [
    ((3,), (1,), (1,), (2,)),
    ((3,), (2,), (1,), (0,)),
    ((2, 3), (1, 2), (2, 1), (1, 2)),
    ((2, 2), (2, 2), (1, 2), (2, 0)),
    ((1, 5, 2), (1, 1, 3), (1, 1, 1), (0, 1, 2)),
]


@pytest.mark.parametrize(("window", "stride", "dilation", "axes"), CASES)
def test_sliding_windows_are_those_of_a_loop(window, stride, dilation, axes, device):
    x = np.arange(5 * 6 * 7.0).reshape(5, 6, 7)
    y = sliding_windows(ig.array(x), window, stride, dilation, axes)
    assert ig.device_of(y) == ig.current_device()
    expected = windows_one_by_one(x, window, stride, dilation, axes)
    np.testing.assert_array_equal(ig.to_numpy(y), expected)


def test_sliding_windows_take_any_memory_layout():
    x = np.arange(5 * 6 * 7.0).reshape(5, 6, 7)
    for layout in (x[::-1], np.asfortranarray(x), x[:, ::2, ::3], x.transpose(2, 0, 1)):
        y = sliding_windows(layout, (2, 2), 1, 1, (0, 1))
        expected = windows_one_by_one(layout, (2, 2), (1, 1), (1, 1), (0, 1))
        np.testing.assert_array_equal(y, expected)


def test_one_integer_means_the_last_axis_and_a_tuple_the_last_axes(device):
    x = ig.array(np.arange(12.0).reshape(3, 4))
    assert tuple(sliding_windows(x, 2).shape) == (3, 3, 2)
    assert tuple(sliding_windows(x, (2, 2)).shape) == (2, 3, 2, 2)
    assert tuple(sliding_windows(x, 2, 2, axes=(0, 1)).shape) == (1, 2, 2, 2)
    assert tuple(sliding_windows(x, 2, axes=(-2,)).shape) == (2, 4, 2)


def test_numpy_windows_are_a_view_that_cannot_be_written_to():
    x = np.arange(6.0)
    y = sliding_windows(x, 3)
    assert np.shares_memory(x, y)
    assert not y.flags.writeable


@pytest.mark.parametrize(("window", "dilation"), [(5, 1), (3, 2)])
def test_a_window_that_does_not_fit_is_refused(window, dilation, device):
    with pytest.raises(ShapeError, match=r"spans 5 elements, but axis 0 of x has 4; pad x"):
        sliding_windows(ig.array([1.0, 2.0, 3.0, 4.0]), window, 1, dilation)


@pytest.mark.parametrize("axes", [(2,), (-3,), (0, 0), (0, -2)])
def test_axes_that_x_does_not_have_are_refused(axes):
    with pytest.raises(ShapeError, match=r"different axes of x, whose shape is \(3, 4\)"):
        sliding_windows(np.ones((3, 4)), (1,) * len(axes), axes=axes)


@pytest.mark.parametrize("name", ["window", "stride", "dilation"])
@pytest.mark.parametrize("entries", [0, -1, 1.5, True, (1, 2), (0,), "a"])
def test_settings_of_a_window_are_positive_integers(name, entries):
    settings = {"window": 2, "stride": 1, "dilation": 1, name: entries}
    with pytest.raises(HyperparameterError, match=f"sliding_windows: {name} must be a positive"):
        sliding_windows(np.ones(4), **settings, axes=(0,))
