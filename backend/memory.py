"""Keeping freed memory in the process, so that every training step finds it warm.

glibc hands large blocks back to the system when they are freed, and the next step pays for a page
fault on every 4 KiB of its arrays: a third to two thirds of the time of a small NumPy step.
"""

from __future__ import annotations

import sys
import threading

from .settings import settings

# <malloc.h> of glibc; both are int, so 2 GiB - 1 is as large as they get.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_MMAP_THRESHOLD = 4 * 1024 * 1024 * 8  # HEAP_MAX / 2 of 64-bit glibc, which refuses more
TRIM_THRESHOLD = 2**31 - 1

_lock = threading.Lock()
_kept: bool | None = None  # None: not asked yet


def keep_freed_memory() -> bool:
    """Whether freed memory stays in this process from now on, for the next arrays to use.

    Called when training begins; acts once, however often it is called. The process then holds on to
    the most memory that it ever needed at a time (blocks above 32 MiB excepted, which still come
    from the system and go back). False, and nothing done, where ISOGRAD_KEEP_MEMORY=0 or the C
    library is not glibc: musl, macOS and Windows have no such switch.
    """
    global _kept
    if _kept is None:
        with _lock:
            if _kept is None:
                _kept = settings().keep_memory and _set_thresholds()
    return _kept


def _set_thresholds() -> bool:
    """Whether glibc took both thresholds."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes  # not needed by who does not train

    process = ctypes.CDLL(None)
    if not hasattr(process, "gnu_get_libc_version"):
        return False
    mallopt = process.mallopt
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    mmap_taken = mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    return bool(mmap_taken and mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD))
