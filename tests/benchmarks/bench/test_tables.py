"""What a person reads: the table, the time left, and the README's table."""

import io
from pathlib import Path

import pytest
from fake_workers import OURS, PEER, THIRD, results, workload

import isograd
from isograd.backend.errors import ConfigurationError
from isograd.benchmarks import report
from isograd.benchmarks.bench import gpus, readme
from isograd.benchmarks.bench.installed import installed_bytes
from isograd.benchmarks.bench.remaining import Remaining
from isograd.benchmarks.bench.results import ceilings, read, without_paths
from isograd.benchmarks.bench.table import describe, quantity

BEST = type(PEER)("torch", "cpu", "best")
COMMITTED = Path(isograd.__file__).parent / "benchmarks" / "results" / "bench-cpu.json"
README = Path(__file__).parents[3] / "README.md"


def line_of(text, name):
    return next(line for line in text.splitlines() if line.startswith(name))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00123, "s", "1.23 ms"),
        (4.5678e-8, "s", "45.7 ns"),
        (9.996e-4, "s", "1.00 ms"),
        (61.0, "s", "61.0 s"),
        (59_200_000, "B", "59.2 MB"),
        (0.0, "s", "0.00 ns"),
    ],
)
def test_a_quantity_has_three_digits_and_a_fitting_unit(value, unit, text):
    assert quantity(value, unit) == text


def test_the_ratio_is_that_to_the_fastest_other_library():
    times = {OURS: [2e-3] * 5, THIRD: [1e-3] * 5, PEER: [8e-3] * 5, BEST: [4e-3] * 5}
    line = line_of(describe(results({"a/one": times})), "a/one")
    words = ["a/one", "2.00 ms", "1.00 ms", "8.00 ms", "4.00 ms", "0.50", "0.50-0.50", "torch best"]
    assert line.split() == " ".join(words).split()


def test_noise_is_marked():
    times = {OURS: [0.9, 1.1, 1.0], PEER: [1.0, 1.0, 1.0]}
    text = describe(results({"a/one": times, "a/two": {OURS: [2.0] * 3, PEER: [1.0] * 3}}))
    assert line_of(text, "a/one").endswith("≈")
    assert not line_of(text, "a/two").endswith("≈")


def test_a_time_whose_blocks_stayed_disturbed_is_in_doubt():
    measured = results({"a/one": {OURS: [1.0] * 5}, "a/two": {OURS: [2.0] * 5}})
    measured["workloads"][0]["results"][OURS.name]["kept_disturbed"] = 3
    measured["workloads"][1]["results"][OURS.name]["kept_disturbed"] = 2
    assert line_of(describe(measured), "a/one").split() == ["a/one", "1.00", "s?"]
    assert line_of(describe(measured), "a/two").split() == ["a/two", "2.00", "s"]


def test_a_narrow_terminal_leaves_out_libraries_and_says_which():
    times = {OURS: [2e-3] * 5, THIRD: [1e-3] * 5, PEER: [8e-3] * 5, BEST: [4e-3] * 5}
    text = describe(results({"a/one": times}), 60)
    assert max(map(len, text.splitlines()[:2])) <= 60
    heads = ["workload", "isograd", "numpy", "ratio", "spread", "against"]
    assert line_of(text, "workload").split() == heads
    assert line_of(text, "a/one").endswith("torch best")  # whom the ratio is against
    assert "the terminal is too narrow for torch, torch best; --json has them" in text
    assert "too narrow" not in describe(results({"a/one": times}), 200)


def test_two_devices_are_compared_with_each_other():
    gpu = type(OURS)("isograd", "cuda:0")
    text = describe(results({"a/one": {OURS: [2.0] * 3, gpu: [0.5] * 3}}))
    assert line_of(text, "a/one").split()[-4:] == ["0.25", "0.25-0.25", "isograd", "cpu"]


def test_a_second_device_has_a_column_for_what_it_brings_beside_the_peers():
    gpu = type(OURS)("isograd", "cuda:0")
    text = describe(results({"a/one": {OURS: [2.0] * 3, gpu: [0.5] * 3, PEER: [4.0] * 3}}))
    assert "  cuda:0 / cpu  ratio" in line_of(text, "workload")
    line = ["a/one", "2.00 s", "500 ms", "4.00 s", "0.25", "0.50", "0.50-0.50", "torch cpu"]
    assert line_of(text, "a/one").split() == " ".join(line).split()
    assert "ratio: isograd's time on cpu over that of the fastest other library" in text
    alone = describe(results({"a/one": {OURS: [2.0] * 3, gpu: [0.5] * 3}}))
    assert "ratio: isograd's time on cuda:0 over that on cpu." in alone


def test_failures_are_named_below_the_table():
    found = results({"a/one": {OURS: [1.0] * 3, PEER: [1.0] * 3}})
    broken = {"status": "out of memory", "reason": "Unable to allocate 4 TiB"}
    found["workloads"][0]["results"]["torch cpu"] = broken
    found["workloads"][0]["ratios"] = []
    text = describe(found)
    assert "no memory" in line_of(text, "a/one")
    assert "a/one, torch cpu: out of memory: Unable to allocate 4 TiB" in text


def test_what_is_added_to_numpy_stands_beside_its_budget():
    cheap, dear = workload("a/one", budget=2e-6), workload("a/two", budget=2e-6)
    times = {
        "a/one": {OURS: [3e-6] * 3, THIRD: [2e-6] * 3},
        "a/two": {OURS: [5e-6] * 3, THIRD: [2e-6] * 3},
    }
    text = describe(results(times, workloads=[cheap, dear]))
    assert line_of(text, "the a/one").split()[2:] == ["+1.00", "µs", "<=", "2.0", "µs", "kept"]
    assert line_of(text, "the a/two").endswith("exceeded")


def test_ceilings_are_rates_of_ours():
    copy = workload("ceiling/copy", bytes=1e9)
    found = results({"ceiling/copy": {OURS: [0.5] * 3}}, workloads=[copy])
    assert ceilings(found["workloads"], found["candidates"]) == {"cpu": {"bytes_per_s": 2e9}}


@pytest.mark.parametrize(("longest", "left"), [(1e9, "80"), (60.0, "40")])
def test_the_time_left_follows_the_pace_so_far_up_to_the_longest(longest, left):
    now, stream = [0.0], io.StringIO()
    remaining = Remaining(10.0, longest, stream, lambda: now[0])
    remaining.begin("first")
    now[0] = 20.0
    remaining.end(2.0)
    remaining.begin("second")
    first, second = stream.getvalue().splitlines()
    assert first.split() == ["0%", "first"]
    assert second.split() == ["20%", left, "s", "left", "second"]


def test_workloads_that_a_run_had_no_time_for_are_named():
    measured = results({"a/one": {OURS: [1.0] * 3}, "a/two": {OURS: [1.0] * 3}})
    measured["workloads"][1].update(results={}, ratios=[])
    assert "not measured, because the time was up: a/two" in describe(measured)
    assert "time was up" not in describe(measured | {"finished": False})


# -- the machine --------------------------------------------------------------------------------


def test_a_gpu_is_told_with_its_clock_before_and_after(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 1980, 143771'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(gpus.shutil, "which", lambda name: str(program))
    (gpu,) = gpus.with_clocks_after(gpus.gpus())
    assert gpu["name"] == "NVIDIA H200"
    assert gpu["clock_mhz"] == [1980, 1980]
    assert gpu["memory_bytes"] == 143771 * 2**20


def test_without_its_program_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(gpus.shutil, "which", lambda name: None)
    assert gpus.gpus() == []


def test_the_size_of_isograd_is_its_own_and_that_of_what_it_needs():
    numpy = installed_bytes("numpy")
    assert 10e6 < numpy < installed_bytes("isograd") < numpy + 20e6


# -- the README ---------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    """A file of results with two rows of the README and one workload that is not there."""
    times = {OURS: [2e-3] * 3, THIRD: [1e-3] * 3, PEER: [8e-3] * 3, BEST: [4e-3] * 3}
    names = ("step/cnn", "step/gpt", "growth/batch-16")
    path = tmp_path / "results.json"
    report.write_report(path, results(dict.fromkeys(names, times)))
    return path


def test_the_readmes_table_has_its_rows_and_no_others(saved):
    lines = readme.table(read(str(saved))).splitlines()
    assert lines == [
        "| 2 threads of one processor | isograd | numpy | torch | torch at its best | "
        "isograd / fastest other |",
        "| --- | --- | --- | --- | --- | --- |",
        row("the step/cnn"),
        row("the step/gpt"),
    ]


def row(title):
    return f"| {title} | 2.00 ms | 1.00 ms | 8.00 ms | 4.00 ms | 0.50 (0.50-0.50) |"


def test_the_command_writes_the_table_between_its_markers(saved, tmp_path, capsys):
    page = tmp_path / "README.md"
    text = "before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n"
    page.write_text(text, encoding="utf-8")
    assert readme.main([str(saved), "--write", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench:begin -->\n| 2 threads")
    assert text.endswith("|\n<!-- bench:end -->\nafter\n")
    assert "old" not in text
    assert readme.main([str(saved)]) == 0
    assert capsys.readouterr().out.strip() in text


def test_a_file_without_markers_is_left_alone(saved, tmp_path, capsys):
    page = tmp_path / "README.md"
    page.write_text("no markers\n", encoding="utf-8")
    assert readme.main([str(saved), "--write", str(page)]) == 2
    assert "<!-- bench:begin -->" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "no markers\n"


@pytest.mark.parametrize(
    "text", ["", "<!-- bench:begin -->", "<!-- bench:end --> <!-- bench:x -->"]
)
def test_text_without_both_markers_is_refused(text):
    with pytest.raises(ConfigurationError, match="must hold the lines"):
        report.written(text, "bench", "new")


def test_the_readmes_table_is_the_one_of_the_committed_results():
    text = README.read_text(encoding="utf-8")
    if not COMMITTED.is_file():
        pytest.skip("no results are committed here")
    assert report.written(text, readme.MARKERS, readme.table(read(str(COMMITTED)))) == text, (
        "the table was changed by hand: python -m isograd.benchmarks.bench.readme "
        "benchmarks/results/bench-cpu.json --write README.md"
    )


def test_the_committed_results_do_not_tell_where_something_lay():
    if not COMMITTED.is_file():
        pytest.skip("no results are committed here")
    content = read(str(COMMITTED))
    assert without_paths(content) == content
