"""Results for a person's eye: lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any

from ..report import table
from .statistics import in_doubt

NOISE = "≈"  # the difference is within noise
SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
NOTE_WIDTH = 90  # columns
DISTURBED = "?"  # other processes disturbed most of its blocks, and the retries of them
SHORT = {"out of memory": "no memory", "disagrees": "disagrees", "failed": "failed"}


def describe(results: Mapping[str, Any], width: int | None = None) -> str:
    """The table, then what stands out: failures, budgets, costs that grow too fast.

    width: columns of the terminal; a wider table leaves out libraries, the last ones first.
    """
    names = [candidate["name"] for candidate in results["candidates"]]
    shown = [w for w in results["workloads"] if w["results"]]
    if not shown:
        return "nothing was measured"
    heads = _heads(results["candidates"])
    shorter = dict(zip(names, heads, strict=True))
    compared = any(workload["ratios"] for workload in shown)
    devices = _device_pairs(results["candidates"])
    between = [f"{one['device']} / {first['device']}" for one, first in devices]
    verdict = ("ratio", "spread", "against") if compared else ()
    rows = [("workload", *heads, *between, *verdict, "")]
    for workload in shown:
        cells = [quantity_of(workload, name) for name in names]
        cells += [_ratio_of(workload, one["name"], first["name"]) for one, first in devices]
        rows.append((workload["name"], *cells, *_verdict(workload, compared, shorter)))
    others = [h for h, one in zip(heads, results["candidates"], strict=True) if not _is_ours(one)]
    fitting, left_out = _fitting(_without_empty(rows), others, width)
    parts = [table(fitting), *_notes(results, compared)]
    if left_out:
        parts[1:1] = [f"the terminal is too narrow for {', '.join(left_out)}; --json has them"]
    return "\n\n".join(part for part in parts if part)


def quantity_of(workload: Mapping[str, Any], candidate: str) -> str:
    """The median with its unit, "?" where it is in doubt; or what went wrong; "" without any."""
    result = workload["results"].get(candidate)
    if result is None:
        return ""
    if result["status"] != "ok":
        return SHORT.get(result["status"], result["status"])
    return quantity(result["median"], workload["unit"]) + DISTURBED * in_doubt(result)


def quantity(value: float, unit: str) -> str:
    """Three digits and the fitting unit: 0.00123 s is "1.23 ms"."""
    units = SECONDS if unit == "s" else BYTES
    size, name = next(((s, n) for s, n in units if value >= 0.9995 * s), units[-1])
    scaled = value / size
    decimals = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{decimals}f} {name}"


def too_late(results: Mapping[str, Any]) -> list[str]:
    """The workloads that a run had no time for."""
    return [workload["name"] for workload in results["workloads"] if not workload["results"]]


def main_ratio(workload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Ours, on the first device that has it, against the fastest other library; else our devices.

    NumPy is the arithmetic without gradients by hand, and counts where nobody else is there.
    """
    results = workload["results"]
    ratios = workload["ratios"]
    first = next((ratio["ours"] for ratio in ratios), None)
    mine = [ratio for ratio in ratios if ratio["ours"] == first]
    peers = [ratio for ratio in mine if not ratio["other"].startswith(("isograd ", "numpy "))]
    among = peers or mine
    return min(among, key=lambda ratio: results[ratio["other"]]["median"], default=None)


def _heads(candidates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of columns: without the device where there is only one."""
    devices = {candidate["device"] for candidate in candidates}
    if len(devices) > 1:
        return [candidate["name"] for candidate in candidates]
    best = {"best": " best"}
    return [f"{one['library']}{best.get(one['mode'], '')}" for one in candidates]


def _device_pairs(candidates: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping, Mapping]]:
    """Ours on each further device beside ours on the first, where the verdict is about others."""
    ours = [candidate for candidate in candidates if _is_ours(candidate)]
    return [(one, ours[0]) for one in ours[1:]] if len(ours) < len(candidates) else []


def _ratio_of(workload: Mapping[str, Any], ours: str, other: str) -> str:
    """This ratio, with the mark of noise; "" without any."""
    found = (r for r in workload["ratios"] if (r["ours"], r["other"]) == (ours, other))
    ratio = next(found, None)
    return f"{ratio['ratio']:.2f}{f' {NOISE}' * ratio['within_noise']}" if ratio else ""


def _verdict(
    workload: Mapping[str, Any], compared: bool, heads: Mapping[str, str]
) -> tuple[str, ...]:
    """ratio, spread, against whom, and the mark."""
    if not compared:
        return ("",)
    ratio = main_ratio(workload)
    if ratio is None:
        return "", "", "", ""
    spread = f"{ratio['lower']:.2f}-{ratio['upper']:.2f}"
    mark = NOISE if ratio["within_noise"] else ""
    return f"{ratio['ratio']:.2f}", spread, heads[ratio["other"]], mark


def _without_empty(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The rows without columns that have no cell below their head, the last column excepted."""
    columns = [
        c for i, c in enumerate(zip(*rows, strict=True)) if any(c[1:]) or i == len(rows[0]) - 1
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _fitting(
    rows: list[list[str]], may_go: Sequence[str], width: int | None
) -> tuple[list[list[str]], list[str]]:
    """(the rows without columns of these heads, from the last on, until they fit; what went)."""
    went: list[str] = []
    for head in reversed(may_go):
        if width is None or max(map(len, table(rows).splitlines())) <= width:
            break
        if head in rows[0]:
            i = rows[0].index(head)
            rows = [row[:i] + row[i + 1 :] for row in rows]
            went.insert(0, head)
    return rows, went


def _is_ours(candidate: Mapping[str, Any]) -> bool:
    return candidate["library"] == "isograd"


def _notes(results: Mapping[str, Any], compared: bool) -> Iterable[str]:
    if compared:
        yield (
            f"ratio: {_compared_with(results['candidates'])}\n"
            f"spread: where the ratio of another run is to be expected. {NOISE}: within noise."
        )
    yield "\n".join(
        fill(f"{one['name']}: {one['means']}", NOTE_WIDTH)
        for one in results["candidates"]
        if one["mode"] == "best"
    )
    yield _budgets(results)
    yield "\n".join(_failures(results))
    yield "\n".join(_steep(results))
    disturbed = _disturbed(results)
    if disturbed:
        yield disturbed
    if not results["finished"]:
        yield "stopped: this is what was done until then"
    elif too_late(results):
        late = ", ".join(too_late(results))
        yield fill(f"not measured, because the time was up: {late}", NOTE_WIDTH)


def _compared_with(candidates: Sequence[Mapping[str, Any]]) -> str:
    """What "ratio" in the table is."""
    devices = [candidate["device"] for candidate in candidates if _is_ours(candidate)]
    if len(devices) == len(candidates):
        return f"isograd's time on {devices[1]} over that on {devices[0]}."
    on = f" on {devices[0]}" if len(devices) > 1 else ""
    return f"isograd's time{on} over that of the fastest other library; below 1 isograd is faster."


def _budgets(results: Mapping[str, Any]) -> str:
    """What isograd adds to NumPy's time, where there is a budget."""
    rows = [("added to NumPy's arithmetic", "added", "budget", "")]
    for workload in results["workloads"]:
        found = workload["results"]
        ours, numpy = found.get("isograd cpu", {}), found.get("numpy cpu", {})
        if workload["budget"] and ours.get("status") == numpy.get("status") == "ok":
            added = ours["median"] - numpy["median"]
            verdict = "kept" if added <= workload["budget"] else "exceeded"
            allowed = f"<= {workload['budget'] * 1e6:.1f} µs"
            rows.append((workload["title"], f"{added * 1e6:+.2f} µs", allowed, verdict))
    return table(rows) if len(rows) > 1 else ""


def _failures(results: Mapping[str, Any]) -> Iterable[str]:
    for workload in results["workloads"]:
        for name, result in workload["results"].items():
            if result["status"] not in ("ok", "stopped"):
                yield f"{workload['name']}, {name}: {result['status']}: {result['reason']}"


def _steep(results: Mapping[str, Any]) -> Iterable[str]:
    for curve in results["growth"]:
        if curve["steeper"]:
            yield (
                f"{curve['candidate']}: {curve['title']} grows with {curve['along']} to the power "
                f"{curve['slope']:.2f}; the arithmetic asks for {curve['largest_expected']:.0f}"
            )


def _disturbed(results: Mapping[str, Any]) -> str:
    good = [
        result
        for workload in results["workloads"]
        for result in workload["results"].values()
        if result["status"] == "ok"
    ]
    again, kept = (sum(result[key] for result in good) for key in ("disturbed", "kept_disturbed"))
    blocks = sum(len(result["blocks"]) for result in good)
    if not again:
        return ""
    if not kept:
        return f"other processes disturbed {again} blocks, which were measured again"
    busy = ": this machine is too busy to measure" if 5 * kept > blocks else ""
    return (
        f"other processes disturbed {again} blocks, which were measured again; of {blocks} blocks "
        f"{kept} stayed disturbed ({DISTURBED} where most did){busy}"
    )
