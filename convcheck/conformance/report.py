"""What a check of an implementation found, and how far it looked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from convcheck.conformance.power import DetectionPower
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far a check looked.

    Attributes:
        strength: How many parameters the covering array combined.
        parameters: How many parameters it has.
        share: Share of their combinations that was run, 0 to 1.
        phases: Cases run of each phase ("corner", "invalid", "row", "random", "kept"; "law" counts
            trials).
        left_out: Cases not run, by reason.
        unsupported: Features that the function refuses always, such as "dtype float16".
        compared: Elements compared with exact values.
        algorithm: The algorithm whose bound the results were held to.
        isolated: Whether the function ran in a process of its own.
        seconds: Wall time.
    """

    strength: int
    parameters: int
    share: float
    phases: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
    compared: int = 0
    algorithm: str = "direct"
    isolated: bool = True
    seconds: float = 0.0

    def __str__(self) -> str:
        """Returns the reach in one line."""
        percent = "100" if self.share >= 1 else f"{int(self.share * 1000) / 10:g}"
        if not self.strength:
            told = f"{self.phases['law']} trials of laws" if "law" in self.phases else "one case"
            return f"{told}, {self.compared} elements compared"
        text = f"{self.strength}-way combinations of {self.parameters} parameters: {percent} %"
        if not self.phases.get("row"):
            text = "ended before the covering array"
        cases = ", ".join(f"{count} {phase}" for phase, count in self.phases.items() if count)
        return f"{text}; cases: {cases or 'none'}; {self.compared} elements compared"

    def to_json(self) -> dict[str, Any]:
        """Returns the coverage as JSON values."""
        return {
            "strength": self.strength,
            "parameters": self.parameters,
            "share": self.share,
            "phases": dict(self.phases),
            "left_out": dict(self.left_out),
            "unsupported": list(self.unsupported),
            "compared": self.compared,
            "algorithm": self.algorithm,
            "isolated": self.isolated,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplementationReport:
    """The result of `check_implementation`.

    Attributes:
        target: Name of the function.
        op: The operation that it claims to be.
        verdict: PASS, FAIL, or UNKNOWN where nothing could be compared.
        findings: One per distinct fault.
        cases: Number of cases run in the search.
        coverage: How far it looked.
        notes: What else the reader must know, such as a convention that differs.
        power: Which known faults these cases would have shown; None where one of them failed.
    """

    target: str
    op: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    cases: int
    coverage: Coverage
    notes: tuple[str, ...] = ()
    power: DetectionPower | None = None

    @property
    def passed(self) -> bool:
        """Whether everything asked was checked and holds."""
        return self.verdict is Verdict.PASS

    def __str__(self) -> str:
        """Returns the report as plain text, the findings in full."""
        lines = [
            f"{self.verdict} {self.op} {self.target}: {self.cases} cases",
            f"  {self.coverage}",
        ]
        if self.power:
            lines.append(f"  {self.power}")
        if self.coverage.unsupported:
            lines.append("  not supported by it: " + ", ".join(self.coverage.unsupported))
        if self.coverage.left_out:
            reasons = (f"{count} {reason}" for reason, count in self.coverage.left_out.items())
            lines.append("  left out: " + "; ".join(reasons))
        if self.coverage.algorithm != "direct":
            lines.append(f"  held to the error bound of algorithm {self.coverage.algorithm}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n\n".join(["\n".join(lines), *(describe(finding) for finding in self.findings)])

    def to_json(self) -> dict[str, Any]:
        """Returns the report as JSON values."""
        return {
            "target": self.target,
            "op": self.op,
            "verdict": str(self.verdict),
            "cases": self.cases,
            "coverage": self.coverage.to_json(),
            "power": self.power.to_json() if self.power else None,
            "notes": list(self.notes),
            "findings": [finding.to_json() for finding in self.findings],
        }


def describe(finding: Finding) -> str:
    """Returns a finding as plain text: what, why, the picture, the replay line, the script."""
    lines = [f"{finding.verdict}: {finding.what}", f"  in:  {finding.where}"]
    if finding.diagnosis:
        lines.append(f"  diagnosis: {finding.diagnosis}")
    if finding.why:
        lines.append(f"  why: {finding.why}")
    if finding.fix:
        lines.append(f"  fix: {finding.fix}")
    if finding.picture:
        lines += ["", *(f"    {line}".rstrip() for line in finding.picture.splitlines())]
    replay = finding.details.get("replay")
    if replay:
        lines += ["", f"  replay: {replay}"]
    if finding.script:
        lines += ["  without convcheck:", *(f"    {line}" for line in finding.script.splitlines())]
    return "\n".join(lines)
