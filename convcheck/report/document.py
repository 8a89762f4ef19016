"""The report as values: a `Document` of `Section`s of blocks. Renderers take it; nothing prints it.

`Paragraph` holds Markdown of our own; text from outside is escaped before it gets here, by
`core.text`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict, combine


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Markdown text."""

    text: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A displayed formula in LaTeX, without its dollar signs."""

    latex: str


@dataclass(frozen=True, slots=True)
class Code:
    """Literal text in a fenced block."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; cells are Markdown on one line."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that is written beside the report.

    Attributes:
        name: File name with its ending, such as "loss.svg".
        alt: What it shows, in a sentence; the text for who cannot see it.
        data: The bytes of the file.
    """

    name: str
    alt: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that is written beside the report and linked from it.

    Attributes:
        name: File name with its ending, such as "explore.html".
        says: The text of the link.
        data: The bytes of the file.
    """

    name: str
    says: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Folded:
    """Blocks under a line that opens on a click."""

    summary: str
    blocks: tuple[Block, ...]


Block = Paragraph | Formula | Code | Table | Figure | Attachment | Folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the report, with what it found.

    Attributes:
        key: Stable name, such as "proofs".
        title: Heading.
        says: One line for the summary: counts and the most important result.
        blocks: The body.
        findings: What was found; the verdict follows from them.
        data: Machine-readable facts for `report.json`.
    """

    key: str
    title: str
    says: str
    blocks: tuple[Block, ...] = ()
    findings: tuple[Finding, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings' verdicts; UNKNOWN where nothing was checked."""
        return combine(finding.verdict for finding in self.findings)

    def counts(self) -> dict[str, int]:
        """Returns the number of findings of each verdict that occurs."""
        numbers = {str(verdict): 0 for verdict in Verdict}
        for finding in self.findings:
            numbers[str(finding.verdict)] += 1
        return {verdict: number for verdict, number in numbers.items() if number}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report.

    Attributes:
        title: Heading.
        intro: Markdown under the heading.
        sections: In reading order.
        environment: Facts of the machine and the run; the only part that may differ between two
            runs with the same seed.
        incomplete: Why the report is not whole, or empty.
    """

    title: str
    intro: str
    sections: tuple[Section, ...]
    environment: Mapping[str, str]
    incomplete: str = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of the sections' verdicts."""
        return combine(section.verdict for section in self.sections)


def failed_section(key: str, title: str, error: BaseException, trace: str) -> Section:
    """Returns the section that stands for one that could not be built: our own fault, labelled."""
    what = f"this section stopped with {type(error).__name__}: {error}"
    finding = Finding(
        verdict=Verdict.ERROR,
        where=key,
        what=what,
        why="an internal error of convcheck; the other sections are complete",
        fix="report it with the traceback in this section",
    )
    return Section(
        key=key,
        title=title,
        says=f"stopped with {type(error).__name__}",
        blocks=(Paragraph("This section could not be built."), Code(trace)),
        findings=(finding,),
    )


Builder = Callable[[], Section]
