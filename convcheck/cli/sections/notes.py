"""Section: every claim of the lecture notes, one row each, decided by a check that ran here."""

from __future__ import annotations

from collections import Counter

from convcheck.cli.sections.context import Context
from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown
from convcheck.core.verdict import Verdict
from convcheck.notes import CLAIMS, Decided, Status, decide
from convcheck.report.document import Block, Folded, Paragraph, Section, Table

_INTRO = """\
The notes are "A Brief Introduction of Convolutional Neural Network"; the claims are in our words.
A claim is read in every way that matters, and each reading is decided by a proof or a computation
of this run; the verdict follows from the readings. *True under hypotheses* means that the claim
fails as printed (the counterexample is shown) and holds under the hypothesis that is named."""


def build(context: Context) -> Section:
    """Returns the section; every claim's check runs now."""
    decided = []
    for number, claim in enumerate(CLAIMS, start=1):
        if number % 16 == 0:
            context.say(f"{number} of {len(CLAIMS)} claims")
        decided.append(decide(claim))
    counts = Counter(row.status for row in decided)
    says = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    blocks: list[Block] = [Paragraph(_INTRO)]
    wrong = [row for row in decided if row.status in (Status.FALSE, Status.IMPRECISE)]
    blocks.append(Paragraph(f"### What is wrong\n\n{_bullets(wrong)}"))
    blocks.append(Paragraph("### All claims"))
    blocks.append(_table(decided))
    blocks.append(Folded("The evidence for every reading", (_evidence(decided),)))
    return Section(
        key="notes",
        title="Every claim of the notes",
        says=f"{len(decided)} claims: {says}",
        blocks=tuple(blocks),
        findings=tuple(_finding(row) for row in decided),
        data={row.claim.id: str(row.status) for row in decided},
    )


def _own(text: str) -> str:
    """Returns text of ours for Markdown: escaped, but for the backticks of code."""
    return for_markdown(text).replace("\\`", "`")


def _bullets(rows: list[Decided]) -> str:
    return "\n".join(
        f"- **{row.claim.id} {row.status}**: {_own(row.claim.says)} "
        + " ".join(
            _own(f"{reading.says}: no; {reading.evidence}.")
            for reading in row.readings
            if not reading.holds
        )
        + (f" Rather: {_own(row.claim.correction)}." if row.claim.correction else "")
        for row in rows
    )


def _table(rows: list[Decided]) -> Table:
    return Table(
        ("claim", "what the notes say", "verdict", "under, or rather"),
        tuple(
            (
                row.claim.id,
                _own(row.claim.says),
                f"**{row.status}**" if row.status is Status.FALSE else str(row.status),
                _own("; ".join(_conditions(row))),
            )
            for row in rows
        ),
    )


def _conditions(row: Decided) -> list[str]:
    under = list(dict.fromkeys(reading.under for reading in row.readings if reading.under))
    return [*under, *([row.claim.correction] if row.claim.correction else [])]


def _evidence(rows: list[Decided]) -> Table:
    return Table(
        ("claim", "reading", "under", "holds", "evidence"),
        tuple(
            (
                row.claim.id,
                _own(reading.says),
                _own(reading.under),
                {True: "yes", False: "**no**", None: "open"}[reading.holds],
                _own(reading.evidence),
            )
            for row in rows
            for reading in row.readings
        ),
    )


def _finding(row: Decided) -> Finding:
    verdict = {Status.OPEN: Verdict.UNKNOWN, Status.NOT_CHECKABLE: Verdict.SKIP}.get(
        row.status, Verdict.PASS
    )
    return Finding(
        verdict=verdict,
        where=row.claim.id,
        what=f"{row.claim.says} {row.status}",
        why="nothing in it can be computed" if verdict is Verdict.SKIP else "",
        details={"status": str(row.status), "correction": row.claim.correction},
    )
