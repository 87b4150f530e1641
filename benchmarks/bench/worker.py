"""The process of one candidate: it does what lines of JSON on its standard input ask for.

    {"do": "load", "library", "device", "mode", "threads"}  -> {"import_s", "versions"}
    {"do": "set_up", "workload", "compiles", "results", "variant"}
                                  -> {"set_up_s", "first_call_s", "variant", "note", "tried"}
    {"do": "warm", "block_seconds", "warm_up_seconds"}      -> {"calls"}
    {"do": "block"}                                         -> {"seconds", "lost"}
    {"do": "tear_down"}                                     -> {}
    {"do": "memory"}                                        -> {"bytes", "device_bytes"}
    {"do": "install_size"}                                  -> {"bytes"}

set_up writes the workload's results into the file `results` (.npz) unless that is "". variant: what
the mode is to choose; null: the fastest is found out, `note` names it, and `tried` tells of all by
their names. seconds: one call.
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
COMPILED = "compiled"  # the variant that takes long before its first call
TRIAL_SECONDS = 0.02  # how long each variant of a mode is tried at a time
QUIET_TRIES, MOST_TRIES = 3, 9  # a wrong choice would stay for the whole run
COMPILING_SECONDS = 150.0  # of one process; later workloads of a run are tried uncompiled
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
        self._compiling_left = COMPILING_SECONDS

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
        self._lost_at_most = clocks.LOST_AT_MOST
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
        tried = self._try(asked, variants) if variant is None and len(variants) > 1 else {}
        if variant is None:
            variant = _fastest(tried) if tried else variants[0]
        self._side.choose(variant)
        started = time.perf_counter()
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
        return {
            "set_up_s": prepared_at - started,
            "first_call_s": tried.get(variant, {}).get("first_call_s", first_call),
            "variant": variant,
            "note": variant,
            "tried": tried,
        }

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
        if self._prepared is not None:
            self._prepared = None
            gc.collect()
            gc.freeze()  # what a library keeps for good is not looked through again
        return {}

    def _memory(self) -> Answer:
        return {"bytes": peak_bytes(), "device_bytes": self._side.peak_device_bytes()}

    def _install_size(self) -> Answer:
        from .installed import installed_bytes

        return {"bytes": installed_bytes(self._side.library)}

    def _try(self, workload: Any, variants: list[str]) -> dict[str, Answer]:
        """By variant {"seconds", "first_call_s"}, with its compilation, or {"failed"}.

        Raises what the first one raises: the others may not be there.
        """
        tried: dict[str, Answer] = {}
        for variant in variants:
            compiles = variant == COMPILED
            if compiles and self._compiling_left <= 0.0:
                tried[variant] = {"failed": "not tried: compiling took too much of this run"}
                continue
            started = time.perf_counter()
            try:
                tried[variant] = self._trial(workload, variant)
            except Exception as error:
                if variant == variants[0]:
                    raise
                tried[variant] = {"failed": _failure(error)["reason"]}
            if compiles:
                self._compiling_left -= time.perf_counter() - started
        return tried

    def _trial(self, workload: Any, variant: str) -> Answer:
        """The time of one call, and of the first."""
        self._side.choose(variant)
        prepared = workload.prepare(self._side)
        started = time.perf_counter()
        prepared.call()
        self._side.wait()
        first_call = time.perf_counter() - started
        calls = self._calls_a_block(self._clock, prepared.call, TRIAL_SECONDS)
        tries: list[tuple[bool, float]] = []
        disturbance = self._new_disturbance()
        while len(tries) < MOST_TRIES and sum(not lost for lost, _ in tries) < QUIET_TRIES:
            disturbance.begin()
            seconds = self._clock.seconds(prepared.call, calls) / calls
            tries.append((disturbance.end() > self._lost_at_most, seconds))
        _, seconds = min(tries)  # of the quiet ones, if there are any
        return {"seconds": seconds / prepared.parts, "first_call_s": first_call}


def _fastest(tried: Mapping[str, Answer]) -> str:
    """The variant whose calls take the least time."""
    times = {variant: one["seconds"] for variant, one in tried.items() if "seconds" in one}
    return min(times, key=lambda variant: times[variant])


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
