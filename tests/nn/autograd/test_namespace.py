"""x.__array_namespace__(): what other people's Array API code finds there."""

import array_api_compat
import array_api_strict
import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError


def leaf(values, dtype="float64"):
    return ig.Tensor(ig.array(values, dtype=dtype), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def numbers(x):
    return ig.to_numpy(x.detach() if isinstance(x, ig.Tensor) else x)


@pytest.fixture
def xp(device):
    return array_namespace(leaf([1.0]))


# -- finding it ---------------------------------------------------------------------------------


def test_array_api_compat_finds_it(device, xp):
    x = leaf([1.0, 2.0])
    assert array_api_compat.is_array_api_obj(x)
    assert array_api_compat.array_namespace(x) is xp
    assert array_api_compat.array_namespace(x, x * 2.0, api_version="2024.12") is xp
    assert array_api_compat.device(x) == array_api_compat.device(x.data)
    assert array_api_compat.size(x) == 2


def test_it_is_one_object_however_it_is_asked_for(device, xp):
    library = ig.current_device().xp
    assert ig.wrap_namespace(library) is xp
    assert ig.wrap_namespace(xp) is xp
    assert array_namespace(ig.Tensor(ig.array([1.0]))) is xp
    assert array_namespace(leaf([1.0]), ig.array([1.0])) is xp


@pytest.mark.parametrize("library", [np, array_api_strict])
def test_a_library_itself_may_be_wrapped(library):
    """NumPy 2 says that it is such a namespace, but array-api-compat's view of it is meant."""
    x = ig.Tensor(library.asarray([1.0]))
    assert ig.wrap_namespace(library) is x.__array_namespace__()


def test_its_name_is_its_librarys_own(xp):
    assert xp.__name__ == f"isograd.xp.{ig.current_device().library.package}"
    hash(xp)
    names = {ig.wrap_namespace(library).__name__ for library in (np, array_api_strict)}
    assert len(names) == 2


def test_versions(device, xp):
    x = leaf([1.0])
    assert x.__array_namespace__(api_version="2021.12") is xp
    assert x.__array_namespace__(api_version=None) is xp
    with pytest.raises(ValueError, match=r"2999\.12.*not known.*20"):
        x.__array_namespace__(api_version="2999.12")


def test_an_unknown_name_says_so(xp):
    with pytest.raises(
        AttributeError, match=r"isograd.xp.*has no 'frobnicate'.*not in the standard"
    ):
        _ = xp.frobnicate
    assert not hasattr(xp, "frobnicate")


# -- creating and converting --------------------------------------------------------------------


def test_creation_makes_constant_tensors(device, xp):
    where = leaf([1.0]).device
    for made in (
        xp.zeros((2, 3), device=where),
        xp.ones(2, dtype=xp.float64, device=where),
        xp.full((2,), 7.0, device=where),
        xp.arange(3, device=where),
        xp.eye(2, device=where),
        xp.linspace(0.0, 1.0, 3, device=where),
        xp.zeros_like(leaf([1.0, 2.0])),
        xp.full_like(leaf([1.0, 2.0]), 3.0),
        xp.asarray([1.0, 2.0], device=where),
    ):
        assert isinstance(made, ig.Tensor)
        assert not made.requires_grad
        assert ig.device_of(made.data) == ig.current_device()


def test_creation_refuses_recorded_values_where_it_would_lose_them(device, xp):
    with pytest.raises(NotDifferentiableError, match=r"arange.*detach"):
        xp.arange(leaf(3.0))
    with pytest.raises(NotDifferentiableError, match=r"eye.*detach"):
        xp.eye(leaf(3.0))


def test_an_array_full_of_a_recorded_value_is_recorded(device, xp):
    value = leaf(3.0)
    total(
        xp.full((2,), value, device=value.device) + xp.full_like(leaf([1.0, 2.0]), value)
    ).backward()
    assert float(value.grad) == 4.0


def test_asarray_keeps_the_recording(device, xp):
    x = leaf([1.0, 2.0])
    assert xp.asarray(x) is x
    copied = xp.asarray(x, copy=True)
    assert copied.data is not x.data
    total(copied + xp.asarray(x, dtype=xp.float32)).backward()
    assert x.grad.dtype == x.dtype
    np.testing.assert_array_equal(numbers(x.grad), [2.0, 2.0])


def test_asarray_of_a_list_of_tensors_keeps_the_recording(device, xp):
    a, b = leaf(1.0), leaf(2.0)
    y = xp.asarray([[a, b], [b, b * b]])
    assert tuple(y.shape) == (2, 2)
    total(y * y).backward()
    np.testing.assert_array_equal(numbers(b.grad), 2.0 * 2.0 + 2.0 * 2.0 + 2.0 * 4.0 * 4.0)


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "float64"])
def test_asarray_copies_constants_of_every_dtype(device, dtype):
    x = ig.Tensor(ig.array([1, 0], dtype=dtype))
    copied = array_namespace(x).asarray(x, copy=True)
    assert isinstance(copied, ig.Tensor)
    assert copied.dtype == x.dtype
    assert copied.data is not x.data
    np.testing.assert_array_equal(numbers(copied), numbers(x))


def test_asarray_goes_to_the_device_it_is_asked_for():
    x = ig.Tensor(ig.array([1.0, 2.0], device="strict"), requires_grad=True)
    target = array_api_strict.Device("device1")
    y = array_namespace(x).asarray(x, device=target)
    assert y.device == target
    total(y * 2.0).backward()
    assert x.grad.device == x.device
    np.testing.assert_array_equal(numbers(x.grad), [2.0, 2.0])


def test_astype_is_recorded_between_floating_dtypes(device, xp):
    x = leaf([1.5, 2.5])
    y = xp.astype(x, xp.float32)
    assert y.dtype == xp.float32
    total(y * y).backward()
    assert x.grad.dtype == x.dtype
    np.testing.assert_array_equal(numbers(x.grad), [3.0, 5.0])


def test_a_cast_to_integers_ends_the_recording(device, xp):
    """Its derivative is zero wherever it has one; a recorded integer rounded 3.7 to 3."""
    x = leaf([1.5, 2.5])
    for dtype in (xp.int64, xp.bool):
        y = xp.astype(x, dtype)
        assert not y.requires_grad
        assert y.dtype == dtype
    total(xp.astype(xp.astype(x, xp.int64), xp.float64) * 3.7 + x).backward()
    np.testing.assert_array_equal(numbers(x.grad), [1.0, 1.0])


def test_no_result_of_integers_is_recorded(device, xp):
    """Whatever made it: its gradient would be rounded to integers on its way back."""
    x = leaf([1.5, 2.5])
    counts = ig.Tensor(ig.array([0, 0]))
    try:
        counts[0] = x[0]
    except TypeError:  # array_api_strict follows the standard's promotion rule for writing
        counts = xp.astype(x, xp.int64)
    assert not counts.requires_grad

    @ig.differentiable
    def with_places(x):
        return x * 2.0, array_namespace(x).argsort(x)

    with_places.backward(lambda dy: dy[0] * 2.0)
    doubled, places = with_places(x)
    assert not places.requires_grad
    total(doubled * xp.astype(places + 1, x.dtype)).backward()
    np.testing.assert_array_equal(numbers(x.grad), [2.0, 4.0])


# -- dtypes and inspection ----------------------------------------------------------------------


def test_dtype_functions_take_tensors(device, xp):
    x, y = leaf([1.0], "float32"), leaf([1.0])
    assert xp.result_type(x, y) == xp.float64
    assert xp.result_type(x, 1.0) == xp.float32
    assert xp.isdtype(x.dtype, "real floating")
    assert xp.finfo(x.dtype).eps == xp.finfo(xp.float32).eps
    assert xp.can_cast(x, xp.float64)
    assert "float32" in xp.__array_namespace_info__().dtypes()
    assert xp.broadcast_shapes((3, 1), (1, 4), ()) == (3, 4)
    with pytest.raises(ValueError, match="broadcast"):
        xp.broadcast_shapes((3,), (4,))


# -- functions ----------------------------------------------------------------------------------


def test_functions_take_plain_arrays_and_give_plain_arrays(device, xp):
    x = ig.array([1.0, 2.0])
    for result in (xp.exp(x), xp.add(x, x), xp.sum(x), xp.concat([x, x]), xp.where(x > 1.0, x, x)):
        assert not isinstance(result, ig.Tensor)


def test_functions_that_are_constant_almost_everywhere_give_constants(device, xp):
    x = leaf([1.5, -2.5])
    for name in ("floor", "ceil", "round", "trunc", "sign", "isnan", "signbit"):
        y = getattr(xp, name)(x)
        assert isinstance(y, ig.Tensor)
        assert not y.requires_grad
    for y in (xp.argmax(x), xp.argsort(x), x > 0.0, xp.any(x > 0.0), xp.count_nonzero(x), x // 1.0):
        assert not y.requires_grad
    total(xp.floor(x) * x).backward()
    np.testing.assert_array_equal(numbers(x.grad), [1.0, -3.0])


def generic_softmax(x, axis=-1):
    """As a stranger writes it, knowing nothing of us."""
    xp = array_api_compat.array_namespace(x)
    shifted = x - xp.max(x, axis=axis, keepdims=True)
    e = xp.exp(shifted)
    return e / xp.sum(e, axis=axis, keepdims=True)


def test_other_peoples_code_becomes_differentiable(device):
    x = np.array([[1.0, 2.0, 4.0]])
    p = np.exp(x - 4.0) / np.exp(x - 4.0).sum()
    jacobian = ig.jacobian(lambda x: generic_softmax(x)[0, :])(ig.array(x, dtype="float64"))
    np.testing.assert_allclose(
        ig.to_numpy(jacobian)[:, 0, :], np.diag(p[0]) - p.T @ p, rtol=1e-13, atol=1e-16
    )


def test_array_api_extra_changes_arrays_through_at():
    xpx = pytest.importorskip("array_api_extra")
    x = ig.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = xpx.at(x * 1.0)[1].set(10.0)
    y = xpx.at(y)[0].multiply(5.0)
    total(y).backward()
    np.testing.assert_array_equal(x.grad, [5.0, 0.0, 1.0])
