"""`Deadline`: a moment on the monotonic clock by which something must be done."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on `time.monotonic`, so that a change of the wall clock cannot move it.

    Attributes:
        moment: Reading of the monotonic clock, in seconds; infinite where there is no limit.
    """

    moment: float

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """Returns the deadline that many seconds from now; None means never."""
        return cls(math.inf if seconds is None else time.monotonic() + seconds)

    def remaining(self) -> float:
        """Returns the seconds that are left, 0.0 once it has passed."""
        return max(0.0, self.moment - time.monotonic())

    def has_passed(self) -> bool:
        """Returns whether no time is left."""
        return self.remaining() == 0.0

    def earlier(self, seconds: float | None) -> Deadline:
        """Returns the earlier of this deadline and one that many seconds from now."""
        return Deadline(min(self.moment, Deadline.after(seconds).moment))
