"""x[key] and x[key] = value, recorded: every kind of key, on either side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import InPlaceError

MASK = np.array([[True, False, True], [False, False, True]])

KEYS = {
    "integer": (1, ...),
    "negative integer": (-1, ...),
    "slice": (slice(0, 1), ...),
    "backward slice": (slice(None), slice(None, None, -1)),
    "strided slice": (slice(None), slice(None, None, 2)),
    "pair": (1, 2),
    "ellipsis": (..., 0),
    "new axis": (None, slice(None), None, 1),
    "empty slice": (slice(0, 0), ...),
    "mask": MASK,
    "mask of rows": np.array([True, False]),
    "mask of nothing": np.zeros((2, 3), dtype=bool),
}
INTEGER_ARRAYS = {
    "integer arrays": (np.array([0, 1, 1]), np.array([2, 0, 2])),
    "repeated": (np.array([1, 1, 1]), np.array([0, 0, 2])),
    "negative": (np.array([-1, 0]), np.array([-2, -1])),
    "with an integer": (np.array([0, 1]), 1),
    "no integers": (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)),
}
ON_NUMPY = {  # beyond the standard; NumPy, CuPy and torch take them
    "integer": 1,
    "slice": slice(0, 1),
    "one integer array": np.array([1, 0, 1, 1]),
    "two axes of integers": np.array([[0, 1], [1, 1]]),
    "slice and integers": (slice(None), np.array([2, 0, 2])),
    "list": [1, 1, 0],
    "list beside a slice": (slice(None), [2, 2]),
    "list of booleans": [True, False],
    "NumPy integer": np.int64(1),
    "array of no axes": np.array(1),
    "mask and integers": (np.array([True, True]), np.array([1, 1])),
}
VALUES = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def array(values, dtype="float64"):
    return ig.array(values, dtype=dtype)


def leaf(values):
    return ig.Tensor(array(values), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def numbers(x):
    return ig.to_numpy(x.detach() if isinstance(x, ig.Tensor) else x)


def skip_what_torch_lacks(name):
    if name == "backward slice" and ig.current_device().library.name == "torch":
        pytest.skip("torch has no slices that run backwards")


def on_device(key):
    """The key with its arrays on the current device."""
    if isinstance(key, tuple):
        return tuple(on_device(part) for part in key)
    return ig.array(key) if isinstance(key, np.ndarray) else key


def weights_for(shape):
    return np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)


def read_gradient(values, key, weights):
    """The transpose of values[key] by its definition: weights added where they were read."""
    positions = np.arange(values.size).reshape(values.shape)[key]
    expected = np.zeros(values.size)
    np.add.at(expected, positions.ravel(), np.broadcast_to(weights, positions.shape).ravel())
    return expected.reshape(values.shape)


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*KEYS, *INTEGER_ARRAYS])
def test_reading_adds_the_gradient_where_it_was_read(device, name):
    skip_what_torch_lacks(name)
    key = {**KEYS, **INTEGER_ARRAYS}[name]
    x = leaf(VALUES)
    y = x[on_device(key)]
    np.testing.assert_array_equal(numbers(y), VALUES[key])
    weights = weights_for(y.shape)
    total(y * array(weights)).backward()
    np.testing.assert_array_equal(numbers(x.grad), read_gradient(VALUES, key, weights))


@pytest.mark.parametrize("name", ON_NUMPY)
def test_reading_by_keys_beyond_the_standard(name):
    key = ON_NUMPY[name]
    x = leaf(VALUES)
    y = x[key]
    weights = weights_for(y.shape)
    total(y * weights).backward()
    np.testing.assert_array_equal(x.grad, read_gradient(VALUES, key, weights))


@hypothesis_settings(deadline=None, derandomize=True, max_examples=80)
@given(st.data())
def test_reading_by_any_basic_key(data):
    shape = data.draw(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
    key = data.draw(basic_indices(shape, allow_newaxis=True))
    values = weights_for(shape)
    x = ig.Tensor(values, requires_grad=True)
    y = x[key]
    weights = weights_for(y.shape)
    total(y * weights).backward()
    np.testing.assert_array_equal(x.grad, read_gradient(values, key, weights))


def test_a_tensor_may_be_the_key(device):
    x = leaf(VALUES)
    where = ig.Tensor(array([0, 1, 1], "int64"))
    total(x[where, where]).backward()
    np.testing.assert_array_equal(numbers(x.grad), [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    x.grad = None
    total(x[x > 4.5] * 2.0).backward()
    np.testing.assert_array_equal(numbers(x.grad), [[0.0, 0.0, 0.0], [0.0, 2.0, 2.0]])


@pytest.mark.parametrize("name", ["slice", "mask", "integer arrays", "repeated", "new axis"])
def test_reading_has_higher_derivatives(device, name):
    key = on_device({**KEYS, **INTEGER_ARRAYS}[name])
    ig.check_gradients(lambda x: x[key] * x[key] * x[key], array(VALUES), order=3)
    y, dy = ig.jvp(lambda x: x[key], (array(VALUES),), (array(VALUES),))
    np.testing.assert_array_equal(ig.to_numpy(y), ig.to_numpy(dy))


def test_take_along_an_axis_with_repeats(device):
    x = leaf(VALUES)
    xp = array_namespace(x)
    y = xp.take(x, array([2, 0, 2], "int64"), axis=1)
    total(y * array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).backward()
    np.testing.assert_array_equal(numbers(x.grad), [[2.0, 0.0, 4.0], [5.0, 0.0, 10.0]])


# -- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in KEYS if name != "new axis"])
@pytest.mark.parametrize("recorded", ["target", "value", "both"])
def test_writing_moves_the_gradient_from_target_to_value(device, name, recorded):
    skip_what_torch_lacks(name)
    key = KEYS[name]
    x, v = leaf(VALUES), leaf(10.0 * np.ones(VALUES[key].shape))
    target = x * 1.0 if recorded != "value" else ig.Tensor(array(VALUES))
    target[on_device(key)] = v * 2.0 if recorded != "target" else 20.0
    expected = VALUES.copy()
    expected[key] = 20.0
    np.testing.assert_array_equal(numbers(target), expected)
    weights = weights_for(VALUES.shape)
    total(target * array(weights)).backward()
    if recorded != "value":
        left = weights.copy()
        left[key] = 0.0
        np.testing.assert_array_equal(numbers(x.grad), left)
    if recorded != "target":
        np.testing.assert_array_equal(numbers(v.grad), 2.0 * weights[key])


@pytest.mark.parametrize(
    "key", [(np.array([0, 1]), np.array([2, 0])), (np.array([-1]), np.array([-1]))]
)
def test_writing_by_integer_arrays(device, key):
    x, v = leaf(VALUES), leaf(np.full(len(key[0]), 7.0))
    y = x * 1.0
    try:
        y[on_device(key)] = v
    except IndexError:  # array_api_strict: the standard leaves writing by integer arrays open
        pytest.skip("the library does not write by integer arrays")
    weights = weights_for(VALUES.shape)
    total(y * array(weights)).backward()
    np.testing.assert_array_equal(numbers(v.grad), weights[key])
    left = weights.copy()
    left[key] = 0.0
    np.testing.assert_array_equal(numbers(x.grad), left)


def test_a_value_is_broadcast_and_its_gradient_summed(device):
    y, v = ig.Tensor(array(VALUES)), leaf(3.0)
    y[:, 1:] = v
    total(y * array(weights_for((2, 3)))).backward()
    np.testing.assert_array_equal(numbers(v.grad), 2.0 + 3.0 + 5.0 + 6.0)


def test_an_element_may_be_added_to_in_place(device):
    """x[i] += v reads, adds and writes: three recorded steps."""
    x, v = leaf(VALUES), leaf([1.0, 2.0])
    y = x * 1.0
    y[:, 0] += v
    y[1, ...] *= 3.0
    np.testing.assert_array_equal(numbers(y), [[2.0, 2.0, 3.0], [18.0, 15.0, 18.0]])
    total(y).backward()
    np.testing.assert_array_equal(numbers(x.grad), [[1.0, 1.0, 1.0], [3.0, 3.0, 3.0]])
    np.testing.assert_array_equal(numbers(v.grad), [1.0, 3.0])


def test_a_loop_that_fills_an_array_is_differentiable(device):
    """y[i] = y[i - 1] * x: a recurrence written the imperative way."""
    x = leaf(2.0)
    y = ig.Tensor(array([1.0, 0.0, 0.0, 0.0]))
    for i in range(1, 4):
        y[i] = y[i - 1] * x
    np.testing.assert_array_equal(numbers(y), [1.0, 2.0, 4.0, 8.0])
    y[3].backward()
    assert float(x.grad) == 12.0


def test_writing_does_not_reach_what_was_read_or_saved_before(device):
    x = leaf(VALUES)
    y = x * 1.0
    row, square = y[0, ...], y * y
    y[0, ...] = 100.0
    np.testing.assert_array_equal(numbers(row), VALUES[0])
    total(row * row + square).backward()
    np.testing.assert_array_equal(
        numbers(x.grad), 2.0 * VALUES + np.array([4.0 * VALUES[0], 0.0 * VALUES[1]])
    )


def test_writing_keeps_the_targets_dtype(device):
    y, v = ig.Tensor(array(VALUES, "float32")), leaf([1.0, 2.0, 3.0])
    try:
        y[0, ...] = v
    except TypeError:  # array_api_strict follows the standard's promotion rule for writing
        y[0, ...] = array_namespace(v).astype(v, y.dtype)
    assert y.dtype == array(1.0, "float32").dtype
    total(y * 2.0).backward()
    assert v.grad.dtype == v.dtype
    np.testing.assert_array_equal(numbers(v.grad), [2.0, 2.0, 2.0])


def test_writing_a_python_number_or_a_plain_array(device):
    y = leaf(VALUES) * 1.0
    y[0, ...] = 7.0
    y[1, ...] = array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(numbers(y), [[7.0, 7.0, 7.0], [1.0, 2.0, 3.0]])


def test_writing_has_higher_derivatives(device):
    def f(x, v):
        y = x * x
        y[0, 1:] = v * v * y[1, 1:]
        return y * x

    ig.check_gradients(f, array(VALUES), array([2.0, 3.0]), order=3)


def test_writing_to_a_leaf_is_refused(device):
    x = leaf(VALUES)
    with pytest.raises(InPlaceError):
        x[0, ...] = 1.0
    with pytest.raises(InPlaceError):
        x[0, 0] += 1.0
    np.testing.assert_array_equal(numbers(x), VALUES)


def test_an_index_out_of_range_is_an_index_error(device):
    x = leaf(VALUES) * 1.0
    with pytest.raises(IndexError):
        x[5, ...]
    with pytest.raises(IndexError):
        x[5, ...] = 1.0
    np.testing.assert_array_equal(numbers(x), VALUES)
