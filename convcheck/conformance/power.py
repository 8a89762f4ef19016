"""Detection power: which faults of the catalogue the very cases of a run would have shown.

Each fault of the catalogue says what a function that has it returns. Where the judge of the run
refuses that for one of the run's cases, on the same arrays, the run would have found the fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from statistics import median_low
from typing import Any

import numpy as np

from convcheck.conformance.bench import Arrays, Observation, inputs_of
from convcheck.conformance.judge import Contract, judge, want
from convcheck.conformance.outcome import Result, Returned
from convcheck.conformance.search import planned
from convcheck.conformance.variants.catalogue import catalogue
from convcheck.conformance.variants.variant import Results, Variant
from convcheck.core.case import Case
from convcheck.core.ops import find_op
from convcheck.oracle.expected import Expected, ExpectedArray
from convcheck.oracle.formats import FORMATS, round_to

# Another call that gives so many results unchanged, one after another, gives them all.
_FRUITLESS = 60
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A case with its arrays, and what must be returned."""

    case: Case
    inputs: Arrays
    wanted: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionPower:
    """What a run that passed would have found.

    Attributes:
        killed: How many faults of the catalogue would have been seen.
        survivors: Those that would not, though the plan of the operation has a case for them.
        silent: Those that would not, and that no case of the plan shows either: most say nothing
            of the operation, such as what becomes of an output padding that it does not have.
        middle_case: Number of the case by which half of the killed were seen; 0 where none was.
    """

    killed: int
    survivors: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    middle_case: int = 0

    @property
    def total(self) -> int:
        """How many faults of the catalogue some case is known to show."""
        return self.killed + len(self.survivors)

    def __str__(self) -> str:
        """Returns the power in one line."""
        text = f"would have seen {self.killed} of {self.total} faults of the catalogue"
        if self.killed:
            text += f", half of them by case {self.middle_case}"
        if self.survivors:
            more = len(self.survivors) - _NAMED
            text += "; not: " + ", ".join(self.survivors[:_NAMED])
            text += f" and {more} more" if more > 0 else ""
        if self.silent:
            text += f"; no case of the whole plan shows {len(self.silent)} others"
        return text

    def to_json(self) -> dict[str, Any]:
        """Returns the power as JSON values."""
        return {
            "killed": self.killed,
            "total": self.total,
            "survivors": list(self.survivors),
            "silent": list(self.silent),
            "middle_case": self.middle_case,
        }


def detection_power(
    op: str, seen: Sequence[Observation], contract: Contract
) -> DetectionPower | None:
    """Returns the power of a run; None where something failed or nothing was compared.

    Faults of precision that only say how far a result may be off are no part of it.

    Args:
        op: Name of the operation.
        seen: The run's observations, in order.
        contract: What its results were held to.
    """
    asked = {
        number: Question(case=one.case, inputs=one.inputs, wanted=one.wanted)
        for number, one in enumerate(seen, 1)
        if isinstance(one.wanted, Expected)
    }
    if not asked or any(one.problem is not None for one in seen):
        return None
    faults = tuple(variant for variant in catalogue(op) if variant.slack is None)
    first = first_seen(faults, asked.items(), contract)
    missed = [number for number in range(len(faults)) if number not in first]
    shown = [number for number in missed if _is_shown(op, faults[number])]
    return DetectionPower(
        killed=len(first),
        survivors=tuple(faults[number].says for number in shown),
        silent=tuple(faults[number].says for number in missed if number not in shown),
        middle_case=median_low(first.values()) if first else 0,
    )


def first_seen(
    faults: Sequence[Variant], asked: Iterable[tuple[int, Question]], contract: Contract
) -> dict[int, int]:
    """Returns the number of the first question that shows each fault, by the fault's place.

    Args:
        faults: The faults.
        asked: Numbered questions, in order.
        contract: What answers are held to.
    """
    first: dict[int, int] = {}
    alive = dict(enumerate(faults))
    fruitless: Counter[int] = Counter()
    for number, question in asked:
        right = tuple(array.values for array in question.wanted.outputs)
        for place, fault in list(alive.items()):
            found = fault.predict(question.case, question.inputs, right)
            if found is None:
                continue
            if _equal(found, right):
                # What is spoilt in the result costs nothing to try again, and may wait for a size.
                fruitless[place] += fault.spoil is None
            elif _is_refused(found, question, contract):
                first[place] = number
            if place in first or fruitless[place] >= _FRUITLESS:
                del alive[place]
    return first


def _is_refused(found: Results, question: Question, contract: Contract) -> bool:
    answer = Returned(arrays=tuple(map(_returned, found, question.wanted.outputs)))
    return judge(question.case, question.inputs, answer, question.wanted, contract) is not None


def _returned(values: np.ndarray, wanted: ExpectedArray) -> Result:
    """Returns exact values as a function gives them, in the dtype that is wanted."""
    carrier = FORMATS[wanted.dtype].carrier
    with np.errstate(all="ignore"):
        if FORMATS[wanted.dtype].is_float:
            values = round_to(values.astype(np.float64), wanted.dtype)
        return Result(values=np.asarray(values).astype(carrier), dtype=wanted.dtype)


def _equal(found: Results, right: Results) -> bool:
    return len(found) == len(right) and all(
        one is other or np.array_equal(one, other, equal_nan=other.dtype.kind == "f")
        for one, other in zip(found, right, strict=True)
    )


@cache
def _is_shown(op: str, fault: Variant) -> bool:
    """Whether any case of the operation's own plan shows a fault."""
    return bool(first_seen((fault,), enumerate(_plan(op)), Contract()))


@cache
def _plan(op: str) -> tuple[Question, ...]:
    """Returns the corners of an operation and all pairs of its parameters' levels."""
    questions = []
    items = planned(find_op(op), strength=2, seed=0)
    for item in takewhile(lambda item: item.phase != "random", items):
        inputs = inputs_of(item.case)
        wanted = want(item.case, inputs, Contract())
        if isinstance(wanted, Expected):
            questions.append(Question(case=item.case, inputs=inputs, wanted=wanted))
    return tuple(questions)
