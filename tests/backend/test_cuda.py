"""CUDA where it does not answer, told by a make-believe CuPy; a real GPU's test is marked gpu."""

import importlib
import logging
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import isograd as ig
from isograd.backend import cuda
from isograd.backend.errors import DeviceUnavailableError
from isograd.backend.libraries import CUPY

device_module = importlib.import_module("isograd.backend.device")

NO_DRIVER = "cudaErrorInsufficientDriver: CUDA driver version is insufficient"


class FakeDevice:
    """cupy.cuda.Device: entering and use() set the current device."""

    current = 0

    def __init__(self, index):
        self.id = index
        self.before = []

    def __enter__(self):
        self.before.append(FakeDevice.current)
        FakeDevice.current = self.id
        return self

    def __exit__(self, *exception):
        FakeDevice.current = self.before.pop()

    def use(self):
        FakeDevice.current = self.id

    def synchronize(self):
        FakeDevice.waited_for = self.id

    @property
    def mem_info(self):
        return 2**30, 4 * 2**30


FakeDevice.__name__ = "Device"
FakeDevice.__module__ = "cupy.cuda.device"


@pytest.fixture
def cupy(monkeypatch):
    """A CuPy with two GPUs; attributes of its `runtime` and `full` GPUs can be changed."""
    fake = ModuleType("cupy")
    fake.__version__ = "14.9"
    fake.full = set()
    fake.runtime = SimpleNamespace(
        getDeviceCount=lambda: 2,
        runtimeGetVersion=lambda: 13020,
        getDeviceProperties=lambda index: {"name": b"Make-believe GPU"},
    )
    fake.cuda = SimpleNamespace(runtime=fake.runtime, Device=FakeDevice)

    def zeros(shape):
        if FakeDevice.current in fake.full:
            raise MemoryError("out of memory")
        return np.zeros(shape)

    fake.zeros = zeros
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(FakeDevice, "current", 0)
    monkeypatch.setattr(CUPY, "_started_in", None)
    monkeypatch.setattr(cuda, "driver_version", lambda: 13000)
    for cache in ("_device_by_name", "_device_by_request", "_configured_device"):
        monkeypatch.setattr(device_module, cache, {})
    monkeypatch.setattr(device_module, "_said", set())
    monkeypatch.setattr(device_module, "_chosen_by_main_thread", None)
    return fake


def without_driver(fake, monkeypatch):
    def fails():
        raise RuntimeError(NO_DRIVER)

    fake.runtime.getDeviceCount = fails
    monkeypatch.setattr(cuda, "driver_version", lambda: 0)


def message_of(name):
    with pytest.raises(DeviceUnavailableError) as caught:
        ig.backend.find_device(name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("asked", "name"),
    [("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cupy", "cuda:0"), ("cupy:cuda:1", "cuda:1")],
)
def test_a_gpu_has_one_name_however_it_is_asked_for(cupy, asked, name):
    assert ig.backend.find_device(asked).name == name


def test_a_cupy_device_object_names_a_device(cupy):
    assert ig.backend.find_device(FakeDevice(1)) == "cuda:1"


def test_cuda_without_cupy_names_the_extra_that_fits_the_driver(monkeypatch):
    monkeypatch.setattr(CUPY, "is_installed", lambda: False)
    for version, extra in ((12080, "cuda12"), (13000, "cuda13")):
        monkeypatch.setattr(cuda, "driver_version", lambda version=version: version)
        message = message_of("cuda")
        assert "CuPy is not installed" in message
        assert f'pip install "isograd[{extra}]"' in message


def test_cuda_without_cupy_and_without_driver_names_both(monkeypatch):
    monkeypatch.setattr(CUPY, "is_installed", lambda: False)
    monkeypatch.setattr(cuda, "driver_version", lambda: 0)
    message = message_of("cuda:1")
    assert "install the NVIDIA driver" in message
    assert 'pip install "isograd[cuda13]"' in message


def test_cupy_without_a_driver_explains_itself(cupy, monkeypatch):
    without_driver(cupy, monkeypatch)
    message = message_of("cuda")
    assert "CuPy 14.9 is installed, but this machine has no NVIDIA driver" in message
    assert NO_DRIVER in message
    assert 'use("cpu")' in message


def test_a_driver_too_old_for_cupy_is_told_with_the_extra_that_fits_it(cupy, monkeypatch):
    without_driver(cupy, monkeypatch)
    monkeypatch.setattr(cuda, "driver_version", lambda: 12080)
    message = message_of("cuda")
    assert "the driver serves CUDA 12.8, CuPy needs CUDA 13.2" in message
    assert 'pip install "isograd[cuda12]"' in message


def test_gpus_hidden_by_the_environment_are_told(cupy, monkeypatch):
    without_driver(cupy, monkeypatch)
    monkeypatch.setattr(cuda, "driver_version", lambda: 13000)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "zzz")
    assert "CUDA_VISIBLE_DEVICES='zzz' leaves no GPU" in message_of("cuda")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert "CUDA lists no GPU" in message_of("cuda")


def test_a_cupy_that_cannot_be_imported_is_told(cupy, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "CuPy is installed, but its import fails" in message_of("cuda")


def test_a_gpu_beyond_the_last_is_answered_with_those_that_exist(cupy):
    message = message_of("cuda:2")
    assert "'cuda:2' does not answer here" in message
    assert "cuda:0, cuda:1" in message


def test_a_forked_process_is_told_that_cuda_does_not_survive(cupy, monkeypatch):
    ig.backend.find_device("cuda")
    monkeypatch.setattr("os.getpid", lambda: -1)
    for name in ("cuda", "cuda:0"):
        message = message_of(name)
        assert "does not survive a fork" in message
        assert "spawn" in message


def test_auto_takes_the_first_gpu_that_takes_an_array(cupy):
    assert ig.backend.find_device("auto") == "cuda:0"
    cupy.full = {0}
    assert ig.backend.find_device("auto") == "cuda:1"


def test_auto_without_a_driver_takes_the_cpu_and_says_so_once(cupy, monkeypatch, caplog):
    without_driver(cupy, monkeypatch)
    with caplog.at_level(logging.WARNING, logger="isograd"):
        assert ig.backend.find_device("auto") == "cpu"
        assert ig.backend.find_device("auto") == "cpu"
    assert len(caplog.records) == 1
    assert "auto: using the CPU, because CuPy 14.9 is installed, but" in caplog.text


def test_auto_takes_the_cpu_when_every_gpu_is_full(cupy, caplog):
    cupy.full = {0, 1}
    with caplog.at_level(logging.WARNING, logger="isograd"):
        assert ig.backend.find_device("auto") == "cpu"
    assert "no GPU takes an array" in caplog.text


def test_auto_without_cupy_is_silent(monkeypatch, caplog):
    monkeypatch.setattr(CUPY, "is_installed", lambda: False)
    with caplog.at_level(logging.DEBUG, logger="isograd"):
        assert ig.backend.find_device("auto") == "cpu"
    assert not caplog.records


def test_using_a_gpu_sets_cupys_current_device_for_the_block(cupy):
    with ig.using("cuda:1"):
        assert FakeDevice.current == 1
    assert FakeDevice.current == 0


def test_using_a_gpu_twice_over_gives_back_the_right_ones(cupy):
    with ig.using("cuda:1"), ig.using("cuda:0"), ig.using("cuda:1"):
        assert FakeDevice.current == 1
    assert FakeDevice.current == 0


def test_use_sets_cupys_current_device(cupy):
    token = device_module._chosen.set(None)
    ig.use("cuda:1")
    device_module._chosen.reset(token)
    assert FakeDevice.current == 1


def test_arrays_are_made_on_the_device_that_is_active(cupy):
    gpu = ig.backend.find_device("cuda:1")
    with gpu.active():
        assert FakeDevice.current == 1
    assert FakeDevice.current == 0


def test_each_block_enters_a_device_object_of_its_own(cupy):
    gpu = ig.backend.find_device("cuda:1")
    assert gpu.active() is not gpu.active()


def test_synchronize_waits_for_the_device_that_is_named(cupy):
    ig.synchronize("cuda:1")
    assert FakeDevice.waited_for == 1


def test_the_table_of_devices_tells_a_gpus_memory(cupy):
    records = {record.name: record for record in ig.devices()}
    assert records["cuda:1"].details() == "Make-believe GPU, 1.0 of 4.0 GiB free"


def test_the_drivers_version_is_zero_or_one_of_cuda():
    assert cuda.driver_version() == 0 or cuda.driver_version() >= 11000


@pytest.mark.gpu
def test_a_gpus_arrays_live_there_and_come_back():
    x = ig.array([1.0, 2.0], device="cuda")
    assert ig.device_of(x) == "cuda:0"
    assert ig.to_device(x, "cuda:0") is x
    np.testing.assert_array_equal(ig.to_numpy(x), np.asarray([1.0, 2.0], np.float32))
    assert ig.device_of(ig.to_device(x, "cpu")) == "cpu"
