"""The same calls on another machine: more threads, an older instruction set.

Libraries choose their kernel by what the processor can do and by how many threads there are; a
kernel that is never chosen on this machine is never tested on it. Environment variables make the
libraries choose another, if they are set before the library is loaded: hence a worker for each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from convcheck.conformance.bench import Bench, Observation
from convcheck.conformance.execute import Runner
from convcheck.conformance.findings import find_faults
from convcheck.conformance.judge import Contract
from convcheck.conformance.search import work
from convcheck.conformance.subject import Subject
from convcheck.core.finding import Finding

OpenRunner = Callable[[Mapping[str, str]], AbstractContextManager[Runner]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A way in which the machine of a run may differ.

    Attributes:
        name: What is different, in words.
        environment: The variables that make libraries take it for granted.
    """

    name: str
    environment: Mapping[str, str]


def _threads(count: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return dict.fromkeys(names, str(count))


MACHINES = (
    # Three, so that no extent that is a power of two divides evenly.
    Machine(name="three threads", environment=_threads(3)),
    Machine(
        name="no vector instructions past SSE4",
        environment={
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "OPENBLAS_CORETYPE": "Nehalem",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        },
    ),
    Machine(
        name="no vector instructions past AVX2",
        environment={
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        },
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What the other machines showed.

    Attributes:
        findings: Faults that this machine does not show.
        cases: Cases run on each machine, by its name.
    """

    findings: tuple[Finding, ...]
    cases: Mapping[str, int]


def try_machines(
    open_runner: OpenRunner,
    subject: Subject,
    contract: Contract,
    passed: Sequence[Observation],
    *,
    seconds: float,
) -> Elsewhere:
    """Runs cases that passed here on each of `MACHINES`, and returns what fails there.

    Args:
        open_runner: Opens a runner of the function with these environment variables.
        subject: Its name.
        contract: How its results are held to the exact ones.
        passed: Observations without a problem, made on this machine.
        seconds: Wall time for the calls, shared by the machines; starts come on top.
    """
    findings: list[Finding] = []
    cases: dict[str, int] = {}
    # The largest first: small work is not shared out among threads.
    order = sorted(passed, key=lambda seen: -work(seen.case))
    for machine in MACHINES:
        with open_runner(machine.environment) as runner:
            bench = Bench(runner, contract)
            deadline = time.monotonic() + seconds / len(MACHINES)
            seen: list[Observation] = []
            for known in order:
                seen.append(bench.observe(known.case, known.inputs))
                if seen[-1].problem is not None or time.monotonic() >= deadline:
                    break
            cases[machine.name] = len(seen)
            if seen and seen[-1].problem is not None:
                found = find_faults(bench, subject, seen, seen[0], seconds=seconds)
                findings += [_only_there(finding, machine) for finding in found]
    return Elsewhere(findings=tuple(findings), cases=cases)


def _only_there(finding: Finding, machine: Machine) -> Finding:
    settings = " ".join(f"{name}={value}" for name, value in machine.environment.items())
    title, _, rest = finding.script.partition("\n")
    set_first = f"import os; os.environ.update({dict(machine.environment)!r})"
    told = f"only with {machine.name}"
    return replace(
        finding,
        diagnosis=f"{told}: {finding.diagnosis}" if finding.diagnosis else told,
        why=f"the same call is right on this machine; with {settings} it is not",
        script=f"{title}\n{set_first}\n{rest}",
        details={**finding.details, "environment": dict(machine.environment)},
    )
