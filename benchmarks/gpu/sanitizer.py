"""compute-sanitizer over small tests of kernels: memory, races, what nobody wrote."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..report import ROOT
from .run import Run
from .testing import AT_A_TIME, KERNEL_TESTS, pytest_words

PATIENCE = 90.0  # seconds for one tool and file
TOOLS = ("memcheck", "racecheck", "initcheck")
TESTS = {  # by file, what -k chooses
    "test_softmax_cuda.py": "forward_equals_float64",
    "test_clipping_cuda.py": "sums_of_squares or total",
    "test_optimizers_cuda.py": "launchers",
    "test_masters_cuda.py": "launchers",
    "test_linear_cuda.py": "dz_and_its_column_sums",
    "test_concat_cuda.py": "joined",
    "test_matmul_kernels_cuda.py": "any_number_of_rows or plain_arithmetic_takes_any_sizes",
}
FOUND_SOMETHING = 9  # its exit status then
STOPPED = (124, 137)  # that of timeout
UNSUPPORTED = ("Device not supported", "device is not supported")
TELLING = ("SUMMARY", " passed", " failed", *UNSUPPORTED)


def sanitizer(run: Run) -> None:
    """Every tool over every file; where the program does not work is one fact."""
    program = find_sanitizer()
    if program is None:
        run.records.fact("compute-sanitizer", "is not on this machine")
        return
    for tool in TOOLS:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            found = list(pool.map(partial(sanitized, program, tool), TESTS, TESTS.values()))
        for file, (status, said) in zip(TESTS, found, strict=True):
            if any(word in said for word in UNSUPPORTED):
                run.records.fact("compute-sanitizer", f"does not work on this machine: {said}")
                return
            run.records.check(f"{tool} of {file}", status == 0, said)


def find_sanitizer() -> str | None:
    """The program, in PATH or beside a CUDA toolkit; None where it is not."""
    beside = sorted(glob.glob("/usr/local/cuda*/bin/compute-sanitizer"), reverse=True)
    return shutil.which("compute-sanitizer") or next(iter(beside), None)


def sanitized(program: str, tool: str, file: str, words: str) -> tuple[int, str]:
    """(exit status, summary) of a tool over the tests of a file that the words choose."""
    command = ["timeout", "--kill-after=5", str(PATIENCE)]  # it ends what the program started, too
    command += [program, "--tool", tool, "--error-exitcode", str(FOUND_SOMETHING)]
    command += pytest_words([str(KERNEL_TESTS / file), "-k", words])
    command += ["-p", "isograd.benchmarks.gpu.unpooled"]
    environment = {**os.environ, "ISOGRAD_REQUIRE_GPU": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode in STOPPED:
        return done.returncode, f"stopped after {PATIENCE:.0f} s"
    lines = [line.strip("= ") for line in (done.stdout + done.stderr).splitlines()]
    telling = [one for one in lines if any(word in one for word in TELLING)]
    return done.returncode, "; ".join(telling or lines[-3:])[:500]
