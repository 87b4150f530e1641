"""Starting a command again with CuPy, where a GPU waits and `uv run` can bring it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..backend.cuda import cuda_extra
from ..backend.libraries import CUPY
from .report import ROOT

STARTED_AGAIN = "--started-again"  # tells the second process not to do it once more


def bring_cupy(words: Sequence[str]) -> None:
    """Replace this process by `isograd WORDS` with CuPy installed; return where that cannot be.

    It can be where an NVIDIA driver answers, CuPy is missing, and `uv run` started this process (it
    sets UV) in a clone of isograd, whose environment uv keeps.
    """
    extra, uv = cuda_extra(), os.environ.get("UV", "")
    if not extra or not uv or CUPY.is_installed() or not is_clone(ROOT):
        return
    print(
        f"an NVIDIA driver is here, CuPy is not: uv run --extra {extra} installs it, once, about "
        "0.5 GB (Ctrl-C to stop; --device cpu does without)",
        flush=True,
    )
    command = [uv, "run", "--project", str(ROOT), "--extra", extra, "isograd"]
    if _succeeds([*command, "--version"]):
        _become([*command, *words, STARTED_AGAIN])
    print("uv could not install it, see above; going on without", flush=True)


def is_clone(root: Path) -> bool:
    """Whether a folder is isograd's repository, rather than an installed package."""
    return (root / "pyproject.toml").is_file()


def _succeeds(command: Sequence[str]) -> bool:
    """Whether a command ends well; what it prints is not shown, what it complains about is."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
    except OSError as error:
        print(error, file=sys.stderr)
        return False


def _become(command: Sequence[str]) -> None:
    """Run a command in the place of this process."""
    if os.name == "posix":
        os.execv(command[0], list(command))
    # Windows' execv returns to the shell at once, while the new process still runs.
    sys.exit(subprocess.run(command, check=False).returncode)
