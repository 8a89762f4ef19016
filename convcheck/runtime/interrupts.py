"""Ctrl-C: the first stops the work in good order, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_EXIT_STATUS = 130


class Interrupts:
    """What the person has asked for so far.

    Attributes:
        count: Number of times that Ctrl-C was pressed.
    """

    def __init__(self) -> None:
        self.count = 0

    def happened(self) -> bool:
        """Returns whether Ctrl-C was pressed at all."""
        return self.count > 0


@contextmanager
def watch_interrupts() -> Iterator[Interrupts]:
    """Counts Ctrl-C inside; the first raises KeyboardInterrupt, the second exits with status 130.

    The workers of this process die with it in either case, and files are whole at any
    moment, so that nothing needs to be done on the second. Only the main thread may
    set signal handlers: in any other, nothing is counted and Ctrl-C is the main thread's affair.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupts.count += 1
        if interrupts.count > 1:
            os._exit(_EXIT_STATUS)
        if callable(previous) and previous is not signal.default_int_handler:
            previous(number, frame)
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupts
    finally:
        # None stands for a handler that was not set from Python and cannot be put back.
        if previous is not None and not sys.is_finalizing():
            signal.signal(signal.SIGINT, previous)
