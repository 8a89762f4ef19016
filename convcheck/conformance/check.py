"""`check_implementation`: does this function compute what its operation says?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from convcheck.conformance.array_kind import Trial
from convcheck.conformance.bench import Bench, Observation
from convcheck.conformance.covering import reached
from convcheck.conformance.execute import Runner, open_runner
from convcheck.conformance.findings import find_faults
from convcheck.conformance.half_precision import half_precision_notes
from convcheck.conformance.judge import Contract, gives_integers, optional_features, without
from convcheck.conformance.kept import keep_cases, kept_cases
from convcheck.conformance.laws.check import LawReach, look_at_laws
from convcheck.conformance.laws.put import laws_of
from convcheck.conformance.machines import OpenRunner, try_machines
from convcheck.conformance.outcome import Returned
from convcheck.conformance.parameters import Level, Row, model
from convcheck.conformance.power import detection_power
from convcheck.conformance.record import record as write_record
from convcheck.conformance.report import Coverage, ImplementationReport
from convcheck.conformance.search import Planned, parameters_for, planned, work
from convcheck.conformance.subject import Subject, subject_of
from convcheck.conformance.transform import transform_of
from convcheck.core.case import Case
from convcheck.core.errors import UsageError, nearest
from convcheck.core.finding import Finding
from convcheck.core.ops import Op, find_op
from convcheck.core.spec import ConvSpec
from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import Algorithm, Expected
from convcheck.oracle.formats import find_format

Progress = Callable[[int, str], None]

# After the first failure, as much more is tried: enough to tell one fault from another. Where the
# function runs in a worker, that worker may have to be replaced.
_MORE_CASES = 40
_MORE_SECONDS = 0.2
_MORE_SECONDS_ISOLATED = 1.0
# A call that is predicted to take longer is left out; the report says so.
_LONGEST_CALL_S = 1.0
# The level that stands for one which a function refuses, by the first word of the feature.
_TAKEN: Mapping[str, Row] = {
    "dtype": {"dtype": "float32"}, "weight": {"weighted": 0},
    "probabilities": {"target": "index"},
    "ignored": {"target": "index"}, "ignore_index": {"target": "index"},
}  # fmt: skip


def check_implementation(
    fn: str | Callable[..., Any],
    op: str = "conv2d",
    *,
    seconds: float = 20.0,
    seed: int = 0,
    isolated: bool = True,
    strength: int = 3,
    max_cases: int | None = None,
    arrays: Literal["auto", "numpy", "torch"] = "auto",
    dtypes: Sequence[str] = (),
    accumulate: str | None = None,
    algorithm: Algorithm | None = None,
    autograd: bool = False,
    deadline_s: float = 2.0,
    keep: bool = True,
    machines: bool = False,
    laws: bool = False,
    record: str | Path | None = None,
    progress: Progress | None = None,
) -> ImplementationReport:
    """Returns whether a function computes its operation, with every distinct fault found.

    Corners come first, then calls that must be refused, then a covering array, then random cases
    until the time ends. A fault ends the search: it is shrunk, diagnosed and drawn.

    Args:
        fn: The function; a callable, or `"package.module:function"`, `"file.py:function"`.
        op: The operation that it claims to be; see `convcheck.core.ops.OPS`.
        seconds: Wall time of the search; infinity needs `max_cases`.
        seed: Seed of the values and of the random cases.
        isolated: Whether it runs in a process of its own, where a crash or hang is a finding; a
            function that a new interpreter cannot import needs False.
        strength: How many parameters the covering array combines: 2, 3 or 4.
        max_cases: Most cases of the search.
        arrays: What the function takes; found out by default.
        dtypes: Element types that it is for; all that the operation knows by default.
        accumulate: Dtype in which sums are kept, where that is not the dtype of the case.
        algorithm: "direct", "winograd" or "fft"; found out by default.
        autograd: Whether `fn` is the forward function of a backward op, to be differentiated.
        deadline_s: Seconds that one isolated call may take.
        keep: Whether failing cases are kept in `.convcheck/` and tried first next time.
        machines: Whether cases that pass are run again with other numbers of threads and older
            instruction sets, in a quarter of the time on top; needs isolation.
        laws: Whether the laws of the operation are put to it too, and large shapes run, in half of
            the time on top; see `laws.check.check_laws`.
        record: File to which the outcome of every case is written, for `record.compare_with`.
        progress: Told the number of cases run and the phase.

    Raises:
        TargetError: The function cannot be loaded, or not be called as the operation is.
        UsageError: The operation or an option is unknown.
    """
    found = find_op(op)
    if strength not in (2, 3, 4):
        raise UsageError(f"strength {strength}", why="it must be 2, 3 or 4")
    known = next((p.levels for p in model(found) if p.name == "dtype"), ())
    for name in dtypes:
        if name not in known:
            raise UsageError(
                f"dtype {name!r} of {op}", why=f"it takes {', '.join(map(str, known)) or 'none'}",
                fix=nearest(name, map(str, known)),
            )  # fmt: skip
    if accumulate is not None:
        find_format(accumulate)
    if algorithm not in (None, "direct", "winograd", "fft"):
        raise UsageError(f"algorithm {algorithm!r} is unknown", fix="use direct, winograd or fft")
    if max_cases is not None and max_cases < 1:
        raise UsageError(f"max_cases {max_cases}", why="it must be at least 1")
    if not seconds > 0:
        raise UsageError(f"seconds {seconds}", why="it must be more than 0")
    if laws:
        laws_of(op)
    start = time.monotonic()
    with open_runner(
        fn, op, isolated=isolated, arrays=arrays, deadline_s=deadline_s, autograd=autograd
    ) as runner:
        subject = subject_of(fn, op, runner.arrays, autograd=autograd)
        contract = Contract(accumulate=accumulate, algorithm=algorithm or "direct")
        run = _Run(
            op=found, runner=runner, bench=Bench(runner, contract), detect=not algorithm,
            dtypes=tuple(dtypes),
        )  # fmt: skip
        if runner.trial is not None and (not dtypes or runner.trial.case.dtype in dtypes):
            _judge_trial(run, runner.trial)
        kept = kept_cases(subject.name, op) if keep and subject.importable else []
        unsupported = _unsupported_levels(runner, found, run.dtypes)
        cases = planned(found, strength=strength, seed=seed, kept=kept, left_out=unsupported)
        _search(run, cases, seconds, max_cases, progress)
        findings = (
            find_faults(
                run.bench, subject, run.seen, run.seen[0], seconds=_shrink_seconds(isolated)
            )
            if run.failed
            else []
        )
        if laws and not findings:
            findings += _on_laws(run, subject, seconds / 2, seed)
    if machines and not findings:
        findings += _on_machines(
            run,
            subject,
            lambda environment: open_runner(
                fn, op, arrays=runner.arrays, deadline_s=deadline_s, autograd=autograd,
                environment=environment,
            ),
            seconds / 4,
        )  # fmt: skip
    if not findings:
        run.notes += half_precision_notes(run.seen, run.bench.contract)
    if record is not None:
        count = write_record(run.seen, record, op=op, target=subject.name)
        run.notes.append(f"the outcomes of {count} cases are in {record}")
    if keep and subject.importable and findings:
        note = keep_cases(subject.name, [f.case for f in findings if f.case])
        run.notes += [note] if note else []
    refused = {feature.removeprefix("dtype ") for feature in run.unsupported}
    taken = parameters_for(found, (*unsupported, *refused))
    done = [row for row in run.rows if refused.isdisjoint(row.values())]
    share = reached(taken, done, strength) if done else 0.0
    return ImplementationReport(
        target=subject.name,
        op=op,
        verdict=Verdict.FAIL if findings else Verdict.PASS if run.compared else Verdict.UNKNOWN,
        findings=tuple(findings),
        cases=sum(run.phases.values()),
        coverage=Coverage(
            strength=strength,
            parameters=len(taken),
            share=share,
            phases=dict(run.phases),
            left_out=dict(run.left_out),
            unsupported=tuple(run.unsupported),
            compared=run.compared,
            algorithm=run.bench.contract.algorithm,
            isolated=isolated,
            seconds=time.monotonic() - start,
        ),
        notes=tuple(run.notes),
        power=None if findings else detection_power(op, run.seen, run.bench.contract),
    )


@dataclass(slots=True, kw_only=True)
class _Run:
    """What a search has seen so far."""

    op: Op
    runner: Runner
    bench: Bench
    detect: bool
    dtypes: tuple[str, ...] = ()
    seen: list[Observation] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    phases: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unsupported: dict[str, None] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    failed: int = 0
    once: bool = False
    compared: int = 0
    spent_s: float = 0.0
    spent_work: int = 0


def _search(
    run: _Run,
    cases: Any,
    seconds: float,
    max_cases: int | None,
    progress: Progress | None,
) -> None:
    deadline, more = time.monotonic() + seconds, max_cases
    further_s = _MORE_SECONDS_ISOLATED if run.runner.isolated else _MORE_SECONDS
    stop_at = deadline
    if run.failed:  # The trial call was wrong already.
        stop_at = min(deadline, time.monotonic() + further_s)
        more = min(max_cases or _MORE_CASES, _MORE_CASES)
    for item in cases:
        done = sum(run.phases.values())
        if done == 1 and not run.failed:
            # The first call may have imported or compiled something: that is not search.
            stop_at = deadline = time.monotonic() + seconds
        if time.monotonic() >= stop_at or (more is not None and done >= more):
            return
        if run.dtypes and item.case.dtype not in run.dtypes:
            item = replace(item, case=_in_dtype(item.case, run.dtypes[0]))
        item = _as_taken(run, item)
        reason = _reason_to_leave_out(run, item.case)
        if reason:
            run.left_out[reason] += 1
            continue
        failed = _try(run, item)
        if (taken := _as_taken(run, item)) is not item:
            failed = _try(run, taken)
        if progress and done % 20 == 0:
            progress(done, item.phase)
        if failed and run.failed == 1:
            stop_at = min(deadline, time.monotonic() + further_s)
            more = min(max_cases or done + _MORE_CASES, done + 1 + _MORE_CASES)


def _in_dtype(case: Case, dtype: str) -> Case:
    # Numbers at the end of one dtype's range are none of another's.
    values = "integers" if case.values in ("tiny", "huge") else case.values
    return replace(case, dtype=dtype, values=values)  # type: ignore[arg-type]


def _as_taken(run: _Run, item: Planned) -> Planned:
    """Returns a row without what the function refuses: its other levels still count."""
    case, row = item.case, item.row
    if row is None:
        return item
    for feature in optional_features(case):
        taken = _TAKEN.get(feature.partition(" ")[0])
        if taken and feature in run.unsupported:
            case, row = without(case, feature), {**row, **taken}
    return item if row is item.row else replace(item, case=case, row=row)


def _try(run: _Run, item: Planned) -> bool:
    # Every other call is made on arrays that held something else in the call before.
    refill = not run.once and sum(run.phases.values()) % 2 == 1
    seen = _judged(run, run.bench.observe(item.case, once=run.once, refill=refill))
    run.phases[item.phase] += 1
    if item.row is not None:
        run.rows.append(item.row)
    if isinstance(seen.outcome, Returned):
        run.spent_s += seen.outcome.seconds
        run.spent_work += work(item.case) + 200
    if seen.problem is None:
        if isinstance(seen.wanted, Expected) and isinstance(seen.outcome, Returned):
            run.compared += sum(array.values.size for array in seen.wanted.outputs)
            run.answered.update(optional_features(item.case))
        run.seen.append(seen)
        return False
    if seen.problem.kind == "refused" and _is_unsupported(run, seen):
        return False
    _note_failure(run, seen)
    return True


def _judge_trial(run: _Run, trial: Trial) -> None:
    """Judges the very first call, which may be the only one that is wrong."""
    seen = _judged(run, run.bench.judged(trial.case, trial.inputs, trial.outcome))
    if seen.problem is not None:
        _note_failure(run, seen)


def _note_failure(run: _Run, seen: Observation) -> None:
    run.seen.append(seen)
    run.failed += 1
    # Calls are repeated until one is wrong: what else is wrong is seen without, unless it is that.
    assert seen.problem is not None
    run.once = seen.problem.kind != "misbehaved"


def _judged(run: _Run, seen: Observation) -> Observation:
    """Judges again where the result shows that the function transforms and rounds."""
    if run.op.family.endswith("_backward") and len(seen.actual) == 3:
        run.bench.contract = replace(run.bench.contract, gives_grad_b=True)
    if gives_integers(seen.case, seen.outcome):
        run.bench.contract = replace(run.bench.contract, keeps_integers=True)
    if run.detect and seen.problem is not None:
        algorithm = transform_of(run.bench, seen)
        if algorithm:
            run.bench.contract = replace(run.bench.contract, algorithm=algorithm)
            return run.bench.again(seen)
    return seen


def _is_unsupported(run: _Run, seen: Observation) -> bool:
    """Whether a refusal is owed to a feature that the function does not take at all."""
    if not isinstance(seen.wanted, Expected):
        return False
    # Libraries take integers in some layers only, so that no refusal of them is a fault.
    is_float = find_format(seen.case.dtype).is_float or not isinstance(seen.case.spec, ConvSpec)
    for feature in optional_features(seen.case):
        if feature in run.answered and is_float:
            continue
        plain = without(seen.case, feature)
        # Without "same", a padding may be uneven, which a gradient has no way to be given.
        possible = plain != seen.case and run.bench.can(plain)
        if not possible or run.bench.observe(plain).problem is None:
            run.unsupported[feature] = None
            run.left_out[f"with {feature}, which it refuses"] += 1
            return True
    return False


def _reason_to_leave_out(run: _Run, case: Case) -> str:
    impossible = run.runner.unsupported(case)
    if impossible:
        return impossible
    for feature in optional_features(case):
        if feature in run.unsupported:
            return f"with {feature}, which it refuses"
    if case.op.startswith("conv") and not find_format(case.dtype).is_float:
        if run.bench.contract.accumulate is not None:
            return "with integers, which sums of floats round"
        if isinstance(case.spec, ConvSpec) and run.bench.contract.algorithm != "direct":
            return "with integers, which a transform of floats rounds"
    if run.spent_work:
        predicted = run.spent_s / run.spent_work * work(case)
        if predicted > _LONGEST_CALL_S:
            return f"predicted to take more than {_LONGEST_CALL_S:g} s"
    return ""


def _unsupported_levels(runner: Runner, op: Op, dtypes: Sequence[str]) -> tuple[Level, ...]:
    """Returns the levels that the function cannot be given, or is not to be given."""
    known = [level for p in model(op) if p.name == "dtype" for level in p.levels]
    other = [dtype for dtype in known if dtypes and dtype not in dtypes]
    return (*other, *(("bfloat16",) if runner.arrays == "numpy" else ("reversed",)))


def _on_machines(
    run: _Run, subject: Subject, open_there: OpenRunner, seconds: float
) -> list[Finding]:
    """Returns what fails only on other machines, and notes how far they were tried."""
    if not run.runner.isolated:
        run.notes.append("other machines were not tried: they need isolation")
        return []
    passed = [seen for seen in run.seen if seen.problem is None]
    there = try_machines(open_there, subject, run.bench.contract, passed, seconds=seconds)
    told = ", ".join(f"{name} ({count} cases)" for name, count in there.cases.items())
    run.notes.append(f"also run with {told}")
    return list(there.findings)


def _on_laws(run: _Run, subject: Subject, seconds: float, seed: int) -> list[Finding]:
    """Returns what breaks a law or fails on a large shape, and notes how far that went."""
    reach = LawReach()
    known = laws_of(subject.op)
    look_at_laws(reach, known, run.runner, subject, run.bench.contract, seconds=seconds, seed=seed)
    run.notes += reach.notes
    run.compared += reach.compared
    return reach.findings


def _shrink_seconds(isolated: bool) -> float:
    return 8.0 if isolated else 5.0
