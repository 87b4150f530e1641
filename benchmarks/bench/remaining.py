"""How far a run is and how long it will still take; one line that is written over at a terminal."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable
from time import monotonic
from typing import TextIO


class Remaining:
    """Tells of `total` parts what is being done, and the time that is left at the pace so far.

    longest: seconds after which it ends, whatever is left.
    Without a terminal there is a line for each tenth, so that a log stays short.
    """

    def __init__(
        self,
        total: float,
        longest: float = math.inf,
        stream: TextIO | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._total, self._longest = max(total, 1e-9), longest
        self._stream = sys.stderr if stream is None else stream
        self._clock, self._started = clock, clock()
        self._done, self._tenth = 0.0, -1
        self._overwrites = self._stream.isatty()

    def begin(self, what: str) -> None:
        """This is done now."""
        share = min(self._done / self._total, 1.0)
        line = f"{share:4.0%}  {self._left(share)}  {what}"
        if self._overwrites:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write("\r" + line[:width].ljust(width))
            self._stream.flush()
        elif int(10 * share) > self._tenth:
            self._tenth = int(10 * share)
            print(line, file=self._stream, flush=True)

    def end(self, weight: float) -> None:
        """A part of this weight is done."""
        self._done += weight

    def close(self) -> None:
        """Leave the terminal's line empty."""
        if self._overwrites:
            self._stream.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            self._stream.flush()

    def _left(self, share: float) -> str:
        if share < 0.03:
            return "          "
        taken = self._clock() - self._started
        seconds = min(taken * (1.0 - share) / share, max(self._longest - taken, 0.0))
        if seconds >= 90.0:
            return f"{seconds / 60.0:3.0f} min left"
        return f"{seconds:4.0f} s left"
