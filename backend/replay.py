"""What the host does in a training step that a device replays: counts, rates, random positions.

A captured step is a fixed list of launches, and numbers among their arguments are frozen in it.
What changes from step to step is therefore said through this module. Outside of a capture nothing
is special: the work is done, the numbers are passed as they are. In one, both are written down, to
be done before each replay, in the same order, with the numbers sent to where the launches read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import numpy as np

from .errors import CaptureError
from .inplace import assign
from .namespaces import Array

ALIGNMENT = 16  # bytes; enough for every type that a kernel reads at once
CAPACITY = 2**16  # bytes of numbers in one step

Numbers = Callable[[], tuple]

_PLAIN = (bool, int, float, str)


class HostShare:
    """The host's share of a captured step.

    address: where the numbers of the step will lie in the device's memory, CAPACITY bytes.
    """

    def __init__(self, address: int) -> None:
        self._address = address
        self._size = 0
        self._work: list[Callable[[], object]] = []
        self._block = np.zeros(CAPACITY, np.uint8)
        self._carried: dict[int, Array] = {}  # by id
        self._relied_on: dict[tuple[int, str], tuple[object, str, Any]] = {}
        _shares.add(self)

    def add_work(self, work: Callable[[], object]) -> None:
        """Something to do before each replay."""
        self._work.append(work)

    def add_numbers(self, numbers: Numbers, dtype: np.dtype) -> int:
        """The address where numbers() will lie, made anew before each replay.

        Raises CaptureError when the step has too many.
        """
        start = self._size
        self._size += -(-dtype.itemsize // ALIGNMENT) * ALIGNMENT
        if self._size > CAPACITY:
            raise CaptureError(
                f"a captured step can have {CAPACITY} bytes of numbers that change from step to "
                "step; capture smaller parts of it"
            )
        slot = self._block[start : start + dtype.itemsize].view(dtype)

        def write() -> None:
            slot[0] = numbers()

        self._work.append(write)
        return self._address + start

    def carry(self, x: Array) -> None:
        """An array that the step writes for the next one: it is kept as long as the replays."""
        self._carried[id(x)] = x

    def carries(self, x: Array) -> bool:
        """Whether replays write this very array."""
        return id(x) in self._carried

    def rely_on(self, owner: object, names: Iterable[str]) -> None:
        """The launches are as they are because of these attributes of an object."""
        for name in names:
            seen = owner, name, getattr(owner, name, None)
            self._relied_on.setdefault((id(owner), name), seen)

    def settle(self) -> None:
        """The capture is over: what it has changed itself was no setting."""
        for key, (owner, name, value) in list(self._relied_on.items()):
            if not _is_same(getattr(owner, name, None), value):
                del self._relied_on[key]

    def is_current(self) -> bool:
        """Whether a capture would come to the same launches: all it relies on is as it was."""
        for owner, name, value in self._relied_on.values():
            now = getattr(owner, name, None)
            if now is not value and not _is_same(now, value):
                return False
        return True

    def do(self) -> np.ndarray:
        """Do the host's share of one step; the bytes that belong at the address."""
        for work in self._work:
            work()
        return self._block[: self._size]


_shares: WeakSet[HostShare] = WeakSet()  # of the graphs that live
_recording: ContextVar[HostShare | None] = ContextVar("isograd_recording", default=None)


def is_capturing() -> bool:
    """Whether a step is being captured: then nothing runs, and no value can be read."""
    return _recording.get() is not None


def each_step(work: Callable[[], object]) -> None:
    """Do host work: now, or before each replay of the step that is being captured."""
    share = _recording.get()
    if share is None:
        work()
    else:
        share.add_work(work)


def step_numbers(numbers: Numbers, dtype: np.dtype) -> tuple[Any, np.uint64]:
    """Two arguments for a kernel: numbers() as a struct of this dtype, and where they lie instead.

    The kernel takes (S now, const S* later) and reads *later unless it is null: it is null outside
    of a capture, where numbers() is called now; in one it is called before each replay.
    """
    share = _recording.get()
    if share is None:
        return np.array(numbers(), dtype)[()], np.uint64(0)
    return np.zeros((), dtype)[()], np.uint64(share.add_numbers(numbers, dtype))


def relies_on(owner: object, names: Iterable[str]) -> None:
    """Say which attributes decide what is launched: when one changes, a capture is made anew.

    Numbers, words and tuples change with their values, other objects when another one is there.
    """
    share = _recording.get()
    if share is not None:
        share.rely_on(owner, names)


def _is_same(now: Any, before: Any) -> bool:
    if now is before:
        return True
    if type(now) is not type(before):
        return False
    if type(now) is tuple:
        return len(now) == len(before) and all(map(_is_same, now, before))
    return type(now) in _PLAIN and now == before


def carried(old: Array, new: Array) -> Array:
    """What a step leaves for the next one: new; in a captured step old, overwritten with new.

    A replay reads where the capture read, so that is where it has to write, and plain calls after
    the capture as well.
    """
    share = _recording.get()
    if share is not None:
        share.carry(old)
    elif not any([share.carries(old) for share in _shares]):
        return new
    return assign(old, new)


@contextmanager
def recording(share: HostShare) -> Iterator[None]:
    """A step is being captured meanwhile, with this as its host's share.

    Raises CaptureError inside of another capture.
    """
    if is_capturing():
        raise CaptureError("a captured step cannot capture another; call the plain function in it")
    token = _recording.set(share)
    try:
        yield
    finally:
        _recording.reset(token)
