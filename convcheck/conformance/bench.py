"""One target on the bench: cases are run on it and judged, one observation each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from convcheck.conformance.execute import Runner
from convcheck.conformance.judge import Contract, Problem, judge, want
from convcheck.conformance.layouts import settle
from convcheck.conformance.outcome import Outcome, Returned
from convcheck.core.case import Case
from convcheck.oracle.expected import Expected, Refusal
from convcheck.oracle.inputs import make_inputs

Arrays = Mapping[str, np.ndarray]

_REPEAT = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """A case that was run.

    Attributes:
        case: The case.
        inputs: Its arrays.
        wanted: What the contract asks.
        outcome: What happened.
        problem: What is wrong with that, or None.
        predictions: What each variant that was asked gives for the case; kept by `diagnosis`.
    """

    case: Case
    inputs: Arrays
    wanted: Expected | Refusal
    outcome: Outcome
    problem: Problem | None
    predictions: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def actual(self) -> tuple[np.ndarray, ...]:
        """The arrays that were returned; none where the call did not return."""
        if not isinstance(self.outcome, Returned):
            return ()
        return tuple(array.values for array in self.outcome.arrays)


def inputs_of(case: Case) -> Arrays:
    """Returns the arrays of a case, as its layout can hold them."""
    return settle(case, make_inputs(case))


class Bench:
    """Runs cases on a target and judges them by a contract.

    Attributes:
        contract: How results are held to the exact ones; it changes where a transform is found.
        calls: How many calls were judged.
    """

    def __init__(self, runner: Runner, contract: Contract) -> None:
        self._runner = runner
        self.contract = contract
        self.calls = 0

    def observe(
        self,
        case: Case,
        inputs: Arrays | None = None,
        *,
        once: bool = False,
        refill: bool = False,
        sure: bool = False,
    ) -> Observation:
        """Returns what the target makes of a case, called twice: the bits must be the same.

        Args:
            case: The case.
            inputs: Its arrays; those that the case describes by default.
            once: Whether one call will do, since a difference of two is not what is looked for.
            refill: Whether the first of two calls is one on other values in the same arrays.
            sure: Whether a hang must have had its whole time; see `execute.Runner.run`.
        """
        given = inputs_of(case) if inputs is None else inputs
        repeat = 1 if once or refill else _REPEAT
        outcome = self._runner.run(case, given, repeat=repeat, refill=refill, sure=sure)
        return self.judged(case, given, outcome)

    def judged(self, case: Case, given: Arrays, outcome: Outcome) -> Observation:
        """Returns the observation of a call that was made."""
        self.calls += 1
        wanted = want(case, given, self.contract)
        problem = judge(case, given, outcome, wanted, self.contract)
        return Observation(case=case, inputs=given, wanted=wanted, outcome=outcome, problem=problem)

    def can(self, case: Case) -> bool:
        """Whether the call of a case can be made at all."""
        return self._runner.unsupported(case) is None

    def again(self, seen: Observation) -> Observation:
        """Returns the observation judged by the contract as it is now, without a new call."""
        wanted = want(seen.case, seen.inputs, self.contract)
        problem = judge(seen.case, seen.inputs, seen.outcome, wanted, self.contract)
        return replace(seen, wanted=wanted, problem=problem, predictions={})
