"""NumPy, and libraries that compute on NumPy's arrays."""

from __future__ import annotations

from .side import Side


def make_side(library: str, device: str, mode: str, threads: int) -> Side:
    """The Side. Raises ValueError for a device other than the CPU."""
    if device != "cpu":
        raise ValueError(f"{library} computes on the CPU only, not on {device}")
    return Side(library, device, mode, threads)
