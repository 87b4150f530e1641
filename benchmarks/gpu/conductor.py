"""Runs the sections, each side in a process of its own, and keeps within the time that is given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .records import Records
from .sections import Section

SHORTEST = 10.0  # seconds; less is not worth a start
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def run_sections(
    sections: Iterable[Section],
    file: Path,
    seconds: float,
    rehearses: bool,
    tell: Callable[[str], None],
) -> None:
    """Append all records to the file; a section that has no time left is a fact."""
    end = time.monotonic() + seconds
    for section in sections:
        for side in section.sides:
            left = min(section.seconds, end - time.monotonic())
            records = Records(file, section.name, side)
            if left < SHORTEST:
                records.fact("not run", "no time was left; --only or --minutes give it some")
                continue
            tell(f"{section.name} {side}".strip() + f" (at most {left:.0f} s)")
            note = _run_in_process(section.name, side, file, left, rehearses)
            if note:
                records.check("the process ended by itself", False, note)


def _run_in_process(section: str, side: str, file: Path, seconds: float, rehearses: bool) -> str:
    """What was wrong with the process, "" for nothing; all that it started ends with it."""
    words = [sys.executable, "-m", "isograd.benchmarks.gpu.worker"]
    words += [section, side or "none", str(file), *(["--rehearse"] if rehearses else [])]
    process = subprocess.Popen(words, stdout=sys.stderr, start_new_session=True)
    try:
        status = process.wait(seconds)
        return f"it ended with status {status}" if status else ""
    except subprocess.TimeoutExpired:
        return f"stopped after {seconds:.0f} s"
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    """End a process and its children."""
    try:
        os.killpg(process.pid, KILL)
    except (AttributeError, ProcessLookupError, PermissionError):
        process.kill()
    process.wait()
