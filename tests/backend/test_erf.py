"""The error function against the C library's, on every device."""

import math

import numpy as np
import pytest

import isograd as ig
from isograd.backend.erf import BLOCK_BYTES, erf
from isograd.backend.errors import DtypeError

LARGEST_ERROR = 2.0  # units in the last place


def errors_in_ulp(x, y):
    """|y - erf(x)| in units of the last place of y's dtype."""
    expected = np.asarray([math.erf(float(value)) for value in x])
    unit = np.spacing(np.abs(expected).astype(y.dtype)).astype(np.float64)
    return np.abs(y.astype(np.float64) - expected) / unit


def arguments(dtype):
    """Arguments of every size: around the joints of the definition, in the tails, near zero."""
    random = np.random.default_rng(0)
    near_joints = np.asarray([1.0, 4.0, 6.0])[:, None] * (1 + np.linspace(-1e-6, 1e-6, 101))
    smallest = math.log(np.finfo(dtype).tiny)
    tiny = np.exp(random.uniform(smallest, 0, 4000)) * random.choice([-1, 1], 4000)
    x = np.concatenate([random.uniform(-7, 7, 20000), near_joints.reshape(-1), tiny])
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_erf_is_within_two_units_in_the_last_place(dtype, device):
    x = arguments(dtype)
    y = ig.to_numpy(erf(ig.array(x)))
    assert y.dtype == x.dtype
    assert errors_in_ulp(x, y).max() <= LARGEST_ERROR


def test_half_precision_is_rounded_once():
    x = np.linspace(-4, 4, 1001).astype(np.float16)
    assert errors_in_ulp(x, erf(x)).max() <= 0.51
    assert erf(x).dtype == np.float16


def test_erf_is_odd_to_the_last_bit(device):
    x = ig.array(arguments("float32"))
    np.testing.assert_array_equal(ig.to_numpy(erf(-x)), -ig.to_numpy(erf(x)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_erf_of_special_values(dtype, device):
    x = np.asarray([0.0, -0.0, math.nan, math.inf, -math.inf, 100.0, -100.0], dtype)
    y = ig.to_numpy(erf(ig.array(x)))
    np.testing.assert_array_equal(y, np.asarray([0.0, -0.0, math.nan, 1, -1, 1, -1], dtype))
    assert list(np.signbit(y[:2])) == [False, True]


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,), (BLOCK_BYTES // 4 + 1,), (7, 9999)])
def test_erf_keeps_shape_and_device_whatever_the_size(shape, device):
    x = ig.array(np.full(shape, 0.5, np.float32))
    y = erf(x)
    assert tuple(y.shape) == shape
    assert ig.device_of(y) == ig.device_of(x)
    np.testing.assert_allclose(ig.to_numpy(y), math.erf(0.5), rtol=1e-6)


def test_erf_takes_any_memory_layout():
    x = np.linspace(-2, 2, 60000).reshape(200, 300)
    np.testing.assert_array_equal(erf(x.T[::-1]), erf(np.ascontiguousarray(x.T[::-1])))


def test_erf_leaves_its_argument_alone(device):
    x = ig.array([-2.0, 0.5, 3.0])
    erf(x)
    np.testing.assert_array_equal(ig.to_numpy(x), np.asarray([-2.0, 0.5, 3.0], np.float32))


@pytest.mark.parametrize("data", [[1], [True], [1j]])
def test_erf_takes_floating_arrays_alone(data, device):
    with pytest.raises(DtypeError, match="erf: x must be real floating"):
        erf(ig.array(data))
