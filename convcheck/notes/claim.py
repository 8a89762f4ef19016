"""What a claim of the notes is, and how its verdict follows from the readings that were checked.

No verdict is written down anywhere. A check returns *readings* of the claim, each decided by a
computation or a proof; `status` derives the verdict from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What a careful reader concludes about a claim."""

    TRUE = "true"
    HYPOTHESES = "true under hypotheses"
    IMPRECISE = "imprecise"
    FALSE = "false"
    OPEN = "open"
    NOT_CHECKABLE = "not a checkable claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read a claim, decided.

    Attributes:
        says: The reading, as a statement.
        holds: Whether it does; None where the check reached no answer.
        evidence: The counterexample, the numbers, or the proof.
        under: The hypothesis under which it is read; empty where it is read as printed.
    """

    says: str
    holds: bool | None
    evidence: str
    under: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement of the notes, in our words.

    Attributes:
        id: Its number, such as "S33".
        says: What is claimed.
        check: Runs the checks; no reading means that nothing could be computed.
        correction: What to say instead; prose, never the verdict.
    """

    id: str
    says: str
    check: Callable[[], tuple[Reading, ...]]
    correction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A claim with the readings that were checked."""

    claim: Claim
    readings: tuple[Reading, ...]

    @property
    def status(self) -> Status:
        """The verdict that follows from the readings."""
        return status(self.readings)


def status(readings: Iterable[Reading]) -> Status:
    """Returns the verdict of a claim.

    * no reading: not checkable; any undecided reading: open;
    * where readings under a hypothesis exist and all of those hold: true under hypotheses (a
      reading as printed that fails is then the counterexample that shows the need);
    * otherwise, of the readings as printed: all hold: true; some: imprecise; none: false.
    """
    known = tuple(readings)
    if not known:
        return Status.NOT_CHECKABLE
    if any(reading.holds is None for reading in known):
        return Status.OPEN
    printed = [reading.holds for reading in known if not reading.under]
    conditional = [reading.holds for reading in known if reading.under]
    if conditional and all(conditional):
        return Status.HYPOTHESES
    if printed and all(printed) and not conditional:
        return Status.TRUE
    return Status.IMPRECISE if any(printed) else Status.FALSE


def decide(claim: Claim) -> Decided:
    """Returns the claim decided: runs its check."""
    return Decided(claim=claim, readings=claim.check())
