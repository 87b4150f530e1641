"""Products and quotients in which a zero cotangent stays zero, on NumPy.

A masked ufunc takes eight times as long as these, which look for NaN and repair only where there
is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .fused import Fused


def scaled(dy: Any, slope: Any) -> Any:
    """dy * slope; zero where dy is zero, whatever the slope."""
    if np.logical_and.reduce(np.isfinite(slope), axis=None):
        return dy * slope
    with np.errstate(invalid="ignore", over="ignore"):
        return _repaired(dy * slope, dy)


def divided(dy: Any, x: Any) -> Any:
    """dy / x; zero where dy is zero, also for x = 0."""
    if np.minimum.reduce(np.abs(x), axis=None, initial=np.inf) > 0:  # and none is nan
        return dy / x
    with np.errstate(all="ignore"):
        return _repaired(dy / x, dy)


def _repaired(dx: Any, dy: Any) -> Any:
    return np.where(dy == 0, dy, dx) if np.logical_or.reduce(np.isnan(dx), axis=None) else dx


SCALED_NUMPY = Fused(scaled)
DIVIDED_NUMPY = Fused(divided)
