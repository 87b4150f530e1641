"""Parts of arrays in several threads: the same results as in one, and errors that come out."""

import os
import threading
import time

import numpy as np
import pytest

from isograd.kernels import threads as module
from isograd.kernels.threads import in_parts, n_threads, own_scratch, threads


def take_turns(idents):
    """A work that lasts until another thread had a chance, and notes who did it."""

    def work(start, stop):
        idents.append(threading.get_ident())
        time.sleep(0.002)
        return start, stop

    return work


@pytest.mark.parametrize("n", [1, 2, 4])
def test_results_come_in_the_order_of_the_parts(n):
    def work(start, stop):
        time.sleep(0.005 if start == 0 else 0.0)
        return start, stop

    with threads(n):
        assert in_parts(work, 10, 4) == [(0, 4), (4, 8), (8, 10)]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_as_many_threads_work_as_were_asked_for(n):
    idents = []
    with threads(n):
        in_parts(take_turns(idents), 40, 1)
    assert len(set(idents)) == n
    assert threading.get_ident() in idents


def test_one_part_stays_in_the_calling_thread():
    idents = []
    with threads(4):
        in_parts(take_turns(idents), 10, 10)
    assert idents == [threading.get_ident()]


def test_nothing_to_do_gives_no_results():
    with threads(2):
        assert in_parts(lambda start, stop: 1 / 0, 0, 5) == []


def test_parts_within_a_part_stay_in_its_thread():
    def outer(start, stop):
        idents = []
        in_parts(take_turns(idents), 4, 1)
        return n_threads(), set(idents) == {threading.get_ident()}

    with threads(2):
        assert in_parts(outer, 4, 1) == [(1, True)] * 4
        assert n_threads() == 2


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_error_of_the_first_part_that_has_one_is_raised(n):
    def work(start, stop):
        if start >= 2:
            raise ValueError(f"part {start}")

    with threads(n):
        with pytest.raises(ValueError, match="part 2"):
            in_parts(work, 8, 1)
        assert in_parts(lambda start, stop: start, 3, 1) == [0, 1, 2]


def test_no_part_runs_on_after_an_error_has_come_out():
    ended = []

    def work(start, stop):
        time.sleep(0.002 * start)
        ended.append(start)
        if start == 0:
            raise IndexError("of the work itself")

    with threads(4), pytest.raises(IndexError, match="of the work itself"):
        in_parts(work, 4, 1)
    assert sorted(ended) == [0, 1, 2, 3]


def test_the_callers_errstate_holds_in_every_thread():
    def work(start, stop):
        time.sleep(0.002)
        return np.geterr()["over"]

    with threads(4), np.errstate(over="ignore"):
        assert in_parts(work, 8, 1) == ["ignore"] * 8


def test_two_threads_may_share_the_team():
    found = {}

    def call(name):
        found[name] = in_parts(lambda start, stop: (name, start), 50, 1)

    with threads(3):
        callers = [threading.Thread(target=call, args=(name,)) for name in "ab"]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert found == {name: [(name, i) for i in range(50)] for name in "ab"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    idents = []
    with threads(2):
        in_parts(take_turns(idents), 20, 1)
        process = os.fork()
        if process == 0:
            idents = []
            in_parts(take_turns(idents), 20, 1)
            os._exit(len(set(idents)))
        _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 2


def test_a_system_without_more_threads_is_served_by_the_caller(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module, "_team", None)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with threads(4):
        assert in_parts(lambda start, stop: start, 3, 1) == [0, 1, 2]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"OMP_NUM_THREADS": "5,2"}, 5),
        ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "many"}, None),
        ({}, None),
    ],
)
def test_the_environment_says_how_many_threads(monkeypatch, variables, expected):
    for name in module.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_chosen", None)
    monkeypatch.setattr(module, "_n_cores", lambda: 99)
    assert n_threads() == (expected or module.MOST)


def test_scratch_is_kept_for_a_thread_and_a_name():
    first = own_scratch("test", 10, np.dtype(np.float32))
    assert np.shares_memory(first, own_scratch("test", 5, np.dtype(np.float32)))
    assert not np.shares_memory(first, own_scratch("other", 5, np.dtype(np.float32)))
    others = []
    worker = threading.Thread(
        target=lambda: others.append(own_scratch("test", 10, np.dtype(np.float32)))
    )
    worker.start()
    worker.join()
    assert not np.shares_memory(first, others[0])
