"""gpu_report: what it writes, what ends a section, and a rehearsal of it without a GPU."""

import importlib.util
import json
import re
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from host_build import why_no_compiler
from needs import skip_because

from isograd.benchmarks import gpu_report
from isograd.benchmarks.gpu import (
    captures,
    conductor,
    networks,
    optimizers,
    products,
    sanitizer,
    tables,
    testing,
    worker,
)
from isograd.benchmarks.gpu.children import last_lines, run_for
from isograd.benchmarks.gpu.records import Records, read
from isograd.benchmarks.gpu.run import WARM_UP_CALLS, Run
from isograd.benchmarks.gpu.sections import SECTIONS, Section
from isograd.benchmarks.gpu.sizes import FULL
from isograd.benchmarks.gpu.targets import TARGETS
from isograd.benchmarks.report import ROOT

SIDE = SimpleNamespace(library="isograd", wait=lambda: None)


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "records", "optimizers", "isograd")


@pytest.fixture
def written(records, tmp_path):
    """A function that gives what was written."""
    return lambda: read(tmp_path / "records")


# -- the command


def test_without_a_gpu_it_is_one_line_and_status_2(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(gpu_report, "why_no_gpu", lambda: "no GPU: none answers")
    assert gpu_report.main(["--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "gpu_report: no GPU: none answers\n"
    assert list(tmp_path.iterdir()) == []


def test_a_section_that_is_not_there_is_named(monkeypatch, capsys):
    monkeypatch.setattr(gpu_report, "why_no_gpu", lambda: "")
    assert gpu_report.main(["--only", "machine,adams"]) == 2
    assert re.search(r"--only: must name .*optimizers.*, got adams\n", capsys.readouterr().err)


def test_a_rehearsal_runs_without_a_gpu_and_fails_nowhere(tmp_path):
    skip_because("" if importlib.util.find_spec("cupy") else "cupy is not installed")
    skip_because(why_no_compiler() or gpu_report._why_not_rehearsed())
    words = ["--rehearse", "--only", "machine,optimizers,mlp,passes", "--out", str(tmp_path)]
    assert gpu_report.main(words) == 0
    found = json.loads((tmp_path / "gpu-rehearsal.json").read_text(encoding="utf-8"))
    sides = {(r["section"], r["side"]) for r in found["results"]["records"] if r["kind"] == "time"}
    assert {("machine", "isograd"), ("optimizers", "isograd"), ("mlp", "isograd")} <= sides
    page = (tmp_path / "gpu-rehearsal.md").read_text(encoding="utf-8")
    assert "A rehearsal without a GPU" in page
    assert "isograd captured" in page


def test_other_sections_of_the_same_commit_stay_in_the_report(tmp_path, monkeypatch):
    path, sections = tmp_path / "gpu.json", list(SECTIONS[:1])
    records = [{"section": section.name} for section in SECTIONS]
    path.write_text(json.dumps({"commit": "abc", "results": {"records": records}}))
    monkeypatch.setattr(gpu_report, "commit", lambda: "abc")
    assert gpu_report._earlier(path, sections) == records[1:]
    monkeypatch.setattr(gpu_report, "commit", lambda: "abd")
    assert gpu_report._earlier(path, sections) == []
    assert gpu_report._earlier(tmp_path / "none", sections) == []


# -- a section


def test_a_call_is_warmed_up_then_timed(records, written):
    calls = []
    run = Run(SIDE, records, rehearses=True)
    run.measure("w", "how", lambda: lambda: calls.append(1), bytes=8.0, error=lambda: len(calls))
    (found,) = written()
    assert found["error"] == WARM_UP_CALLS
    assert len(calls) > WARM_UP_CALLS
    assert found["blocks"] == run.sizes.blocks
    assert 0 < found["lower_quartile"] <= found["median"] <= found["upper_quartile"]
    assert (found["section"], found["side"], found["bytes"]) == ("optimizers", "isograd", 8.0)


def test_what_cannot_be_timed_is_written_with_the_place_and_the_rest_goes_on(records, written):
    run = Run(SIDE, records, rehearses=True)
    run.measure("first", "how", lambda: json.loads("{"))
    run.measure("second", "how", lambda: lambda: None)
    first, second = written()
    assert re.search(r"^JSONDecodeError: .* \(decoder.py, line \d+\)$", first["reason"])
    assert second["median"] > 0
    assert tables.failures([first, second]) == [first]


def test_a_check_that_raises_has_failed(records, written):
    Run(SIDE, records).attempt("it is so", lambda: 1 / 0)
    (found,) = written()
    assert not found["passed"]
    assert found["detail"].startswith("ZeroDivisionError")


def test_a_line_that_was_cut_off_is_left_out(records, written, tmp_path):
    records.fact("first", 1)
    with (tmp_path / "records").open("a", encoding="utf-8") as file:
        file.write('{"kind": "fa')
    assert [one["name"] for one in written()] == ["first"]


class Listing(Run):
    """Lists what would be measured at full size."""

    def __init__(self, library):
        super().__init__(SimpleNamespace(library=library, nn=None), None)
        self.listed = set()

    def measure(self, workload, how, make, *, precision="float32", **counts):
        self.listed.add((workload, precision))

    def attempt(self, name, work):
        pass

    def precisely(self, precision):
        return nullcontext()


def test_every_target_is_measured():
    theirs, ours = Listing("torch"), Listing("isograd")
    assert ours.sizes == FULL
    optimizers.optimizers(theirs)
    products.products(theirs)
    networks.mlps(ours)
    networks.sequences(ours)
    assert set(TARGETS) <= theirs.listed | ours.listed


def test_targets_are_above_their_limits():
    assert all(target.limit < min(target.aims) for target in TARGETS.values())


def test_a_training_that_differs_in_one_bit_is_seen(monkeypatch):
    trained = iter([([1.0, 2.0], [3.0]), ([1.0, 2.5], [3.0])])
    monkeypatch.setattr(captures, "_trained", lambda wrap, steps: next(trained))
    assert captures._same_bits(2) == (False, "1 of 2 losses and 1 of 1 weights are equal")


# -- its process


def test_a_section_whose_process_fails_or_hangs_is_a_check_that_failed(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(conductor, "SHORTEST", 0.0)
    sections = [
        Section("nonsense", "", None, ("isograd",), 60.0),
        SECTIONS[0]._replace(seconds=0.01),
    ]
    conductor.run_sections(sections, tmp_path / "file", 60.0, True, told.append)
    failed, stopped = read(tmp_path / "file")
    assert failed["detail"] == "it ended with status 1"
    assert stopped["detail"] == "stopped after 0 s"
    assert [words.split()[0] for words in told] == ["nonsense", "machine"]


def test_a_section_without_time_is_not_started(tmp_path):
    conductor.run_sections(SECTIONS[:1], tmp_path / "file", 1.0, True, pytest.fail)
    (fact,) = read(tmp_path / "file")
    assert fact["name"] == "not run"


def test_a_library_that_is_not_installed_is_a_fact(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "find_spec", lambda name: None)
    worker.main(["optimizers", "torch", str(tmp_path / "file")])
    (fact,) = read(tmp_path / "file")
    assert (fact["name"], fact["value"]) == ("not run", "torch is not installed")


# -- tests and sanitizers


def test_a_program_that_takes_too_long_may_write_what_it_has(tmp_path):
    file = tmp_path / "known"
    code = "import signal, sys; signal.signal(signal.SIGINT, lambda *a: sys.exit(open(%r, 'w')))"
    words = [sys.executable, "-c", code % str(file) + "; print(flush=True); signal.pause()"]
    assert run_for(words, 1.0) == "stopped after 1 s"
    assert file.exists()
    assert run_for([sys.executable, "-c", ""], 60.0) == ""


JUNIT = """<testsuites><testsuite>
<testcase name="test_a[gpu]"/><testcase name="test_b"><skipped message="no"/></testcase>
<testcase name="test_c[1]"><failure message="AssertionError: 1 &lt; 2&#10;more"/></testcase>
<testcase name="test_d"><error message="failed on setup">text</error></testcase>
</testsuite></testsuites>"""


def test_the_outcome_of_tests_is_read_with_the_names_of_failures(tmp_path):
    (tmp_path / "xml").write_text(JUNIT, encoding="utf-8")
    outcome = testing.outcome_of(tmp_path / "xml", 1.5, "")
    assert outcome[:3] == (1, 2, 1)
    assert outcome.failures == ("test_c[1]: AssertionError: 1 < 2", "test_d: failed on setup")
    assert not outcome.is_good


def test_tests_that_left_no_results_have_failed(tmp_path):
    outcome = testing.outcome_of(tmp_path / "none", 1.0, "no module")
    assert outcome.note == "pytest wrote no results: no module"
    assert not outcome.is_good
    assert not outcome.is_empty


def test_what_a_program_said_last_is_told(tmp_path):
    said = tmp_path / "said"
    assert run_for([sys.executable, "-c", "print(1); raise OSError(3)"], 60.0, said) == ""
    assert last_lines(said, 1) == "OSError: 3"
    assert last_lines(said, 99).startswith("1 / ")


def test_a_sanitizer_that_hangs_is_stopped(tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nsleep 60 & wait\n")
    program.chmod(0o755)
    monkeypatch.setattr(sanitizer, "PATIENCE", 0.2)
    status, said = sanitizer.sanitized(str(program), "memcheck", "test_softmax_cuda.py", "x")
    assert status in sanitizer.STOPPED
    assert said.startswith("stopped after")


def test_where_the_sanitizer_does_not_work_is_a_fact_told_once(records, written, monkeypatch):
    monkeypatch.setattr(sanitizer, "find_sanitizer", lambda: "compute-sanitizer")
    monkeypatch.setattr(sanitizer, "sanitized", lambda *words: (1, "Error: Device not supported"))
    sanitizer.sanitizer(Run(None, records))
    (fact,) = written()
    assert fact["kind"] == "fact"
    assert "does not work on this machine" in fact["value"]


def test_what_the_sanitizer_finds_has_failed(records, written, monkeypatch):
    monkeypatch.setattr(sanitizer, "find_sanitizer", lambda: "compute-sanitizer")
    first_of_all = sanitizer.TOOLS[0], next(iter(sanitizer.TESTS))

    def sanitized(program, tool, file, words):
        n_errors = 0 if (tool, file) == first_of_all else 3
        return 3 * n_errors, f"ERROR SUMMARY: {n_errors} errors"

    monkeypatch.setattr(sanitizer, "sanitized", sanitized)
    sanitizer.sanitizer(Run(None, records))
    first, *others = written()
    assert first["passed"]
    assert len(others) == len(sanitizer.TOOLS) * len(sanitizer.TESTS) - 1
    assert not any(one["passed"] for one in others)


def test_the_sanitized_tests_are_there():
    for file in sanitizer.TESTS if (ROOT / "tests").is_dir() else ():
        assert (testing.KERNEL_TESTS / file).exists()


# -- the page

SECONDS = {f"{which}_quartile": 7e-4 for which in ("lower", "upper")}
TIME = {"kind": "time", "section": "optimizers", "precision": "float32", "flops": None}
ADAMW = {**TIME, **SECONDS, "workload": "AdamW, 100,000,000 parameters", "bytes": 2.8e9}
COPY = {**TIME, **SECONDS, "section": "machine", "workload": "copy", "bytes": 2e9, "median": 5e-4}


def page(*records):
    about = {"command": "c", "date": "d", "commit": "", "versions": {"numpy": "2"}}
    machine = {"processor": "p", "cores": 1}
    results = {"records": list(records), "rehearsal": False}
    return tables.describe({**about, "machine": machine, "results": results})


def line(text, words):
    (found,) = (line for line in text.splitlines() if words in line)
    return [cell.strip() for cell in found.split("|")]


def test_a_figure_stands_beside_its_prediction_and_its_share_of_the_copy():
    ours = {**ADAMW, "side": "isograd", "how": "step", "median": 7e-4, "error": None}
    theirs = {**ours, "side": "torch", "how": "fused"}
    text = page({**COPY, "side": "isograd", "how": "c", "error": None}, theirs, ours)
    cells = line(text, "isograd step")
    assert cells[3:] == [
        *("isograd step", "700 µs", "700 µs - 700 µs", "4000 GB/s (100 %)"),
        *("", "651 µs", "710 µs (met)", ""),
    ]
    assert "(met)" not in " ".join(line(text, "torch fused"))


def test_an_aim_that_was_missed_has_no_mark():
    slow = {**ADAMW, "side": "isograd", "how": "step", "median": 8e-4, "error": None}
    assert line(page(slow), "isograd step")[-2] == "710 µs"


def test_failures_stand_in_the_page():
    check = {"kind": "check", "section": "kernels", "side": "", "name": "x.py", "passed": False}
    failed = {**TIME, "side": "torch", "workload": "w", "how": "h", "reason": "ValueError: a | b"}
    text = page(failed, {**check, "detail": "1 failed\ntest_c: no"})
    assert "- **FAILED**: x.py: 1 failed\n  - `test_c: no`" in text
    assert line(text, "torch h")[4:6] == ["failed", "ValueError: a / b"]
