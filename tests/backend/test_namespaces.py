"""Which namespace serves an array, and what a wrapper type tells about itself."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import libraries as libraries_module
from isograd.backend import namespaces
from isograd.backend.errors import DeviceError
from isograd.backend.library import Library
from isograd.backend.namespaces import (
    array_namespace,
    describe_device,
    is_array,
    mixed_devices,
    register_array_type,
    unwrap,
    wrapper_of,
)


class Box:
    """A wrapper as Tensor is one: an array within, which may be a Box again."""

    def __init__(self, data, requires_grad=False):
        self.data = data
        self.requires_grad = requires_grad


class SpecialBox(Box):
    """Not registered itself."""


class Over:
    """The namespace of boxes over one library."""

    def __init__(self, wrapped):
        self.wrapped = wrapped


OVER = {}


def namespace_of_box(box):
    inner = array_namespace(unwrap(box))
    return OVER.setdefault(id(inner), Over(inner))


@pytest.fixture
def boxes(monkeypatch):
    monkeypatch.setattr(namespaces, "_wrapper_by_type", dict(namespaces._wrapper_by_type))
    assert wrapper_of(SpecialBox(1)) is None  # looked up before the base is registered
    register_array_type(Box, namespace_of_box)


def test_arrays_of_one_library_share_its_namespace(device):
    x = ig.array([1.0])
    assert array_namespace(x, x, None, 2.0, True) is ig.current_device().xp


@pytest.mark.parametrize("arguments", [(), (1.0, None), (True, 2j)])
def test_a_namespace_needs_an_array(arguments):
    with pytest.raises(TypeError, match="at least one array must be given"):
        array_namespace(*arguments)


def test_what_is_no_array_has_no_namespace():
    with pytest.raises(TypeError, match=r"list is not an array; make one with isograd\.array"):
        array_namespace([1.0])


def test_arrays_of_two_libraries_have_none_and_the_error_names_both():
    x, y = ig.array([1.0], device="cpu"), ig.array([1.0], device="strict:device1")
    with pytest.raises(DeviceError) as caught:
        array_namespace(x, y)
    assert "got cpu and strict:device1; move one with isograd.to_device" in str(caught.value)


def test_the_error_for_a_mixture_names_each_device_once():
    x, y = ig.array([1.0], device="cpu"), ig.array([1.0], device="strict")
    message = str(mixed_devices((x, 2.0, y, x), "linear"))
    assert message.startswith("linear: all arrays must be on one device, got cpu and strict:cpu;")


@pytest.mark.parametrize("thing", [1, 1.0, True, 1j, [1.0], "x", None])
def test_numbers_lists_and_strings_are_no_arrays(thing):
    assert not is_array(thing)


def test_arrays_are_arrays(device):
    assert is_array(ig.array([1.0]))


def test_a_wrapper_outranks_what_it_wraps(boxes):
    x = np.ones(2)
    for arguments in ((x, Box(x)), (Box(x), x), (Box(Box(x)), x)):
        assert array_namespace(*arguments).wrapped is array_namespace(x)


def test_wrappers_over_two_libraries_do_not_mix(boxes):
    x, y = Box(ig.array([1.0], device="cpu")), Box(ig.array([1.0], device="strict"))
    with pytest.raises(DeviceError, match="got cpu and strict:cpu"):
        array_namespace(x, y)


def test_unwrap_reaches_the_array_under_any_number_of_wrappers(boxes):
    x = np.ones(2)
    assert unwrap(Box(Box(Box(x)))) is x
    assert unwrap(x) is x


def test_a_subclass_of_a_wrapper_is_one(boxes):
    x = np.ones(2)
    assert is_array(SpecialBox(x))
    assert unwrap(SpecialBox(x)) is x
    assert array_namespace(SpecialBox(x)).wrapped is array_namespace(x)


def test_the_device_under_a_wrapper_is_described(boxes):
    assert describe_device(Box(ig.array([1.0], device="strict:device2"))) == "strict:device2"


def test_a_library_that_nobody_registered_serves_its_own_arrays(monkeypatch):
    x = ig.array([1.0, 2.0], device="strict")
    known = {name: one for name, one in libraries_module._libraries.items() if name != "strict"}
    monkeypatch.setattr(libraries_module, "_libraries", known)
    monkeypatch.setattr(libraries_module, "_library_by_type", {})
    monkeypatch.setattr("isograd.backend.device._device_by_name", {})
    here = ig.device_of(x)
    assert here.name.startswith("array_api_strict:")
    assert here.xp is array_namespace(x)
    np.testing.assert_array_equal(ig.to_numpy(x), [1.0, 2.0])
    assert ig.to_device(x, here) is x


@pytest.mark.parametrize("thing", [2.0, [1.0], None])
def test_what_is_no_array_belongs_to_no_library(thing):
    with pytest.raises(TypeError, match="library_of: x must be an array"):
        libraries_module.library_of(thing)


def test_a_registered_library_can_be_asked_for_by_name(monkeypatch):
    monkeypatch.setattr(libraries_module, "_libraries", dict(libraries_module._libraries))
    monkeypatch.setattr(libraries_module, "_library_by_type", {})
    monkeypatch.setattr("isograd.backend.device._device_by_request", {})
    libraries_module.register_library(Library("plain", "array_api_strict", "pip install plain"))
    with ig.using("plain") as device:
        assert device.name.startswith("plain:")
        assert ig.array([1.0]).device == device.raw
