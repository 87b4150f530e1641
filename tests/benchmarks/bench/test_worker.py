"""A worker answers every line, errors included; a peer's process knows nothing of isograd."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import isograd
from isograd.benchmarks.bench import worker as module
from isograd.benchmarks.bench.candidates import Candidate
from isograd.benchmarks.bench.process import launcher, thread_variables
from isograd.benchmarks.bench.worker import Worker, peak_bytes
from isograd.benchmarks.bench.workload import Prepared, Workload

SPINNING = """
import sys, threading, time
def spin():
    while True:
        pass
threading.Thread(target=spin, daemon=True).start()
for line in sys.stdin:
    print('{"seconds": %f}' % time.process_time(), flush=True)
"""
BENCH = Path(isograd.__file__).parent / "benchmarks" / "bench"


@pytest.fixture
def worker():
    """A Worker of this process that has loaded NumPy."""
    made = Worker()
    answer = made.answer(
        {"do": "load", "library": "numpy", "device": "cpu", "mode": "default", "threads": 1}
    )
    assert set(answer) == {"import_s", "versions"}
    return made


def set_up(worker, name, path=""):
    return worker.answer({"do": "set_up", "workload": name, "compiles": False, "results": path})


def test_a_workload_is_set_up_warmed_timed_and_put_away(worker, tmp_path):
    path = str(tmp_path / "results.npz")
    assert set_up(worker, "overhead/recorded", path)["note"] == ""
    with np.load(path) as results:
        assert set(results) == {"y", "dx", "dw"}
    warm = worker.answer({"do": "warm", "block_seconds": 1e-4, "warm_up_seconds": 0.0})
    assert warm["calls"] > 1
    block = worker.answer({"do": "block"})
    assert 0.0 < block["seconds"] < 1e-2
    assert 0.0 <= block["lost"] <= 1.0
    assert worker.answer({"do": "tear_down"}) == {}


def test_the_time_of_a_chain_is_that_of_one_of_its_ops(worker):
    set_up(worker, "overhead/chain")
    worker.answer({"do": "warm", "block_seconds": 0.0, "warm_up_seconds": 0.0})
    assert (
        worker.answer({"do": "block"})["seconds"] < 1e-4
    )  # two thousand multiplications: > 0.2 ms


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (MemoryError("Unable to allocate 4 TiB"), "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 4 TB"), "out of memory"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), "out of memory"),
        (ModuleNotFoundError("No module named 'torch'"), "not installed"),
        (ValueError("shapes differ"), "failed"),
    ],
)
def test_an_error_is_an_answer_with_its_reason(worker, monkeypatch, error, answer):
    def refuse(self):
        raise error

    monkeypatch.setattr(Worker, "_block", refuse)
    said = worker.answer({"do": "block"})
    assert said["error"] == answer
    assert str(error) in said["reason"]


def test_a_device_that_is_not_there_is_an_answer():
    line = {"do": "load", "library": "numpy", "device": "cuda", "mode": "default", "threads": 1}
    assert Worker().answer(line)["reason"] == "numpy computes on the CPU only, not on cuda"


def test_the_fastest_variant_of_a_mode_is_measured(worker, monkeypatch):
    class Clock:
        def seconds(self, call, n):
            return n * {"eager": 2.0, "1 thread": 1.0, "compiled": 3.0}[worker._side.variant]

    worker._clock = Clock()
    monkeypatch.setattr(
        worker._side, "variants", lambda compiles: ["eager", "1 thread", "compiled"]
    )
    assert set_up(worker, "overhead/plain")["note"] == "1 thread"


def test_a_variant_that_fails_is_noted_and_passed_over(worker, monkeypatch):
    choose = type(worker._side).choose

    def chosen(side, variant):
        choose(side, variant)
        if variant == "compiled":
            raise RuntimeError("no compiler")

    monkeypatch.setattr(type(worker._side), "choose", chosen)
    monkeypatch.setattr(worker._side, "variants", lambda compiles: ["eager", "compiled"])
    answer = set_up(worker, "overhead/plain")
    assert answer["note"] == "eager"
    assert answer["tried"]["compiled"] == {"failed": "RuntimeError: no compiler"}


def test_a_variant_is_tried_again_where_others_disturbed_it(worker, monkeypatch):
    times = {"eager": [9.0, 9.0, 1.0, 9.0, 1.0, 1.0], "1 thread": [0.5, 2.0, 2.0, 2.0]}
    shares = [0.9, 0.9, 0.0, 0.9, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0]

    class Clock:
        def seconds(self, call, n):
            return times[worker._side.variant].pop(0) * n

    monkeypatch.setattr(worker, "_calls_a_block", lambda *arguments: 1)
    monkeypatch.setattr(worker, "_clock", Clock())
    quiet = SimpleNamespace(begin=lambda: None, end=lambda: shares.pop(0))
    monkeypatch.setattr(worker, "_new_disturbance", lambda: quiet)
    monkeypatch.setattr(worker._side, "variants", lambda compiles: ["eager", "1 thread"])
    answer = set_up(worker, "overhead/plain")
    assert {name: one["seconds"] for name, one in answer["tried"].items()} == {
        "eager": 1.0,
        "1 thread": 2.0,  # not 0.5: that one was disturbed
    }


def test_compiling_ends_when_it_took_too_much_of_a_run(worker, monkeypatch):
    monkeypatch.setattr(worker._side, "variants", lambda compiles: ["eager", "compiled"])
    monkeypatch.setattr(worker, "_compiling_left", 1e-9)
    assert "seconds" in set_up(worker, "overhead/plain")["tried"]["compiled"]
    left = set_up(worker, "overhead/recorded")["tried"]["compiled"]
    assert left == {"failed": "not tried: compiling took too much of this run"}


def test_the_first_call_of_the_variant_that_was_chosen_has_its_compilation(worker, monkeypatch):
    prepared = []

    class Clock:
        def seconds(self, call, n):
            return n * {"eager": 2.0, "compiled": 1.0}[worker._side.variant]

    def prepare(asked, side):
        prepared.append(side.variant)
        seconds = 0.05 if prepared.count("compiled") == 1 else 0.0
        return Prepared(lambda: time.sleep(seconds), dict)

    worker._clock = Clock()
    monkeypatch.setattr(worker._side, "variants", lambda compiles: ["eager", "compiled"])
    monkeypatch.setattr(Workload, "prepare", prepare)
    answer = set_up(worker, "overhead/plain")
    assert prepared == ["eager", "compiled", "compiled"]
    assert answer["first_call_s"] > 0.05
    assert answer["tried"]["compiled"]["seconds"] == 1.0


def test_the_most_memory_of_this_process_is_known():
    assert peak_bytes() > 10 * 2**20


def test_what_a_library_prints_does_not_disturb_the_answers():
    lines = '{"do": "tear_down"}\n{"do": "load"}\n'
    code = (
        "import sys; from isograd.benchmarks.bench import worker; "
        "worker.Worker._tear_down = lambda self: print('chatter') or {}; worker.main()"
    )
    run = subprocess.run([sys.executable, "-c", code], input=lines, capture_output=True, text=True)
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    assert first == {}
    assert second["error"] == "failed"
    assert "chatter" in run.stderr


def test_a_peers_process_has_no_isograd(tmp_path):
    (tmp_path / "isograd_bench").symlink_to(BENCH)
    code = (
        "import sys; sys.modules['isograd'] = None; "
        "import isograd_bench.worker as w; assert 'numpy' not in sys.modules; "
        "import isograd_bench.catalogue, isograd_bench.sides, isograd_bench.clocks; "
        "print(w.Worker().answer(dict(do='load', library='numpy', device='cpu', mode='default', "
        "threads=1)))"
    )
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert "import_s" in run.stdout, run.stderr


def test_every_library_gets_the_same_number_of_threads():
    variables = thread_variables(3)
    assert {variables[name] for name in variables if name.endswith("THREADS")} == {"3"}
    assert variables["NPROC"] == "3"  # jax's


def test_a_worker_finds_packages_where_this_process_does(monkeypatch, tmp_path):
    tell = "import os; print('{\"found\": \"%s\"}' % os.environ['PYTHONPATH'])"
    monkeypatch.setattr("isograd.benchmarks.bench.process.WORKER", ("-c", tell))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "packages", "/others"]))
    with launcher(1) as (launch, folder):
        process = launch(Candidate("numpy", "cpu"))
        found = process.ask("load")["found"]
        process.close()
    expected = [str(folder / "theirs"), str(tmp_path / "packages"), "/others"]
    assert found.split(os.pathsep) == expected


def test_what_torch_compiles_is_kept_for_a_run_and_no_longer(monkeypatch):
    tell = "import os; print('{\"where\": \"%s\"}' % os.environ['TORCHINDUCTOR_CACHE_DIR'])"
    monkeypatch.setattr("isograd.benchmarks.bench.process.WORKER", ("-c", tell))
    with launcher(1) as (launch, folder):
        process = launch(Candidate("numpy", "cpu"))
        where = process.ask("load")["where"]
        process.close()
    assert Path(where).parent == folder  # a new one for each run


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_between_questions_a_process_stands_still(monkeypatch):
    monkeypatch.setattr("isograd.benchmarks.bench.process.WORKER", ("-c", SPINNING))
    with launcher(1) as (launch, _):
        process = launch(Candidate("numpy", "cpu"))
        before = process.ask("block")["seconds"]
        time.sleep(0.2)
        after = process.ask("block")["seconds"]
        process.close()
    assert after - before < 0.1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can promise it")
def test_a_process_that_stands_still_ends_with_the_one_that_asks(tmp_path):
    code = (
        "import os, signal; from isograd.benchmarks.bench.process import launcher\n"
        "from isograd.benchmarks.bench.candidates import Candidate\n"
        "with launcher(1) as (launch, _):\n"
        "    process = launch(Candidate('numpy', 'cpu'))\n"
        "    load = dict(library='numpy', device='cpu', mode='default', threads=1)\n"
        "    assert 'error' not in process.ask('load', **load)\n"
        "    print(process._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    pid = Path("/proc") / run.stdout.strip()
    until = time.monotonic() + 5.0
    while _runs(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(pid)


def _runs(process):
    try:
        return (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_process_that_ends_says_why(monkeypatch):
    monkeypatch.setattr("isograd.benchmarks.bench.process.WORKER", ("-c", "raise SystemExit('no')"))
    with launcher(1) as (launch, _):
        process = launch(Candidate("numpy", "cpu"))
        answer = process.ask("tear_down")
        assert answer == {"error": "failed", "reason": "the process ended with 1: no"}
        assert not process.is_alive
        process.close()


def test_a_process_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr("isograd.benchmarks.bench.process.WORKER", ("-c", "input(); input()"))
    with launcher(1) as (launch, _):
        process = launch(Candidate("numpy", "cpu"))
        assert process.ask("tear_down", patience=0.05)["reason"] == "no answer in 0 s"
        assert not process.is_alive


def test_words_of_a_full_memory_are_lower_case():
    assert all(words == words.lower() for words in module.OUT_OF_MEMORY_WORDS)
