"""Sections as JSON and back, so that an interrupted report goes on where it stopped."""

from __future__ import annotations

import base64
from typing import Any

from convcheck.core.case import parse_case
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.report.document import (
    Attachment,
    Block,
    Code,
    Figure,
    Folded,
    Formula,
    Paragraph,
    Section,
    Table,
)


def section_to_json(section: Section) -> dict[str, Any]:
    """Returns the section as JSON values, figures in base64."""
    return {
        "key": section.key,
        "title": section.title,
        "says": section.says,
        "blocks": [_block_to_json(block) for block in section.blocks],
        "findings": [finding.to_json() for finding in section.findings],
        "data": dict(section.data),
    }


def section_from_json(value: dict[str, Any]) -> Section:
    """Returns the section that `section_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is not one; the caller builds the section anew.
    """
    return Section(
        key=value["key"],
        title=value["title"],
        says=value["says"],
        blocks=tuple(_block_from_json(block) for block in value["blocks"]),
        findings=tuple(_finding_from_json(finding) for finding in value["findings"]),
        data=value["data"],
    )


def _block_to_json(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text):
            return {"paragraph": text}
        case Formula(latex):
            return {"formula": latex}
        case Code(text, language):
            return {"code": text, "language": language}
        case Table(header, rows):
            return {"header": list(header), "rows": [list(row) for row in rows]}
        case Figure(name, alt, data):
            return {"figure": name, "alt": alt, "data": base64.b64encode(data).decode("ascii")}
        case Attachment(name, says, data):
            return {
                "attachment": name,
                "says": says,
                "data": base64.b64encode(data).decode("ascii"),
            }
        case Folded(summary, blocks):
            return {"folded": summary, "blocks": [_block_to_json(inner) for inner in blocks]}


def _block_from_json(value: dict[str, Any]) -> Block:
    if "paragraph" in value:
        return Paragraph(value["paragraph"])
    if "formula" in value:
        return Formula(value["formula"])
    if "code" in value:
        return Code(value["code"], value["language"])
    if "header" in value:
        return Table(tuple(value["header"]), tuple(tuple(row) for row in value["rows"]))
    if "figure" in value:
        return Figure(value["figure"], value["alt"], base64.b64decode(value["data"]))
    if "attachment" in value:
        data = base64.b64decode(value["data"])
        return Attachment(value["attachment"], value["says"], data)
    blocks = tuple(_block_from_json(inner) for inner in value["blocks"])
    return Folded(value["folded"], blocks)


def _finding_from_json(value: dict[str, Any]) -> Finding:
    fields = dict(value)
    fields["verdict"] = Verdict(fields["verdict"])
    fields["case"] = parse_case(fields["case"]) if fields.get("case") else None
    return Finding(**fields)
