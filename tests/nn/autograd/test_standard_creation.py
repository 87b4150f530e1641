"""New arrays: what asarray, astype, full and their kin keep of a recording."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig


@pytest.fixture
def xp(device):
    return ig.wrap_namespace(ig.current_device().xp)


@pytest.fixture
def x(device):
    return ig.Tensor(ig.array([1.0, 2.0, 4.0], dtype="float64"), requires_grad=True)


def gradient_of(y, x):
    """The gradient of the sum of y."""
    y.__array_namespace__().sum(y).backward()
    return ig.to_numpy(x.grad)


def raw_device():
    return ig.current_device().raw


# -- asarray ------------------------------------------------------------------------------------


def test_asarray_of_a_tensor_is_the_tensor_unless_something_changes(xp, x):
    assert xp.asarray(x) is x
    assert xp.asarray(x, dtype=x.dtype, copy=False) is x
    assert xp.asarray(x, device=x.device) is x
    constant = x.detach()
    assert xp.asarray(constant, dtype=x.dtype, copy=False) is constant
    assert xp.asarray(x, copy=True) is not x


def test_asarray_keeps_the_recording_through_copies_and_casts(xp, x):
    y = xp.asarray(xp.asarray(x, copy=True), dtype=xp.float32)
    assert y.dtype == xp.float32
    assert_array_equal(gradient_of(y * y, x), [2.0, 4.0, 8.0])


def test_asarray_refuses_to_cast_without_a_copy(xp, x):
    for given in (x, x.detach()):
        with pytest.raises(ValueError, match="leave out copy=False"):
            xp.asarray(given, dtype=xp.float32, copy=False)


def test_a_list_of_tensors_and_numbers_is_stacked_and_recorded(xp, x):
    y = xp.asarray([[x[0], 3.0], [5, x[2] * x[2]]])
    assert y.dtype == x.dtype
    assert_array_equal(ig.to_numpy(y.detach()), [[1.0, 3.0], [5.0, 16.0]])
    assert_array_equal(gradient_of(y, x), [1.0, 0.0, 8.0])


def test_numbers_beside_single_precision_stay_single(xp, device):
    x = ig.Tensor(ig.array([1.0, 2.0], dtype="float32"), requires_grad=True)
    assert xp.asarray([x[0], 3.0]).dtype == xp.float32


# -- astype -------------------------------------------------------------------------------------


def test_astype_to_integers_is_a_constant(xp, x):
    assert not xp.astype(x, xp.int64).requires_grad
    assert not xp.astype(x, xp.bool).requires_grad


def test_astype_copies_unless_told_not_to(xp, x):
    assert xp.astype(x, x.dtype, copy=False) is x
    copied = xp.astype(x, x.dtype, copy=True)
    assert copied is not x
    assert_array_equal(gradient_of(copied, x), [1.0, 1.0, 1.0])


def test_astype_moves_to_a_device_and_the_gradient_comes_back():
    strict = pytest.importorskip("array_api_strict")
    device1 = strict.Device("device1")
    x = ig.Tensor(strict.asarray([1.0, 2.0]), requires_grad=True)
    y = x.__array_namespace__().astype(x, strict.float32, device=device1)
    assert (y.device, y.dtype) == (device1, strict.float32)
    y.__array_namespace__().sum(y * y).backward()
    assert x.grad.device == x.device
    assert_array_equal(ig.to_numpy(x.grad), [2.0, 4.0])


# -- full, linspace -----------------------------------------------------------------------------


def test_full_of_a_recorded_value_is_recorded(xp, x):
    y = xp.full((2, 2), x[1], dtype=xp.float32) * 3.0
    assert y.dtype == xp.float32
    assert_array_equal(gradient_of(y, x), [0.0, 12.0, 0.0])


def test_full_like_of_a_recorded_value_is_recorded(xp, x):
    y = xp.full_like(ig.Tensor(ig.array([[0, 0]])), x[1], dtype=xp.float64)
    assert_array_equal(ig.to_numpy(y.detach()), [[2.0, 2.0]])
    assert_array_equal(gradient_of(y, x), [0.0, 2.0, 0.0])


def test_likes_of_recorded_arrays_are_constants(xp, x):
    for like in (xp.zeros_like(x), xp.ones_like(x), xp.empty_like(x), xp.full_like(x, 2.0)):
        assert not like.requires_grad
        assert like.device == x.device
        assert like.dtype == x.dtype


@pytest.mark.parametrize("endpoint", [True, False])
def test_numbers_between_recorded_ends_are_recorded(endpoint, xp, x):
    options = {"endpoint": endpoint, "device": raw_device()}
    y = xp.linspace(x[0], x[2], 5, **options)
    expected = np.linspace(1.0, 4.0, 5, endpoint=endpoint)
    np.testing.assert_allclose(ig.to_numpy(y.detach()), expected, rtol=1e-15)
    way = np.linspace(0.0, 1.0, 5, endpoint=endpoint)
    expected = [np.sum(1.0 - way), 0.0, np.sum(way)]
    np.testing.assert_allclose(gradient_of(y, x), expected, rtol=1e-15)


def test_numbers_between_plain_ends_are_the_librarys(xp):
    y = xp.linspace(0.0, 1.0, 3, device=raw_device())
    assert isinstance(y, ig.Tensor)
    assert not y.requires_grad
    assert_array_equal(ig.to_numpy(y), [0.0, 0.5, 1.0])


# -- the others ---------------------------------------------------------------------------------


def test_new_arrays_are_constant_tensors_where_they_are_asked_for(xp):
    options = {"device": raw_device(), "dtype": xp.float32}
    for made in (
        xp.arange(3, **options),
        xp.arange(1, 4, 1, **options),
        xp.empty((2, 3), **options),
        xp.eye(2, 3, k=1, **options),
        xp.full(3, 2.0, **options),
        xp.ones(3, **options),
        xp.zeros((), **options),
    ):
        assert isinstance(made, ig.Tensor)
        assert not made.requires_grad
        assert made.dtype == xp.float32
        assert made.device == ig.array([1.0]).device


def test_arange_counts_as_pythons_range_does(xp):
    for arguments in [(4,), (1, 4), (5, 1, -2)]:
        assert_array_equal(ig.to_numpy(xp.arange(*arguments)), list(range(*arguments)))


def test_from_dlpack_takes_any_array_and_constants():
    x = np.arange(3.0)
    for given in (x, ig.Tensor(x)):
        y = ig.xp.numpy.from_dlpack(given)
        assert isinstance(y, ig.Tensor)
        assert_array_equal(ig.to_numpy(y), x)
    assert np.from_dlpack(ig.Tensor(x)).shape == (3,)
    assert np.shares_memory(np.from_dlpack(ig.Tensor(x)), x)
    assert not np.shares_memory(ig.xp.numpy.from_dlpack(x, copy=True).data, x)
