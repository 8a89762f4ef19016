"""Whole files or none: written beside their place, synced, then put there in one step."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convcheck.core.errors import InputError

_TEMPORARY = re.compile(r"\.(\d+)\.tmp$")


def write_whole(path: Path, content: bytes) -> None:
    """Writes `content` so that `path` is the old file or the new one at every moment.

    Raises:
        InputError: The file cannot be written; the old one, if any, stands as it was.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from None


@contextmanager
def locked(directory: Path, *, exclusive: bool = True) -> Iterator[None]:
    """Makes `directory` and holds it for this process; the kernel lets go when the process ends.

    Args:
        directory: Where a run writes.
        exclusive: Whether to hold it; a process that only reads there does not.

    Raises:
        InputError: It cannot be written to, or another process holds it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not exclusive:
            yield
            return
        handle = (directory / "lock").open("a+")
    except OSError as error:
        raise cannot_write(directory, error) from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another process trains in {directory}",
                fix="wait for it, or choose another directory with --out",
            ) from None
        yield


def sweep(directory: Path) -> None:
    """Removes what killed processes left half-written in `directory`."""
    for path in directory.glob("*.tmp"):
        match = _TEMPORARY.search(path.name)
        if match and not is_alive(int(match[1])):
            path.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> InputError:
    """Returns the error that tells a person why `path` cannot be written."""
    return InputError(
        f"cannot write {path}",
        why=error.strerror or str(error),
        fix="make room or choose another directory with --out",
    )


def sync_directory(path: Path) -> None:
    """Makes a rename in `path` outlast a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_alive(process: int) -> bool:
    """Returns whether a process of that number runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
