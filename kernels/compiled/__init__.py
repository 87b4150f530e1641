"""Compiled loops for NumPy arrays of float32: there where a C compiler was at the installation.

Without them, or with ISOGRAD_COMPILED=0, the NumPy kernels do the same with NumPy's operations. The
.c files say what each loop takes; they let other threads run meanwhile, so kernels share them with
in_parts of threads.py.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ...backend import settings

FLOAT32 = np.dtype(np.float32)

_found: list[Any] = []  # the module, or None, once it was looked for


def loops_for(*arrays: np.ndarray | None) -> Any:
    """The module of compiled loops, or None: not built, switched off, or arrays they do not take.

    They take aligned, C-contiguous arrays of float32.
    """
    loops = built_loops()
    if loops is None or not settings().compiled:
        return None
    for x in arrays:
        if x is not None:
            flags = x.flags
            if x.dtype != FLOAT32 or not flags.c_contiguous or not flags.aligned:
                return None
    return loops


def built_loops() -> Any:
    """The module of compiled loops, or None where it was not built."""
    if not _found:
        try:
            _found.append(importlib.import_module("._loops", __name__))
        except ModuleNotFoundError:
            _found.append(None)
    return _found[0]


def state_of_loops() -> str:
    """In words, whether NumPy kernels use compiled loops."""
    if built_loops() is None:
        return "none: there was no C compiler at the installation; kernels use NumPy alone"
    return "in use" if settings().compiled else "switched off by ISOGRAD_COMPILED=0"
