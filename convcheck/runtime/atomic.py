"""Whole files or none: written beside their place, synced, then put there in one step.

A kill at any moment leaves the old file or the new one. What a killed writer left beside it (its
temporary file) is swept by the next writer in that directory.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\.(\d+)\.convcheck-tmp$")


def write_atomic(path: Path, content: bytes) -> None:
    """Writes `content` so that `path` is, at every moment, the old file or the new one.

    Args:
        path: Where to write; its directory must exist.
        content: The whole file.

    Raises:
        OSError: It cannot be written, or does not fit; the old file, if any, stands as it was.
    """
    sweep(path.parent)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.convcheck-tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Makes the renaming of a file in `directory` durable, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(directory: Path) -> None:
    """Removes the temporary files that dead writers left in `directory`."""
    for path in directory.glob("*.convcheck-tmp"):
        match = _TEMPORARY.search(path.name)
        if match and not _is_alive(int(match[1])):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
