"""What a shape rule says of a call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from convcheck.core.explanation import WorkedSize
from convcheck.models.graph import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a rule says of a call.

    Attributes:
        shape: The shape of its (first) output.
        formula: The formula with its numbers, one clause per distinct axis.
        worked: The steps of each axis, where the formula is that of a window.
        macs: Multiply-accumulates; 0 where it has none.
        unread: Elements at the end of each axis that no window reads.
    """

    shape: Shape
    formula: str = ""
    worked: tuple[WorkedSize, ...] = ()
    macs: int = 0
    unread: tuple[int, ...] = ()


def text(shape: Sequence[Any]) -> str:
    """Returns extents as in "3x32x32"."""
    return "x".join(map(str, shape))


def once_each(clauses: Iterable[str]) -> str:
    """Returns the clauses of the axes in one line, equal ones said once."""
    return "; ".join(dict.fromkeys(clauses))
