"""Findings to a document: Markdown, JSON, JUnit, figures.

May import: core. matplotlib is imported by `report.figures` alone.
"""

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
    failed_section,
)
from convcheck.report.render import render

__all__ = [
    "Attachment",
    "Block",
    "Code",
    "Document",
    "Figure",
    "Folded",
    "Formula",
    "Paragraph",
    "Section",
    "Table",
    "failed_section",
    "render",
]
