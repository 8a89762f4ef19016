"""A `Document` as Markdown for GitHub: tables, `$$` formulas, pictures by relative path."""

from __future__ import annotations

from collections.abc import Iterable

from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown, for_markdown_code
from convcheck.core.verdict import Verdict
from convcheck.report.document import (
    Attachment,
    Block,
    Code,
    Document,
    Figure,
    Folded,
    Formula,
    Paragraph,
    Section,
    Table,
)

FIGURES = "figures"
_BAD = (Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN)


def to_markdown(document: Document) -> str:
    """Returns the report as Markdown; pictures are expected under `figures/`."""
    parts = [f"# {document.title}", document.intro, _summary(document)]
    if document.incomplete:
        parts.insert(1, f"> **INCOMPLETE**: {for_markdown(document.incomplete)}")
    for number, section in enumerate(document.sections, start=1):
        parts.append(f"## {number}. {section.title}")
        parts.append(f"**{section.verdict}**: {section.says}")
        parts.extend(_blocks(section.blocks))
        parts.extend(_findings(section.findings))
    parts.append(_environment(document))
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(document: Document) -> str:
    rows = tuple(
        (
            f"[{number}. {section.title}](#{_anchor(number, section)})",
            f"**{section.verdict}**",
            ", ".join(f"{count} {verdict}" for verdict, count in section.counts().items()),
            section.says,
        )
        for number, section in enumerate(document.sections, start=1)
    )
    table = _table(Table(("section", "verdict", "checks", "what it says"), rows))
    return f"## Summary: {document.verdict}\n\n{table}"


def _anchor(number: int, section: Section) -> str:
    kept = "".join(c for c in section.title.lower() if c.isalnum() or c in " -_")
    return f"{number}-{kept.replace(' ', '-')}"


def _blocks(blocks: Iterable[Block]) -> list[str]:
    return [_block(block) for block in blocks]


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return text
        case Formula(latex):
            return f"$$\n{latex}\n$$"
        case Code(text, language):
            fence = "`" * max(3, _longest_run(text) + 1)
            return f"{fence}{language}\n{text.rstrip()}\n{fence}"
        case Table():
            return _table(block)
        case Figure(name, alt, _):
            return f"![{for_markdown(alt)}]({FIGURES}/{name})"
        case Attachment(name, says, _):
            return f"[{for_markdown(says)}]({name})"
        case Folded(summary, inner):
            body = "\n\n".join(_blocks(inner))
            return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _longest_run(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest


def _table(table: Table) -> str:
    lines = [table.header, ("---",) * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(cell or " " for cell in line) + " |" for line in lines)


def _findings(findings: Iterable[Finding]) -> list[str]:
    """Returns every finding that did not pass, in full; those that passed are in the tables."""
    return [_finding(finding) for finding in findings if finding.verdict in (*_BAD, Verdict.SKIP)]


def _finding(finding: Finding) -> str:
    head = f"**{finding.verdict}** {for_markdown_code(finding.where)}: {for_markdown(finding.what)}"
    lines = [head]
    for name, text in (
        ("why", finding.why),
        ("diagnosis", finding.diagnosis),
        ("fix", finding.fix),
    ):
        lines.extend(f"- {name}: {for_markdown(line)}" for line in text.splitlines())
    if finding.case is not None:
        lines.append(f"- smallest case: {for_markdown_code(str(finding.case))}")
    parts = ["\n".join(lines)]
    for text, language in ((finding.picture, ""), (finding.script, "python")):
        if text:
            parts.append(_block(Code(text, language)))
    return "\n\n".join(parts)


def _environment(document: Document) -> str:
    rows = tuple((name, for_markdown_code(value)) for name, value in document.environment.items())
    return "## Environment\n\n" + _table(Table(("what", "value"), rows))
