"""Dtypes by name across libraries, their kinds and tolerances."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import isograd as ig
from isograd.backend.dtypes import (
    DTYPE_NAMES,
    as_dtype,
    default_dtype,
    dtype_name,
    is_boolean,
    is_complex,
    is_floating,
    is_integer,
    same_dtype,
    tolerance,
)
from isograd.backend.errors import DtypeError

STANDARD = [name for name in DTYPE_NAMES if name not in ("float16", "bfloat16")]


@pytest.mark.parametrize("name", STANDARD)
def test_every_dtype_of_the_standard_has_its_name_in_every_library(name, device):
    xp = ig.current_device().xp
    dtype = as_dtype(xp, name)
    assert dtype == getattr(xp, name)
    assert dtype_name(dtype) == name
    assert as_dtype(xp, dtype) == dtype
    assert same_dtype(dtype, np.dtype(name))


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(float, "float32"), (int, "int64"), (bool, "bool"), (complex, "complex64")],
)
def test_a_python_type_names_the_default_dtype_of_its_kind(dtype, name):
    assert dtype_name(dtype) == name


@pytest.mark.parametrize("dtype", [np.float64, np.dtype(">f8"), "float64"])
def test_numpys_ways_to_name_a_dtype_agree(dtype):
    assert dtype_name(dtype) == "float64"


@pytest.mark.parametrize("dtype", ["float", "f4", "", None, 3, [], {}, object, np.dtype("U3")])
def test_what_is_no_dtype_is_answered_with_those_that_exist(dtype):
    with pytest.raises(DtypeError, match="a dtype must be one of bool, int8"):
        dtype_name(dtype)


def test_a_dtype_that_a_library_lacks_is_named():
    with pytest.raises(DtypeError, match="array_api_strict has no dtype float16"):
        as_dtype(pytest.importorskip("array_api_strict"), "float16")


def test_cupys_bfloat16_is_that_of_ml_dtypes_and_the_error_says_so(monkeypatch):
    cupys = SimpleNamespace(__name__="array_api_compat.cupy")
    monkeypatch.setitem(sys.modules, "ml_dtypes", SimpleNamespace(bfloat16=np.float16))
    assert as_dtype(cupys, "bfloat16") == np.dtype("float16")
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(DtypeError, match="only where the package ml_dtypes is; pip install ml_dt"):
        as_dtype(cupys, "bfloat16")


def test_the_default_dtype_is_float32_on_every_device(device):
    xp = ig.current_device().xp
    assert default_dtype() == xp.float32
    assert default_dtype(xp) == xp.float32


def test_every_dtype_is_of_one_kind(device):
    kinds = (is_boolean, is_integer, is_floating, is_complex)
    xp = ig.current_device().xp
    for name in STANDARD:
        of_kind = [kind(as_dtype(xp, name)) for kind in kinds]
        assert sum(of_kind) == 1
        assert of_kind == [kind(name) for kind in kinds]


def test_the_kind_of_an_array_is_that_of_its_dtype(device):
    assert is_floating(ig.array([1.0]))
    assert is_integer(ig.array([1]))
    assert is_boolean(ig.array([True]))
    assert is_complex(ig.array([1j]))


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_a_tolerance_is_a_few_units_in_the_last_place(name):
    eps = float(np.finfo(name).eps)
    assert eps < tolerance(name).rtol <= 64 * eps
    assert eps < tolerance(name).atol <= 64 * eps


def test_a_complex_tolerance_is_that_of_its_parts():
    assert tolerance("complex64") == tolerance("float32")
    assert tolerance("complex128") == tolerance("float64")


@pytest.mark.parametrize("name", ["int32", "uint8", "bool"])
def test_integers_and_booleans_agree_exactly(name):
    assert (tolerance(name).rtol, tolerance(name).atol) == (0.0, 0.0)


def test_a_tolerance_is_that_of_an_arrays_dtype_and_can_be_widened(device):
    x = ig.array([1.0])
    assert tolerance(x) == tolerance("float32")
    assert tolerance(x, 4).rtol == 4 * tolerance("float32").rtol


def test_a_lower_precision_is_outside_the_tolerance_of_a_higher_one():
    assert np.finfo(np.float32).eps / 4 > tolerance("float64").rtol
    assert np.finfo(np.float16).eps / 4 > tolerance("float32").rtol
