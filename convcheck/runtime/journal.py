"""An append-only journal: one JSON value per line, readable while it is written.

A line is handed to the kernel in one piece as it is appended, so that a kill loses at most the
line that was being written, and a reader knows that line by its missing end. A damaged line
anywhere else is no accident of writing, and is refused.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Self

from convcheck.core.errors import InputError


class Journal:
    """A journal opened for appending; see `runtime.lock` for who may open it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens the journal, made if missing; a torn last line is cut off.

        Raises:
            InputError: It cannot be opened.
        """
        self._path = Path(path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                content = self._path.read_bytes()
                self._end = content.rfind(b"\n") + 1
                os.ftruncate(self._file, self._end)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            raise InputError(f"cannot open {path}", why=error.strerror or str(error)) from error

    def append(self, record: Any, *, sync: bool = False) -> None:
        """Appends one JSON value.

        Args:
            record: The value.
            sync: Whether to wait until it would outlast a power failure, not only a kill.

        Raises:
            InputError: It cannot be written whole; the journal then ends where it ended before.
        """
        line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            written = os.pwrite(self._file, line, self._end)
            while written < len(line):
                written += os.pwrite(self._file, line[written:], self._end + written)
            if sync:
                os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise InputError(
                f"cannot write {self._path}",
                why=error.strerror or str(error),
                fix="free some space",
            ) from error
        self._end += len(line)

    def close(self) -> None:
        """Forces what was appended to the disk, and closes."""
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(path: str | os.PathLike[str]) -> list[Any]:
    """Returns the records of a journal, in order; a torn last line is left out.

    Raises:
        InputError: It cannot be read, or another line than the last is damaged.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}", why=error.strerror or str(error)) from error
    # What follows the last newline was never finished.
    lines = content.split(b"\n")[:-1]
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            raise InputError(
                f"{path} is damaged",
                why=f"line {number} of {len(lines)} is not JSON",
                fix="move it away and start again, or remove that line",
            ) from None
    return records
