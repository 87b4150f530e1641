"""The tests that need a GPU, in processes of their own."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from ..report import ROOT, n_cores
from .children import last_lines, run_for
from .run import Run

KERNEL_TESTS = ROOT / "tests" / "kernels" / "cuda"
REHEARSED = KERNEL_TESTS / "test_softmax_cuda.py"
AT_A_TIME = max(4, n_cores() // 2)  # processes: kernels are small, NVRTC is what takes long
MOST_FAILURES = 20  # that are named, of one process
PATIENCE = 200.0  # seconds for the tests of one file
SUITE_PATIENCE = 420.0


class Outcome(NamedTuple):
    """Of one pytest process. failures: a name and the first line of why, at most MOST_FAILURES."""

    passed: int
    failed: int
    skipped: int
    seconds: float
    failures: tuple[str, ...]
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether something ran and nothing failed."""
        return self.passed > 0 and not self.failed and not self.note

    @property
    def is_empty(self) -> bool:
        """Whether there was no test to run."""
        return not (self.passed or self.failed or self.skipped or self.note)


def kernel_tests(run: Run) -> None:
    """Each file of tests of kernels in a process of its own: a CUDA error spoils a process."""
    files = [REHEARSED] if run.rehearses else sorted(KERNEL_TESTS.glob("test_*.py"))
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        outcomes = pool.map(lambda file: _tested(run, [str(file)], PATIENCE), files)
        for file, outcome in zip(files, outcomes, strict=True):
            if not outcome.is_empty:
                _write(run, file.name, outcome)


def all_tests(run: Run) -> None:
    """Every other test on the GPU: each op of the library on CuPy's arrays."""
    tests = ROOT / "tests"
    words = [str(REHEARSED)] if run.rehearses else [str(tests), f"--ignore={KERNEL_TESTS}"]
    n_processes = max(2, n_cores() - 2)
    _write(run, "all other tests", _tested(run, words, SUITE_PATIENCE, n_processes))


def pytest_words(arguments: Sequence[str], n_processes: int = 0) -> list[str]:
    """The command of a test run.

    Without the options of pyproject, which ask for xdist; and what a newer NumPy or CuPy warns of
    is not what is tested here.
    """
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    words += ["-o", "addopts=", "-o", "filterwarnings=default"]
    words += ["--import-mode=importlib", "--continue-on-collection-errors", "-m", "gpu"]
    if n_processes and importlib.util.find_spec("xdist"):
        words += ["-n", str(n_processes)]
    return [*words, *arguments]


def outcome_of(xml: Path, seconds: float, note: str) -> Outcome:
    """What a JUnit file tells; where there is none, the note says why."""
    if not xml.exists():  # it was stopped, or ended by a signal
        return Outcome(0, 0, 0, seconds, (), f"pytest wrote no results: {note}")
    cases = list(ElementTree.parse(xml).iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None]
    bad += [case for case in cases if case.find("error") is not None and case not in bad]
    n_skipped = sum(case.find("skipped") is not None for case in cases)
    n_passed = len(cases) - len(bad) - n_skipped
    failures = tuple(map(_why, bad[:MOST_FAILURES]))
    return Outcome(n_passed, len(bad), n_skipped, seconds, failures, note)


def _why(case: ElementTree.Element) -> str:
    """name: the first line of a failed test's message."""
    found = case.find("failure") if case.find("failure") is not None else case.find("error")
    message = "" if found is None else found.get("message", "")
    first = next(iter(message.strip().splitlines()), "")
    return f"{case.get('name')}: {first}"[:300]


def _tested(run: Run, arguments: Sequence[str], patience: float, n_processes: int = 0) -> Outcome:
    """Run pytest; in a rehearsal the tests are skipped, and all the rest is as it will be."""
    with tempfile.TemporaryDirectory(prefix="isograd-gpu-") as folder:
        xml, output = Path(folder) / "results.xml", Path(folder) / "output.txt"
        words = pytest_words([*arguments, f"--junitxml={xml}"], n_processes)
        environment = {**os.environ, "ISOGRAD_REQUIRE_GPU": "0" if run.rehearses else "1"}
        started = time.perf_counter()
        note = run_for(words, patience, output, cwd=ROOT, env=environment)
        if not xml.exists():
            note = f"{note} {last_lines(output)}".strip()
        return outcome_of(xml, time.perf_counter() - started, note)


def _write(run: Run, name: str, outcome: Outcome) -> None:
    counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    lines = [f"{counts}, {outcome.seconds:.0f} s", outcome.note, *outcome.failures]
    run.records.check(name, outcome.is_good or run.rehearses, "\n".join(filter(None, lines)))
