"""From failing observations to findings: shrunk, varied, diagnosed, drawn; one per fault."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from convcheck.conformance.bench import Bench, Observation
from convcheck.conformance.diagnosis import Diagnosis, agrees, diagnose, is_garbage
from convcheck.conformance.history import COSTLY, History
from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.judge import Problem
from convcheck.conformance.pictures.element import picture
from convcheck.conformance.pictures.svg import svg_picture
from convcheck.conformance.reproduce import Warm, reproduce
from convcheck.conformance.shrink import Shrunk, shrink
from convcheck.conformance.subject import Subject
from convcheck.core.case import Case
from convcheck.core.finding import Finding
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import Expected, Refusal

_MOST_FAULTS = 4
_HANG_SECONDS = 6.0


def find_faults(
    bench: Bench, subject: Subject, seen: list[Observation], first: Observation, *, seconds: float
) -> list[Finding]:
    """Returns a finding for each distinct fault in what was seen.

    Args:
        bench: Where the function can be tried further.
        subject: Its name.
        seen: Every observation so far; those made here are added.
        first: The very first observation, which tells whether the function keeps a state.
        seconds: Wall time for shrinking, in all.
    """
    deadline = time.monotonic() + seconds
    findings: list[Finding] = []
    explained: set[Case] = set()
    conditions: list[tuple[Problem, Diagnosis]] = []
    failing = [o for o in seen if o.problem is not None]
    for seed in _simplest_first(failing):
        if seed.case in explained or _already(seed, conditions):
            continue
        finding, diagnosis, minimal = _one_fault(
            bench, subject, seed, seen, first, max(0.5, deadline - time.monotonic())
        )
        explained |= {o.case for o in diagnosis.explained}
        assert minimal.problem is not None
        conditions.append((minimal.problem, diagnosis))
        if _is_new(finding, findings):
            findings.append(finding)
        if len(findings) >= _MOST_FAULTS or time.monotonic() >= deadline:
            break
    return findings


def _is_new(finding: Finding, known: Sequence[Finding]) -> bool:
    """Whether it tells of another fault than those that are known."""
    says = finding.details.get("says")
    return all(
        finding.where != other.where and (not says or says != other.details.get("says"))
        for other in known
    )


def _simplest_first(failing: Sequence[Observation]) -> list[Observation]:
    """Calls that must be answered first, and among them the first; the rest by size.

    A small case shrinks sooner, and an impossible call tells least of a fault that others show.
    """
    possible = [o for o in failing if isinstance(o.wanted, Expected)]
    impossible = [o for o in failing if not isinstance(o.wanted, Expected)]
    rest = sorted(possible[1:], key=lambda o: sum(array.size for array in o.inputs.values()))
    return [*possible[:1], *rest, *impossible]


def _already(seen: Observation, known: Sequence[tuple[Problem, Diagnosis]]) -> bool:
    """Whether a failure is of a sort and under a condition that a finding tells already."""
    assert seen.problem is not None
    for problem, diagnosis in known:
        alike = seen.problem.is_like(problem)
        if diagnosis.variant is not None:
            if agrees(diagnosis.variant, seen):
                return True
            continue
        if alike and (diagnosis.condition is None or diagnosis.condition.holds(seen.case)):
            return True
    return False


def _one_fault(
    bench: Bench,
    subject: Subject,
    seed: Observation,
    seen: list[Observation],
    first: Observation,
    seconds: float,
) -> tuple[Finding, Diagnosis, Observation]:
    problem = seed.problem
    assert problem is not None
    costly = problem.kind in COSTLY
    history = History(bench, seed, seen, first)
    latest: dict[Case, Observation] = {seed.case: seed}

    def fails(case: Case) -> bool:
        if not bench.can(case):
            return False
        found = history.observe(case)
        alike = found.problem is not None and found.problem.is_like(problem)
        if not alike or type(found.wanted) is not type(seed.wanted):
            seen.append(found)
            return False
        latest[case] = found
        seen.append(found)
        return True

    if history.lost:
        shrunk = Shrunk(case=seed.case, tried=0, minimal=False)
    else:
        # Each step that hangs is waited for, at the full cost of code that spins.
        given = min(seconds, _HANG_SECONDS) if problem.kind == "timed_out" else seconds
        shrunk = shrink(seed.case, fails, seconds=given, most=60 if costly else 500)
    minimal = latest[shrunk.case]
    if problem.kind == "timed_out" and shrunk.case != seed.case:
        # The steps of the shrink waited briefly; what is reported has had its whole time.
        minimal = bench.observe(shrunk.case, sure=True)
        if not problem.is_like(minimal.problem):
            minimal, shrunk = seed, replace(shrunk, case=seed.case, minimal=False)
    if not costly and not history.lost:
        seen += [history.observe(case) for case in neighbours(shrunk.case) if bench.can(case)]
    diagnosis = diagnose(minimal, seen)
    if history.says:
        diagnosis = replace(
            diagnosis, text=history.says, named=True, says=history.says, variant=None
        )
    if problem.kind == "misbehaved":
        diagnosis = replace(diagnosis, text=f"the function {problem.reason}", named=True)
    finding = finding_of(
        minimal,
        subject,
        diagnosis=diagnosis,
        is_minimal=shrunk.minimal,
        warm=history.warm_for(minimal.case),
    )
    return finding, diagnosis, minimal


def neighbours(case: Case) -> Iterator[Case]:
    """Yields the case with one factor at a time moved up: what separates failing from passing."""
    spec = case.spec
    for batch in (2, 3):
        yield replace(case, batch=batch)
    for values in ("integers", "real", "large", "negative", "nonfinite"):
        yield replace(case, values=values)  # type: ignore[arg-type]
    yield replace(case, dtype="float64")
    for layout in ("channels_last", "transposed", "sliced"):
        yield replace(case, layout=layout)  # type: ignore[arg-type]
    yield replace(case, seed=case.seed + 1)
    for axis, size in enumerate(case.spatial):
        for more in (1, 2, 3, 4):
            grown = (*case.spatial[:axis], size + more, *case.spatial[axis + 1 :])
            yield replace(case, spatial=grown)
    if not isinstance(spec, (ConvSpec, PoolSpec)) or case.op == "output_size":
        return
    changes: list[dict[str, Any]] = []
    for part in ("kernel_size", "stride", "dilation"):
        values_ = getattr(spec, part)
        for axis, value in enumerate(values_):
            for more in (1, 2):
                changes.append({part: (*values_[:axis], value + more, *values_[axis + 1 :])})
    if not isinstance(spec.padding, str):
        for axis, (before, after) in enumerate(spec.padding):
            for more in (1, 2):
                pair = (before + more, after + more)
                pads = (*spec.padding[:axis], pair, *spec.padding[axis + 1 :])
                changes.append({"padding": pads})
    if isinstance(spec, ConvSpec):
        both = {"in_channels": 2 * spec.in_channels, "out_channels": 2 * spec.out_channels}
        changes += [
            {"bias": True}, {"in_channels": both["in_channels"]},
            {"out_channels": both["out_channels"]}, {"groups": 2 * spec.groups, **both},
        ]  # fmt: skip
        if case.op.endswith("backward"):
            changes.remove({"bias": True})
    for change in changes:
        for spatial in (case.spatial, tuple(size + 6 for size in case.spatial)):
            varied = replace(case, spec=replace(spec, **change), spatial=spatial)
            if not must_refuse(varied):
                yield varied


def finding_of(
    minimal: Observation,
    subject: Subject,
    *,
    diagnosis: Diagnosis | None = None,
    is_minimal: bool = False,
    warm: Warm = "none",
) -> Finding:
    """Returns a failing observation as a finding.

    Args:
        minimal: The observation.
        subject: The function under test.
        diagnosis: What is known of the cause.
        is_minimal: Whether no single step makes the case smaller.
        warm: The earlier call that is needed to see the fault.
    """
    diagnosis = diagnosis or Diagnosis(text="", named=False)
    problem = minimal.problem
    assert problem is not None
    name = subject.name if subject.importable else f"your_module:{subject.name.rpartition(':')[2]}"
    found = problem.comparison
    details: dict[str, object] = {
        "kind": problem.kind,
        "minimal": is_minimal,
        "named": diagnosis.named,
        "says": diagnosis.says,
        "replay": f'convcheck replay "{minimal.case}" --target {name} --op {subject.op}'
        + (" --autograd" if subject.autograd else ""),
    }
    if diagnosis.condition is not None and diagnosis.condition.atoms:
        details["condition"] = str(diagnosis.condition)
    if found is not None and found.first_index is not None:
        details |= {
            "index": list(found.first_index),
            "expected": _finite(found.expected),
            "actual": _finite(found.actual),
            "different": found.different,
            "compared": found.compared,
        }
    if isinstance(minimal.wanted, Refusal):
        why = str(minimal.wanted.reason.why or minimal.wanted.reason.what)
    elif found is not None and found.kind in ("value", "nonfinite") and not found.bound:
        why = "every sum of this case is exact in its dtype, so that one different bit is a fault"
    elif found is not None and found.bound:
        why = f"a correct sum is within {found.bound:.3g} here, whatever its order"
    else:
        why = ""
    drawing = svg_picture(minimal)
    if drawing:
        details["svg"] = drawing
    return Finding(
        verdict=Verdict.FAIL,
        where=str(minimal.case),
        what=problem.reason,
        why=why,
        fix=_fix(diagnosis),
        code=f"IMPL-{problem.kind.upper().replace('_', '-')}",
        case=minimal.case,
        diagnosis=diagnosis.text,
        script=reproduce(
            minimal,
            target=name,
            arrays=subject.arrays,
            by_keyword=subject.by_keyword,
            warm=warm,
            poisoned=is_garbage(minimal),
            autograd=subject.autograd,
        ),
        picture=picture(minimal),
        details=details,
    )


def _fix(diagnosis: Diagnosis) -> str:
    if diagnosis.named:
        return ""
    return "compare the picture with the code: which tap, channel or position is read wrongly?"


def _finite(value: float | int | None) -> float | int | str | None:
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value
