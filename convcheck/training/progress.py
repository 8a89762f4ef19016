"""Progress on stderr: one line that is rewritten on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]

_SECONDS_BETWEEN = 5.0


@contextmanager
def progress(done: int, total: int, batch_size: int, *, shown: bool) -> Iterator[Advance]:
    """Yields a function that takes the number of steps done, cheap enough to call at every step.

    Args:
        done: Steps done before.
        total: Steps in all.
        batch_size: Pictures per step.
        shown: Whether to show anything.
    """
    if not shown:
        yield lambda step: None
    elif sys.stderr.isatty():
        with _bar(done, total, batch_size) as advance:
            yield advance
    else:
        yield _lines(done, total, batch_size)


def _lines(done: int, total: int, batch_size: int) -> Advance:
    start = last = time.monotonic()

    def advance(step: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _SECONDS_BETWEEN:
            return
        last = now
        rate = (step - done) / (now - start)
        left = (total - step) / rate
        print(
            f"step {step} of {total}, {rate * batch_size:.0f} pictures/s, {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )

    return advance


@contextmanager
def _bar(done: int, total: int, batch_size: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} pictures/s"), TimeRemainingColumn(),
    )  # fmt: skip
    start = last = time.monotonic()
    # Lines for stdout must reach it where it is a file, and stand above the bar where it is not.
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task("training", total=total, completed=done, rate=0.0)

        def advance(step: int) -> None:
            nonlocal last
            now = time.monotonic()
            # Drawing costs as much as a small step.
            if now - last > 0.2:
                last = now
                rate = (step - done) * batch_size / (now - start)
                bar.update(task, completed=step, rate=rate)

        yield advance
