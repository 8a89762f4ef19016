"""What the sections on implementations and on pooling share: a row and a finding per function."""

from __future__ import annotations

from dataclasses import replace

from convcheck.conformance import ImplementationReport
from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown
from convcheck.core.verdict import Verdict
from convcheck.report.document import Table

HEADER = ("implementation", "op", "verdict", "cases", "elements compared", "reach", "faults seen",
          "held to", "not supported by it")  # fmt: skip


def row(name: str, report: ImplementationReport) -> tuple[str, ...]:
    """Returns the table row of one checked implementation."""
    reach = report.coverage
    return (
        for_markdown(name),
        f"`{report.op}`",
        str(report.verdict),
        str(report.cases),
        f"{reach.compared:,}",
        f"{reach.strength}-way: {100 * reach.share:.0f} %" if reach.share else "corners",
        f"{report.power.killed} of {report.power.total}" if report.power else "",
        "bits where exact" if reach.algorithm == "direct" else f"the bound of {reach.algorithm}",
        for_markdown(", ".join(reach.unsupported)),
    )


def findings(name: str, report: ImplementationReport) -> list[Finding]:
    """Returns the report's findings under the implementation's name, or one that passed."""
    if report.findings:
        return [replace(finding, where=f"{name}: {finding.where}") for finding in report.findings]
    what = f"{report.cases} cases, {report.coverage.compared} elements compared"
    if report.verdict is not Verdict.PASS:
        what = "nothing could be compared"
    return [Finding(verdict=report.verdict, where=name, what=what)]


def table(rows: list[tuple[str, ...]]) -> Table:
    """Returns the table of checked implementations."""
    return Table(HEADER, tuple(rows))
