"""Programs that a section runs, and that can be stopped without losing what they know by then."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import Any

FAREWELL = 20.0  # seconds to write what is known after Ctrl-C


def run_for(words: Sequence[str], seconds: float, **settings: Any) -> str:
    """Run a program for so long at most; "", or "stopped after ... s" where it was interrupted.

    Its output is dropped. settings: of subprocess.Popen.
    """
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, stdout=quiet, stderr=quiet, **settings) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            _wait_or_kill(process)
            return f"stopped after {seconds:g} s"
    return ""


def _wait_or_kill(process: subprocess.Popen) -> None:
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
