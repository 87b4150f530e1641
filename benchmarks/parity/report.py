"""What a parity run has shown, as text for a person and as a record for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...backend.comparison import counted
from ...backend.dtypes import tolerance
from ..report import machine, table, versions
from .checks import FORWARD, OWN, PHASES, TOTAL, Finding
from .outcome import Outcome

EXPLANATION = """\
forward, backward, update: each by itself, given the numbers of {first}; total: what has added up,
each device going on with its own numbers. In units in the last place of the largest element of an
array; = is bit-equal, ! is beyond the tolerance."""


def text(outcome: Outcome) -> str:
    """The outcome for a person: a row for each layer, what is bit-equal, and the verdict."""
    first, second = outcome.devices
    heading = (
        f"{outcome.model}: {second} against {first}, {outcome.dtype}, "
        f"{len(outcome.losses)} steps, seed {outcome.seed}"
    )
    lines = [heading, "", _layer_table(outcome), "", EXPLANATION.format(first=first), ""]
    lines += [f"bit-equal by itself: {_bit_equal_text(outcome)}", *_verdict(outcome)]
    return "\n".join(lines)


def _layer_table(outcome: Outcome) -> str:
    headings = (word for phase in PHASES for word in (phase, TOTAL))
    rows = [("layer", "ops", *headings)]
    for layer in outcome.layers:
        n_ops = len({f.number for f in outcome.of(FORWARD, TOTAL, layer)})
        cells = [_cell(outcome.of(phase, kind, layer)) for phase in PHASES for kind in (OWN, TOTAL)]
        if any(cells):
            rows.append((layer, str(n_ops or ""), *cells))
    return table(rows)


def _cell(findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    if all(f.bit_equal for f in findings):
        return "="
    mark = "!" if any(f.beyond for f in findings) else ""
    return f"{max(f.comparison.ulp for f in findings):.3g}{mark}"


def _bit_equal_text(outcome: Outcome) -> str:
    parts = []
    for phase, what in zip(PHASES, ("results", "gradients", "updates"), strict=True):
        findings = outcome.of(phase, OWN)
        parts.append(f"{sum(f.bit_equal for f in findings)} of {len(findings)} {what}")
    return ", ".join(parts)


def _verdict(outcome: Outcome) -> list[str]:
    """Where a difference starts, where one grows, or that there is none."""
    lines = []
    if outcome.starts is not None:
        lines += [f"STARTS: {_described(outcome, outcome.starts)}"]
        lines += [f"  given the numbers of {outcome.devices[0]}: the first that is wrong by itself"]
    if outcome.grows is not None and not _same_place(outcome.starts, outcome.grows):
        lines += [f"GROWS: {_described(outcome, outcome.grows)}"]
        if outcome.starts is None:
            lines += ["  no op is wrong by itself: roundings have grown; --factor allows for more"]
    if outcome.apart:
        lines += [f"APART: {outcome.apart}; nothing after it can be compared"]
    if outcome.not_finite:
        lines += ["NOT FINITE: on both devices the loss of the last step; no more can be compared"]
    return lines or [f"AGREE: everything is within the tolerance of {outcome.dtype}"]


def _same_place(first: Finding | None, second: Finding) -> bool:
    """Whether both are of one op or array, in one step and phase."""
    places = [(f.step, f.phase, f.layer, f.number) for f in (first, second) if f is not None]
    return places[1:] == places[:1]


def _described(outcome: Outcome, finding: Finding) -> str:
    first, second = outcome.devices
    f, found = finding, finding.comparison
    what = f.what if f.number is None else f"{f.what} (op {f.number})"
    beyond = f"{found.n_beyond} of {found.n} elements beyond the tolerance of {outcome.dtype}"
    lines = [f"step {f.step + 1}, {f.phase}, layer {f.layer}, {what}: {beyond}"]
    if found.worst is not None:
        worst = found.worst
        lines.append(
            f"  worst at {worst.index}: {first} {worst.expected!r}, {second} {worst.actual!r}, "
            f"apart by {worst.distance:.3g}, {counted(worst.ulp)}"
        )
    return "\n".join(lines + ([f"  {f.note}"] if f.note else []))


# -- what is written for programs


def record(outcome: Outcome) -> dict[str, Any]:
    """The outcome for JSON; infinite and NaN numbers are text there."""
    return {
        "model": outcome.model,
        "devices": list(outcome.devices),
        "dtype": outcome.dtype,
        "seed": outcome.seed,
        "tolerance": {"factor": outcome.factor, "rtol": tolerance(outcome.dtype).rtol},
        "versions": versions(),
        "machine": machine(),
        "losses": [[_number(loss) for loss in pair] for pair in outcome.losses],
        "agrees": outcome.agrees,
        "starts": _finding_record(outcome.starts),
        "grows": _finding_record(outcome.grows),
        "apart": outcome.apart,
        "not_finite": outcome.not_finite,
        "layers": {layer: _layer_record(outcome, layer) for layer in outcome.layers},
    }


def _layer_record(outcome: Outcome, layer: str) -> dict[str, Any]:
    """By phase and kind: the largest distance, how many arrays there are and are bit-equal."""
    return {
        phase: {
            kind: {
                "ulp": _number(max(f.comparison.ulp for f in findings)),
                "arrays": len(findings),
                "bit_equal": sum(f.bit_equal for f in findings),
            }
            for kind in (OWN, TOTAL)
            if (findings := outcome.of(phase, kind, layer))
        }
        for phase in PHASES
    }


def _finding_record(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    worst = finding.comparison.worst
    return {
        "step": finding.step + 1,
        "phase": finding.phase,
        "layer": finding.layer,
        "what": finding.what,
        "op": finding.number,
        "elements": finding.comparison.n,
        "beyond": finding.comparison.n_beyond,
        "ulp": _number(finding.comparison.ulp),
        "index": None if worst is None else list(worst.index),
        "values": None if worst is None else [_number(worst.expected), _number(worst.actual)],
        "note": finding.note,
    }


def _number(x: Any) -> Any:
    """x as JSON knows it."""
    return x if isinstance(x, bool | int | float) and math.isfinite(x) else str(x)
