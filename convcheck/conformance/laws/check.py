"""`check_laws`: laws put to a function, small shapes and large, as findings and as a report."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from convcheck.conformance.execute import Runner, Target, open_runner
from convcheck.conformance.judge import Contract
from convcheck.conformance.laws.findings import finding_of_law, finding_of_sample
from convcheck.conformance.laws.large_shapes import Sampled, large_cases, sample
from convcheck.conformance.laws.put import LawRun, law_cases, laws_of, put_law, put_laws
from convcheck.conformance.outcome import Returned
from convcheck.conformance.report import Coverage, ImplementationReport
from convcheck.conformance.search import work
from convcheck.conformance.shrink import shrink
from convcheck.conformance.subject import Subject, subject_of
from convcheck.core.case import Case, parse_case
from convcheck.core.errors import UsageError
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import Algorithm

_LONGEST_CALL_S = 2.0
_SHRINK_S = 4.0
# Trials of a law on a large shape cost several calls each; these say most there.
_LARGE_LAWS = (
    "treats the images of a batch alone", "permutes with the output channels",
    "crops with the input", "exchanges its axes with input and kernel", "adds in w",
    "pairs both gradients to one number", "permutes with the channels",
    "takes the larger of two maxima", "shifts with f", "keeps parts of one result",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class LawReach:
    """What laws and sampled elements showed.

    Attributes:
        run: The laws, on small shapes and on large ones.
        findings: The broken laws as one finding, and the first wrong large result.
        large: How many large shapes were run.
        compared: How many of their elements were worked out.
        left_out: Large shapes that were not run, with the reason.
    """

    run: LawRun = field(default_factory=LawRun)
    findings: list[Finding] = field(default_factory=list)
    large: int = 0
    compared: int = 0
    left_out: list[str] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """What the reader of a report is told."""
        run = self.run
        count = len(run.kept.keys() | run.broken.keys())
        kept = len(run.kept.keys() - run.broken.keys())
        notes = [f"laws: {kept} of {count} kept, in {run.trials} trials"]
        silent = sorted(run.refused.keys() - run.kept.keys() - run.broken.keys())
        if silent:
            notes.append("laws not put, since a call was refused each time: " + ", ".join(silent))
        if self.large:
            notes.append(f"{self.large} large shapes: {self.compared} elements worked out singly")
        return notes + self.left_out


def check_laws(
    fn: Target,
    op: str = "conv2d",
    *,
    laws: Sequence[str] = (),
    case: str | None = None,
    partner: Target | None = None,
    seconds: float = 10.0,
    seed: int = 0,
    isolated: bool = True,
    arrays: Literal["auto", "numpy", "torch"] = "auto",
    accumulate: str | None = None,
    algorithm: Algorithm = "direct",
    autograd: bool = False,
    deadline_s: float = 10.0,
    large: bool = True,
) -> ImplementationReport:
    """Returns whether a function obeys the laws of its operation, without an expected value.

    Results are compared with results; only of large shapes are some elements worked out too.
    A PASS says that the laws hold, not that the function is a convolution: one that flips every
    kernel obeys them.

    Args:
        fn: The function.
        op: The operation whose laws are put.
        laws: Names of laws; all of them by default. A variant with a boundary of its own leaves
            out "pads with zeros".
        case: Put the laws to this case alone.
        partner: The other half of an adjoint pair: the convolution of a transposed one, the
            forward function of a backward one.
        seconds: Wall time.
        seed: Seed of the values.
        isolated: Whether the functions run in processes of their own.
        arrays: What the function takes.
        accumulate: Dtype in which sums are kept.
        algorithm: "winograd" and "fft" round; both sides are then compared within their bounds.
        autograd: Whether `fn` is a forward function to be differentiated; it is its own partner.
        deadline_s: Seconds that one isolated call may take.
        large: Whether large shapes are run, and elements of them worked out.

    Raises:
        TargetError: The function cannot be loaded.
        UsageError: The operation has no laws, or none of such a name.
    """
    start = time.monotonic()
    chosen = laws_of(op, laws)
    reach = LawReach()
    contract = Contract(accumulate=accumulate, algorithm=algorithm)
    alone = None if case is None else parse_case(case)
    if alone is not None and alone.op != op:
        raise UsageError(f"the case is one of {alone.op}, not of {op}", where=str(case))
    if autograd and partner is None:
        partner = fn
    with open_runner(
        fn, op, isolated=isolated, arrays=arrays, deadline_s=deadline_s, autograd=autograd
    ) as runner:
        subject = subject_of(fn, op, runner.arrays, autograd=autograd)
        if partner is None:
            look_at_laws(reach, chosen, runner, subject, contract, seconds=seconds, seed=seed,
                         large=large and not laws, case=alone)  # fmt: skip
        else:
            forward = op.removesuffix("_backward")
            other = forward if forward != op else op.replace("_transpose", "")
            with open_runner(partner, other, isolated=isolated, arrays=arrays,
                             deadline_s=deadline_s) as second:  # fmt: skip
                look_at_laws(reach, chosen, runner, subject, contract, partner=second,
                             seconds=seconds, seed=seed, large=large and not laws,
                             case=alone)  # fmt: skip
    checked = reach.run.trials + reach.compared
    return ImplementationReport(
        target=subject.name,
        op=op,
        verdict=Verdict.FAIL if reach.findings else Verdict.PASS if checked else Verdict.UNKNOWN,
        findings=tuple(reach.findings),
        cases=reach.run.trials + reach.large,
        coverage=Coverage(
            strength=0, parameters=0, share=0.0,
            phases={"law": reach.run.trials, "large": reach.large}, compared=reach.compared,
            algorithm=algorithm, isolated=isolated, seconds=time.monotonic() - start,
        ),
        notes=tuple(reach.notes),
    )  # fmt: skip


def look_at_laws(
    reach: LawReach,
    laws: Sequence,
    runner: Runner,
    subject: Subject,
    contract: Contract,
    *,
    partner: Runner | None = None,
    seconds: float,
    seed: int,
    large: bool = True,
    case: Case | None = None,
) -> None:
    """Puts laws to a function on small shapes, then on large ones with sampled elements."""
    deadline = time.monotonic() + seconds
    share = seconds * 0.6 if large and case is None else seconds
    small: Iterable[Case] = law_cases(subject.op, seed) if case is None else [case]
    put_laws(reach.run, laws, iter(small), runner, contract, partner=partner,
             seconds=share, seed=seed)  # fmt: skip
    if large and case is None and not reach.run.broken:
        look_at_large(reach, runner, subject, contract, deadline=deadline, seed=seed)
        chosen = [law for law in laws if law.name in _LARGE_LAWS]
        if not reach.findings:
            put_laws(reach.run, chosen, large_cases(subject.op), runner, contract,
                     partner=partner, seconds=max(0.0, deadline - time.monotonic()),
                     seed=seed)  # fmt: skip
    if reach.run.broken:
        reach.findings.append(_broken(reach.run, runner, subject, contract, partner, seed))


def look_at_large(
    reach: LawReach,
    runner: Runner,
    subject: Subject,
    contract: Contract,
    *,
    deadline: float,
    seed: int,
) -> None:
    """Runs large shapes whose time allows it, and works out some elements of each."""
    run = reach.run
    for number, case in enumerate(large_cases(subject.op)):
        left = deadline - time.monotonic()
        predicted = run.seconds_per_work * work(case)
        if predicted > min(_LONGEST_CALL_S, left) or left <= 0:
            reach.left_out.append(f"large shape left out, predicted to take too long: {case}")
            continue
        if runner.unsupported(case):
            continue

        def look(candidate: Case) -> Sampled | None:
            if runner.unsupported(candidate):
                return None
            return sample(candidate, runner, algorithm=contract.algorithm,
                          accumulate=contract.accumulate, seed=seed)  # fmt: skip

        begun = time.monotonic()
        seen = look(replace(case, seed=0))
        if seen is None:
            continue
        if number == 0 and not run.seconds_per_work:
            run.seconds_per_work = (time.monotonic() - begun) / max(1, work(case))
        if not isinstance(seen.outcome, Returned) and not seen.failed:
            reach.left_out.append(f"large shape left out, as it {seen.outcome}: {case}")
            continue
        reach.large += 1
        reach.compared += seen.compared
        if seen.failed:
            shown = {case: seen}

            def fails(candidate: Case, shown: dict[Case, Sampled] = shown) -> bool:
                found = look(candidate)
                if found is None or not found.failed:
                    return False
                shown[candidate] = found
                return True

            shrunk = shrink(case, fails, seconds=_SHRINK_S)
            reach.findings.append(
                finding_of_sample(shown[shrunk.case], subject, is_minimal=shrunk.minimal)
            )
            return


def _broken(
    run: LawRun,
    runner: Runner,
    subject: Subject,
    contract: Contract,
    partner: Runner | None,
    seed: int,
) -> Finding:
    """Returns the broken laws as one finding: the one whose case is smallest, and the names."""
    first = min(run.broken.values(), key=lambda put: sum(a.size for a, _ in put.sources.values()))
    shown = {first.case: first}

    def fails(candidate: Case) -> bool:
        puts = put_law(first.law, candidate, runner, contract, partner=partner, seed=seed)
        for put in puts:
            if put.kind == first.kind:
                shown[candidate] = put
                return True
        return False

    shrunk = shrink(first.case, fails, seconds=_SHRINK_S)
    kept = [name for name in run.kept if name not in run.broken]
    return finding_of_law(
        shown[shrunk.case], subject, broken=list(run.broken), kept=kept,
        is_minimal=shrunk.minimal,
    )  # fmt: skip
