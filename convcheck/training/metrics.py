"""Metrics as JSON lines, one per printed loss and per evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from convcheck.core.errors import InputError
from convcheck.runtime.atomic import write_atomic


class Metrics:
    """An append-only file of JSON lines, cut back to where a resumed run goes on.

    Args:
        path: The file.
        step: Lines of later steps are dropped, as those steps are taken again.
    """

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        kept = [line for line in _lines(path) if _step(line) <= step] if step else []
        write_atomic(path, "".join(kept).encode())

    def add(self, **values: Any) -> None:
        """Appends one line.

        Raises:
            InputError: It cannot be written.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(values) + "\n")
        except OSError as error:
            raise InputError(
                f"cannot write {self._path}",
                why=error.strerror or str(error),
                fix="free some space; --resume goes on from the last checkpoint",
            ) from None


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []


def _step(line: str) -> float:
    """Returns the step of a line; infinity for a line that a killed process left torn."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
