"""Measured times of the candidates for matrix products on one kind of GPU, in a JSON file."""

from __future__ import annotations

import math
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...backend.errors import KernelError
from .problem import CANDIDATES, DTYPES, LAYOUTS, Problem

SCHEMA = 1
SHIPPED = Path(__file__).parent / "tables"
FARTHEST = 3.0  # octaves of m, n and k together: what was measured farther away says nothing


class TableError(KernelError):
    """A table of measured times that cannot be used."""


@dataclass(frozen=True)
class Entry:
    """Microseconds of each candidate that served one problem."""

    m: int
    n: int
    k: int
    layout: str
    dtype: str
    precision: str
    activation: str
    microseconds: dict[str, float]


@dataclass(frozen=True)
class Table:
    """What was measured on one kind of GPU, and with what.

    device: its product name. arch: its architecture. made: machine, versions, commit, date.
    """

    device: str
    arch: int
    made: dict[str, Any]
    entries: tuple[Entry, ...]

    def order(self, problem: Problem) -> tuple[str, ...]:
        """The candidates by time at the nearest size that was measured, the fastest first.

        () where nothing like it was measured: another dtype, precision or layout, all sizes more
        than FARTHEST octaves away; a batch, or arrays that are not aligned.
        """
        alike = [entry for entry in self.entries if _is_alike(entry, problem)]
        if not alike or problem.batch > 1 or not problem.aligned:
            return ()
        nearest = min(alike, key=lambda entry: _distance(entry, problem))
        if _distance(nearest, problem) > FARTHEST:
            return ()
        times = nearest.microseconds
        return tuple(sorted(times, key=times.__getitem__))


def find_table(arch: int, device: str) -> Table | None:
    """The table for a kind of GPU: the user's, else the shipped one, else None.

    Raises TableError as read_table() does.
    """
    for folder in (user_folder(), SHIPPED):
        path = folder / file_name(device)
        if path.is_file():
            return read_table(path, arch, device)
    return None


def file_name(device: str) -> str:
    """The name of the file for a kind of GPU: matmul-nvidia-h200.json."""
    return f"matmul-{re.sub('[^a-z0-9]+', '-', device.lower()).strip('-')}.json"


def user_folder() -> Path:
    """Where `isograd tune` writes: the user's folder for caches, with isograd/ below."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "isograd"


def write_table(table: Table, path: Path) -> None:
    """Write a table, in one piece: a reader sees the old file or the new one."""
    import json  # a table is read once, on a GPU

    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"schema": SCHEMA, **asdict(table)}
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, path)


def read_table(path: Path, arch: int, device: str) -> Table:
    """The table in a file.

    Raises TableError unless it is one of this schema, whole, and measured on this kind of GPU.
    """
    import json

    remedy = "delete it, or measure again: python -m isograd tune"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise TableError(
                f"{path}: schema must be {SCHEMA}, got {content['schema']!r}; {remedy}"
            )
        entries = tuple(_entry(fields) for fields in content["entries"])
        table = Table(content["device"], content["arch"], content["made"], entries)
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise TableError(f"{path} is no table of measured times ({reason}); {remedy}") from None
    if (table.arch, table.device) != (arch, device):
        raise TableError(
            f"{path} was measured on {table.device} (sm_{table.arch}), this GPU is {device} "
            f"(sm_{arch}); {remedy}"
        )
    return table


def _entry(fields: dict[str, Any]) -> Entry:
    """One entry. Raises ValueError, KeyError or TypeError for what is none."""
    entry = Entry(**fields)
    known = entry.layout in LAYOUTS and entry.dtype in DTYPES
    sizes = (entry.m, entry.n, entry.k)
    if not known or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(f"an entry with {entry.layout}, {entry.dtype}, {sizes}")
    for name, time in entry.microseconds.items():
        if name not in CANDIDATES or not 0 < time < math.inf:
            raise ValueError(f"a time of {time!r} for {name!r}")
    return entry


def _is_alike(entry: Entry, problem: Problem) -> bool:
    """Whether an entry says something about a problem but for its size.

    Which activation it is hardly matters; that there is one does.
    """
    return (
        entry.dtype == problem.dtype
        and entry.layout == problem.layout
        and (entry.precision == problem.precision or problem.dtype != "float32")
        and (entry.activation == "none") == (problem.activation == "none")
    )


def _distance(entry: Entry, problem: Problem) -> float:
    """How many octaves lie between the sizes, over all three."""
    pairs = ((entry.m, problem.m), (entry.n, problem.n), (entry.k, problem.k))
    return sum(abs(math.log2(ours / theirs)) for ours, theirs in pairs)
