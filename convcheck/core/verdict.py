"""The five verdicts, how they combine, and the exit code each one means."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What a check concluded. Only `PASS` passes.

    Attributes:
        PASS: Everything asked was checked and holds.
        FAIL: A counterexample was found.
        UNKNOWN: Nothing was decided: no case, no element, no time, or an undecided goal.
        SKIP: Not run, for a stated reason (a missing extra, an unsupported option).
        ERROR: convcheck's own fault; never the target's.
    """

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"
    SKIP = "SKIP"
    ERROR = "ERROR"


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Returns the verdict of a whole from the verdicts of its parts.

    `ERROR` outranks `FAIL`, which outranks `UNKNOWN`. A `SKIP` beside a `PASS` leaves `PASS`;
    nothing at all, or nothing but `SKIP`, is `UNKNOWN`, because nothing was checked.
    """
    present = set(verdicts)
    for verdict in (Verdict.ERROR, Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS):
        if verdict in present:
            return verdict
    return Verdict.UNKNOWN


def exit_code(verdict: Verdict) -> int:
    """Returns the process exit code: 0 PASS, 1 FAIL, 3 UNKNOWN or SKIP, 4 ERROR."""
    return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.ERROR: 4}.get(verdict, 3)
