"""Says whether sums of half precision are kept in half precision, where results show it.

Such sums are within the bound of their own format, and so no fault; most libraries keep them in
float32 all the same, and who compares with one has to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from convcheck.conformance.bench import Observation
from convcheck.conformance.judge import Contract, judge, want
from convcheck.conformance.outcome import Returned
from convcheck.oracle.expected import Expected

WIDER = "float32"
_HALVES = ("float16", "bfloat16")


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
    shown = dict.fromkeys(_HALVES, 0)
    asked = dict.fromkeys(_HALVES, 0)
    for one in seen:
        dtype = one.case.dtype
        if dtype not in _HALVES or one.problem is not None or not isinstance(one.outcome, Returned):
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
