"""keep_freed_memory: page faults of a step, the switch, and systems that go without."""

import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import isograd
from isograd.backend.settings import settings_override

memory = importlib.import_module("isograd.backend.memory")

# Three elementwise steps on 0.5 MB; prints whether memory is kept and the page faults a step.
STEPS = """
import resource
import numpy as np
from isograd.backend.memory import keep_freed_memory

kept = keep_freed_memory() if {keep} else False
x = np.ones(2**17, np.float32)

def step():
    y = x * 2
    z = y + 1
    return float((z * y)[0])

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(5):
    step()
before = faults()
for _ in range(50):
    step()
print(kept, (faults() - before) / 50)
"""


def faults_a_step(keep, **environment):
    """Whether memory was kept, and the page faults a step, in a process of its own."""
    pytest.importorskip("resource")  # Windows counts no page faults
    paths = [str(Path(isograd.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    result = subprocess.run(
        [sys.executable, "-c", STEPS.format(keep=keep)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    kept, faults = result.stdout.split()
    return kept == "True", float(faults)


@pytest.fixture
def not_asked_yet(monkeypatch):
    monkeypatch.setattr(memory, "_kept", None)


def test_a_step_takes_next_to_no_page_faults_where_memory_is_kept():
    kept, faults = faults_a_step(True)
    if not kept:
        pytest.skip("this C library is not glibc")
    assert faults < 5


def test_the_environment_switches_it_off():
    assert faults_a_step(True, ISOGRAD_KEEP_MEMORY="0")[0] is False


def test_it_acts_once_from_any_number_of_threads(not_asked_yet, monkeypatch):
    calls = []

    def slow():
        calls.append(1)
        time.sleep(0.05)
        return True

    monkeypatch.setattr(memory, "_set_thresholds", slow)
    threads = [threading.Thread(target=memory.keep_freed_memory) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]
    assert memory.keep_freed_memory() is True


def test_a_setting_switches_it_off(not_asked_yet, monkeypatch):
    monkeypatch.setattr(memory, "_set_thresholds", lambda: pytest.fail("asked glibc"))
    with settings_override(keep_memory=False):
        assert memory.keep_freed_memory() is False


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_go_without(platform, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    assert memory._set_thresholds() is False


def test_another_c_library_goes_without(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert memory._set_thresholds() is False
