"""isograd tune: what it measures reaches the chooser; without a GPU it says so."""

import numpy as np
import pytest

import isograd as ig
from isograd.__main__ import main
from isograd.backend.errors import DeviceUnavailableError
from isograd.benchmarks import tune
from isograd.kernels.cuda import chooser, gpu, table
from isograd.kernels.cuda.matmul_plan import NoAlgorithmError
from isograd.kernels.cuda.problem import Problem

SIZES = ((4, 8, 2), (16, 8, 4))


def computes(problem, a, b, y):
    """A candidate in NumPy, to see that the operands are as the layout says."""
    left = a.T if problem.layout[0] == "t" else a
    right = b.T if problem.layout[1] == "t" else b
    assert left.shape == (problem.m, problem.k)
    assert y.dtype == a.dtype == b.dtype == problem.dtype
    np.matmul(left, right, out=y)


def serves_nothing(problem, a, b, y):
    raise NoAlgorithmError("none")


CANDIDATES = {"simt": computes, "mma_tf32": computes, "cublaslt": serves_nothing}


def fits(name, problem):
    return name != "mma_tf32" or (problem.dtype, problem.precision) == ("float32", "high")


class Clock:
    """Says how long each call takes, in turn."""

    def __init__(self, *microseconds):
        self.microseconds = list(microseconds)
        self.calls = 0

    def __call__(self, run):
        run()
        self.calls += 1
        return self.microseconds[self.calls % len(self.microseconds)]


@pytest.fixture
def entries(capsys):
    with ig.using("cpu"):
        return tuple(tune.measured(90, Clock(5.0, 2.0), (CANDIDATES, fits), SIZES))


def test_every_candidate_that_serves_a_problem_is_timed(entries):
    high = [entry for entry in entries if entry.precision == "high"]
    others = [entry for entry in entries if entry.precision != "high"]
    assert len(high) == len(SIZES) * len(tune.PASSES)
    assert all(entry.microseconds == {"simt": 2.0, "mma_tf32": 5.0} for entry in high)
    assert all(set(entry.microseconds) == {"simt"} for entry in others)


def test_a_dtype_that_the_library_lacks_is_left_out_with_the_reason(capsys):
    with ig.using("cpu"):
        found = list(tune.measured(90, Clock(1.0), (CANDIDATES, fits), SIZES[:1]))
    assert {entry.dtype for entry in found} == {"float32", "float16"}
    assert "bfloat16 is left out: array_api_compat.numpy has no dtype" in capsys.readouterr().out


def test_the_time_that_counts_is_the_median_of_the_rounds():
    clock = Clock(9.0, 1.0, 3.0, 100.0, 2.0)
    with ig.using("cpu"):
        first = next(tune.measured(90, clock, ({"simt": computes}, fits), SIZES[:1]))
    assert first.microseconds == {"simt": 3.0}
    assert clock.calls == tune.N_ROUNDS


def test_what_was_measured_is_what_the_chooser_takes(entries, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "architecture", lambda device_id: 90)
    monkeypatch.setattr(gpu, "product_name", lambda device_id: "a card")
    monkeypatch.setattr(table, "user_folder", lambda: tmp_path)
    table.write_table(
        table.Table("a card", 90, {"date": "now"}, entries), tmp_path / table.file_name("a card")
    )
    chooser.forget()
    problem = Problem(16, 8, 4, precision="high", arch=90)
    assert chooser.choose(problem, CANDIDATES, fits, 0) == "simt"  # rules() would say mma_tf32
    chooser.forget()


def test_the_summary_counts_the_fastest(entries):
    lines = tune.summary(entries).splitlines()
    assert lines[0].split() == ["fastest", "mma_tf32", "simt"]
    assert lines[2].split() == ["float32", "high", "0", "8"]


def test_sizes_lie_so_close_that_one_is_always_near():
    for sizes in (tune.ROWS, tune.COLUMNS, tune.SUMS):
        steps = [later / earlier for earlier, later in zip(sizes, sizes[1:], strict=False)]
        assert max(steps) <= 4  # half of two octaves for each of three sizes: FARTHEST
    assert table.FARTHEST == 3.0


def test_without_a_gpu_it_says_so_in_one_line(monkeypatch, capsys):
    def none(name):
        raise DeviceUnavailableError("'cuda' does not answer here: no driver")

    monkeypatch.setattr(tune, "find_device", none)
    assert main(["tune"]) == 2
    assert capsys.readouterr().err == "isograd tune: 'cuda' does not answer here: no driver\n"


def test_another_device_is_refused(capsys):
    assert main(["tune", "--device", "cpu"]) == 2
    assert "'cpu' is no CUDA GPU" in capsys.readouterr().err
