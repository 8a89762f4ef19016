"""`hold`: one writer at a time for a directory, by a lock that the kernel releases at death."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convcheck.core.errors import InputError

_NAME = ".lock"


@contextmanager
def hold(directory: str | os.PathLike[str]) -> Iterator[None]:
    """Holds the directory for writing; it is made if missing. Readers need no lock.

    Because the kernel drops the lock with its process, even one that was killed, there is no such
    thing as a stale lock; what the file says serves the message alone.

    Raises:
        InputError: Another process holds it (the message names it), or it cannot be made.
    """
    place = Path(directory)
    try:
        place.mkdir(parents=True, exist_ok=True)
        stream = (place / _NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write to {place}", why=error.strerror or str(error), fix="choose another place"
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            raise InputError(
                f"{place} is in use", why=_holder(stream.read()), fix="wait for it, or use another"
            ) from None
        except OSError as error:
            raise InputError(
                f"{place} cannot be locked",
                why=error.strerror or str(error),
                fix="use a local disk",
            ) from error
        stream.seek(0)
        stream.truncate()
        moment = time.strftime("%Y-%m-%d %H:%M:%S")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": moment}, stream)
        stream.flush()
        yield


def _holder(text: str) -> str:
    try:
        found = json.loads(text)
        return f"process {found['pid']} on {found['host']} writes there since {found['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process writes there"
