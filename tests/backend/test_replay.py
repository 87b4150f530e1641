"""The host's share of a captured step."""

import numpy as np
import pytest

from isograd.backend import replay
from isograd.backend.errors import CaptureError

RATE = np.dtype([("t", np.int64), ("rate", np.float32)], align=True)


def test_outside_of_a_capture_work_is_done_at_once():
    done = []
    replay.each_step(lambda: done.append(1))
    assert done == [1]


def test_outside_of_a_capture_the_numbers_are_passed_by_value():
    now, later = replay.step_numbers(lambda: (3, 0.5), RATE)
    assert (now["t"], now["rate"]) == (3, 0.5)
    assert later == 0


def test_in_a_capture_nothing_is_done_before_the_replay():
    done = []
    share = replay.HostShare(0)
    with replay.recording(share):
        replay.each_step(lambda: done.append(1))
        replay.step_numbers(lambda: done.append(2) or (1, 1.0), RATE)
    assert done == []
    share.do()
    share.do()
    assert done == [1, 2, 1, 2]


def test_numbers_lie_at_their_addresses_and_are_made_anew_for_each_replay():
    share = replay.HostShare(1000)
    count = iter(range(100))
    with replay.recording(share):
        _, first = replay.step_numbers(lambda: (next(count), 0.25), RATE)
        _, second = replay.step_numbers(lambda: (next(count), 0.75), RATE)
    for expected in ((0, 1), (2, 3)):
        block = share.do()
        for address, t, rate in zip((first, second), expected, (0.25, 0.75), strict=True):
            start = int(address) - 1000
            found = block[start : start + RATE.itemsize].view(RATE)[0]
            assert (found["t"], found["rate"]) == (t, rate)


def test_addresses_are_aligned_for_every_type_that_a_kernel_reads():
    share = replay.HostShare(4096)
    with replay.recording(share):
        small = [replay.step_numbers(lambda: (1,), np.dtype([("x", "u1")]))[1] for _ in range(3)]
    assert [int(address) % replay.ALIGNMENT for address in small] == [0, 0, 0]
    assert len(set(small)) == 3


def test_what_is_carried_on_is_written_where_a_replay_reads_it():
    old, new = np.zeros(2), np.ones(2)
    assert replay.carried(old, new) is new
    with replay.recording(replay.HostShare(0)):
        assert replay.carried(old, new) is old
    assert old.tolist() == [1.0, 1.0]


class Owner:
    p = 0.5


def relying(owner, *names, change=lambda: None):
    """The share of a capture that relies on attributes, and meanwhile changes some."""
    share = replay.HostShare(0)
    with replay.recording(share):
        replay.relies_on(owner, names)
        change()
    share.settle()
    return share


@pytest.mark.parametrize(
    ("value", "other"), [(0.5, 0.25), (1, 1.0), ((1, "a"), (1, "b")), (None, 0), (Owner(), Owner())]
)
def test_a_capture_is_current_as_long_as_an_attribute_is(value, other):
    owner = Owner()
    owner.p = value
    share = relying(owner, "p")
    assert share.is_current()
    owner.p = other
    assert not share.is_current()
    owner.p = value
    assert share.is_current()


def test_an_equal_number_is_the_same_and_an_equal_array_another_one():
    owner = Owner()
    share = relying(owner, "p", "x")
    owner.p = float("0.5")
    assert share.is_current()
    owner.p = np.ones(2)
    share = relying(owner, "p")
    owner.p = np.ones(2)
    assert not share.is_current()


def test_what_a_capture_changes_itself_it_does_not_rely_on():
    owner = Owner()
    share = relying(owner, "p", change=lambda: setattr(owner, "p", 0.75))
    owner.p = 1.0
    assert share.is_current()


def test_more_numbers_than_fit_are_refused():
    share = replay.HostShare(0)
    huge = np.dtype([("x", "u1", (replay.CAPACITY,))])
    share.add_numbers(lambda: (0,), huge)
    with pytest.raises(CaptureError, match="capture smaller parts"):
        share.add_numbers(lambda: (0,), huge)


def test_a_capture_inside_of_a_capture_is_refused():
    with (
        replay.recording(replay.HostShare(0)),
        pytest.raises(CaptureError, match="cannot capture another"),
        replay.recording(replay.HostShare(0)),
    ):
        pass
    assert not replay.is_capturing()


def test_the_end_of_a_failed_capture_is_the_end_of_recording():
    with pytest.raises(KeyError), replay.recording(replay.HostShare(0)):
        raise KeyError
    assert not replay.is_capturing()
