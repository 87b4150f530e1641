"""The command `isograd bench`: what it prints, writes, refuses, and the status it ends with."""

import argparse
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_workers import ANSWERS, OURS, THIRD, FakeWorker, conductor, results

from isograd.__main__ import main
from isograd.benchmarks.bench import cli, process, run
from isograd.benchmarks.bench.conductor import Plan
from isograd.benchmarks.bench.results import FORMAT, without_paths
from isograd.benchmarks.bench.startup import measure as measure_startup
from isograd.benchmarks.bench.workloads import startup

BRIEF = Plan(
    passes=1,
    rounds=3,
    block_seconds=1e-3,
    warm_up_seconds=0.0,
    retry_seconds=0.0,
    compiles=False,
)
SLOWED = """
import time
from isograd_bench import worker
set_up = worker.Worker._set_up
def slowed(self, **inputs):
    answer = set_up(self, **inputs)
    if self._side.library != "isograd":
        return answer
    call, clock = self._prepared.call, self._clock
    def slow_call():
        started = time.perf_counter()
        call()
        until = started + {factor} * (time.perf_counter() - started)
        while time.perf_counter() < until:
            pass
    object.__setattr__(self._prepared, "call", slow_call)
    return answer
worker.Worker._set_up = slowed
worker.main()
"""


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    """Saved results go into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def planned(monkeypatch):
    """Runs with planned times: the seconds of one workload, one number for each run."""
    plan = []

    def fake_run(workloads, candidates, *arguments, **options):
        seconds = plan.pop(0)
        if isinstance(seconds, dict):
            return seconds
        blocks = [seconds * (1.0 + 0.001 * i) for i in range(9)]
        return results({"step/tiny-mlp": {OURS: blocks}})

    monkeypatch.setattr(cli, "run", fake_run)
    monkeypatch.setattr(cli, "here", lambda threads: results({}))
    return plan


def bench(*words):
    """The status of `isograd bench` without peers."""
    return main(["bench", "--peers", "none", *words])


def seconds(measured):
    """Of the blocks, or bytes."""
    return [block.seconds for block in measured.blocks]


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


# -- saving and comparing -----------------------------------------------------------------------


def test_a_planted_slowdown_of_a_half_ends_with_the_status_1(planned, capsys):
    planned += [1.0, 1.5, 1.5]
    assert bench("--save", "before") == 0
    assert bench("--compare", "before", "--fail-above", "1.1") == 1
    said = capsys.readouterr().out
    assert "slower: step/tiny-mlp, isograd cpu: 1.50 times as long" in said


def test_a_slowdown_that_a_second_measurement_does_not_show_is_none(planned, capsys):
    planned += [1.0, 1.5, 1.0]
    bench("--save", "before")
    assert bench("--compare", "before", "--fail-above", "1.1") == 0
    assert "nothing is more than 1.1 times slower" in capsys.readouterr().out


def test_without_fail_above_a_comparison_only_tells(planned, capsys):
    planned += [1.0, 1.5]
    bench("--save", "before")
    assert bench("--compare", "before") == 0
    assert "slower" in capsys.readouterr().out


def test_results_of_another_machine_are_refused_unless_told(planned, capsys):
    planned += [results({"step/tiny-mlp": {OURS: [1.0] * 3}}, machine="another"), 1.0]
    bench("--save", "before")
    assert bench("--compare", "before") == 2
    assert len(planned) == 1  # nothing was measured for it
    assert "--other-machine compares them all the same" in capsys.readouterr().err
    assert bench("--compare", "before", "--other-machine") == 0


def test_a_workload_that_fails_now_ends_with_the_status_1(planned, capsys):
    failed = results({"step/tiny-mlp": {OURS: [1.0]}})
    failed["workloads"][0]["results"][OURS.name] = {"status": "failed", "reason": "no such op"}
    planned += [1.0, failed]
    bench("--save", "before")
    assert bench("--compare", "before", "--fail-above", "1.1") == 1
    said = capsys.readouterr().out
    assert "was measured then: step/tiny-mlp, isograd cpu: failed: no such op" in said


def test_a_run_that_is_stopped_at_once_leaves_older_results_alone(planned):
    planned += [1.0, {**results({}), "finished": False}]
    bench("--save", "before")
    assert bench("--save", "before") == 130
    assert read(".benchmarks/isograd/before.json")["finished"]


def test_a_terminal_without_greek_letters_gets_question_marks(planned, monkeypatch):
    planned += [1e-6]
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert bench("--json", "results.json") == 0
    assert b"1.00 ?s" in terminal.buffer.getvalue()


def test_the_signal_that_ends_a_process_stops_a_run_like_ctrl_c(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "run", lambda *a, **b: signal.raise_signal(signal.SIGTERM))
    assert bench() == 130
    assert signal.getsignal(signal.SIGTERM) is before


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--filter", "steps/gtp"], "--filter: no workload is called 'steps/gtp'; did you mean"),
        (["--fail-above", "1.1"], "--fail-above needs --compare NAME"),
        (["--compare", "nobody"], "there are no results 'nobody'"),
        (["--peers", "tensorflow"], "--peers: there is no 'tensorflow'"),
        (["--compare", "text.json"], "text.json cannot be read as results"),
        (["--compare", "list.json"], "list.json does not hold results of isograd bench"),
        (["--compare", "half.json"], "half.json is not complete, it has no date, machine"),
        (["--compare", "older.json"], "of another version ('isograd bench 1'): measure them again"),
        (["--compare", "cut.json"], "cut.json was changed: it cannot be read as results any more"),
    ],
)
def test_bad_words_are_refused_before_anything_is_measured(words, says, planned, capsys):
    Path("text.json").write_text("no JSON", encoding="utf-8")
    Path("list.json").write_text("[1]", encoding="utf-8")
    cut = results({"step/tiny-mlp": {OURS: [1.0] * 3}})
    del cut["workloads"][0]["results"][OURS.name]["median"]
    written = {"half": {"format": FORMAT}, "older": {"format": "isograd bench 1"}, "cut": cut}
    for name, content in written.items():
        Path(f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    assert main(["bench", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--threads", "0"], "must be an integer from 1 to 4096, got '0'"),
        (["--fail-above", "0.9"], "must be a number above 1, such as 1.1, got '0.9'"),
        (["--fail-above", "nan"], "must be a number above 1"),
        (["--save", ""], "must be a name, got nothing"),
    ],
)
def test_words_out_of_range_are_refused(words, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["bench", *words])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(planned, capsys):
    Path("folder.json").mkdir()
    assert bench("--json", "folder.json") == 2
    said = capsys.readouterr().err
    assert said == "isograd bench: --json: folder.json cannot be written: Is a directory\n"


def test_a_device_that_does_not_exist_is_refused_with_those_that_do(capsys):
    assert bench("--devices", "cdua", "--filter", "overhead/plain") == 2
    assert "no device is called 'cdua'" in capsys.readouterr().err


def test_workloads_that_no_device_has_are_refused(capsys):
    assert bench("--filter", "transfer/to-cpu-4kB") == 2
    assert "transfer/to-cpu-4kB and what else was chosen needs a GPU" in capsys.readouterr().err


def test_peers_that_are_not_installed_are_named_unless_somebody_chose(planned, monkeypatch, capsys):
    monkeypatch.setattr(cli, "not_installed", lambda pythons: ["no_such_peer"])
    planned += [1.0, 1.0]
    main(["bench"])
    assert "no_such_peer not installed here; --peer-python PATH adds" in capsys.readouterr().err
    bench()
    assert "not installed" not in capsys.readouterr().err


def test_the_list_names_workloads_and_measures_nothing(planned, capsys):
    assert bench("--list", "--filter", "step") == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("step/") for line in lines)
    assert any("GPT" in line for line in lines)


# -- what must not be told ----------------------------------------------------------------------


def test_the_command_in_the_results_does_not_tell_where_a_python_lies(planned, monkeypatch):
    told = []
    monkeypatch.setattr(cli, "run", lambda *arguments, command, **options: told.append(command))
    monkeypatch.setattr(cli, "candidates", lambda *arguments: [OURS])
    monkeypatch.setattr(cli, "not_installed", lambda pythons: [])
    words = ["--peer-python", "torch=/home/me/python", "--peer-python", "/opt/python", "--quick"]
    options = argparse.Namespace(
        devices="cpu", peers=None, filter=None, quick=True, threads=None, peer_python=words[1:4:2]
    )
    cli.measure(options, [])
    expected = "isograd bench --devices cpu --peer-python torch=PYTHON --peer-python PYTHON --quick"
    assert told == [expected]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/home/me/lib/x.so: cannot open", "x.so: cannot open"),
        ("in 'C:\\Users\\me\\y.py'", "in 'y.py'"),
        ("2 GFLOP/s, 1/2 of https://example.org/a/b", "2 GFLOP/s, 1/2 of https://example.org/a/b"),
    ],
)
def test_absolute_paths_are_cut_out_of_results(text, said):
    assert without_paths({"workloads": [{"reason": text}]}) == {"workloads": [{"reason": said}]}


# -- whole runs ---------------------------------------------------------------------------------


def test_a_real_run_measures_prints_and_writes(monkeypatch, capsys):
    monkeypatch.setattr(cli, "QUICK", BRIEF)
    monkeypatch.setattr(run, "commit", lambda: "of /home/me/clone")
    words = ["--quick", "--peers", "numpy", "--filter", "overhead/plain,tiny", "--threads", "1"]
    assert main(["bench", *words, "--json", "results.json"]) == 0
    content = read("results.json")
    plain, tiny = (w["results"] for w in content["workloads"])
    assert (set(plain), set(tiny)) == ({"isograd cpu", "numpy cpu"}, {"isograd cpu"})
    assert plain["isograd cpu"]["status"] == plain["numpy cpu"]["status"] == "ok"
    assert 1e-8 < plain["numpy cpu"]["median"] < tiny["isograd cpu"]["median"] < 1.0
    assert content["finished"]
    assert content["settings"]["threads"] == 1
    assert content["commit"] == "of clone"  # no absolute path leaves the machine
    assert content["candidates"][0]["versions"].keys() >= {"python", "isograd", "numpy"}
    said = capsys.readouterr().out
    assert "overhead/plain" in said
    assert "added to NumPy's arithmetic" in said


def test_ctrl_c_saves_what_is_done(monkeypatch, capsys):
    workers = []

    class Launcher:
        def __init__(self, folder, threads):
            pass

        def __call__(self, candidate):
            plan = {} if workers else {"set_up": [ANSWERS["set_up"], KeyboardInterrupt()]}
            workers.append(FakeWorker(candidate.library, plan, []))
            return workers[-1]

    monkeypatch.setattr(process, "Launcher", Launcher)
    assert bench("--filter", "overhead/plain,step/tiny-mlp", "--json", "partial.json") == 130
    content = read("partial.json")
    statuses = [w["results"]["isograd cpu"]["status"] for w in content["workloads"]]
    assert statuses == ["ok", "stopped"]
    assert not content["finished"]
    assert not any(worker.is_alive for worker in workers)
    captured = capsys.readouterr()
    assert "stopped: this is what was done until then" in captured.out
    assert captured.err.endswith("isograd bench: stopped\n")


def test_what_a_start_costs_comes_from_fresh_processes(tmp_path):
    made, log = conductor(tmp_path, candidates=(OURS, THIRD))
    table = {}
    list(measure_startup(made, startup.WORKLOADS, 2, table))
    assert seconds(table[startup.IMPORT]["isograd cpu"]) == [0.1, 0.1]
    assert seconds(table[startup.IMPORT]["numpy cpu"]) == [0.1, 0.1]
    assert seconds(table[startup.PEAK_MEMORY]["isograd cpu"]) == [1000.0, 1000.0]
    assert set(table[startup.FIRST_STEP]) == {"isograd cpu"}
    assert [name for name, do in log if do == "load"][2:] == ["isograd", "numpy"] * 3
    asked = [do for name, do in log if name == "isograd"]
    assert asked.index("install_size") > asked.index("memory")  # it takes time and memory


def test_a_start_after_a_run_needs_no_turn_that_does_not_count(tmp_path):
    made, log = conductor(tmp_path, candidates=(OURS, THIRD))
    table = {}
    list(measure_startup(made, startup.WORKLOADS, 2, table, files_are_warm=True))
    assert seconds(table[startup.IMPORT]["isograd cpu"]) == [0.1, 0.1]
    assert [name for name, do in log if do == "load"][2:] == ["isograd", "numpy"] * 2


def test_pytest_benchmark_runs_the_workloads_in_groups(tmp_path):
    pytest.importorskip("pytest_benchmark")
    root = Path(run.__file__).parents[2]
    if not (root / "pyproject.toml").is_file():
        pytest.skip("an installed copy has no configuration of pytest")
    words = ["-k", "overhead/plain or overhead/recorded", "-p", "no:cacheprovider", "-q"]
    words += ["--benchmark-max-time=0.01", "--benchmark-min-rounds=1"]
    words += [f"--benchmark-json={tmp_path}/b.json"]
    command = [sys.executable, "-m", "pytest", "benchmarks", *words]
    # pytest-benchmark measures nothing where it finds itself among tests side by side
    alone = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    done = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = read(tmp_path / "b.json")["benchmarks"]
    assert [one["group"] for one in found] == ["overhead/plain", "overhead/recorded"]
    assert [one["params"]["device"] for one in found] == ["cpu", "cpu"]


@pytest.mark.slow
def test_a_real_slowdown_is_caught_and_three_clean_comparisons_are_quiet(monkeypatch):
    words = ["--quick", "--filter", "overhead/plain,tiny,matmul", "--threads", "1"]
    compared = [*words, "--compare", "before", "--fail-above", "1.1"]
    peers = ["bench", "--peers", "numpy"]
    assert main([*peers, *words, "--save", "before"]) == 0
    assert [main([*peers, *compared]) for _ in range(3)] == [0, 0, 0]
    monkeypatch.setattr(process, "WORKER", ("-c", SLOWED.format(factor=1.5)))
    assert main([*peers, *compared]) == 1
