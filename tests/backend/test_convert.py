"""Arrays from Python data: dtypes, copies, and what is refused."""

import array as buffers
import math

import numpy as np
import pytest

import isograd as ig
from isograd.backend.dtypes import dtype_name
from isograd.backend.errors import (
    CastOverflowError,
    DeviceError,
    DtypeError,
    UnknownDeviceError,
)

# What numbers become.


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"),
        ([1.5, 2], "float32"),
        ([], "float32"),
        ([[], []], "float32"),
        (np.float64(1.5), "float32"),
        ([np.float64(1.5)], "float32"),
        ([math.nan, math.inf, -math.inf], "float32"),
        (3, "int64"),
        ([1, 2**63 - 1], "int64"),
        (range(3), "int64"),
        (np.int8(3), "int8"),
        (True, "bool"),
        ([[True], [False]], "bool"),
        (1j, "complex64"),
        ([1.0, 2j], "complex64"),
    ],
)
def test_numbers_take_the_default_dtype_of_their_kind(data, dtype, device):
    x = ig.array(data)
    assert dtype_name(x.dtype) == dtype
    assert ig.device_of(x) == ig.current_device()
    np.testing.assert_array_equal(ig.to_numpy(x), np.asarray(data).astype(dtype))


@pytest.mark.parametrize("dtype", ["float64", "int16", "uint8", "bool", "complex64"])
def test_arrays_keep_their_dtype(dtype, device):
    x = ig.array(np.ones((2, 3), dtype))
    assert dtype_name(x.dtype) == dtype
    assert dtype_name(ig.array(x).dtype) == dtype


@pytest.mark.parametrize("dtype", ["float64", float, np.float64, np.dtype("float64")])
def test_a_dtype_can_be_named_in_any_librarys_words(dtype, device):
    expected = "float32" if dtype is float else "float64"
    assert dtype_name(ig.array([1, 2], dtype=dtype).dtype) == expected
    assert ig.array([1.0], dtype=ig.current_device().xp.float64).dtype is not None


def test_float_lists_reach_float64_without_passing_float32(device):
    x = ig.array([0.1], dtype="float64")
    assert float(x[0]) == 0.1


@pytest.mark.parametrize("order", ["<", ">"])
def test_any_byte_order_is_read(order, device):
    x = ig.array(np.asarray([1.0, 2.0], order + "f8"))
    assert dtype_name(x.dtype) == "float64"
    np.testing.assert_array_equal(ig.to_numpy(x), [1.0, 2.0])


@pytest.mark.parametrize(
    "data",
    [
        np.arange(6.0)[::-2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.broadcast_to(np.float64(1.0), (2, 3)),
        np.asarray(2.0),
        np.zeros((0, 3)),
        memoryview(b"ab"),
        buffers.array("d", [1.0, 2.0]),
    ],
    ids=["reversed", "fortran", "read-only", "0-d", "empty", "memoryview", "buffer"],
)
def test_layout_does_not_matter(data, device):
    np.testing.assert_array_equal(ig.to_numpy(ig.array(data)), np.asarray(data))


def test_a_torch_bfloat16_array_is_made_from_numbers():
    torch = pytest.importorskip("torch")
    x = ig.array([1.0, 2.0], dtype=torch.bfloat16, device="torch")
    assert x.dtype == torch.bfloat16
    with pytest.raises(DtypeError, match=r"NumPy has no torch\.bfloat16; cast first"):
        ig.to_numpy(x)


# Lists of arrays.


def test_a_list_of_arrays_is_stacked_in_their_dtype(device):
    x = ig.array(np.asarray([1.0, 2.0]))
    y = ig.array([[x, x], [x, x]])
    assert tuple(y.shape) == (2, 2, 2)
    assert dtype_name(y.dtype) == "float64"
    assert ig.device_of(y) == ig.current_device()


@pytest.mark.parametrize(
    ("array_dtype", "number", "expected"),
    [
        ("float64", 1.0, "float64"),
        ("float32", 1, "float32"),
        ("int32", 1, "int32"),
        ("int32", 1.5, "float32"),
        ("float32", 1j, "complex64"),
        ("float64", 1j, "complex128"),
    ],
)
def test_a_number_beside_arrays_follows_them_unless_its_kind_is_higher(
    array_dtype, number, expected, device
):
    x = ig.array(np.ones((), array_dtype))
    y = ig.array([x, number])
    assert dtype_name(y.dtype) == expected
    np.testing.assert_array_equal(ig.to_numpy(y), [1, number])


def test_a_list_of_arrays_stays_on_their_device():
    x = ig.array([1.0], device="strict:device1")
    assert ig.device_of(ig.array([x, x])) == "strict:device1"
    assert ig.device_of(ig.array([x, x], device="cpu")) == "cpu"


def test_a_list_with_arrays_of_two_devices_is_refused():
    x, y = ig.array([1.0], device="strict:device1"), ig.array([1.0], device="strict")
    with pytest.raises(DeviceError, match="strict:device1 and strict:cpu"):
        ig.array([x, y])


def test_a_list_of_arrays_that_do_not_stack_is_refused(device):
    x, y = ig.array([1.0]), ig.array([1.0, 2.0])
    with pytest.raises(DtypeError, match=r"rectangular.*\(1,\), \(2,\)"):
        ig.array([x, y])


# What is refused.


@pytest.mark.parametrize(
    "data",
    [
        [[1], [1, 2]],
        "abc",
        ["1"],
        b"ab",
        None,
        [None],
        {1: 2},
        {1, 2},
        (i for i in [1]),
        object(),
        2**70,
        np.asarray([1, "a"], object),
        np.asarray(["2020"], "M8[D]"),
        np.zeros(2, [("a", "f4")]),
    ],
    ids=lambda data: str(data).split(" at 0x")[0],
)
def test_what_is_no_array_of_numbers_is_refused(data, device):
    with pytest.raises(DtypeError, match="array: data must be"):
        ig.array(data)


def test_long_double_is_refused():
    if np.dtype(np.longdouble) == np.float64:
        pytest.skip("here long double is float64")
    with pytest.raises(DtypeError, match="numbers of at most 64 bits"):
        ig.array(np.zeros(2, np.longdouble))


def test_a_masked_array_is_refused_rather_than_unmasked():
    with pytest.raises(DtypeError, match="would lose its mask"):
        ig.array(np.ma.masked_array([1.0, 2.0], [True, False]))


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1e300, None),
        ([1.0, -1e39], None),
        ([2**63], None),
        ([300], "uint8"),
        ([-1], "uint64"),
        ([300.0], "int8"),
        ([math.nan], "int64"),
        ([math.inf], "int32"),
        (np.asarray([1e300]), "float32"),
        (np.asarray([70000.0]), "float16"),
        (np.asarray([2**40]), "int32"),
        ([complex(1e300, 0)], None),
    ],
    ids=str,
)
def test_a_value_that_the_dtype_cannot_hold_is_refused(data, dtype):
    with pytest.raises(CastOverflowError, match="must fit in"):
        ig.array(data, dtype=dtype)


def test_a_large_integer_is_taken_when_asked_for():
    assert int(ig.array([2**64 - 1], dtype="uint64")[0]) == 2**64 - 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8", "object", 3])
def test_a_dtype_that_the_library_lacks_is_refused(dtype):
    with pytest.raises(DtypeError, match="dtype"):
        ig.array([1.0], dtype=dtype, device="strict")


def test_a_dtype_that_the_device_lacks_is_refused():
    strict = pytest.importorskip("array_api_strict")
    if "no_float64" not in str(strict.__array_namespace_info__().devices()):
        pytest.skip("this array_api_strict has no device without float64")
    with pytest.raises(DtypeError, match="float64"):
        ig.array([1.0], dtype="float64", device="strict:no_float64")


def test_complex_data_does_not_lose_its_imaginary_part(device):
    with pytest.raises(DtypeError, match="take its real part first"):
        ig.array([1j], dtype="float32")


def test_an_unknown_device_is_refused():
    with pytest.raises(UnknownDeviceError):
        ig.array([1.0], device="nowhere")


# Copies.


def test_on_the_cpu_a_numpy_array_is_shared_unless_a_copy_is_asked_for():
    data = np.ones(3)
    with ig.using("cpu"):
        assert ig.array(data) is data
        assert ig.array(data, copy=False) is data
        assert not np.shares_memory(ig.array(data, copy=True), data)
        assert not np.shares_memory(ig.array(data, dtype="float32"), data)


def test_elsewhere_data_is_copied():
    data = np.ones(3)
    x = ig.array(data, device="strict:device1")
    data[0] = 5.0
    assert float(x[0]) == 1.0


def test_an_array_is_copied_when_asked(device):
    x = ig.array([1.0])
    assert ig.array(x) is x
    y = ig.array(x, copy=True)
    y[0] = 5.0
    assert float(x[0]) == 1.0
    assert ig.device_of(y) == ig.device_of(x)


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": [1.0]},
        {"data": np.ones(2), "dtype": "float32"},
        {"data": np.ones(2, ">f8")},
        {"data": np.ones(2), "device": "strict"},
    ],
    ids=str,
)
def test_a_copy_that_is_needed_and_forbidden_is_refused(arguments):
    with ig.using("cpu"), pytest.raises(ValueError, match="needs a copy"):
        ig.array(copy=False, **arguments)


def test_a_forbidden_copy_between_devices_is_refused():
    x = ig.array([1.0], device="strict:device1")
    assert ig.array(x, copy=False) is x
    for changes in ({"device": "cpu"}, {"device": "strict:device2"}, {"dtype": "float64"}):
        with pytest.raises(ValueError, match="needs a copy"):
            ig.array(x, copy=False, **changes)
