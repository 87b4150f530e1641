"""The timing harness takes turns and tells what it saw; the overhead benchmark runs."""

import json
import time

import pytest

from isograd.backend.errors import HyperparameterError
from isograd.benchmarks import import_time, overhead, report
from isograd.benchmarks.timing import Timing, compare


def test_blocks_of_the_candidates_alternate():
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "AB"}
    compare(calls, blocks=3, block_seconds=0.0, warm_up_seconds=0.0)
    assert "".join(order[-6:]) == "ABABAB"


def test_a_block_has_as_many_calls_as_fill_its_time():
    timing = compare({"sleep": lambda: time.sleep(0.001)}, blocks=1, block_seconds=0.01)["sleep"]
    assert 2 <= timing.calls_a_block <= 10
    assert timing.median >= 0.001


def test_the_device_is_waited_for_before_the_clock_is_read():
    pending, waited = [], []
    compare(
        {"work": lambda: pending.append(1)},
        blocks=4,
        block_seconds=0.0,
        warm_up_seconds=0.0,
        synchronize=lambda: waited.append(len(pending)),
    )
    assert waited == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]  # around the warm-up and each of four blocks


def test_a_timing_tells_median_and_quartiles():
    timing = Timing(10, (4.0, 1.0, 3.0, 2.0, 100.0))
    assert timing.median == 3.0
    assert timing.quartiles == (2.0, 4.0)
    assert timing.per(10).median == pytest.approx(0.3)


@pytest.mark.parametrize(
    "wrong", [{"blocks": 0}, {"block_seconds": -1.0}, {"warm_up_seconds": -1.0}]
)
def test_a_measurement_of_nothing_is_refused(wrong):
    with pytest.raises(HyperparameterError, match="blocks must be at least 1"):
        compare({"nothing": lambda: None}, **wrong)


def test_a_report_says_what_is_needed_to_judge_it(tmp_path):
    path = tmp_path / "report.json"
    report.write_report(path, report.report("python -m x", {"a": 1.5}, 0.25))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["results"] == {"a": 1.5}
    assert content["machine"]["cores"] >= 1
    assert {"numpy", "python", "isograd"} <= set(content["versions"])
    assert {"command", "date", "commit", "load_average_before"} <= set(content)


def test_every_budget_stands_beside_its_arithmetic():
    timings = overhead.measure("float32", blocks=1, block_seconds=0.0)
    for name, (arithmetic, _) in overhead.BUDGETS.items():
        assert overhead.added(name, timings) == timings[name].median - timings[arithmetic].median
    assert overhead.describe("float32", timings).count("<=") == len(overhead.BUDGETS)


def test_a_chain_is_reported_by_the_op(monkeypatch):
    one_second = Timing(1, (1.0,))
    monkeypatch.setattr(overhead, "compare", lambda calls, **_: dict.fromkeys(calls, one_second))
    timings = overhead.measure("float32")
    assert timings["recorded op in a chain of 1000"].median == pytest.approx(1e-3)
    assert timings["recorded op, forward + backward"].median == 1.0


def test_an_interpreter_without_torch_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(overhead, "measure", lambda dtype, blocks: {})
    monkeypatch.setattr(overhead.import_time, "measure", dict)
    monkeypatch.setattr(overhead.import_time, "describe", str)
    assert overhead.main(["--torch", str(tmp_path / "no-python")]) == 2
    assert "--torch: " in capsys.readouterr().err


def test_an_import_is_timed_in_processes_of_its_own():
    measured = import_time.measure(n_processes=2)
    assert measured["isograd"]["median_s"] > 0.0
    assert measured["numpy"]["loads"] == ["numpy"]
    assert measured["isograd"]["loads"] == ["array_api_compat", "isograd", "numpy"]
    assert "<= 150" in import_time.describe(measured)
