"""Runs agree where their spreads meet; those that do not are named."""

import json

import pytest
from fake_workers import OURS, PEER, results

from isograd.benchmarks.bench.agreement import main


@pytest.fixture
def saved(monkeypatch, tmp_path):
    """Write results of two workloads, the second with these times of ours; returns the name."""
    monkeypatch.chdir(tmp_path)

    def save(name, ours, machine="one processor"):
        theirs = {PEER: [1.0] * 5}
        times = {"a/one": {OURS: [0.5] * 5, **theirs}, "a/two": {OURS: ours, **theirs}}
        content = json.dumps(results(times, machine=machine))
        (tmp_path / f"{name}.json").write_text(content, encoding="utf-8")
        return f"{name}.json"

    return save


def test_runs_whose_spreads_meet_agree(saved, capsys):
    passes = (1.0, 1.1, 1.2, 1.0, 1.1)
    names = [saved(f"run{x}", [x * y for y in passes]) for x in (1.0, 1.05, 0.95)]
    assert main(names) == 0
    said = capsys.readouterr().out
    assert "2 of 2 ratios agree in 3 runs" in said
    assert "100.0% of ratios lie within the spread of another run" in said


def test_a_ratio_that_does_not_agree_is_named_with_its_spreads(saved, capsys):
    names = [saved("a", [1.0, 1.01, 1.0, 1.01, 1.0]), saved("b", [2.0, 2.02, 2.0, 2.02, 2.0])]
    assert main(names) == 1
    said = capsys.readouterr().out
    assert "1 of 2 ratios agree in 2 runs" in said
    line = said.splitlines()[-1]
    assert line.split()[:5] == ["a/two", "isograd", "cpu", "torch", "cpu"]
    assert "1.00 (0.98-1.02)" in line
    assert line.endswith(" 1.92")  # 2.008 / 1.02 over 1.004 * 1.02


def test_runs_of_different_machines_are_refused_unless_told(saved, capsys):
    names = [saved("a", [1.0] * 5), saved("b", [1.0] * 5, machine="another")]
    assert main(names) == 2
    assert "another machine" in capsys.readouterr().err
    assert main([*names, "--other-machine"]) == 0


@pytest.mark.parametrize("names", [["a.json"], ["a.json", "nobody"]])
def test_one_run_alone_and_a_missing_one_are_refused(saved, names, capsys):
    saved("a", [1.0] * 5)
    assert main(names) == 2
    assert capsys.readouterr().err.startswith("agreement: ")
