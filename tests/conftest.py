"""What every test shares: the markers' rules and the devices that a test runs on."""

import collections
import functools
import importlib.util
import os

import pytest

# Before NumPy is loaded: tests run side by side, and the thread pools of BLAS would fight.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import isograd as ig
from isograd.backend.errors import DeviceUnavailableError

DEVICES = [
    "cpu",
    "strict",
    "strict:device1",
    "torch",
    pytest.param("cuda", marks=pytest.mark.gpu),
]

LIBRARY_BEHIND = {"strict": "array_api_strict", "torch": "torch"}


def pytest_terminal_summary(terminalreporter):
    """Say why tests were skipped, a line for each reason."""
    reasons = collections.Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}")


@pytest.fixture(params=DEVICES)
def device(request):
    """The name of a device, current for the whole test; skipped where its library is missing."""
    name = request.param
    library = LIBRARY_BEHIND.get(name.split(":")[0])
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    with ig.using(name):
        yield name


def pytest_collection_modifyitems(config, items):
    """Leave slow and bench tests out unless the -m expression names them."""
    asked_for = config.option.markexpr
    for item in items:
        for name in ("slow", "bench"):
            if name not in asked_for and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"{name}: run it with -m {name}"))


def pytest_runtest_setup(item):
    """Skip a gpu test with the reason, or fail it when ISOGRAD_REQUIRE_GPU=1 promised a GPU."""
    if not item.get_closest_marker("gpu"):
        return
    reason = why_no_gpu()
    if reason and os.environ.get("ISOGRAD_REQUIRE_GPU") == "1":
        pytest.fail(f"ISOGRAD_REQUIRE_GPU=1, but {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


@functools.cache
def why_no_gpu():
    """The reason that no CUDA GPU answers, "" when one does."""
    try:
        with ig.using("cuda"):
            ig.array([0.0])
    except DeviceUnavailableError as error:
        return f"no GPU: {error}"
    return ""
