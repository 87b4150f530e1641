"""What a parity run has shown of one model."""

from __future__ import annotations

from dataclasses import dataclass, field

from .checks import OWN, TOTAL, Finding


@dataclass
class Outcome:
    """What one model has shown.

    losses: of both devices at each step. apart: where the devices begin to apply different ops, as
    text. not_finite: where both devices' numbers first cease to be finite, as text.
    """

    model: str
    devices: tuple[str, str]
    dtype: str
    seed: int
    factor: float
    layers: list[str]
    findings: list[Finding] = field(default_factory=list)
    losses: list[tuple[float, float]] = field(default_factory=list)
    apart: str = ""
    not_finite: str = ""

    @property
    def starts(self) -> Finding | None:
        """The first op that differs by itself beyond the tolerance."""
        return next((f for f in self.findings if f.beyond and f.kind == OWN), None)

    @property
    def grows(self) -> Finding | None:
        """The first op at which what has added up is beyond the tolerance."""
        return next((f for f in self.findings if f.beyond and f.kind == TOTAL), None)

    @property
    def agrees(self) -> bool:
        return not (self.starts or self.grows or self.apart or self.not_finite)

    def of(self, phase: str, kind: str, layer: str | None = None) -> list[Finding]:
        """The findings of a phase and a kind, of one layer or of all."""
        return [
            f
            for f in self.findings
            if (f.phase, f.kind) == (phase, kind) and layer in (None, f.layer)
        ]
