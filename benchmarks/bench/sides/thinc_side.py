"""thinc on the CPU, with the fastest of its own backends."""

from __future__ import annotations

from .side import Side


def make_side(library: str, device: str, mode: str, threads: int) -> Side:
    """The Side. Raises ValueError for a device other than the CPU."""
    from thinc.api import get_ops, set_current_ops

    if device != "cpu":
        raise ValueError(f"thinc is measured on the CPU only, not on {device}")
    set_current_ops(get_ops("cpu"))
    return Side(library, device, mode, threads)
