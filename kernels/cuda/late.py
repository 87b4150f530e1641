"""Mistakes that only the GPU sees: kernels count them where the host looks without waiting."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ...backend import settings
from ...backend.errors import LabelError
from ...backend.replay import is_capturing
from .arrays import NULL, cupy


class Count:
    """A number in memory of the host that GPUs write to; address: as an argument of a kernel."""

    def __init__(self) -> None:
        # Unified addressing: all GPUs know such memory by the host's address.
        self._memory: Any = cupy().cuda.alloc_pinned_memory(ctypes.sizeof(ctypes.c_longlong))
        self.address = np.uint64(self._memory.ptr)
        self._value = ctypes.c_longlong.from_address(self._memory.ptr)
        self._value.value = 0

    def take(self) -> int:
        """What kernels that are done have written, once; 0 for nothing."""
        found = self._value.value
        if found:
            self._value.value = 0
        return found


_bad_labels: Count | None = None


def bad_labels() -> np.uint64:
    """Where a kernel writes how many labels are out of range, if there are any; null for nowhere.

    It is nowhere in a captured step that is the first to ask: memory cannot be made there.
    """
    global _bad_labels
    if _bad_labels is None:
        if is_capturing():
            return NULL
        _bad_labels = Count()
    return _bad_labels.address


def refuse_bad_labels() -> None:
    """Raises LabelError once for labels that a kernel has found out of range by now."""
    found = 0 if _bad_labels is None else _bad_labels.take()
    if found:
        raise LabelError(
            f"cross_entropy: labels must be in [0, classes), got {found} of an earlier call that "
            "are not, whose loss and gradients were NaN; labels count from 0, and rows without one "
            "need ignore_index=. ISOGRAD_DEBUG=1 waits for the GPU and raises in the call itself"
        )


def look_for_bad_labels() -> None:
    """In debug mode refuse_bad_labels() after all that was launched; else nothing."""
    if settings().debug and not is_capturing():
        cupy().cuda.get_current_stream().synchronize()
        refuse_bad_labels()
