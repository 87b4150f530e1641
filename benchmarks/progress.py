"""A progress bar where a person watches and tqdm is installed; plain lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Protocol


class Progress(Protocol):
    """What a long task tells about itself."""

    def advance(self) -> object:
        """One step is done."""

    def say(self, line: str) -> object:
        """A line of text that stays."""


class PlainLines:
    """No bar, only the lines."""

    def advance(self) -> None:
        pass

    def say(self, line: str) -> None:
        print(line, flush=True)


class Bar:
    """A tqdm bar on standard error; the lines go to standard output, above it."""

    def __init__(self, n_steps: int) -> None:
        from tqdm import tqdm

        self._tqdm = tqdm(total=n_steps, unit=" steps", leave=False, dynamic_ncols=True)

    def advance(self) -> None:
        self._tqdm.update()

    def say(self, line: str) -> None:
        self._tqdm.write(line)

    def close(self) -> None:
        self._tqdm.close()


@contextmanager
def progress(n_steps: int) -> Iterator[Progress]:
    """The Progress of a task with so many steps."""
    if not sys.stderr.isatty() or find_spec("tqdm") is None:
        yield PlainLines()
        return
    bar = Bar(n_steps)
    try:
        yield bar
    finally:
        bar.close()
