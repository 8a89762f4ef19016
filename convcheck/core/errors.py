"""Errors for the caller's mistakes, in four parts: what, why, where, fix.

Faults of a target are `Finding`s, never exceptions; see `core.finding`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ConvcheckError(Exception):
    """A mistake of the caller, told in four parts.

    Args:
        what: What was wrong, with the offending value.
        why: The rule that it breaks, with the numbers put in.
        where: The case, file, layer or argument concerned.
        fix: What to do next.
    """

    def __init__(self, what: str, *, why: str = "", where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what, self.why, self.where, self.fix = what, why, where, fix

    def __str__(self) -> str:
        """Returns the message: what and why on one line, then `in:` and `fix:` where known."""
        lines = [f"{self.what}: {self.why}" if self.why else self.what]
        if self.where:
            lines.append(f"  in:  {self.where}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class GeometryError(ConvcheckError, ValueError):
    """A size, stride, padding, dilation or group count that no layer can have."""


class UsageError(ConvcheckError):
    """A command or call that asks for something that does not exist; exit code 2."""


class TargetError(UsageError):
    """A target that cannot be imported, is not callable, or has the wrong signature."""


class InputError(UsageError):
    """A file, directory or certificate that cannot be read or written, or is malformed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns a sentence that names the closest known names, or lists them all if none is close."""
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(choices) if choices else "nothing is known here"
