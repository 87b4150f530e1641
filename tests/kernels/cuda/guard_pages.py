"""Reads beside an array, which the host runner does not see by itself if nothing comes of them.

    python -m pytest -p guard_pages tests/kernels/cuda -m "not gpu" -n 2

with this folder on PYTHONPATH runs the tests with every array of a launch at the end of its pages,
and at the start of them in a second run with GUARD=before. The page beside them must not be
touched: a kernel that reads there ends the process, and pytest names the test ("worker crashed").
Arrays begin at multiples of 16 bytes, so up to 15 bytes behind the end are left.
"""

import ctypes
import mmap
import os

import host_compiler
import host_memory
import numpy as np

PAGE = mmap.PAGESIZE
PACK = 16  # bytes that kernels load at once
NO_ACCESS, READ_AND_WRITE, PRIVATE_ANONYMOUS = 0, 3, 0x22

_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class PagedCopy:
    """A GuardedCopy of host_memory.py between two pages that must not be touched."""

    def __init__(self, span, fill):
        self.span, self.fill = span, fill
        room = -(-(span.n_bytes + PACK) // PAGE) * PAGE
        self._size = room + 2 * PAGE
        self._pages = _libc.mmap(None, self._size, READ_AND_WRITE, PRIVATE_ANONYMOUS, -1, 0)
        for beside in (self._pages, self._pages + PAGE + room):
            _libc.mprotect(beside, PAGE, NO_ACCESS)
        self._memory = np.frombuffer(
            (ctypes.c_uint8 * room).from_address(self._pages + PAGE), np.uint8
        )
        last = (room - span.n_bytes) // PACK * PACK
        self._start = 0 if os.environ.get("GUARD") == "before" else last
        self._memory[...] = fill
        self.contents[...] = span.bytes()

    def __del__(self):
        del self._memory
        _libc.munmap(self._pages, self._size)

    @property
    def contents(self):
        """The copied bytes."""
        return self._memory[self._start : self._start + self.span.n_bytes]

    def address_of(self, address):
        """Where a byte of the span is in the copy."""
        return self._pages + PAGE + self._start + address - self.span.address

    def why_broken(self):
        """Whether bytes beside the copy were written, "" for none."""
        after = self._memory[self._start + self.span.n_bytes :]
        is_whole = (after == self.fill).all() and (self._memory[: self._start] == self.fill).all()
        return "" if is_whole else "wrote beside it"


host_memory.GuardedCopy = host_compiler.GuardedCopy = PagedCopy


def pytest_collection_modifyitems(items):
    """Without the bugs that are planted, some of which are such reads, and what runs nothing."""
    items[:] = [one for one in items if one.path.stem not in ("test_planted_bugs", "test_nvrtc")]
