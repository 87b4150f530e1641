"""The contract between an op and its fused kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fused:
    """A faster way to the same numbers as an op's definition, for the arrays of one library.

    forward: takes the op's arguments, as plain arrays, and returns y (with saves=True: y and
        whatever backward wants to find again under the name `saved`). It may return NotImplemented
        for arguments that it does not serve; the definition runs then.
    backward: names what it wants, as a derivative rule does: dy first, then any of the op's
        parameters, y, saved; needs (the names whose gradients are wanted), into (name -> array
        that this gradient may be written to and returned). Returns one gradient for each name in
        `of`, as a tuple, None where it is not needed. Without it the op's own rule runs.
    of: the parameters that have a gradient.
    inference: like forward, for callers that record nothing: y alone, with saves=True too. Without
        it forward runs.
    """

    forward: Callable[..., Any]
    backward: Callable[..., tuple[Any, ...]] | None = None
    of: tuple[str, ...] = ("x",)
    saves: bool = False
    inference: Callable[..., Any] | None = None
