"""Numbers that CuPy sends to the GPU: refused while a step is captured, before any harm is done.

CUDA would record such a copy. CuPy then asks for its end, an error that spoils the capture, and
asks again for ever: from then on it keeps the host memory of all that it sends (14.2,
pinned_memory.pyx, _EventWatcher).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .arrays import cupy


@contextmanager
def nothing_sent() -> Iterator[None]:
    """Within the `with` block an array from the host is a RuntimeError in this thread.

    Other threads go on; afterwards CuPy has its own pool of host memory again.
    """
    pool = cupy().get_default_pinned_memory_pool()
    thread = threading.get_ident()

    def allocate(size: int) -> Any:
        if threading.get_ident() == thread:
            raise RuntimeError("numbers of the host would be sent to the GPU")
        return pool.malloc(size)

    cupy().cuda.set_pinned_memory_allocator(allocate)
    try:
        yield
    finally:
        cupy().cuda.set_pinned_memory_allocator(pool.malloc)
