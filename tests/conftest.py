"""What every test shares: the devices that a test runs on, and the markers' rules."""

import collections
import os
import sys

import pytest

# Before NumPy is loaded: tests run side by side, and the thread pools of BLAS would fight.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = ["isograd.testing"]


def pytest_terminal_summary(terminalreporter):
    """Say why tests were skipped, a line for each reason."""
    reasons = collections.Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    """Labels that a GPU finds out of range after their test are not the next test's error."""
    late = sys.modules.get("isograd.kernels.cuda.late")
    if late is not None and late._bad_labels is not None and item.get_closest_marker("gpu"):
        sys.modules["cupy"].cuda.get_current_stream().synchronize()
        late._bad_labels.take()


def pytest_collection_modifyitems(config, items):
    """Leave slow and bench tests out unless the -m expression names them."""
    asked_for = config.option.markexpr
    for item in items:
        for name in ("slow", "bench"):
            if name not in asked_for and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"{name}: run it with -m {name}"))
