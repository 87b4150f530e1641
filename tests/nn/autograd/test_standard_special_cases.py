"""What libraries get wrong at infinities is right here, and machine limits are Python numbers."""

from math import inf, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, at infinities


@pytest.fixture
def xp(device):
    return ig.wrap_namespace(ig.current_device().xp)


def number(x, dtype):
    return ig.array([x], dtype=dtype)


def same(actual, expected):
    """Equal, with the signs of zeros and of infinities, nan for nan."""
    actual = complex(actual)
    for x, y in [(actual.real, expected.real), (actual.imag, expected.imag)]:
        assert_array_equal(x, y)
        assert np.isnan(x) or np.signbit(x) == np.signbit(y)


@pytest.mark.parametrize(
    ("x1", "x2", "expected"),
    [
        (inf, 2.0, inf),
        (inf, -2.0, -inf),
        (-inf, 2.0, -inf),
        (-inf, -2.0, inf),
        (3.0, -inf, -0.0),
        (-3.0, inf, -0.0),
        (3.0, inf, 0.0),
        (inf, inf, nan),
        (7.0, -2.0, -4.0),
    ],
)
def test_floor_divide_at_infinity_is_the_quotient(x1, x2, expected, xp):
    a, b = number(x1, "float64"), number(x2, "float64")
    same(float(xp.floor_divide(a, b)[0]), complex(expected, 0.0))
    same(float((ig.Tensor(a) // b)[0]), complex(expected, 0.0))
    same(float(xp.floor_divide(a, x2)[0]), complex(expected, 0.0))
    same(float(xp.floor_divide(x1, b)[0]), complex(expected, 0.0))


def test_floor_divide_of_integers_is_the_librarys(xp):
    quotient = xp.floor_divide(ig.array([7, -7]), ig.array([2, 2]))
    assert quotient.dtype == xp.int64
    assert_array_equal(ig.to_numpy(quotient), [3, -4])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (complex(0.0, 0.0), complex(0.0, 0.0)),
        (complex(inf, 0.0), complex(inf, 0.0)),
        (complex(inf, inf), complex(inf, nan)),
        (complex(inf, nan), complex(inf, nan)),
        (complex(-inf, inf), complex(-1.0, 0.0)),
        (complex(-inf, nan), complex(-1.0, 0.0)),
        (complex(nan, 0.0), complex(nan, 0.0)),
    ],
)
def test_expm1_of_an_infinite_complex_number(x, expected, xp):
    same(xp.expm1(number(x, "complex128"))[0], expected)


@pytest.mark.parametrize("imag", [1.0, 2.0, -1.0, -2.0, 0.0, -0.0])
def test_tanh_far_out_in_the_complex_plane(imag, xp):
    sign = np.copysign(1.0, imag)
    same(xp.tanh(number(complex(inf, imag), "complex128"))[0], complex(1.0, 0.0 * sign))
    same(xp.tanh(number(complex(-inf, imag), "complex128"))[0], complex(-1.0, 0.0 * sign))


def test_elsewhere_the_library_is_asked(xp):
    """Only infinite and zero arguments are mended."""
    z = ig.array([0.3 + 0.4j, -20.0 + 3.0j, 1e-12 + 1e-12j], dtype="complex128")
    library = ig.current_device().xp
    for name in ("expm1", "tanh"):
        ours, theirs = getattr(xp, name)(z), getattr(library, name)(z)
        assert_array_equal(ig.to_numpy(ours), ig.to_numpy(theirs))
        x = ig.array([inf, -inf, 0.0, 0.5], dtype="float64")
        ours, theirs = getattr(xp, name)(x), getattr(library, name)(x)
        assert_array_equal(ig.to_numpy(ours), ig.to_numpy(theirs))


def test_the_sign_of_a_complex_number_lies_on_the_unit_circle_or_is_zero(xp):
    z = ig.array([0j, 3 + 4j, -2j], dtype="complex128")
    assert_allclose(ig.to_numpy(xp.sign(z)), [0j, 0.6 + 0.8j, -1j], rtol=1e-15)
    same(xp.sign(number(complex(-0.0, -0.0), "complex128"))[0], complex(0.0, 0.0))


# -- machine limits -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float32", "float64", "complex64", "complex128"])
def test_the_limits_of_floating_dtypes_are_python_floats(name, xp):
    expected = np.finfo(name)
    for given in (getattr(xp, name), ig.Tensor(ig.array([1.0], dtype=name))):
        found = xp.finfo(given)
        assert (found.bits, found.dtype) == (expected.bits, getattr(xp, found_name(name)))
        for limit in ("eps", "max", "min", "smallest_normal"):
            assert type(getattr(found, limit)) is float
            assert getattr(found, limit) == float(getattr(expected, limit))


def found_name(name):
    """The dtype of the real and imaginary part."""
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


@pytest.mark.parametrize("name", ["int8", "int32", "int64", "uint8"])
def test_the_limits_of_integer_dtypes(name, xp):
    for given in (getattr(xp, name), ig.Tensor(ig.array([1], dtype=name))):
        found, expected = xp.iinfo(given), np.iinfo(name)
        assert (found.bits, found.max, found.min) == (expected.bits, expected.max, expected.min)
        assert found.dtype == getattr(xp, name)


def test_questions_about_dtypes_take_tensors(xp):
    x = ig.Tensor(ig.array([1.0], dtype="float32"), requires_grad=True)
    assert xp.result_type(x, xp.float64) == xp.float64
    assert xp.result_type(x, 1.0) == xp.float32
    assert xp.can_cast(x, xp.float64)
    assert not xp.can_cast(xp.complex64, xp.float32)
    assert xp.isdtype(x.dtype, ("integral", "real floating"))


def test_the_info_is_the_librarys_own(xp):
    info, library = xp.__array_namespace_info__(), ig.current_device().xp
    theirs = library.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] == theirs.capabilities()["boolean indexing"]
    assert info.default_device() == theirs.default_device()
    assert info.default_dtypes()["real floating"] == theirs.default_dtypes()["real floating"]
    assert isinstance(info.devices(), tuple)
    assert info.default_device() in info.devices()
    assert info.dtypes(kind="bool") == {"bool": xp.bool}
    for device in info.devices():
        zero = xp.zeros((), device=device)
        assert zero.device == device
        assert float(zero) == 0.0  # torch's meta device would hold no number


def test_the_info_tells_of_flags_that_are_switched():
    """array-api-extra asks whether masks work, and chooses another way where they do not."""
    strict = pytest.importorskip("array_api_strict")
    info = ig.wrap_namespace(strict).__array_namespace_info__()
    with strict.ArrayAPIStrictFlags(boolean_indexing=False):
        assert info.capabilities()["boolean indexing"] is False
    assert info.capabilities()["boolean indexing"] is True
