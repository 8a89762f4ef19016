"""All files of a report, as bytes by relative path; the caller writes them."""

from __future__ import annotations

from collections.abc import Iterable

from convcheck.report.document import Block, Document, Figure, Folded
from convcheck.report.machine import to_json, to_junit
from convcheck.report.markdown import FIGURES, to_markdown


def render(document: Document) -> dict[str, bytes]:
    """Returns `report.md`, `report.json`, `report.junit.xml` and every figure."""
    files = {
        "report.md": to_markdown(document).encode(),
        "report.json": to_json(document).encode(),
        "report.junit.xml": to_junit(document).encode(),
    }
    for section in document.sections:
        for figure in figures(section.blocks):
            files[f"{FIGURES}/{figure.name}"] = figure.data
    return files


def figures(blocks: Iterable[Block]) -> list[Figure]:
    """Returns every figure among `blocks`, those in folds too."""
    found: list[Figure] = []
    for block in blocks:
        if isinstance(block, Figure):
            found.append(block)
        elif isinstance(block, Folded):
            found.extend(figures(block.blocks))
    return found
