"""Names the cause of failures: an explanation that fits all of them, or what sets them apart.

A cause is named only if its semantics gives every failing result exactly, and every passing one
too, or, where it acts under a condition, if that condition separates the two without exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convcheck.conformance.bench import Observation
from convcheck.conformance.conditions import Condition, learn
from convcheck.conformance.outcome import Returned
from convcheck.conformance.poison import fillings
from convcheck.conformance.variants.catalogue import catalogue
from convcheck.conformance.variants.variant import Results, Variant
from convcheck.core.ops import find_op
from convcheck.oracle.expected import Expected
from convcheck.oracle.formats import find_format

# Results with more elements than this tell no more than smaller ones, and cost time.
_LARGEST = 20_000
_MOST = 160
_FEW = 8
# Of a result whose bound is not known.
_ROUNDINGS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is the matter, as far as it is known.

    Attributes:
        text: The cause in one sentence; empty where nothing was learned.
        named: Whether a cause is named, not only the condition of the failures.
        says: The explanation alone, such as "drops the bias"; empty where there is none.
        variant: Its semantics, where it has one.
        condition: When it shows.
        explained: The failing observations that it accounts for.
    """

    text: str
    named: bool
    says: str = ""
    variant: Variant | None = None
    condition: Condition | None = None
    explained: tuple[Observation, ...] = ()


_WITH_GAPS = ("pitched", "sliced", "offset", "reversed")


def diagnose(minimal: Observation, seen: Sequence[Observation]) -> Diagnosis:
    """Returns the diagnosis of the fault that a minimal failing observation shows.

    Args:
        minimal: The failing observation, made as small as it goes.
        seen: Everything observed of the function, `minimal` and passing cases among it.
    """
    assert minimal.problem is not None
    useful = _useful(minimal, seen)
    if minimal.problem.kind in ("value", "shape"):
        found = _explained(minimal, useful)
        if found:
            return found
    alike = tuple(o for o in useful if o.problem is not None and o.problem.is_like(minimal.problem))
    passing = [o for o in useful if o.problem is None and _comparable(o, minimal)]
    condition = learn([o.case for o in alike], [o.case for o in passing])
    says = _plain_words(minimal)
    when = _when(condition, len(alike), len(passing))
    named = bool(says)
    if not says and not when:
        return Diagnosis(text="", named=False, condition=condition, explained=alike)
    what = f"the function {says}" if says else "the function fails"
    return Diagnosis(
        text=f"{what}{when}", named=named, says=says, condition=condition, explained=alike
    )


def _explained(minimal: Observation, useful: Sequence[Observation]) -> Diagnosis | None:
    # What a fault makes of a NaN says little of the fault, unless NaN is what it is about.
    about = [
        o for o in useful if o.case.values != "nonfinite" or minimal.case.values == "nonfinite"
    ]
    failing = [o for o in about if o.problem is not None and o.problem.kind in ("value", "shape")]
    passing = [o for o in about if o.problem is None and isinstance(o.wanted, Expected)]
    best: Diagnosis | None = None
    for variant in _promising(minimal, failing, passing):
        explained = [o for o in failing if agrees(variant, o)]
        if best is not None and len(explained) < len(best.explained):
            continue
        # A passing case speaks against the variant only where the variant differs from it.
        against = [o for o in passing if _differs(variant, o)]
        condition = learn([o.case for o in explained], [o.case for o in against])
        if not condition.exact:
            continue
        total = len(failing) + len(passing)
        count = len(explained) + len(passing)
        when = f" when {condition}" if condition.atoms else ""
        other = len(failing) - len(explained)
        tail = f"; {other} further failures have another cause" if other else ""
        found = Diagnosis(
            text=f"the function {variant.says}{when} ({count} of {total} results agree{tail})",
            named=True,
            says=variant.says,
            variant=variant,
            condition=condition,
            explained=tuple(explained),
        )
        if not other and not condition.atoms and variant.slack is None:
            return found
        if best is None or _rank(found) > _rank(best):
            best = found
    return best


def _promising(
    minimal: Observation, failing: Sequence[Observation], passing: Sequence[Observation]
) -> list[Variant]:
    """Returns the variants that explain `minimal`, those first that explain most of a few more.

    A minimal case is so small that many variants agree with it; a few larger ones tell them apart,
    and among equals a few that pass, which speak against those that act under a condition only.
    """
    few = [*failing[:: max(1, len(failing) // _FEW)][:_FEW]]
    # The largest tell most apart.
    few += [o for o in failing[-_FEW:] if o not in few]
    fitting = [v for v in catalogue(minimal.case.op) if agrees(v, minimal)]
    scores = {id(v): sum(agrees(v, o) for o in few) for v in fitting}
    right = passing[:: max(1, len(passing) // _FEW)][:_FEW]
    against = {id(v): sum(_differs(v, o) for o in right) for v in fitting}
    ranked = sorted(fitting, key=lambda v: (-scores[id(v)], v.slack is not None, against[id(v)]))
    return ranked[:_FEW]


def _rank(found: Diagnosis) -> tuple[int, bool, int]:
    """More failures explained first, exact before nearly, then the shorter condition.

    Ties keep catalogue order.
    """
    assert found.condition is not None and found.variant is not None
    exact = found.variant.slack is None
    return len(found.explained), exact, -len(found.condition.atoms)


def agrees(variant: Variant, seen: Observation) -> bool:
    """Whether the variant gives exactly the results that were returned."""
    predicted = _predicted(variant, seen)
    if predicted is None or not isinstance(seen.outcome, Returned):
        return False
    if len(predicted) > len(seen.actual) and len(seen.actual) == len(predicted) - 1:
        predicted = predicted[:-1]
    if len(predicted) != len(seen.actual):
        return False
    if variant.slack is not None:
        allowed = variant.slack(seen.case, seen.inputs)
        if allowed is None:
            return seen.problem is None
        return all(map(_within, predicted, seen.actual, allowed))
    return all(
        _same(one, other, place, seen)
        for place, (one, other) in enumerate(zip(predicted, seen.actual, strict=True))
    )


def _within(predicted: np.ndarray, actual: np.ndarray, allowed: np.ndarray) -> bool:
    if predicted.shape != actual.shape:
        return False
    with np.errstate(invalid="ignore"):
        gap = np.abs(actual - predicted)
    same = (actual == predicted) | (np.isnan(actual) & np.isnan(predicted))
    overflows = (allowed < 0) & ~np.isfinite(actual)
    return bool((same | (gap <= np.abs(allowed)) | overflows).all())


def _same(predicted: np.ndarray, actual: np.ndarray, place: int, seen: Observation) -> bool:
    if predicted.shape != actual.shape:
        return False
    if np.array_equal(predicted, actual, equal_nan=actual.dtype.kind == "f"):
        return True
    assert isinstance(seen.wanted, Expected)
    if place >= len(seen.wanted.outputs) or seen.wanted.outputs[place].exact:
        return False
    # A result that rounds is held to the largest bound of the true one, both being of one size.
    right = seen.wanted.outputs[place]
    finite = right.bound[np.isfinite(right.bound)]
    if not finite.size or not np.array_equal(np.isfinite(predicted), np.isfinite(actual)):
        return False
    both = np.isfinite(actual)
    numbers = np.where(both, predicted, 0.0)
    allowed = 4 * finite.max()
    if not (np.isfinite(right.values) & (right.values != 0)).any():
        # A true one of zeros or NaN has no size.
        allowed = _ROUNDINGS * find_format(right.dtype).unit_roundoff * np.abs(numbers).max()
    return bool((np.abs(numbers - np.where(both, actual, 0.0)) <= allowed).all())


def _differs(variant: Variant, seen: Observation) -> bool:
    if variant.slack is not None:
        # A result that happens to be exact does not speak against lesser precision.
        return False
    predicted = _predicted(variant, seen)
    return predicted is not None and not agrees(variant, seen)


def _predicted(variant: Variant, seen: Observation) -> Results | None:
    if not isinstance(seen.wanted, Expected):
        return None
    if variant not in seen.predictions:
        right = tuple(array.values for array in seen.wanted.outputs)
        seen.predictions[variant] = variant.predict(seen.case, seen.inputs, right)
    known: Results | None = seen.predictions[variant]
    return known


def _useful(minimal: Observation, seen: Sequence[Observation]) -> list[Observation]:
    """Returns the observations that are worth comparing, small ones first, each case once."""
    distinct = {o.case: o for o in seen if all(a.size <= _LARGEST for a in o.inputs.values())}
    distinct[minimal.case] = minimal
    ordered = sorted(distinct.values(), key=lambda o: sum(a.size for a in o.inputs.values()))
    failing = [o for o in ordered if o.problem is not None][: _MOST // 2]
    passing = [o for o in ordered if o.problem is None][:_MOST]
    return failing + passing


def _comparable(seen: Observation, minimal: Observation) -> bool:
    """Whether both are calls of the same sort: to be answered, or to be refused."""
    return isinstance(seen.wanted, type(minimal.wanted))


def _when(condition: Condition, failing: int, passing: int) -> str:
    if not condition.atoms:
        return "" if passing else f" always ({failing} of {failing} cases)"
    if condition.exact:
        return f" when {condition} ({failing} failing and {passing} passing cases agree)"
    return f", mostly when {condition}"


def _plain_words(minimal: Observation) -> str:
    """Returns the cause where the problem itself names it."""
    problem = minimal.problem
    assert problem is not None
    if problem.kind == "misbehaved":
        return problem.reason
    if problem.kind == "accepted":
        assert not isinstance(minimal.wanted, Expected)
        return f"accepts an impossible call ({minimal.wanted.reason.what})"
    if problem.kind == "dtype" and isinstance(minimal.outcome, Returned):
        found = minimal.outcome.arrays[problem.output].dtype
        return f"returns {found} for {minimal.case.dtype}"
    if problem.kind == "refused":
        return f"refuses a valid call ({problem.detail})"
    if problem.kind == "crashed":
        return str(minimal.outcome)
    if problem.kind == "timed_out":
        return "does not return (hangs)"
    if problem.kind == "out_of_memory":
        return "runs out of memory"
    if is_garbage(minimal):
        return "returns memory that it did not write, or sums into it"
    if _is_filled(minimal):
        return "reads what lies between or around the elements of an array"
    return ""


def is_garbage(seen: Observation) -> bool:
    """Whether every wrong element of a sum is what freed and new memory was filled with.

    Not where the arrays have gaps, which are filled as well.
    """
    return seen.case.layout not in _WITH_GAPS and _is_filled(seen)


def _is_filled(seen: Observation) -> bool:
    if not find_op(seen.case.op).family.startswith("conv") or seen.case.values == "nonfinite":
        return False
    if seen.problem is None or seen.problem.kind != "value":
        return False
    assert isinstance(seen.wanted, Expected)
    place = seen.problem.output
    wanted, actual = seen.wanted.outputs[place], seen.actual[place]
    if actual.shape != wanted.values.shape or actual.dtype.kind != "f":
        return False
    wrong = actual[actual != wanted.values]
    return bool((np.isnan(wrong) | np.isinf(wrong) | np.isin(wrong, fillings())).all())
