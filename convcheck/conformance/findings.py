"""From failing observations to findings: shrunk, varied, diagnosed, drawn; one per fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from convcheck.conformance.bench import Bench, Observation
from convcheck.conformance.diagnosis import Diagnosis, agrees, diagnose
from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.judge import Problem
from convcheck.conformance.pictures.element import picture
from convcheck.conformance.pictures.svg import svg_picture
from convcheck.conformance.reproduce import reproduce
from convcheck.conformance.shrink import Shrunk, shrink
from convcheck.conformance.subject import Subject
from convcheck.core.case import Case
from convcheck.core.finding import Finding
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import Expected, Refusal

_MOST_FAULTS = 4
_COSTLY = ("crashed", "timed_out", "out_of_memory")


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
    costly = problem.kind in _COSTLY
    history = _History(bench, seed, seen, first)
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
        shrunk = shrink(seed.case, fails, seconds=seconds, most=60 if costly else 500)
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
        warm=_filler(minimal.case) if history.fills else history.warm,
    )
    return finding, diagnosis, minimal


class _History:
    """Runs cases so that a fault that depends on earlier calls shows each time.

    Attributes:
        says: What is known of that dependence, in words; empty where there is none.
        warm: Whether an earlier call is needed to see the fault.
        lost: Whether the fault could not be brought about again.
        fills: Whether the earlier call is one with data in place of the padding.
    """

    def __init__(
        self, bench: Bench, seed: Observation, seen: Sequence[Observation], first: Observation
    ) -> None:
        self._bench = bench
        self._before: Callable[[Case], Case] | None = None
        self.says, self.warm, self.lost, self.fills = "", False, False, False
        problem = seed.problem
        assert problem is not None
        # A misbehaviour may show only when a call is repeated.
        self._once = problem.kind != "misbehaved"
        if problem.kind in _COSTLY:
            return
        if problem.is_like(bench.observe(seed.case).problem):
            if self._remembers(seed, first):
                self._before = lambda case: replace(case, seed=case.seed + 1)
                self.says = "the function remembers an earlier call (a stale buffer or cache)"
                self.warm = True
            elif self._keeps_padding(seed):
                self._before, self.fills = _filler, True
                self.says = "the function does not clear a padding buffer between calls"
                self.warm = True
            return
        self.warm = True
        place = next((k for k, o in enumerate(seen) if o is seed), 0)
        earlier = [o.case for o in seen[max(0, place - 3) : place]][::-1]
        tries: list[Callable[[Case], Case]] = [lambda case: replace(case, seed=case.seed + 1)]
        tries += [_always(case) for case in earlier]
        for before in tries:
            self._before = before
            if problem.is_like(self.observe(seed.case).problem):
                self.says = "the result depends on the call before it (a stale buffer or cache)"
                return
        self._before = None
        self.lost = True
        self.says = "the function fails only sometimes: the same call passed when it was repeated"

    def _remembers(self, seed: Observation, first: Observation) -> bool:
        """Whether the first call of a kind is right and later ones, on other values, are wrong."""
        bench, problem = self._bench, seed.problem
        assert problem is not None
        if first.problem is None:
            now = bench.observe(first.case)
            others = [replace(first.case, seed=first.case.seed + more) for more in (7, 8)]
            if now.problem is not None or all(
                problem.is_like(bench.observe(c).problem) for c in others
            ):
                return True
        if seed.case.spatial and not must_refuse(seed.case):
            # A shape that no call had so far: is it right once?
            novel = _novel(seed.case, 11)
            if bench.observe(novel).problem is None:
                return problem.is_like(bench.observe(replace(novel, seed=novel.seed + 1)).problem)
        return False

    def _keeps_padding(self, seed: Observation) -> bool:
        """Whether a call is wrong only after one that fills what it pads with zeros."""
        problem = seed.problem
        assert problem is not None
        novel = _novel(seed.case, 13)
        if _filler(novel) == novel or self._bench.observe(novel).problem is not None:
            return False
        self._bench.observe(_filler(novel))
        return problem.is_like(self._bench.observe(novel).problem)

    def observe(self, case: Case) -> Observation:
        """Returns what the target makes of a case, after the call that must come before it."""
        if self._before is not None:
            self._bench.observe(self._before(case), once=self._once)
        return self._bench.observe(case, once=self._once)


def _novel(case: Case, more: int) -> Case:
    """Returns the case in sizes that no case has."""
    more = more if len(case.spatial) < 3 else more // 2
    novel = replace(case, spatial=tuple(size + more for size in case.spatial))
    if isinstance(novel.spec, ConvSpec) and novel.op != "output_size":
        spec = replace(novel.spec, out_channels=novel.spec.out_channels * 7)
        novel = replace(novel, spec=spec)
    return novel


def _filler(case: Case) -> Case:
    """Returns the case with data where it has padding."""
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)) or isinstance(spec.padding, str):
        return case
    spatial = tuple(size + sum(pair) for size, pair in zip(case.spatial, spec.padding, strict=True))
    return replace(
        case, spatial=spatial, spec=replace(spec, padding=((0, 0),) * spec.axes), seed=case.seed + 1
    )


def _always(fixed: Case) -> Callable[[Case], Case]:
    return lambda _: fixed


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
    warm: bool | Case = False,
) -> Finding:
    """Returns a failing observation as a finding.

    Args:
        minimal: The observation.
        subject: The function under test.
        diagnosis: What is known of the cause.
        is_minimal: Whether no single step makes the case smaller.
        warm: Whether an earlier call is needed to see the fault.
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
