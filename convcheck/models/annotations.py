"""GitHub annotations: a fault shown at the user's own line, where GITHUB_ACTIONS is set."""

from __future__ import annotations

import os
from pathlib import Path

from convcheck.core.text import for_terminal
from convcheck.core.verdict import Verdict
from convcheck.models.model_report import ModelReport


def github_annotations(report: ModelReport) -> list[str]:
    """Returns one `::error` command per fault, or nothing where GITHUB_ACTIONS is not set."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return []
    lines = []
    for finding in report.findings:
        if finding.verdict is not Verdict.FAIL:
            continue
        place, _, line = str(finding.details.get("source", "")).rpartition(":")
        where = f" file={_property(_relative(place))},line={line}," if place else " "
        title = _property(f"{finding.code} {finding.where}".strip())
        message = "\n".join(t for t in (finding.what, finding.why, finding.fix) if t)
        lines.append(f"::error{where}title={title}::{_message(message)}")
    return lines


def _relative(place: str) -> str:
    path = Path(place)
    root = Path.cwd()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _message(text: str) -> str:
    """Returns text escaped as GitHub asks for a command's message."""
    lines = [for_terminal(line) for line in text.split("\n")]
    return "%0A".join(line.replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    text = for_terminal(text).replace("%", "%25")
    return text.replace(":", "%3A").replace(",", "%2C")
