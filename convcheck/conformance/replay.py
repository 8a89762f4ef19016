"""`replay`: one case, run again and judged, without a search."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal, cast

from convcheck.conformance.bench import Bench
from convcheck.conformance.execute import Target, open_runner
from convcheck.conformance.findings import finding_of
from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.judge import Contract
from convcheck.conformance.report import Coverage, ImplementationReport
from convcheck.conformance.reproduce import Warm
from convcheck.conformance.subject import subject_of
from convcheck.core.case import parse_case
from convcheck.core.errors import UsageError
from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import Algorithm, Expected


def replay(
    text: str,
    fn: Target,
    op: str | None = None,
    *,
    isolated: bool = True,
    accumulate: str | None = None,
    algorithm: Algorithm = "direct",
    arrays: Literal["auto", "numpy", "torch"] = "auto",
    autograd: bool = False,
) -> ImplementationReport:
    """Returns what a function makes of one case, given by its descriptor.

    Where it passes it is called on other values of the same case, and then on its own again: a
    fault that needs an earlier call shows then.

    Raises:
        UsageError: The descriptor is no case, or not one of `op`.
        TargetError: The function cannot be loaded or called.
    """
    start = time.monotonic()
    case = parse_case(text)
    if op not in (None, case.op):
        raise UsageError(f"the case is one of {case.op}, not of {op}", where=text)
    with open_runner(fn, case.op, isolated=isolated, arrays=arrays, autograd=autograd) as runner:
        subject = subject_of(fn, case.op, runner.arrays, autograd=autograd)
        bench = Bench(runner, Contract(accumulate=accumulate, algorithm=algorithm))
        seen, warm = bench.observe(case, sure=True), cast(Warm, "none")
        if seen.problem is None and not must_refuse(case):
            bench.observe(replace(case, seed=case.seed + 1))
            seen, warm = bench.observe(case), "others"
        if seen.problem is None and not must_refuse(case):
            seen, warm = bench.observe(case, refill=True), "reversed"
    findings = () if seen.problem is None else (finding_of(seen, subject, warm=warm),)
    compared = 0
    if isinstance(seen.wanted, Expected):
        compared = sum(array.values.size for array in seen.wanted.outputs)
    # A call that was refused as it must be is an answer too.
    answered = compared > 0 or must_refuse(case)
    return ImplementationReport(
        target=subject.name,
        op=case.op,
        verdict=Verdict.FAIL if findings else Verdict.PASS if answered else Verdict.UNKNOWN,
        findings=findings,
        cases=1,
        coverage=Coverage(
            strength=0, parameters=0, share=0.0, phases={"replayed": 1}, compared=compared,
            algorithm=algorithm, isolated=isolated, seconds=time.monotonic() - start,
        ),
    )  # fmt: skip
