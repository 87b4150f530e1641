"""The current device: names, scopes, threads, coroutines, and what is said when it is not here."""

import asyncio
import copy
import importlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import isograd as ig
from isograd.backend.device import Device, current_device, find_device, known_names
from isograd.backend.errors import (
    ConfigurationError,
    DeviceError,
    DeviceUnavailableError,
    UnknownDeviceError,
)
from isograd.backend.libraries import libraries
from isograd.backend.settings import settings_override

device_module = importlib.import_module("isograd.backend.device")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    """No choice made by an earlier test, none left to a later one."""
    monkeypatch.setattr(device_module, "_chosen_by_main_thread", None)
    token = device_module._chosen.set(None)
    with settings_override(device=None):
        yield
    device_module._chosen.reset(token)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("cpu", "cpu"),
        ("numpy", "cpu"),
        ("numpy:cpu", "cpu"),
        ("strict", "strict:cpu"),
        ("strict:cpu", "strict:cpu"),
        ("strict:CPU_DEVICE", "strict:cpu"),
        ("strict:device1", "strict:device1"),
    ],
)
def test_a_device_has_one_name_however_it_is_asked_for(asked, name):
    assert find_device(asked).name == name
    assert find_device(asked) is find_device(name)


def test_torch_devices_have_one_name_each():
    torch = pytest.importorskip("torch")
    assert find_device("torch").name == "torch:cpu"
    assert find_device("torch:cpu") == find_device(torch.device("cpu"))


def test_without_a_choice_the_device_is_the_cpu():
    assert current_device() == "cpu"


def test_a_device_equals_its_name_and_hashes_like_it():
    device = find_device("strict:device1")
    assert device == "strict:device1"
    assert device != "strict:cpu"
    assert device != 3
    assert {device: 1}["strict:device1"] == 1
    assert str(device) == "strict:device1"
    assert repr(device) == "Device('strict:device1')"


def test_a_device_cannot_be_changed_and_a_copy_is_itself():
    device = find_device("cpu")
    with pytest.raises(AttributeError, match="take another device"):
        device.name = "cuda"
    assert copy.deepcopy(device) is device
    assert copy.copy(device) is device


def test_a_device_leads_to_the_namespace_of_its_arrays(device):
    here = current_device()
    x = here.xp.zeros(2, device=here.raw)
    assert ig.device_of(x) is here
    assert ig.backend.array_namespace(x) is here.xp


def test_a_librarys_own_device_object_names_a_device():
    strict = pytest.importorskip("array_api_strict")
    assert find_device(strict.Device("device1")) == "strict:device1"


def test_use_holds_until_the_next_use():
    assert ig.use("strict") == "strict:cpu"
    assert current_device() == "strict:cpu"
    ig.use(find_device("cpu"))
    assert current_device() == "cpu"


def test_using_nests_and_gives_back_what_was_there():
    with ig.using("strict") as outer:
        with ig.using("cpu") as inner:
            assert (inner, current_device()) == ("cpu", "cpu")
        assert current_device() == outer == "strict:cpu"
    assert current_device() == "cpu"


def test_using_ends_when_its_block_raises():
    with pytest.raises(KeyError), ig.using("strict"):
        raise KeyError
    assert current_device() == "cpu"


def test_use_within_using_ends_with_the_block():
    with ig.using("strict"):
        ig.use("strict:device1")
        assert current_device() == "strict:device1"
        assert in_a_thread(current_device) == "cpu"
    assert current_device() == "cpu"


def test_a_failed_using_changes_nothing():
    with pytest.raises(UnknownDeviceError), ig.using("nonsense"):
        pass
    assert current_device() == "cpu"


def test_a_thread_without_a_choice_has_the_main_threads_use_but_not_its_using():
    ig.use("strict:device1")
    with ig.using("cpu"):
        assert in_a_thread(current_device) == "strict:device1"


def test_a_threads_use_stays_in_that_thread():
    assert in_a_thread(lambda: ig.use("strict") and current_device()) == "strict:cpu"
    assert current_device() == "cpu"
    assert in_a_thread(current_device) == "cpu"


def test_threads_that_choose_at_the_same_time_do_not_see_each_other():
    names = ["cpu", "strict:cpu", "strict:device1", "strict:device2"]
    barrier = threading.Barrier(len(names))

    def choose(name):
        with ig.using(name):
            barrier.wait(timeout=10)
            return [current_device().name for _ in range(100)]

    with ThreadPoolExecutor(len(names)) as pool:
        seen = list(pool.map(choose, names))
    assert seen == [[name] * 100 for name in names]


def test_coroutines_do_not_see_each_others_device():
    async def choose(name):
        with ig.using(name):
            for _ in range(10):
                await asyncio.sleep(0)
                assert current_device() == name
        return current_device().name

    async def both():
        return await asyncio.gather(choose("strict:device1"), choose("strict:device2"))

    assert asyncio.run(both()) == ["cpu", "cpu"]


def test_a_coroutines_use_stays_in_that_coroutine():
    async def choose():
        ig.use("strict:device1")
        await asyncio.sleep(0)
        return current_device().name

    async def look():
        await asyncio.sleep(0)
        return current_device().name

    async def both():
        return await asyncio.gather(choose(), look())

    assert asyncio.run(both()) == ["strict:device1", "cpu"]
    assert current_device() == "cpu"


def test_a_notebooks_use_holds_in_its_later_cells(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", object())

    async def cell(function):
        return function()

    asyncio.run(cell(lambda: ig.use("strict:device1")))
    assert asyncio.run(cell(current_device)) == "strict:device1"


def test_the_environment_names_the_device_of_who_chooses_none():
    with settings_override(device="strict:device2"):
        assert current_device() == "strict:device2"
        with ig.using("cpu"):
            assert current_device() == "cpu"


def test_nonsense_in_the_environment_names_the_variable():
    expected = pytest.raises(ConfigurationError, match=r"ISOGRAD_DEVICE: no device.*'quantum'")
    with settings_override(device="quantum"), expected:
        current_device()


def test_a_missing_device_in_the_environment_names_the_variable(monkeypatch):
    monkeypatch.setattr(library("cupy"), "is_installed", lambda: False)
    expected = pytest.raises(DeviceUnavailableError, match=r"^ISOGRAD_DEVICE: 'cuda'")
    with settings_override(device="cuda"), expected:
        current_device()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gpu", "cuda"),
        ("CPU", "cpu"),
        ("cuda:x", "cuda"),
        ("cuda:-1", "cuda"),
        ("cuda:", "cuda"),
        ("cpu:0", "cpu"),
        ("stric", "strict"),
        ("strict:device9", "strict"),
        ("", "auto"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_exist_and_the_nearest(name, near):
    with pytest.raises(UnknownDeviceError) as caught:
        find_device(name)
    message = str(caught.value)
    assert repr(name) in message
    assert ", ".join(known_names()) in message
    assert f"did you mean {near!r}?" in message


def test_a_name_like_no_other_gets_no_suggestion():
    with pytest.raises(UnknownDeviceError) as caught:
        find_device("zzzz")
    assert "did you mean" not in str(caught.value)


def test_an_unknown_device_is_a_device_error_and_a_value_error():
    for kind in (DeviceError, ValueError):
        with pytest.raises(kind):
            find_device("nonsense")


@pytest.mark.parametrize("thing", [3, None, 1.5, ["cpu"], np.float32])
def test_a_thing_that_is_no_device_is_refused(thing):
    with pytest.raises(UnknownDeviceError, match="must be a name such as 'cpu'"):
        find_device(thing)


@pytest.mark.parametrize("name", ["strict", "torch"])
def test_a_library_that_is_not_installed_is_named_with_the_line_that_installs_it(name, monkeypatch):
    one = library(name)
    monkeypatch.setattr(device_module, "_device_by_request", {})
    monkeypatch.setattr(one, "is_installed", lambda: False)
    with pytest.raises(DeviceUnavailableError) as caught:
        find_device(name)
    assert f"{one.package} is not installed" in str(caught.value)
    assert one.install in str(caught.value)


def test_the_device_of_an_array_is_where_it_lives(device):
    x = ig.array([1.0])
    with ig.using("cpu"):
        assert ig.device_of(x) == find_device(device)


@pytest.mark.parametrize("thing", [1.0, [1.0], "cpu", None])
def test_only_arrays_have_a_device(thing):
    with pytest.raises(TypeError, match="device_of: x must be an array"):
        ig.device_of(thing)


def test_a_device_waits_and_activates_without_effect_on_the_cpu():
    here = find_device("cpu")
    with here.active():
        here.synchronize()
    assert isinstance(here, Device)


def library(name):
    """The registered library of this name."""
    return next(one for one in libraries() if one.name == name)


def in_a_thread(function):
    """What the function returns when a new thread calls it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(timeout=10)
