"""The report as Markdown: predictions beside figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..bench.table import quantity
from .machine import COPY
from .records import Record
from .sections import SECTIONS, Section
from .targets import TARGETS, target_of

HEADS = ("workload", "precision", "by", "median", "quartiles", "rate", "error", "limit", "aim")
NOTES = """\
Times are seconds of a call between two CUDA events, many calls in a row, after warm-up: the GPU's
time where it is the slower one, else the host's. `rate`: bytes or flops by count over the median;
in brackets its share of the measured copy. `error`: |y - exact| / |exact| against float64. `limit`
and `aim` were written down before (targets.py) for an H200; the mark says which aims were met.
Precision: highest is as accurate as float32, high is TF32."""


def describe(report: Mapping[str, Any]) -> str:
    """The whole page."""
    records = report["results"]["records"]
    by_section = {s.name: [r for r in records if r["section"] == s.name] for s in SECTIONS}
    copied = _copy_rate(records)
    parts = [_head(report), NOTES, _predictions()]
    parts += [_section(s, by_section[s.name], copied) for s in SECTIONS if by_section[s.name]]
    return "\n\n".join(parts) + "\n"


def failures(records: Iterable[Record]) -> list[Record]:
    """Checks that did not pass, and work that could not be timed."""
    return [r for r in records if not r.get("passed", True) or "reason" in r]


def _head(report: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    lines = [
        "# isograd on a GPU",
        "",
        f"`{report['command']}`, {report['date']}, commit {report['commit'] or 'unknown'}",
        "",
        f"{report['machine']['processor']}, {report['machine']['cores']} cores; {versions}",
    ]
    if report["results"]["rehearsal"]:
        lines += ["", "**A rehearsal without a GPU: no time here means anything.**"]
    return "\n".join(lines)


def _predictions() -> str:
    """What was predicted, with the arithmetic."""
    rows = [("workload", "precision", "limit", "because", "aim", "torch, estimated")]
    for (workload, precision), target in TARGETS.items():
        aims = ", then ".join(quantity(aim, "s") for aim in target.aims)
        limit = quantity(target.limit, "s")
        rows.append((workload, precision, limit, target.because, aims, target.torch))
    return "## Predictions\n\n" + _markdown(rows)


def _section(section: Section, records: Sequence[Record], copied: float | None) -> str:
    parts = [f"## {section.title}"]
    facts = [_fact(r) for r in records if r["kind"] == "fact"]
    checks = [_check(r) for r in records if r["kind"] == "check"]
    parts += ["\n".join(lines) for lines in (facts, checks) if lines]
    times = [r for r in records if r["kind"] == "time"]
    if times:
        together = sorted(times, key=lambda r: _order(times, r))
        parts.append(_markdown([HEADS, *(_row(r, copied) for r in together)]))
    return "\n\n".join(parts)


def _order(times: Sequence[Record], record: Record) -> int:
    """Lines of one workload and precision stand together, in the order in which they came."""
    key = record["workload"], record["precision"]
    return next(i for i, r in enumerate(times) if (r["workload"], r["precision"]) == key)


def _row(record: Record, copied: float | None) -> tuple[str, ...]:
    who = f"{record['side']} {record['how']}".strip()
    about = record["workload"], record["precision"], who
    if "reason" in record:
        return (*about, "failed", record["reason"], "", "", "", "")
    median = record["median"]
    target = target_of(record["workload"], record["precision"])
    spread = " - ".join(quantity(record[f"{which}_quartile"], "s") for which in ("lower", "upper"))
    error = "" if record["error"] is None else f"{record['error']:.1e}"
    limit = "" if target is None else quantity(target.limit, "s")
    aims = "" if target is None else ", ".join(_aim(aim, median, record) for aim in target.aims)
    return (*about, quantity(median, "s"), spread, _rate(record, copied), error, limit, aims)


def _aim(aim: float, median: float, record: Record) -> str:
    """An aim; whether it was met is said of isograd alone."""
    met = " (met)" if record["side"] == "isograd" and median <= aim else ""
    return quantity(aim, "s") + met


def _rate(record: Record, copied: float | None) -> str:
    if record["flops"]:
        return f"{record['flops'] / record['median'] / 1e12:.3g} TFLOP/s"
    if not record["bytes"]:
        return ""
    rate = record["bytes"] / record["median"]
    share = f" ({100 * rate / copied:.0f} %)" if copied else ""
    return f"{rate / 1e9:.4g} GB/s{share}"


def _copy_rate(records: Iterable[Record]) -> float | None:
    """Bytes a second of the copy; None where it was not measured."""
    copies = (r for r in records if r.get("workload") == COPY and "median" in r)
    return next((r["bytes"] / r["median"] for r in copies), None)


def _fact(record: Record) -> str:
    value = record["value"]
    side = f" ({record['side']})" if record["side"] else ""
    return f"- {record['name']}{side}: {f'{value:.3g}' if isinstance(value, float) else value}"


def _check(record: Record) -> str:
    first, *rest = record["detail"].splitlines() or [""]
    mark = "passed" if record["passed"] else "**FAILED**"
    return "\n".join([f"- {mark}: {record['name']}: {first}", *(f"  - `{line}`" for line in rest)])


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
