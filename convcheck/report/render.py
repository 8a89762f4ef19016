"""All files of a report, as bytes by relative path; the caller writes them."""

from __future__ import annotations

from collections.abc import Iterable

from convcheck.report.document import Attachment, Block, Document, Figure, Folded
from convcheck.report.machine import to_json, to_junit
from convcheck.report.markdown import FIGURES, to_markdown


def render(document: Document) -> dict[str, bytes]:
    """Returns `report.md`, `report.json`, `report.junit.xml` and all that is beside them."""
    files = {
        "report.md": to_markdown(document).encode(),
        "report.json": to_json(document).encode(),
        "report.junit.xml": to_junit(document).encode(),
    }
    for section in document.sections:
        for file in attached(section.blocks):
            folder = f"{FIGURES}/" if isinstance(file, Figure) else ""
            files[f"{folder}{file.name}"] = file.data
    return files


def attached(blocks: Iterable[Block]) -> list[Figure | Attachment]:
    """Returns every figure and attachment among `blocks`, those in folds too."""
    found: list[Figure | Attachment] = []
    for block in blocks:
        if isinstance(block, (Figure, Attachment)):
            found.append(block)
        elif isinstance(block, Folded):
            found.extend(attached(block.blocks))
    return found
