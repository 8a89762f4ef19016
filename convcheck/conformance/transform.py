"""Tells an implementation that transforms and rounds (FFT, Winograd) from one that is wrong.

A direct sum keeps small results beside large ones accurate: each is within the bound of its own
terms. A transform mixes them, and its error goes with the largest. So the function is given data
whose magnitudes differ widely: only a transform then breaks the bound of a direct sum while it
keeps the bound of a transform.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convcheck.conformance.bench import Bench, Observation, inputs_of
from convcheck.conformance.judge import Contract, judge, want
from convcheck.core.case import Case
from convcheck.oracle.expected import Algorithm
from convcheck.oracle.formats import find_format, round_to

TRANSFORMS: tuple[Algorithm, ...] = ("winograd", "fft")
# Enough windows for a transform's tile to hold large and small data together.
_WIDER = 8


def transform_of(bench: Bench, seen: Observation) -> Algorithm | None:
    """Returns the transform that a wrong result is owed to, or None if it is a fault.

    Args:
        bench: The bench on which it was observed; a few calls are made on it.
        seen: An observation with a wrong value, judged as a direct sum.
    """
    problem = seen.problem
    if problem is None or problem.kind != "value" or not find_format(seen.case.dtype).is_float:
        return None
    known = bench.contract.algorithm
    for algorithm in TRANSFORMS[TRANSFORMS.index(known) + 1 if known in TRANSFORMS else 0 :]:
        lenient = replace(bench.contract, algorithm=algorithm)
        if not _holds(seen, lenient):
            continue
        if any(_only_transforms(bench, seen.case, lenient, seed) for seed in range(3)):
            return algorithm
    return None


def _holds(seen: Observation, contract: Contract) -> bool:
    wanted = want(seen.case, seen.inputs, contract)
    return judge(seen.case, seen.inputs, seen.outcome, wanted, contract) is None


def _only_transforms(bench: Bench, case: Case, lenient: Contract, seed: int) -> bool:
    wide = replace(
        case,
        spatial=tuple(size + _WIDER for size in case.spatial),
        values="real",
        layout="contiguous",
        seed=case.seed + seed,
    )
    inputs = dict(inputs_of(wide))
    name = next(iter(inputs))
    values = inputs[name]
    # Half of the data is smaller by most of the significand's width.
    bits = find_format(case.dtype).precision * 2 // 3
    small = np.random.default_rng(seed).random(values.shape) < 0.5
    scaled = np.where(small, np.ldexp(values.astype(np.float64), -bits), values)
    inputs[name] = round_to(scaled, case.dtype)
    strict = replace(lenient, algorithm="direct")
    if not bench.can(wide):
        return False
    seen = bench.observe(wide, inputs)
    return not _holds(seen, strict) and _holds(seen, lenient)
