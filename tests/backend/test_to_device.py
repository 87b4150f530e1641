"""Arrays between devices and out of wrappers: to_device, to_numpy, synchronize."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import namespaces
from isograd.backend.dtypes import dtype_name
from isograd.backend.errors import DtypeError, NotDifferentiableError, UnknownDeviceError
from isograd.backend.namespaces import register_array_type


class Box:
    """A wrapper as Tensor is one."""

    def __init__(self, data, requires_grad=False):
        self.data = data
        self.requires_grad = requires_grad
        self.shape = data.shape


@pytest.fixture
def boxes(monkeypatch):
    monkeypatch.setattr(namespaces, "_wrapper_by_type", dict(namespaces._wrapper_by_type))
    register_array_type(Box, lambda box: None)


def test_an_array_of_another_device_stays_unless_a_device_is_asked_for():
    x = ig.array([1.0], device="strict:device1")
    with ig.using("cpu"):
        assert ig.array(x) is x
        assert ig.array(x, dtype="float64").device == x.device
        assert ig.device_of(ig.array(x, device="cpu")) == "cpu"


ROUTES = ["cpu", "strict", "strict:device1", "torch"]


@pytest.mark.parametrize("source", ROUTES)
@pytest.mark.parametrize("target", ROUTES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "complex128"])
def test_values_and_dtype_survive_every_move(source, target, dtype):
    if "torch" in (source, target):
        pytest.importorskip("torch")
    host = np.asarray([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    x = ig.to_device(ig.array(host), source)
    y = ig.to_device(x, target)
    assert ig.device_of(y) == ig.backend.find_device(target)
    assert dtype_name(y.dtype) == dtype
    np.testing.assert_array_equal(ig.to_numpy(y), host)
    assert (y is x) == (source == target)


def test_a_moved_array_shares_nothing_with_the_old_one(device):
    host = np.ones(2, np.float32)
    x = ig.to_device(host, device)
    if x is not host:
        host[0] = 5.0
        assert float(x[0]) == 1.0


def test_an_unknown_dtype_for_the_target_is_refused():
    with pytest.raises(DtypeError, match="has no dtype float16"):
        ig.to_device(np.ones(2, np.float16), "strict")


@pytest.mark.parametrize("thing", [1.0, [1.0], None, "cpu"])
@pytest.mark.parametrize("move", [lambda x: ig.to_device(x, "cpu"), ig.to_numpy])
def test_only_arrays_move(thing, move):
    with pytest.raises(
        TypeError, match=r"x must be an array, got .*; make one with isograd\.array"
    ):
        move(thing)


def test_to_numpy_gives_a_numpy_array_back_as_it_is():
    x = np.ones(2)
    assert ig.to_numpy(x) is x


def test_to_numpy_gives_a_writable_copy_of_any_other_array():
    for name in ("strict", "strict:device1"):
        x = ig.array([1.0], device=name)
        host = ig.to_numpy(x)
        host[0] = 5.0
        assert float(x[0]) == 1.0


def test_synchronize_takes_a_device_or_the_current_one(device):
    assert ig.synchronize() is None
    assert ig.synchronize(device) is None
    with pytest.raises(UnknownDeviceError):
        ig.synchronize("nowhere")


# Wrappers.


@pytest.mark.parametrize("move", [ig.array, ig.to_numpy, lambda x: ig.to_device(x, "cpu")])
def test_a_wrapper_that_nothing_records_gives_its_array(boxes, move):
    x = np.ones(2)
    with ig.using("cpu"):
        assert move(Box(Box(x))) is x


@pytest.mark.parametrize("move", [ig.array, ig.to_numpy, lambda x: ig.to_device(x, "strict")])
def test_a_recorded_wrapper_is_not_taken_off_its_tape(boxes, move):
    for recorded in (Box(np.ones((2, 3)), True), Box(Box(np.ones((2, 3)), True))):
        with pytest.raises(NotDifferentiableError, match=r"shape \(2, 3\); pass x\.detach\(\)"):
            move(recorded)


def test_a_wrapper_with_a_move_of_its_own_makes_it(monkeypatch):
    monkeypatch.setattr(namespaces, "_wrapper_by_type", dict(namespaces._wrapper_by_type))
    register_array_type(Box, lambda box: None, to_device=lambda x, device: (x, device))
    box = Box(np.ones(2), True)
    assert ig.to_device(box, "strict") == (box, "strict:cpu")
