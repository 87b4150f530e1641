"""Programs that a section runs, and that can be stopped without losing what they know by then."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FAREWELL = 20.0  # seconds to write what is known after Ctrl-C


def run_for(
    words: Sequence[str], seconds: float, output: Path | None = None, **settings: Any
) -> str:
    """Run a program for so long at most; "", or "stopped after ... s" where it was interrupted.

    output: a file for what it prints, dropped without one. settings: of subprocess.Popen.
    """
    with (
        open(output or os.devnull, "wb") as sink,
        subprocess.Popen(words, stdout=sink, stderr=subprocess.STDOUT, **settings) as process,
    ):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            _wait_or_kill(process)
            return f"stopped after {seconds:g} s"
    return ""


def last_lines(output: Path, n: int = 4) -> str:
    """The end of what a program printed, in one line."""
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines()
    return " / ".join(line.strip() for line in lines[-n:] if line.strip())[:600]


def _wait_or_kill(process: subprocess.Popen) -> None:
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
