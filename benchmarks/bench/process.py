"""A worker in a process of its own, seen from the conductor."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..report import ROOT
from .candidates import Candidate

ALIAS = "isograd_bench"  # what this folder is called in a worker
WORKER = ("-m", f"{ALIAS}.worker")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NPROC",  # jax's; XLA_FLAGS do not set the number of its threads
)
KILLED = -9
PATIENCE = 240.0  # seconds for an answer; torch.compile takes a minute


class Process:
    """A worker: ask() is a question and its answer. Between questions it stands still.

    The helper threads of OpenBLAS spin for 100 ms after a product, those of OpenMP for 10: a
    worker that went on would take a processor away from the one that is timed next.
    """

    def __init__(self, candidate: Candidate, environment: dict[str, str], cwd: str) -> None:
        # A file, not a pipe: nobody reads it while the worker lives. close() closes it.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [candidate.python, *WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env=environment,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C is the conductor's
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, do: str, patience: float = PATIENCE, **inputs: Any) -> dict[str, Any]:
        """The worker's answer; {"error", "reason"} also when it died or takes too long."""
        assert self._process.stdin is not None
        self._signal("SIGCONT")
        try:
            self._process.stdin.write(json.dumps({"do": do, **inputs}) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            self.close()
            return {"error": "failed", "reason": f"no answer in {patience:.0f} s"}
        except OSError:
            line = ""
        if not line:
            return self._last_words()
        self._signal("SIGSTOP")
        return json.loads(line)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the process, and wait until it has ended."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None and not stream.closed:
                try:
                    stream.close()
                except OSError:  # what was to be written cannot be any more
                    continue

    def _signal(self, name: str) -> None:
        """Stop the process or let it go on, where the system can (Windows cannot)."""
        if hasattr(signal, name):
            self._process.send_signal(getattr(signal, name))

    def _read(self) -> None:
        """Lines into the queue; at the end an empty one."""
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._lines.put(line)
        except ValueError:  # closed while reading
            pass
        self._lines.put("")

    def _last_words(self) -> dict[str, Any]:
        """Why a process has ended."""
        status = self._process.wait()
        if status == KILLED:
            return {"error": "out of memory", "reason": "the system killed the process"}
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()[-1:] or ["it said nothing"]
        return {"error": "failed", "reason": f"the process ended with {status}: {said[0]}"}


class Launcher:
    """Starts workers, all of them with the same number of threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder, self._threads = folder, threads
        (folder / "ours").mkdir()
        (folder / "theirs").mkdir()
        for name in ("ours", "theirs"):
            os.symlink(ROOT / "benchmarks" / "bench", folder / name / ALIAS, True)
        os.symlink(ROOT, folder / "ours" / "isograd", True)

    def __call__(self, candidate: Candidate) -> Process:
        where = self._folder / ("ours" if candidate.is_ours else "theirs")
        return Process(candidate, self._environment(where), str(self._folder))

    def _environment(self, where: Path) -> dict[str, str]:
        """This one, with equal threads; byte code is kept, as it is of an installed package."""
        environment = {
            **os.environ,
            **thread_variables(self._threads),
            "PYTHONPATH": os.pathsep.join([str(where), *_given_path()]),
            "TORCHINDUCTOR_CACHE_DIR": str(self._folder / "compiled"),  # empty: all is compiled
            "PYTHONUTF8": "1",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return environment


def _given_path() -> list[str]:
    """The folders of PYTHONPATH: packages that are not installed may be there."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [os.path.abspath(folder) for folder in given if folder]


def thread_variables(threads: int) -> dict[str, str]:
    """What makes each library use so many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


@contextmanager
def launcher(threads: int) -> Iterator[tuple[Launcher, Path]]:
    """A Launcher, and a folder in which workers leave their results."""
    with tempfile.TemporaryDirectory(prefix="isograd-bench-") as name:
        folder = Path(name)
        yield Launcher(folder, threads), folder
