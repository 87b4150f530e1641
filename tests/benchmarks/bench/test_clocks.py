"""A block is as long as asked, waits for its device, and knows what others took from it."""

import os
import time
from types import SimpleNamespace

import pytest

from isograd.benchmarks.bench import clocks
from isograd.benchmarks.bench.clocks import Disturbance, EventClock, WallClock, calls_a_block


class SlowClock:
    """Calls that take as long as they are said to."""

    def __init__(self, seconds):
        self.one, self.asked = seconds, []

    def seconds(self, call, n):
        self.asked.append(n)
        return self.one * n


@pytest.mark.parametrize(("one", "calls"), [(0.001, 10), (0.004, 2), (1.0, 1)])
def test_a_block_has_as_many_calls_as_fill_its_time(one, calls):
    assert calls_a_block(SlowClock(one), None, block_seconds=0.01) == calls


def test_warm_up_goes_on_until_its_time_is_over():
    clock = SlowClock(0.01)
    calls_a_block(clock, None, block_seconds=0.01, warm_up_seconds=0.05)
    assert sum(clock.asked) >= 5


def test_a_call_that_is_a_warm_up_by_itself_is_done_once():
    clock = SlowClock(4.0)
    calls_a_block(clock, None, block_seconds=0.01, warm_up_seconds=0.05)
    assert clock.asked == [1]


def test_the_device_is_waited_for_before_the_clock_is_read():
    pending, waited = [], []
    clock = WallClock(lambda: waited.append(len(pending)))
    assert clock.seconds(lambda: pending.append(1), 3) > 0.0
    assert waited == [0, 3]


def test_time_on_a_gpu_is_that_between_its_events():
    happened = []

    class Event:
        def record(self):
            happened.append(self)
            self.at = len(happened)

    clock = EventClock(
        lambda: happened.append("wait"), Event, lambda begin, end: 1000.0 * (end.at - begin.at)
    )
    assert clock.seconds(lambda: happened.append("call"), 2) == 3.0
    kinds = [one if isinstance(one, str) else "event" for one in happened]
    assert kinds == ["wait", "event", "call", "call", "event", "wait"]


def test_what_a_thread_waited_for_a_processor_is_lost(tmp_path):
    mine = tmp_path / str(os.getpid())
    mine.mkdir()
    (mine / "schedstat").write_text("5 1000 3\n", encoding="ascii")
    disturbance = Disturbance(tmp_path)
    disturbance.begin()
    time.sleep(0.01)
    (mine / "schedstat").write_text("5 1000000000000 3\n", encoding="ascii")
    assert disturbance.end() == 1.0
    disturbance.begin()
    assert disturbance.end() == 0.0


@pytest.mark.parametrize(("processors", "lost"), [(2, [0.5, 0.5, 0.9]), (1, [0.0, 0.0, 0.4])])
def test_threads_that_wait_for_each_other_are_not_disturbed_by_others(
    tmp_path, monkeypatch, processors, lost
):
    now = [0.0]
    fake = SimpleNamespace(perf_counter=lambda: now[0], thread_time=lambda: 0.0)
    monkeypatch.setattr(clocks, "time", fake)
    _write(tmp_path, 0.0, 0.0)
    disturbance = Disturbance(tmp_path, processors)
    found, waited = [], 0.0
    for share in (0.5, 0.5, 0.9):  # of a second, which both threads also run
        disturbance.begin()
        now[0] += 1.0
        waited += share
        _write(tmp_path, now[0], waited)
        found.append(disturbance.end())
    assert found == pytest.approx(lost)


def _write(tasks, ran, waited):
    """Two threads that ran and waited for so many seconds."""
    for name in (str(os.getpid()), "helper"):
        (tasks / name).mkdir(exist_ok=True)
        account = f"{ran * 1e9:.0f} {waited * 1e9:.0f} 3\n"
        (tasks / name / "schedstat").write_text(account, encoding="ascii")


def test_without_the_systems_account_time_off_the_processor_is_compared(tmp_path, monkeypatch):
    now = {"wall": 0.0, "processor": 0.0}
    fake = SimpleNamespace(perf_counter=lambda: now["wall"], thread_time=lambda: now["processor"])
    monkeypatch.setattr(clocks, "time", fake)
    disturbance = Disturbance(tmp_path / "nothing")
    lost = []
    for on_processor in (0.8, 0.2):  # of a second; the first is as good as it gets
        disturbance.begin()
        now["wall"] += 1.0
        now["processor"] += on_processor
        lost.append(disturbance.end())
    assert lost == [0.0, pytest.approx(0.6)]
