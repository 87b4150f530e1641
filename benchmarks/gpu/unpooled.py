"""A plugin of pytest: each CuPy array is an allocation of its own, and a sanitizer sees its end."""

from __future__ import annotations

from typing import Any


def pytest_configure(config: Any) -> None:
    """Turn CuPy's memory pool off."""
    import cupy

    cupy.cuda.set_allocator(None)
