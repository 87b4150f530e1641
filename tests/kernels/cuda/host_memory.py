"""The memory of a launch's arrays: guarded copies, so that a kernel's slips are seen."""

import ctypes
from typing import NamedTuple

import numpy as np

GUARD = 2**16  # bytes on each side: a few rows too far are seen too
ALIGNMENT = 256  # as CUDA allocates; an array keeps its place relative to it


class Span(NamedTuple):
    """The bytes of an array, from its first element to its last."""

    address: int
    n_bytes: int

    @property
    def end(self):
        return self.address + self.n_bytes

    def bytes(self):
        """The memory itself, as a NumPy array of uint8."""
        return np.frombuffer((ctypes.c_uint8 * self.n_bytes).from_address(self.address), np.uint8)


def span_of(array):
    """The span of a NumPy array, or of a CuPy array on host memory."""
    address = array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr
    if array.size == 0:
        return Span(address, 0)
    steps = [(n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True)]
    first = sum(step for step in steps if step < 0)
    last = sum(step for step in steps if step > 0)
    return Span(address + first, last - first + array.dtype.itemsize)


def united(spans):
    """The spans that overlap made one, in order of address."""
    result = []
    for span in sorted(span for span in spans if span.n_bytes):
        if result and span.address < result[-1].end:
            end = max(span.end, result[-1].end)
            result[-1] = Span(result[-1].address, end - result[-1].address)
        else:
            result.append(span)
    return result


class GuardedCopy:
    """A copy of a span between two guards of one byte's value."""

    def __init__(self, span, fill):
        self.span = span
        self.fill = fill
        self._memory = np.full(span.n_bytes + 2 * GUARD + 2 * ALIGNMENT, fill, np.uint8)
        base = self._memory.ctypes.data + GUARD
        self._start = GUARD + (span.address - base) % ALIGNMENT
        self.contents[...] = span.bytes()

    @property
    def contents(self):
        """The copied bytes."""
        return self._memory[self._start : self._start + self.span.n_bytes]

    def address_of(self, address):
        """Where a byte of the span is in the copy."""
        return self._memory.ctypes.data + self._start + address - self.span.address

    def why_broken(self):
        """Which bytes beside the copy were written, "" for none."""
        after = self._memory[self._start + self.span.n_bytes :]
        behind = np.flatnonzero(after != self.fill)
        if behind.size:
            return f"wrote {behind.size} bytes from {behind[0]} bytes behind its end"
        before = np.flatnonzero(self._memory[: self._start] != self.fill)
        if before.size:
            return f"wrote {before.size} bytes up to {self._start - before[-1]} before its start"
        return ""
