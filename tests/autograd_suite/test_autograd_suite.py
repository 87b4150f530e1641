"""autograd's own tests pass on isograd, but for the listed ones.

ISOGRAD_AUTOGRAD_SUITE names a checkout of https://github.com/HIPS/autograd; its tests are run in a
process of their own in which adapter.py stands for autograd.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from autograd_suite.suite_outcomes import N_RUN, expected_failures

HERE = Path(__file__).parent
SUITE = os.environ.get("ISOGRAD_AUTOGRAD_SUITE")
LONGEST_LIST = 22  # may only shrink

needs_suite = pytest.mark.skipif(
    not SUITE, reason="ISOGRAD_AUTOGRAD_SUITE: set it to a checkout of HIPS/autograd"
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """{test id: "passed", "failed" or "skipped"} of a run of the suite."""
    pytest.importorskip("scipy")
    folder = tmp_path_factory.mktemp("suite")
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", str(Path(SUITE, "tests")), "-q", "-p", "adapter"]
    command += ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", SUITE]
    path = os.pathsep.join([str(HERE), *filter(None, sys.path)])
    finished = subprocess.run(
        [*command, "--junitxml", str(report)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert finished.returncode in (0, 1), finished.stdout + finished.stderr
    return dict(_read(report))


def _read(report):
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "passed"
        name = f"{case.get('classname').rpartition('.')[2]}.py::{case.get('name')}"
        yield name, "skipped" if "skipped" in kinds else outcome


@needs_suite
def test_only_the_listed_tests_of_the_suite_fail(outcomes):
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert sorted(failed - expected_failures()) == []


@needs_suite
def test_no_listed_test_passes(outcomes):
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert sorted(expected_failures() - failed) == [], "take these lines out of not_passing.txt"


@needs_suite
def test_at_least_three_hundred_pass(outcomes):
    passed = [name for name, outcome in outcomes.items() if outcome == "passed"]
    assert len(passed) >= max(300, N_RUN - len(expected_failures()))


def test_the_list_only_shrinks():
    assert len(expected_failures()) <= LONGEST_LIST
