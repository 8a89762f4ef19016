"""What every section of the report is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The settings of one report.

    Attributes:
        profile: "quick" (within a minute) or "full".
        data: What to train on: "shapes10", "cifar10" or a directory of class folders.
        seed: Seed of every random choice.
        out: Directory of the report; the training run's files lie below it.
        pictures: Whether pictures of the data may stand in the report.
        resume: Whether what an earlier run finished may be used.
        say: Prints one line of progress.
    """

    profile: str
    data: str
    seed: int
    out: Path
    pictures: bool
    resume: bool
    say: Callable[[str], None]

    @property
    def full(self) -> bool:
        """Whether the profile is "full"."""
        return self.profile == "full"

    def signature(self) -> dict[str, object]:
        """Returns what must agree before a stored section may be used again."""
        from convcheck import __version__

        return {
            "version": __version__,
            "profile": self.profile,
            "data": self.data,
            "seed": self.seed,
            "pictures": self.pictures,
        }
