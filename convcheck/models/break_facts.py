"""What is known of a failure: the layer, what arrived, what was wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What is known of a failure.

    Attributes:
        code: The diagnosis code.
        where: The layer.
        what: What arrived and what was wanted.
        why: The chain of sizes, and the rule with its numbers.
        wanted: Number that the layer wants, where there is one.
        got: Number that arrived.
        shared: Index of the last call that the branches of a combination share.
    """

    code: str
    where: str
    what: str
    why: tuple[str, ...] = ()
    wanted: int = 0
    got: int = 0
    shared: int = -1


def text(shape: Sequence[Any]) -> str:
    """Returns extents as in "3x32x32"."""
    return "x".join(map(str, shape)) or "scalar"


def first_line(message: str) -> str:
    """Returns the first line of an exception's text."""
    return message.splitlines()[0] if message else ""
