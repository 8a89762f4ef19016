"""The time that a claim may take, and the two ways in which a decision ends without an answer."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


class Undecided(Exception):  # noqa: N818  # not an error: the claim ends in Open with this reason
    """A prover cannot follow; the message says where it stopped."""


CONTRADICTION = "the hypotheses contradict each other, so that the claim says nothing"
NOTHING_FOUND = "no small values make all hypotheses true, so that the claim may say nothing"


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on the monotonic clock, `seconds` from when it was made.

    Attributes:
        seconds: Wall time that may pass.
        work: Processor time of this process that may be used, where that is less.
    """

    seconds: float
    work: float = math.inf
    started: float = field(default_factory=time.monotonic)
    work_started: float = field(default_factory=time.process_time)

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        wall = self.started + self.seconds - time.monotonic()
        return max(0.0, min(wall, self.work_started + self.work - time.process_time()))

    def check(self) -> None:
        """Raises `Undecided` where the time is used up."""
        if not self.left:
            raise Undecided(f"the time budget of {self.seconds:g} s is used up")

    def part(self, seconds: float) -> Deadline:
        """Returns a deadline of `seconds` of work from now, and not after this one.

        Work is processor time, so that a search finds the same on a busy machine; of the wall time
        that is left it takes a third at most, unless that is less than `seconds`.
        """
        left = self.left
        return Deadline(max(min(seconds, left), left / 3), work=min(seconds, left))
