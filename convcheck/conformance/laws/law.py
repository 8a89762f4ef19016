"""A law: an equation between results of a function, which holds without knowing any of them.

The equation is text over the arrays of a trial and the results of its calls, `y0 == y1 + y2`: what
is evaluated here is, character for character, what the script of a finding shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from convcheck.core.case import Case
from convcheck.core.ops import Family
from convcheck.oracle.formats import find_format
from convcheck.oracle.forms import forms_of

Shape = tuple[int, ...]

# Values are odd and at most this large, before two of them are added or one is scaled.
_LARGEST = 9
# What a law may do to a magnitude: scale it by 3.
GROWTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a trial.

    Attributes:
        case: The call; its values, seed and layout are not used.
        arrays: An expression for each array argument.
        by: Whether the function is called or its partner, such as the forward of a backward.
    """

    case: Case
    arrays: Mapping[str, str]
    by: Literal["function", "partner"] = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A law put to one case.

    Attributes:
        shapes: The arrays that are drawn, by name.
        calls: What is called, in order; an expression may use the results before it, y0, y1, ...
        left: One side, an expression over arrays and results.
        right: The other.
        factors: How many arrays are multiplied in one term of a result.
    """

    shapes: Mapping[str, Shape]
    calls: tuple[Call, ...]
    left: str
    right: str
    factors: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """An equation that every correct function satisfies.

    Attributes:
        name: What the function does, in words that follow "the function".
        says: The equation, for a reader.
        families: Which operations it is a law of.
        trials: Yields its trials for a case; none where it says nothing of it.
    """

    name: str
    says: str
    families: tuple[Family, ...]
    trials: Callable[[Case], Iterator[Trial]]


def drawn(
    trial: Trial, *, seed: int, accumulate: str | None = None
) -> dict[str, tuple[np.ndarray, str]] | None:
    """Returns the arrays of a trial and the expression that makes each; None if none is exact.

    Values are odd integers, so that none is zero, and so small that every partial sum of every
    call is exact in its dtype, in any order: both sides of the law must then agree in every bit.

    Args:
        trial: The trial.
        seed: Seed of the values.
        accumulate: Dtype in which the function says that it keeps its sums.
    """
    most = _largest(trial, accumulate)
    if most < 1:
        return None
    found: dict[str, tuple[np.ndarray, str]] = {}
    dtype = trial.calls[0].case.dtype
    for place, (name, shape) in enumerate(trial.shapes.items()):
        half = (most + 1) // 2
        text = (
            f"(2 * np.random.default_rng({seed + place}).integers({-half}, {half}, {shape}) + 1)"
            f".astype({dtype!r})"
        )
        found[name] = value_of(text, {}), text
    return found


def value_of(text: str, values: Mapping[str, Any]) -> Any:
    """Returns what an expression of this module's laws is worth."""
    return eval(text, {"np": np, **values})


def _largest(trial: Trial, accumulate: str | None) -> int:
    """Returns the largest odd magnitude whose products, summed and scaled, are still exact."""
    forms = [form.terms for call in trial.calls for form in forms_of(call.case)]
    terms = max([1, *forms]) ** (trial.factors - 1)
    kept = {call.case.dtype for call in trial.calls} | ({accumulate} if accumulate else set())
    budget = min(find_format(dtype).budget for dtype in kept) - _LARGEST
    sizes = (m for m in range(_LARGEST, 0, -2) if GROWTH * terms * m**trial.factors <= budget)
    return next(sizes, 0)
