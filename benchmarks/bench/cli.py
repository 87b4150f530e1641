"""The command `isograd bench`."""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...backend.errors import ConfigurationError
from . import compare as comparison
from . import results as storage
from . import table
from .candidates import candidates, not_installed
from .conductor import FULL, QUICK
from .results import Results
from .run import EVERYTHING, choose, here, run

REGRESSED = 1  # the exit status of --fail-above


def main(options: argparse.Namespace) -> int:
    """Measure, write, print, compare; 1 where --fail-above found something slower, or failed.

    Raises ConfigurationError for words that mean nothing and for results that do not compare,
    before anything is measured; and KeyboardInterrupt after Ctrl-C or SIGTERM, when what was done
    is written.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # one that cannot write µ shows a question mark
        sys.stdout.reconfigure(errors="replace")
    if options.fail_above is not None and options.compare is None:
        raise ConfigurationError("--fail-above needs --compare NAME: slower than what?")
    workloads = _workloads(options)
    if options.list:
        print("\n".join(f"{w.name:34} {w.title}" for w in workloads))
        return 0
    then = storage.read(options.compare) if options.compare else None
    if then is not None and not options.other_machine:
        comparison.check_machine(then, here(options.threads))
    _check_writable(options)
    results = measure(options, workloads)
    try:
        write(options, results)
    finally:
        print(table.describe(results, _width()))
    if not results["finished"]:
        raise KeyboardInterrupt
    return 0 if then is None else _compare(options, then, results)


def measure(options: argparse.Namespace, workloads: list[Any]) -> Results:
    """The results of a run with these options."""
    peers = None if options.peers is None else _words(options.peers)
    everyone = candidates(
        _words(options.devices), [] if peers == ["none"] else peers, options.peer_python
    )
    absent = not_installed(options.peer_python) if peers is None else []
    if absent:
        _tell(f"{', '.join(absent)} not installed here; --peer-python PATH adds another Python's")
    with _terminated_as_by_ctrl_c():
        return run(
            workloads,
            everyone,
            QUICK if options.quick else FULL,
            quick=options.quick,
            threads=options.threads,
            command=_command(options),
            tell=_tell,
        )


def write(options: argparse.Namespace, results: Results) -> None:
    """The files that were asked for; a run that was stopped at once leaves older ones alone."""
    if not (results["finished"] or any(w["results"] for w in results["workloads"])):
        return
    if options.json:
        storage.write(options.json, results)
    if options.save:
        storage.write(storage.path_of(options.save), results)
    if options.html:
        from .page import page

        options.html.write_text(page(results), encoding="utf-8")


def _compare(options: argparse.Namespace, then: Results, now: Results) -> int:
    """Print what changed; what seems too slow is measured once more before it counts."""
    found = comparison.changes(then, now, options.other_machine)
    print(f"\nagainst {options.compare}, of {then['date']}:\n\n{comparison.describe(found)}")
    broken = comparison.failures(then, now)
    for sentence in broken:
        print(f"was measured then: {sentence}")
    if options.fail_above is None:
        return 0
    suspects = comparison.slower(found, options.fail_above)
    if suspects:
        names = dict.fromkeys(change.workload for change in suspects)
        print(f"\nmeasuring again, to be sure: {', '.join(names)}")
        again = measure(options, [w for w in EVERYTHING if w.name in names])
        if not again["finished"]:
            raise KeyboardInterrupt
        second = comparison.changes(then, again, options.other_machine)
        confirmed = {
            (c.workload, c.candidate) for c in comparison.slower(second, options.fail_above)
        }
        suspects = [c for c in suspects if (c.workload, c.candidate) in confirmed]
    for change in suspects:
        print(f"slower: {change.workload}, {change.candidate}: {change.ratio:.2f} times as long")
    if not suspects:
        print(f"nothing is more than {options.fail_above:g} times slower")
    return REGRESSED if suspects or broken else 0


def _tell(sentence: str) -> None:
    print(f"isograd bench: {sentence}", file=sys.stderr)


@contextmanager
def _terminated_as_by_ctrl_c() -> Iterator[None]:
    """SIGTERM, as of `timeout`, raises KeyboardInterrupt: what is done is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _width() -> int | None:
    """Columns of the terminal; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _workloads(options: argparse.Namespace) -> list[Any]:
    try:
        words = _words(options.filter) if options.filter else []
        return choose(words, options.quick)
    except ValueError as error:
        raise ConfigurationError(f"--filter: {error}") from None


def _check_writable(options: argparse.Namespace) -> None:
    """Raise ConfigurationError now, not after ten minutes, where a file cannot be written."""
    saved = storage.path_of(options.save) if options.save else None
    for option, path in (("json", options.json), ("html", options.html), ("save", saved)):
        if path is None:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            path.open("ab").close()
            if is_new:
                path.unlink()
        except OSError as error:
            said = error.strerror or error
            raise ConfigurationError(f"--{option}: {path} cannot be written: {said}") from None


def _command(options: argparse.Namespace) -> str:
    """What a person types to measure the same; where a Python lies is nobody's business."""
    words = ["isograd bench", f"--devices {options.devices}"]
    words += [f"--peers {options.peers}"] if options.peers else []
    words += [f"--peer-python {name}PYTHON" for name in _named(options.peer_python)]
    words += [f"--filter {options.filter!r}"] if options.filter else []
    words += ["--quick"] if options.quick else []
    words += [f"--threads {options.threads}"] if options.threads else []
    return " ".join(words)


def _named(pythons: list[str]) -> list[str]:
    """The words "torch=" for each that is named, "" for another."""
    return ["".join(text.partition("=")[:2]) if "=" in text else "" for text in pythons]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
