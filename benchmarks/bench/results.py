"""The results of `isograd bench`: the JSON file, reading it, and what can be compared.

    {
      "format": "isograd bench 2",
      "command": "isograd bench --quick",    what a person types to repeat it
      "date": "2025-11-20T18:00:00+00:00",   UTC
      "commit": "580cc45...",                "+changes" at the end where files differed; "" outside
      "finished": true,                      false: stopped by Ctrl-C; what was done is there
      "machine": {"processor", "cores", "system", "memory_bytes", "threads": {VARIABLE: value},
                  "gpus": [{"name", "clock_mhz": [before, after], "memory_bytes"}]},
      "load_average_before": 0.1,            null where the system does not tell
      "versions": {"python": "3.11.9", "isograd": "0.1.0", "numpy": "2.4.6", ...},
      "settings": {"threads": 2, "precision": "float32", "quick": true, "passes": 1, "rounds": 9,
                   "block_seconds": 0.01},     passes: those that were begun
      "candidates": [CANDIDATE, ...],        in the order of the table's columns, ours first
      "ceilings": {"cpu": {"bytes_per_s": 2.1e10, "flops_per_s": 2.0e11}},   measured, by device
      "workloads": [WORKLOAD, ...],          in the order of the table
      "growth": [CURVE, ...]
    }

CANDIDATE, one process with one library on one device:
    {"name": "torch cpu best",               unique; the key everywhere else
     "library": "torch",                     isograd, numpy, torch, jax, thinc or sklearn
     "device": "cpu",                        cpu, cuda:0, strict:device1, ...
     "mode": "best",                         "default" or "best"; ours and numpy only "default"
     "means": "the fastest of ...",          what the mode is, for a reader
     "threads": 2,
     "versions": {"python": "3.11.9", "torch": "2.13.0+cpu", "numpy": "2.4.6"}}

WORKLOAD:
    {"name": "matmul/forward-512",           group/variant; what --filter looks at
     "group": "matmul",
     "title": "512 x 512 times 512 x 512",   for a reader
     "sizes": {"n": 512},
     "unit": "s",                            or "B": what median and its kin are in
     "flops": 268435456.0, "bytes": 3145728.0,   of one call at least, by count; null: not counted
     "budget": null,                         seconds that isograd may add to NumPy; null: any
     "curve": "matmul", "along": "n",        its curve in "growth" and the name in sizes; null: none
     "results": {candidate name: RESULT},    only candidates that have the workload
     "ratios": [RATIO, ...]}

RESULT, status "ok":
    {"status": "ok", "median": 0.00123,      of the blocks: seconds (or bytes) a call
     "lower_quartile": ..., "upper_quartile": ..., "lower_decile": ..., "upper_decile": ...,
     "blocks": [0.00123, ...],               each block's mean, in the order of measurement
     "blocks_a_pass": [5, 5, 5, 5, 5],       how many of them each pass has, with its own processes
     "calls_a_block": 8,
     "disturbed": 2,                         blocks that other processes disturbed; measured again
     "kept_disturbed": 0,                    of these, kept because the retries were used up; median
                                             and quantiles leave them out, unless they are most
     "set_up_s": 0.01, "first_call_s": 0.2,  before anything is timed: compilation is in the second
     "largest_difference": 2e-07,            from the first candidate's results, over their largest
     "note": "compiled",                     what the best mode chose; "" else
     "tried": {"eager": {"seconds": 0.002, "first_call_s": 0.01}, "compiled": {"failed": "why"}}}
                                             what it chose from, in a short trial; {} else
any other: {"status": "out of memory" | "failed" | "disagrees" | "stopped", "reason": "a sentence"}

RATIO, of one of ours to another candidate, from pairs of neighbouring blocks (statistics.ratio):
    {"ours": "isograd cpu", "other": "torch cpu best",
     "ratio": 0.81,                          mean of the passes' medians; below 1: ours is faster
     "lower": 0.78, "upper": 0.85,           where the ratio of another run is to be expected
     "within_noise": false}                  whether 1 lies within the spread

CURVE, of one candidate along one size; measurements at fewer than three sizes make none:
    {"curve": "mlp-batch", "title": "a step of the MLP", "along": "batch",
     "candidate": "isograd cpu", "sizes": [32, 64, ...], "medians": [...],
     "slope": 0.93,                          of log(seconds) over log(size), over the larger half
     "largest_expected": 1.0,                what the arithmetic asks for
     "steeper": false}                       cost grows too fast: above largest_expected + 0.2,
                                             whatever the noise, and without times in doubt
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...backend.errors import ConfigurationError
from ..report import write_report
from .workload import Workload

FORMAT = "isograd bench 2"
STORE = Path(".benchmarks") / "isograd"  # beside pytest-benchmark's, in the current folder
SAME_MACHINE = ("processor", "cores", "system")
SAME_SETTINGS = ("threads", "precision")
NEEDED = ("date", "machine", "settings", "candidates", "workloads", "growth", "finished")
CANDIDATE = dict.fromkeys(("name", "library", "device", "mode"), str)
WORKLOAD = {"name": str, "title": str, "unit": str}
RATIO = {"ours": str, "other": str, **dict.fromkeys(("ratio", "lower", "upper"), (int, float))}
MEASURED = {
    **dict.fromkeys(("median", "lower_decile", "upper_decile", "kept_disturbed"), (int, float)),
    "blocks": list,
    "blocks_a_pass": list,
}
FAILED = {"reason": str}
# The folders of an absolute path, of Windows too; not the share in "FLOP/s", nor of an address.
PATH = re.compile(r"""(?<![\w.:/\\-])(?:[A-Za-z]:[/\\]|/)(?:[^\s/\\:;,'"()<>]+[/\\])+""")
Results = dict[str, Any]


def workload_record(workload: Workload) -> Results:
    """A WORKLOAD without its results and ratios."""
    return {
        "name": workload.name,
        "group": workload.group,
        "title": workload.title,
        "sizes": dict(workload.sizes),
        "unit": workload.unit,
        "flops": workload.flops,
        "bytes": workload.bytes,
        "budget": workload.budget,
        "curve": workload.curve.name if workload.curve else None,
        "along": workload.curve.along if workload.curve else None,
    }


def ceilings(workloads: Sequence[Mapping[str, Any]], candidates: Sequence[Mapping]) -> Results:
    """By device, the most bytes and flops a second that ours reached in the ceiling workloads."""
    found: Results = {}
    for candidate in candidates:
        if candidate["library"] == "isograd":
            rates = {
                f"{what}_per_s": workload[what] / workload["results"][candidate["name"]]["median"]
                for name, what in (("ceiling/copy", "bytes"), ("ceiling/matmul", "flops"))
                for workload in workloads
                if workload["name"] == name
                and workload["results"].get(candidate["name"], {}).get("status") == "ok"
            }
            if rates:
                found[candidate["device"]] = rates
    return found


def path_of(name: str) -> Path:
    """The file that --save and --compare mean: NAME in .benchmarks/isograd, or a path to .json."""
    path = Path(name)
    if path.suffix == ".json" or len(path.parts) != 1:
        return path
    return STORE / f"{name}.json"


def read(name: str) -> Results:
    """The results of that name. Raises ConfigurationError where there are none."""
    path = path_of(name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = sorted(saved.stem for saved in STORE.glob("*.json"))
        saved = f"saved are {', '.join(there)}" if there else "nothing has been saved here yet"
        raise ConfigurationError(
            f"there are no results {name!r} ({path}); {saved}: isograd bench --save NAME"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as results: {error}") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        older = str(found).startswith(FORMAT.rstrip("0123456789"))
        why = f" of another version ({found!r}): measure them again" if older else ""
        raise ConfigurationError(f"{path} does not hold results of isograd bench ({FORMAT!r}){why}")
    missing = [key for key in NEEDED if key not in content]
    if missing:
        raise ConfigurationError(f"{path} is not complete, it has no {', '.join(missing)}")
    if _is_damaged(content):
        raise ConfigurationError(f"{path} was changed: it cannot be read as results any more")
    return content


def _is_damaged(results: Results) -> bool:
    """Whether something that a comparison or a table reads is missing or of another type."""
    try:
        rows: list[tuple[Any, Mapping[str, Any]]] = [
            (results["machine"], {}),
            (results["settings"], {}),
        ]
        rows += [(candidate, CANDIDATE) for candidate in results["candidates"]]
        for workload in results["workloads"]:
            found = workload["results"].values()
            rows += [(workload, WORKLOAD), *((ratio, RATIO) for ratio in workload["ratios"])]
            rows += [(one, MEASURED if one["status"] == "ok" else FAILED) for one in found]
        return not all(
            isinstance(row, dict) and all(isinstance(row[key], kinds[key]) for key in kinds)
            for row, kinds in rows
        )
    except (KeyError, TypeError, AttributeError):
        return True


def without_paths(value: Any) -> Any:
    """The same with each absolute path in its texts cut to its last part: "/a/b/c.so" is "c.so"."""
    if isinstance(value, Mapping):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    return PATH.sub("", value) if isinstance(value, str) else value


def write(path: Path, results: Mapping[str, Any]) -> None:
    """Write results as JSON; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_report(path, results)


def other_machine(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what the machines, or how they were used, are not the same; "" where they are."""
    pairs = [(key, before["machine"].get(key), now["machine"].get(key)) for key in SAME_MACHINE]
    pairs += [(key, before["settings"].get(key), now["settings"].get(key)) for key in SAME_SETTINGS]
    gpus = [[gpu["name"] for gpu in one["machine"].get("gpus", [])] for one in (before, now)]
    pairs.append(("GPUs", gpus[0], gpus[1]))
    return "; ".join(f"{key} {old!r} there, {new!r} here" for key, old, new in pairs if old != new)
