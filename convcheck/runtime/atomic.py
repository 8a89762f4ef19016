"""`write_atomic`: a file is the old one or the new one at any moment, whatever ends the process.

The bytes go into a temporary file in the same directory (a rename across file systems is a copy),
are forced to the disk, and take the place of the old file in one step; then the directory is
forced too, since it holds the name. A process that is killed in between leaves its temporary
file, which the next write to the same place sweeps away.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import socket
import stat
from contextlib import suppress
from pathlib import Path

from convcheck.core.errors import InputError

_counter = itertools.count()


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes `data` to `path`, whole or not at all; missing directories are made.

    A link is followed. What is no regular file, such as /dev/null or a pipe, is written directly.

    Raises:
        InputError: It cannot be written; what was there before is still there.
    """
    place = Path(os.path.realpath(path))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and not place.is_file():
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            with place.open("wb") as stream:
                stream.write(data)
            return
        _sweep(place.parent, re.compile(rf"\.{re.escape(place.name)}{_owner_pattern()}"))
        _replace(place, data)
    except OSError as error:
        raise InputError(
            f"cannot write {path}",
            why=error.strerror or type(error).__name__,
            fix="free some space, or choose another place",
        ) from error


def _replace(place: Path, data: bytes) -> None:
    temporary = place.with_name(
        f".{place.name}.{socket.gethostname()}-{os.getpid()}-{next(_counter)}.tmp"
    )
    mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else None
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            if mode is not None:
                os.fchmod(handle, mode)
            written = 0
            while written < len(data):
                written += os.write(handle, data[written:] if written else data)
            os.fsync(handle)
        finally:
            # A full disk of some file systems shows only here.
            os.close(handle)
        os.replace(temporary, place)  # noqa: PTH105 - the tests make exactly this call fail
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(place.parent)


def _sync_directory(directory: Path) -> None:
    """Forces the names of a directory to the disk, where its file system knows how."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def sweep(directory: Path) -> None:
    """Removes the temporary files in `directory` whose process, on this machine, is gone."""
    _sweep(directory, re.compile(rf"\..+{_owner_pattern()}", re.DOTALL))


def _owner_pattern() -> str:
    return rf"\.{re.escape(socket.gethostname())}-(\d+)-\d+\.tmp"


def _sweep(directory: Path, pattern: re.Pattern[str]) -> None:
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries]
    for name in names:
        match = pattern.fullmatch(name)
        if match and not is_alive(int(match[1])):
            with suppress(FileNotFoundError):
                (directory / name).unlink()


def is_alive(pid: int) -> bool:
    """Returns whether a process of that number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
