"""Says what half precision shows that is no fault, and that who compares results has to know.

Sums that are kept in half precision are within the bound of their own format; most libraries keep
them in float32 all the same. Instructions that take half-precision numbers in pairs have an odd
channel filled up with a zero, and multiply what lies beside the window by it: a NaN there spreads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from convcheck.conformance.bench import Observation
from convcheck.conformance.judge import HALVES, Contract, judge, want
from convcheck.conformance.outcome import Returned
from convcheck.core.case import Case
from convcheck.oracle.expected import Expected

WIDER = "float32"


def half_precision_notes(seen: Sequence[Observation], contract: Contract) -> list[str]:
    """Returns a sentence for each thing that half-precision results show.

    Args:
        seen: Observations of a function, of which those that passed are looked at.
        contract: What they were held to.
    """
    return narrow_sums(seen, contract) + spread_nans(seen, contract)


def spread_nans(seen: Iterable[Observation], contract: Contract) -> list[str]:
    """Returns a sentence for each half-precision dtype in which a NaN leaves its windows."""
    strict = replace(contract, fills_pairs=False)
    shown: dict[str, Case] = {}
    for one in seen:
        case = one.case
        if case.dtype not in HALVES or case.values != "nonfinite" or one.problem is not None:
            continue
        if judge(case, one.inputs, one.outcome, one.wanted, strict) is not None:
            shown.setdefault(case.dtype, case)
    return [
        f"a NaN or infinity in {dtype} makes a NaN of an output beside it, whose window does not "
        f"hold it: an odd channel is filled up with a zero, and multiplied; see {case}"
        for dtype, case in shown.items()
    ]


def narrow_sums(seen: Iterable[Observation], contract: Contract) -> list[str]:
    """Returns a sentence for each half-precision dtype whose sums are off by more than float32's.

    Args:
        seen: Observations of a function, of which those that passed are looked at.
        contract: What they were held to; one that says in which dtype sums are kept has no more
            to tell.
    """
    if contract.accumulate is not None:
        return []
    held = replace(contract, accumulate=WIDER)
    shown = dict.fromkeys(HALVES, 0)
    asked = dict.fromkeys(HALVES, 0)
    for one in seen:
        dtype = one.case.dtype
        if dtype not in HALVES or one.problem is not None or not isinstance(one.outcome, Returned):
            continue
        if not isinstance(one.wanted, Expected) or all(array.exact for array in one.wanted.outputs):
            continue
        asked[dtype] += 1
        wanted = want(one.case, one.inputs, held)
        shown[dtype] += judge(one.case, one.inputs, one.outcome, wanted, held) is not None
    return [
        f"sums of {dtype} are rounded to {dtype} on the way: {count} of {asked[dtype]} results "
        f"that round are off by more than sums in {WIDER} may be, and within the bound of {dtype}; "
        f"--accumulate {WIDER} makes that a fault"
        for dtype, count in shown.items()
        if count
    ]
