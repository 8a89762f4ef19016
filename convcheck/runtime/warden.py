"""The warden: the process between a worker and its parent, which sees that nothing survives.

A worker may be killed at any moment, and so may the parent; what the worker's code has forked
must go in both cases. Neither of the two can promise that, so a third process does: it adopts
every orphan among the worker's descendants, and kills them all as soon as the worker ends, the
parent ends, or the parent asks. It then ends exactly as the worker did, so that its exit status
is the worker's.

The parent asks through the warden's stdin: a byte means "print the stacks", its end means "kill".
"""

from __future__ import annotations

import mmap
import os
import selectors
import signal
import struct
import time
from contextlib import suppress
from typing import NoReturn

from convcheck.runtime import processes

STACKS = b"s"
STACKS_SIGNAL = signal.SIGUSR2
# The stdin of the warden tells of the parent's end at once; the clock is for the case that another
# process, forked by the parent, holds the other side of it open.
_PARENT_CHECK_S = 0.5
# A number that is odd while bytes are on their way from the pipe to the count, and the count.
_COUNTER = struct.Struct("<QQ")
_MOST_TRIES = 1000
_TRY_AGAIN_S = 0.001


class Noise:
    """What a worker prints: a pipe that the warden drains, and a count that both can read."""

    def __init__(self) -> None:
        self.source, self.sink = os.pipe()
        self._count = mmap.mmap(-1, _COUNTER.size)

    def drain(self) -> None:
        """Reads what is there and adds it to the count; called by the warden."""
        turn, count = _COUNTER.unpack_from(self._count)
        _COUNTER.pack_into(self._count, 0, turn + 1, count)
        length = len(os.read(self.source, 2**16))
        _COUNTER.pack_into(self._count, 0, turn + 2, count + length)

    def written(self) -> int:
        """Returns the bytes printed so far: those that were read, and those that wait."""
        import array
        import fcntl
        import termios

        waiting, count = array.array("i", [0]), 0
        for _ in range(_MOST_TRIES):
            turn, count = _COUNTER.unpack_from(self._count)
            fcntl.ioctl(self.sink, termios.FIONREAD, waiting)
            if not turn % 2 and (turn, count) == _COUNTER.unpack_from(self._count):
                break
            time.sleep(_TRY_AGAIN_S)  # The warden is between the two.
        return count + waiting[0]


def guard(worker: int, parent: int, noise: Noise) -> NoReturn:
    """Watches `worker` until it, the parent or its patience ends; then kills all and exits."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    wake_source, wake_sink = os.pipe()
    os.set_blocking(wake_source, False)
    os.set_blocking(wake_sink, False)
    signal.set_wakeup_fd(wake_sink)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    status = None
    with selectors.DefaultSelector() as selector:
        for source in (0, noise.source, wake_source):
            selector.register(source, selectors.EVENT_READ)
        status = _reap(worker)
        while status is None and os.getppid() == parent:
            ready = {key.fd for key, _ in selector.select(_PARENT_CHECK_S)}
            if noise.source in ready:
                noise.drain()
            if 0 in ready:
                if not os.read(0, 1):
                    break
                os.kill(worker, STACKS_SIGNAL)
            if wake_source in ready:
                os.read(wake_source, 4096)
            status = _reap(worker)
    if status is None:
        # The worker has not been waited for: the number of its process group is still its own.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
    processes.kill_descendants()
    _end_as(status)


def _reap(worker: int) -> int | None:
    """Waits for all that has ended, orphans included; returns the worker's status or None."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == worker:
            return status
        if pid == 0:
            return None


def _end_as(status: int | None) -> NoReturn:
    if status is None:
        os._exit(0)
    if os.WIFEXITED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)
