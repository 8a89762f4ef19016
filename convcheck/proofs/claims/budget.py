"""The time that a claim may take, and the two ways in which a decision ends without an answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class Undecided(Exception):  # noqa: N818  # not an error: the claim ends in Open with this reason
    """A prover cannot follow; the message says where it stopped."""


CONTRADICTION = "the hypotheses contradict each other, so that the claim says nothing"
NOTHING_FOUND = "no small values make all hypotheses true, so that the claim may say nothing"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on the monotonic clock, `seconds` from when it was made."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self.started + self.seconds - time.monotonic())

    def check(self) -> None:
        """Raises `Undecided` where the time is used up."""
        if not self.left:
            raise Undecided(f"the time budget of {self.seconds:g} s is used up")

    def part(self, seconds: float) -> Deadline:
        """Returns a deadline of at most `seconds` from now, and not after this one."""
        return Deadline(min(seconds, self.left))
