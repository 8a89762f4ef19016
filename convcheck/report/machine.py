"""A `Document` for machines: `report.json` and JUnit XML."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from convcheck.core.text import for_terminal
from convcheck.core.verdict import Verdict
from convcheck.report.document import Document, Section

SCHEMA_VERSION = 1


def to_json(document: Document) -> str:
    """Returns the report as JSON text: verdicts, counts, findings and data of every section."""
    value = {
        "schema_version": SCHEMA_VERSION,
        "title": document.title,
        "verdict": str(document.verdict),
        "incomplete": document.incomplete,
        "sections": [_section(section) for section in document.sections],
        "environment": dict(document.environment),
    }
    return json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def to_junit(document: Document) -> str:
    """Returns the report as JUnit XML: a suite per section, a test case per finding."""
    root = ElementTree.Element("testsuites", name=document.title)
    for section in document.sections:
        counts = section.counts()
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=section.key,
            tests=str(len(section.findings)),
            failures=str(counts.get(Verdict.FAIL, 0) + counts.get(Verdict.UNKNOWN, 0)),
            errors=str(counts.get(Verdict.ERROR, 0)),
            skipped=str(counts.get(Verdict.SKIP, 0)),
        )
        for finding in section.findings:
            name = for_terminal(finding.where)
            case = ElementTree.SubElement(suite, "testcase", classname=section.key, name=name)
            kind = {
                Verdict.FAIL: "failure",
                Verdict.UNKNOWN: "failure",
                Verdict.ERROR: "error",
                Verdict.SKIP: "skipped",
            }.get(finding.verdict)
            if kind:
                message = for_terminal(finding.what)
                ElementTree.SubElement(case, kind, message=message).text = for_terminal(finding.why)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _section(section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "verdict": str(section.verdict),
        "says": section.says,
        "counts": section.counts(),
        "findings": [finding.to_json() for finding in section.findings],
        "data": dict(section.data),
    }
