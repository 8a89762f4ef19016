"""Does a function obey the laws of its operation? No expected value is needed.

Results of the function are compared with results of the function: where no oracle applies (a
variant of one's own, a shape too large for exact values), and as a second opinion that shares
nothing with the oracle but the list of parameters. What laws cannot see is a function that obeys
them and is no convolution: see `laws.layer`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from convcheck.conformance.execute import Runner
from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.judge import Contract
from convcheck.conformance.laws.gradients import gradient_laws
from convcheck.conformance.laws.law import GROWTH, Law, Trial, drawn, value_of
from convcheck.conformance.laws.layer import layer_laws
from convcheck.conformance.laws.pools_and_sequences import pool_laws, sequence_laws
from convcheck.conformance.outcome import Outcome, Raised, Returned
from convcheck.conformance.search import planned, work
from convcheck.core.case import Case
from convcheck.core.errors import UsageError, nearest
from convcheck.core.ops import find_op
from convcheck.oracle.expected import rounding_of_transform
from convcheck.oracle.formats import find_format

LAWS: tuple[Law, ...] = (*layer_laws(), *gradient_laws(), *pool_laws(), *sequence_laws())
_MOST_WORK = 400_000
# Smaller calls tell the price of a call, not that of a product.
_TIMED_WORK = 20_000
_LONGEST_CALL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Put:
    """A law put to a function on one case.

    Attributes:
        law: The law.
        case: The case.
        trial: The calls.
        kind: "kept"; "broken"; "refused", where a call raised and nothing is known; "failed",
            where one ended in something worse.
        sources: The expressions that make the arrays.
        results: What each call returned.
        left: The value of the left side, where all returned.
        right: That of the right side.
        outcome: How the call ended that did not return.
    """

    law: Law
    case: Case
    trial: Trial
    kind: Literal["kept", "broken", "refused", "failed"]
    sources: dict[str, tuple[np.ndarray, str]]
    results: tuple[Any, ...] = ()
    left: Any = None
    right: Any = None
    outcome: Outcome | None = None

    @property
    def differs(self) -> np.ndarray:
        """Where the two sides differ; everywhere, as one element, if their shapes do."""
        if self.left.shape != self.right.shape:
            return np.ones((), bool)
        return np.asarray(~(self.left == self.right))


@dataclass(slots=True, kw_only=True)
class LawRun:
    """What is known of each law, by name."""

    kept: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    broken: dict[str, Put] = field(default_factory=dict)
    seconds_per_work: float = 0.0

    @property
    def trials(self) -> int:
        """How many trials could be judged."""
        return sum(self.kept.values()) + len(self.broken)


def laws_of(op: str, names: Sequence[str] = ()) -> tuple[Law, ...]:
    """Returns the laws of an operation; those of these names, if any are given.

    Raises:
        UsageError: The operation has no law, or none of that name.
    """
    family = find_op(op).family
    known = {law.name: law for law in LAWS if family in law.families}
    if not known:
        raise UsageError(f"{op} has no laws", why="its results are rounded, or single numbers")
    for name in names:
        if name not in known:
            raise UsageError(f"{op} has no law {name!r}", fix=nearest(name, known))
    return tuple(law for law in known.values() if not names or law.name in names)


def law_cases(op: str, seed: int) -> Iterator[Case]:
    """Yields the cases to which laws are put: corners, then pairs of parameters, on plain arrays.

    Values, layouts and narrow dtypes are the oracle's business; laws say something of parameters.
    """
    seen: set[Case] = set()
    for item in planned(find_op(op), strength=2, seed=seed):
        if item.phase == "random":
            return
        if item.phase == "invalid":
            continue
        case = replace(
            item.case, layout="contiguous", values="integers", seed=0,
            dtype="float64" if item.case.dtype == "float64" else "float32",
        )  # fmt: skip
        if case not in seen and work(case) <= _MOST_WORK:
            seen.add(case)
            yield case


def put_laws(
    run: LawRun,
    laws: Sequence[Law],
    cases: Iterator[Case],
    runner: Runner,
    contract: Contract,
    *,
    partner: Runner | None = None,
    seconds: float,
    seed: int,
) -> None:
    """Puts laws to a function until they are broken, the cases end or the time does."""
    deadline = time.monotonic() + seconds
    for case in cases:
        if runner.unsupported(case) or run.seconds_per_work * work(case) > _LONGEST_CALL_S:
            continue
        for law in laws:
            if law.name in run.broken:
                continue
            for put in put_law(law, case, runner, contract, partner=partner, seed=seed, run=run):
                if put.kind in ("broken", "failed"):
                    run.broken[law.name] = put
                    break
                (run.kept if put.kind == "kept" else run.refused)[law.name] += 1
            if time.monotonic() >= deadline:
                return


def put_law(
    law: Law,
    case: Case,
    runner: Runner,
    contract: Contract,
    *,
    partner: Runner | None = None,
    seed: int = 0,
    run: LawRun | None = None,
) -> Iterator[Put]:
    """Yields what each trial of a law shows; nothing where it says nothing of the case."""
    if case.values != "integers" or case.layout != "contiguous" or must_refuse(case):
        return
    for trial in law.trials(case):
        if any(must_refuse(call.case) or runner.unsupported(call.case) for call in trial.calls):
            continue
        if partner is None and any(call.by == "partner" for call in trial.calls):
            continue
        # A sum of a transform's rounded results has no bound of its own.
        if contract.algorithm != "direct" and ".sum()" in trial.left:
            continue
        sources = drawn(trial, seed=seed, accumulate=contract.accumulate)
        if sources is not None:
            found = _call_all(law, case, trial, sources, runner, contract, partner, run)
            if found is not None:
                yield found


def _call_all(
    law: Law,
    case: Case,
    trial: Trial,
    sources: dict[str, tuple[np.ndarray, str]],
    runner: Runner,
    contract: Contract,
    partner: Runner | None,
    run: LawRun | None,
) -> Put | None:
    values: dict[str, Any] = {name: array for name, (array, _) in sources.items()}
    slack = 0.0
    results: list[Any] = []
    for number, call in enumerate(trial.calls):
        carrier = find_format(call.case.dtype).carrier
        inputs = {
            name: np.ascontiguousarray(value_of(text, values), dtype=carrier)
            for name, text in call.arrays.items()
        }
        called = partner if call.by == "partner" and partner is not None else runner
        outcome = called.run(call.case, inputs)
        if not isinstance(outcome, Returned):
            kind: Any = "refused" if isinstance(outcome, Raised) else "failed"
            return Put(law=law, case=case, trial=trial, kind=kind, sources=sources,
                       results=tuple(results), outcome=outcome)  # fmt: skip
        if run is not None and call.by == "function" and work(call.case) >= _TIMED_WORK:
            rate = outcome.seconds / work(call.case)
            run.seconds_per_work = (run.seconds_per_work + rate) / 2 or rate
        arrays = tuple(result.values for result in outcome.arrays)
        several = find_op(call.case.op).family.endswith("backward")
        values[f"y{number}"] = arrays if several else arrays[0]
        results.append(values[f"y{number}"])
        slack += rounding_of_transform(call.case, inputs, contract.algorithm, contract.accumulate)
    try:
        left, right = (np.asarray(value_of(t, values)) for t in (trial.left, trial.right))
    except (ValueError, IndexError):
        # Results whose shapes no correct function has cannot even be put into the equation,
        # unless it is the gradient of a bias, which may be left out.
        if "y0[2]" in trial.left and len(results[0]) < 3:
            return None
        left, right = np.zeros(()), np.zeros(1)
    holds = left.shape == right.shape and (
        bool((left == right).all())
        if not slack
        else bool((np.abs(left - right) <= GROWTH * slack).all())
    )
    return Put(law=law, case=case, trial=trial, kind="kept" if holds else "broken",
               sources=sources, results=tuple(results), left=left, right=right)  # fmt: skip
