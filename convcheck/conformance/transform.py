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
from convcheck.core.ops import find_op
from convcheck.oracle.expected import Algorithm, Expected
from convcheck.oracle.formats import find_format, round_to

TRANSFORMS: tuple[Algorithm, ...] = ("winograd", "fft")
# Enough windows for a transform's tile to hold large and small data together.
_WIDER = 8
# Where the large data begin, against a tile of two. None leaves the sizes as they are, and comes
# first: a function may choose its algorithm by the sizes.
_SHIFTS = (None, 0, 1)
# On data of one magnitude a transform stays near that bound; a narrower format is far from it.
_MOST_EXCESS = 16
# By how many bits the small data are smaller, to show a transform that is computed in float64.
_DOUBLE_BITS = 36


def transform_of(bench: Bench, seen: Observation) -> Algorithm | None:
    """Returns the transform that a wrong result is owed to, or None if it is a fault.

    Args:
        bench: The bench on which it was observed; a few calls are made on it.
        seen: An observation with a wrong value, judged as a direct sum.
    """
    problem = seen.problem
    family = find_op(seen.case.op).family
    if problem is None or problem.kind != "value" or not family.startswith("conv"):
        return None
    known = bench.contract.algorithm
    further = TRANSFORMS[TRANSFORMS.index(known) + 1 if known in TRANSFORMS else 0 :]
    contracts = [replace(bench.contract, algorithm=algorithm) for algorithm in further]
    # Most wrong results are far off, which is seen without another call.
    possible = [contract for contract in contracts if _holds(seen, contract)]
    if not possible or _excess(bench, seen) > _MOST_EXCESS:
        return None
    for lenient in possible:
        names = list(seen.inputs)[:2]
        if any(
            _only_transforms(bench, seen.case, lenient, shift, name, bits)
            for bits in _spreads(seen.case.dtype)
            for shift in _SHIFTS
            for name in names
        ):
            return lenient.algorithm
    return None


def _excess(bench: Bench, seen: Observation) -> float:
    """How many times the largest bound of a direct sum it is off, on data of one magnitude."""
    plain = replace(seen.case, values="real", layout="contiguous")
    if not find_format(plain.dtype).is_float or not bench.can(plain):
        return 0.0
    found = bench.observe(plain)
    wanted = want(plain, found.inputs, replace(bench.contract, algorithm="direct"))
    if not isinstance(wanted, Expected) or not found.actual:
        return 0.0
    array, actual = wanted.outputs[0], found.actual[0]
    if actual.shape != array.shape:
        return 0.0
    bound, gap = array.bound, np.abs(actual - array.values)
    if not np.isfinite(gap).all() or not np.isfinite(bound).all() or not bound.any():
        return 0.0
    return float(gap.max() / bound.max())


def _spreads(dtype: str) -> tuple[int, ...]:
    """Most of the significand's width, of the dtype and of float64, as far as its range goes."""
    chosen = find_format(dtype if find_format(dtype).is_float else "float64")
    own = chosen.precision * 2 // 3
    wide = own < _DOUBLE_BITS and chosen.smallest < 2.0 ** (-2 * _DOUBLE_BITS)
    return (own, _DOUBLE_BITS) if wide else (own,)


def _narrower(dtype: str, contract: Contract) -> str | None:
    """Returns the dtype of sums that is claimed, None where that of the case is narrower."""
    claimed = contract.accumulate
    if claimed and find_format(claimed).precision > find_format(dtype).precision:
        return None
    return claimed


def _holds(seen: Observation, contract: Contract) -> bool:
    wanted = want(seen.case, seen.inputs, contract)
    return judge(seen.case, seen.inputs, seen.outcome, wanted, contract) is None


def _only_transforms(
    bench: Bench, case: Case, lenient: Contract, shift: int | None, name: str, bits: int
) -> bool:
    spans = getattr(case.spec, "kernel_size", (1,) * len(case.spatial))
    dilations = getattr(case.spec, "dilation", (1,) * len(case.spatial))
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, spans, strict=True)]
    wide = replace(
        case,
        spatial=case.spatial
        if shift is None
        else tuple(s + _WIDER + 2 * r for s, r in zip(case.spatial, reach, strict=True)),
        dtype=case.dtype if find_format(case.dtype).is_float else "float64",
        values="real",
        layout="contiguous",
        seed=case.seed + (shift or 0),
    )
    inputs = dict(inputs_of(wide))
    values = inputs[name]
    # All but the end is smaller by most of the significand's width: many windows are small only.
    end = values.shape[-1] - max(1, values.shape[-1] // 4) if shift is None else -_WIDER + shift
    small = np.arange(values.shape[-1]) < end % values.shape[-1]
    scaled = np.where(small, np.ldexp(values.astype(np.float64), -bits), values)
    inputs[name] = round_to(scaled, wide.dtype)
    # Sums in the dtype itself are direct, whatever wider one is claimed for them.
    strict = replace(lenient, algorithm="direct", accumulate=_narrower(wide.dtype, lenient))
    if not bench.can(wide):
        return False
    seen = bench.observe(wide, inputs)
    if _holds(seen, strict) or not _holds(seen, lenient):
        return False
    # Beside data so small, a plain fault hides in the bound too; rounding leaves them many bits.
    return bits != _DOUBLE_BITS or _holds(seen, replace(strict, accumulate="bfloat16"))
