"""The process of one candidate: it does what lines of JSON on its standard input ask for.

    {"do": "load", "library", "device", "mode", "threads"}  -> {"import_s", "versions"}
    {"do": "set_up", "workload", "compiles", "results", "variant"}
                                           -> {"set_up_s", "first_call_s", "variant", "note"}
    {"do": "warm", "block_seconds", "warm_up_seconds"}      -> {"calls"}
    {"do": "block"}                                         -> {"seconds", "lost"}
    {"do": "tear_down"}                                     -> {}
    {"do": "memory"}                                        -> {"bytes", "device_bytes"}
    {"do": "install_size"}                                  -> {"bytes"}

set_up writes the workload's results into the file `results` (.npz) unless that is "". variant: what
the mode is to choose; null: the fastest is found out, and `note` tells about it. seconds: one call.
lost: the share of the block that other processes took. An answer {"error", "reason"} says what went
wrong: "out of memory", "not installed", "no device", "failed". The end of the input ends the
process.

Nothing but the standard library is imported before "load", which is timed.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
PR_SET_PDEATHSIG = 1
TRIAL_SECONDS = 0.02  # how long each variant of a mode is tried
VERSIONS = ("numpy", "torch", "jax", "thinc", "scikit-learn", "cupy", "array-api-compat")
OUT_OF_MEMORY_CLASSES = ("MemoryError", "_ArrayMemoryError", "OutOfMemoryError")
OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "resource_exhausted",
    "alloc_failed",
)


class Worker:
    """Answers one line after another; holds one library and one prepared workload."""

    def __init__(self) -> None:
        self._side: Any = None
        self._prepared: Any = None
        self._clock: Any = None
        self._disturbance: Any = None
        self._calls = 1

    def answer(self, line: Mapping[str, Any]) -> Answer:
        """The answer to a line; errors are answers too."""
        inputs = {name: value for name, value in line.items() if name != "do"}
        try:
            return getattr(self, f"_{line['do']}")(**inputs)
        except ImportError as error:
            return {"error": "not installed", "reason": str(error)}
        except Exception as error:
            return _failure(error)

    def _load(self, library: str, device: str, mode: str, threads: int) -> Answer:
        started = time.perf_counter()
        import_module(library)
        taken = time.perf_counter() - started
        # Ours lie inside isograd; another library's process knows this folder alone.
        inside = "isograd.benchmarks.bench" if library == "isograd" else __package__
        self._catalogue = import_module(f"{inside}.catalogue")
        clocks = import_module(f"{inside}.clocks")
        self._calls_a_block, self._new_disturbance = clocks.calls_a_block, clocks.Disturbance
        try:
            self._side = import_module(f"{inside}.sides").load_side(library, device, mode, threads)
        except (ValueError, RuntimeError) as error:
            return {"error": "no device", "reason": str(error)}
        self._clock = self._side.clock()
        _end_with_parent()
        return {"import_s": taken, "versions": _versions()}

    def _set_up(
        self, workload: str, compiles: bool, results: str, variant: str | None = None
    ) -> Answer:
        self._tear_down()
        asked = self._catalogue.workload_named(workload)
        variants = self._side.variants(compiles and asked.compiles)
        started = time.perf_counter()
        note = variant or ""
        if variant is None:
            variant, note = self._fastest(asked, variants)
        self._side.choose(variant)
        self._prepared = asked.prepare(self._side)
        self._disturbance = self._new_disturbance()
        prepared_at = time.perf_counter()
        found = self._prepared.results() if results else {}
        arrays = {name: self._side.numbers(x) for name, x in found.items()}
        self._prepared.call()
        self._side.wait()
        first_call = time.perf_counter() - prepared_at
        if results:
            _save(results, arrays)
        set_up = prepared_at - started
        return {"set_up_s": set_up, "first_call_s": first_call, "variant": variant, "note": note}

    def _warm(self, block_seconds: float, warm_up_seconds: float) -> Answer:
        call = self._prepared.call
        self._calls = self._calls_a_block(self._clock, call, block_seconds, warm_up_seconds)
        return {"calls": self._calls * self._prepared.parts}

    def _block(self) -> Answer:
        call = self._prepared.call
        if self._calls > 1:  # caches and helper threads become this candidate's again
            self._clock.seconds(call, 1)
        self._disturbance.begin()
        seconds = self._clock.seconds(call, self._calls)
        lost = self._disturbance.end()
        return {"seconds": seconds / self._calls / self._prepared.parts, "lost": lost}

    def _tear_down(self) -> Answer:
        self._prepared = None
        gc.collect()
        return {}

    def _memory(self) -> Answer:
        return {"bytes": peak_bytes(), "device_bytes": self._side.peak_device_bytes()}

    def _install_size(self) -> Answer:
        from .installed import installed_bytes

        return {"bytes": installed_bytes(self._side.library)}

    def _fastest(self, workload: Any, variants: list[str]) -> tuple[str, str]:
        """(the fastest variant of the mode, the same with what could not be tried)."""
        if len(variants) == 1:
            return variants[0], variants[0]
        times: dict[str, float] = {}
        failed = ""
        for variant in variants:
            try:
                self._side.choose(variant)
                prepared = workload.prepare(self._side)
                prepared.call()
                calls = self._calls_a_block(self._clock, prepared.call, TRIAL_SECONDS)
                times[variant] = min(
                    self._clock.seconds(prepared.call, calls) / calls for _ in range(3)
                )
            except Exception as error:
                if variant == variants[0]:
                    raise
                failed = f"; {variant} failed: {type(error).__name__}"
            prepared = None
        best = min(times, key=lambda variant: times[variant])
        return best, best + failed


def peak_bytes() -> int | None:
    """The most memory that this process held at a time; None where the system does not tell."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        return int(peak) * 1024
    if sys.platform == "win32":
        return None
    import resource

    peak_units = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_units if sys.platform == "darwin" else peak_units * 1024


def _end_with_parent() -> None:
    """Let the system end this process with the one that asks; one that is stopped cannot itself."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _failure(error: Exception) -> Answer:
    """The answer for what went wrong; torch and jax have no class of their own for full memory."""
    reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    text = str(error).lower()
    if any(kind.__name__ in OUT_OF_MEMORY_CLASSES for kind in type(error).__mro__):
        return {"error": "out of memory", "reason": reason}
    if any(words in text for words in OUT_OF_MEMORY_WORDS):
        return {"error": "out of memory", "reason": reason}
    return {"error": "failed", "reason": f"{type(error).__name__}: {reason}"}


def _save(path: str, arrays: Mapping[str, Any]) -> None:
    import numpy as np

    np.savez(path, **arrays)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    isograd = sys.modules.get("isograd")
    if isograd is not None:
        found["isograd"] = isograd.__version__
    for name in VERSIONS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def main() -> None:
    """Answer lines until there are no more; whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        answers.write(json.dumps(worker.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
