"""What sections find out, a line of JSON each, in a file that a process may be stopped at.

    {"kind": "time", "section", "side", "workload", "how", "precision", "median", "lower_quartile",
     "upper_quartile", "lower_decile", "upper_decile", "blocks", "calls_a_block",
     "flops", "bytes", "error"}                  seconds a call; null where not counted or compared
    {"kind": "time", "section", "side", "workload", "how", "precision", "reason"}       it failed
    {"kind": "check", "section", "side", "name", "passed", "detail"}
    {"kind": "fact", "section", "side", "name", "value"}

side: the library, "isograd" or "torch", "" for neither. error: |y - exact| / |exact| of a product.
"""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Records:
    """Appends records of one section and side to a file."""

    def __init__(self, path: Path, section: str, side: str = "") -> None:
        self._path = path
        self._about = {"section": section, "side": side}

    def add(self, kind: str, **fields: Any) -> None:
        """Write one line."""
        line = json.dumps({"kind": kind, **self._about, **fields})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def check(self, name: str, passed: bool, detail: str = "") -> None:
        """Something that is right or not."""
        self.add("check", name=name, passed=bool(passed), detail=detail)

    def fact(self, name: str, value: Any) -> None:
        """Something worth knowing: text, or a number that the name gives the unit of."""
        self.add("fact", name=name, value=value)


def read(path: Path) -> list[Record]:
    """All records of a file; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def reason_of(error: BaseException) -> str:
    """An error in one line, with the place where it was raised."""
    first = next(iter(str(error).strip().splitlines()), "")
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in frames)
    return f"{type(error).__name__}: {first[:300]}{where}"
