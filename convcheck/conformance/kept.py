"""Cases that failed before: kept in a file in the working directory, and tried first next time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from convcheck.core.case import Case, parse_case
from convcheck.core.errors import ConvcheckError

DIRECTORY = ".convcheck"
_MOST = 20


def kept_cases(target: str, op: str, directory: Path | None = None) -> list[Case]:
    """Returns the kept cases of a target, latest first; what cannot be read is passed over.

    The file is a convenience, never a record: a damaged line costs a head start, nothing else.
    """
    found = []
    for line in _lines(_path(directory)):
        name, _, text = line.partition("\t")
        if name != target:
            continue
        try:
            case = parse_case(text)
        except ConvcheckError:
            continue
        if case.op == op:
            found.append(case)
    return list(dict.fromkeys(reversed(found)))[:_MOST]


def keep_cases(target: str, cases: Iterable[Case], directory: Path | None = None) -> str:
    """Adds failing cases of a target to the file; returns why that was not possible, or ""."""
    path = _path(directory)
    known = _lines(path)
    new = [f"{target}\t{case}" for case in cases]
    lines = [line for line in known if line not in new] + new
    if lines == known:
        return ""
    try:
        path.parent.mkdir(exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n", encoding="ascii")
        beside = path.with_suffix(".new")
        beside.write_text("\n".join(lines[-50 * _MOST :]) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        return f"the failing cases could not be kept in {path}: {error.strerror}"
    return ""


def _path(directory: Path | None) -> Path:
    return (directory or Path.cwd()) / DIRECTORY / "cases.txt"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
