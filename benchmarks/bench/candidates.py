"""Who takes part: isograd on each device, and the other libraries in their modes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...backend.errors import ConfigurationError
from .sides import MEANS, NOT_COMPILED, PEERS

BEST_MODES = ("torch",)  # the libraries that have more than their default
ALWAYS_HERE = ("numpy",)
PIP_NAMES = {"sklearn": "scikit-learn"}
LOOK = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"


@dataclass(frozen=True)
class Candidate:
    """One library on one device, in a process of its own."""

    library: str
    device: str
    mode: str = "default"
    python: str = sys.executable

    @property
    def name(self) -> str:
        return f"{self.library} {self.device}{' best' if self.mode == 'best' else ''}"

    @property
    def is_ours(self) -> bool:
        return self.library == "isograd"

    def record(
        self, threads: int, versions: Mapping[str, str], compiles: bool = True
    ) -> dict[str, Any]:
        """What the results say about it; where its Python lies is nobody's business."""
        means = MEANS[self.library, self.mode]
        if self.mode == "best" and not compiles:
            means += NOT_COMPILED
        return {
            "name": self.name,
            "library": self.library,
            "device": self.device,
            "mode": self.mode,
            "means": means,
            "threads": threads,
            "versions": dict(versions),
        }


def candidates(
    devices: Sequence[str], peers: Sequence[str] | None, pythons: Sequence[str]
) -> list[Candidate]:
    """Ours on each device, then each peer on each of the devices that libraries share.

    peers: names; None: those that are installed here or in one of the pythons. pythons: "PATH" or
    "torch=PATH", interpreters that have peers.
    Raises ConfigurationError for a name that no peer has, a peer that is not installed, no device.
    """
    devices = list(dict.fromkeys(devices))
    if not devices or "auto" in devices:
        raise ConfigurationError("--devices: name them one by one, such as cpu,cuda")
    for name in peers or ():
        if name not in PEERS:
            raise ConfigurationError(f"--peers: there is no {name!r}; choose of {', '.join(PEERS)}")
    found = _interpreters(pythons)
    if peers is None:
        peers = [name for name in PEERS if name in found]
    for name in peers:
        if name not in found:
            raise ConfigurationError(_how_to_get(name))
    shared = [name for name in devices if name.partition(":")[0] in ("cpu", "cuda")]
    return [
        *(Candidate("isograd", device) for device in devices),
        *(
            Candidate(peer, device, mode, found[peer])
            for peer in peers
            for device in (["cpu"] if peer in ("numpy", "thinc", "sklearn") else shared)
            if device in devices
            for mode in (("default", "best") if peer in BEST_MODES else ("default",))
        ),
    ]


def not_installed(pythons: Sequence[str]) -> list[str]:
    """The peers that neither this Python nor one of those has."""
    found = _interpreters(pythons)
    return [name for name in PEERS if name not in found]


def _interpreters(pythons: Iterable[str]) -> dict[str, str]:
    """By peer, the interpreter that has it: a named one, one of the pythons, or this one."""
    found = {name: sys.executable for name in PEERS if find_spec(name) is not None}
    named = {}
    for text in pythons:
        name, equals, path = text.partition("=") if "=" in text else ("", "", text)
        path = os.path.abspath(path) if os.path.dirname(path) else path  # not from another folder
        if not equals:
            found |= dict.fromkeys(_peers_of(path, "--peer-python"), path)
            continue
        if name not in PEERS:
            raise ConfigurationError(
                f"--peer-python {text}: must be PATH or NAME=PATH with a name of {', '.join(PEERS)}"
            )
        if name not in _peers_of(path, f"--peer-python {text}"):
            raise ConfigurationError(f"--peer-python {text}: {path} has no {name}")
        named[name] = path
    return {**found, **named}


def _peers_of(python: str, option: str) -> list[str]:
    """The peers that an interpreter has; NumPy stays this one's, in which ours runs."""
    names = [name for name in PEERS if name not in ALWAYS_HERE]
    command = [python, "-c", LOOK, *names]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, cwd=Path(python).anchor or "/"
        )
    except OSError as error:
        raise ConfigurationError(f"{option}: {python} does not start: {error}") from None
    if run.returncode:
        said = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ConfigurationError(f"{option}: {python} is no Python: {said}")
    return run.stdout.split()


def _how_to_get(name: str) -> str:
    package = PIP_NAMES.get(name, name)
    return (
        f"--peers: {name} is not installed here: pip install {package}, or name a Python that has "
        f"it and NumPy: --peer-python {name}=PATH"
    )
