"""The comparison: shape and dtype first, then NaN and infinity positions, then values.

It never broadcasts, never stops before every element is counted, and never passes on nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from convcheck.core.verdict import Verdict
from convcheck.oracle.expected import ExpectedArray
from convcheck.oracle.formats import FORMATS

Kind = Literal[
    "equal", "within_bound", "type", "shape", "dtype", "nonfinite", "value", "sign", "empty"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How an actual array compares with the expected one.

    Attributes:
        verdict: PASS, FAIL, or UNKNOWN where no element could be judged.
        kind: What decided, for a machine.
        reason: What decided, in one sentence.
        first_index: Index of the first wrong element in row-major order, or None.
        expected: The expected value there.
        actual: The actual value there.
        bound: The difference that was allowed there; 0 where bits were compared.
        different: Number of wrong elements.
        compared: Number of elements judged.
        informative: Number of elements judged whose expected value is not zero: an array of zeros
            passes on the others.
        largest_ratio: Largest |actual - expected| / bound over finite elements with a bound; 0
            where bits were compared.
    """

    verdict: Verdict
    kind: Kind
    reason: str
    first_index: tuple[int, ...] | None = None
    expected: float | int | None = None
    actual: float | int | None = None
    bound: float = 0.0
    different: int = 0
    compared: int = 0
    informative: int = 0
    largest_ratio: float = 0.0


def compare(
    expected: ExpectedArray,
    actual: np.ndarray,
    dtype: str,
    *,
    signed_zeros: bool = False,
) -> Comparison:
    """Returns whether `actual` is what it must be.

    Args:
        expected: What it must be.
        actual: The array under test; of bfloat16, its values as float32.
        dtype: Name of the dtype under test, as bfloat16 cannot be told from its carrier.
        signed_zeros: Whether -0.0 differs from 0.0 where bits are compared.
    """
    if not isinstance(actual, np.ndarray) or actual.dtype == object:
        found = actual.dtype if isinstance(actual, np.ndarray) else type(actual).__name__
        return _fail("type", f"the result is no array of numbers: {found}")
    if actual.shape != expected.shape:
        return _fail("shape", f"shape {actual.shape} where {expected.shape} was expected")
    if dtype != expected.dtype or actual.dtype != FORMATS[expected.dtype].carrier:
        return _fail("dtype", f"dtype {dtype} where {expected.dtype} was expected")
    wanted = expected.values
    judged = ~np.isposinf(expected.bound)
    compared = int(judged.sum())
    if not compared:
        empty = "the array is empty" if not wanted.size else "no element has a finite bound"
        return Comparison(
            verdict=Verdict.UNKNOWN, kind="empty", reason=f"{empty}; nothing compared"
        )
    special = ~np.isfinite(wanted) | ~np.isfinite(actual)
    same_special = (np.isnan(wanted) & np.isnan(actual)) | (wanted == actual)
    difference = _differences(wanted, actual, special)
    wrong_special = judged & special & ~same_special
    wrong = wrong_special | (judged & ~special & ~(difference <= expected.bound))
    wrong_sign = np.zeros_like(wrong)
    if signed_zeros and wanted.dtype.kind == "f":
        zeros = judged & (wanted == 0) & (actual == 0)
        wrong_sign = zeros & (np.signbit(wanted) != np.signbit(actual))
    informative = int((judged & (wanted != 0)).sum())
    ratio = _largest_ratio(difference, expected.bound, judged & ~special)
    different = int((wrong | wrong_sign).sum())
    if not different:
        exact = not expected.bound[judged].any()
        return Comparison(
            verdict=Verdict.PASS,
            kind="equal" if exact else "within_bound",
            reason=f"{compared} elements " + ("equal" if exact else "within the bound"),
            compared=compared,
            informative=informative,
            largest_ratio=ratio,
        )
    kind: Kind = "nonfinite" if wrong_special.any() else "value" if wrong.any() else "sign"
    first = wrong_special if wrong_special.any() else wrong | wrong_sign
    index = tuple(map(int, np.unravel_index(int(np.argmax(first)), first.shape)))
    return Comparison(
        verdict=Verdict.FAIL,
        kind=kind,
        reason=_reason(kind, index, wanted[index], actual[index], float(expected.bound[index]))
        + f"; {different} of {compared} elements differ",
        first_index=index,
        expected=wanted[index].item(),
        actual=actual[index].item(),
        bound=float(expected.bound[index]),
        different=different,
        compared=compared,
        informative=informative,
        largest_ratio=ratio,
    )


def _differences(wanted: np.ndarray, actual: np.ndarray, special: np.ndarray) -> np.ndarray:
    """Returns |actual - wanted| as float64, 0 at special values; integers never wrap."""
    if wanted.dtype.kind in "iu":
        both = (wanted, actual)
        if all(a.min(initial=0) >= -(2**31) and a.max(initial=0) < 2**31 for a in both):
            return np.abs(actual.astype(np.int64) - wanted.astype(np.int64)).astype(np.float64)
        # Python's integers: uint8 would wrap, and int64 differences pass what float64 can hold.
        gap = np.abs(actual.astype(object) - wanted.astype(object))
        return gap.astype(np.float64)
    with np.errstate(over="ignore"):
        return np.abs(np.where(special, 0.0, actual) - np.where(special, 0.0, wanted))


def _largest_ratio(difference: np.ndarray, bound: np.ndarray, judged: np.ndarray) -> float:
    bounded = judged & (bound > 0)
    with np.errstate(over="ignore"):
        return float((difference[bounded] / bound[bounded]).max(initial=0.0))


def _reason(
    kind: Kind, index: tuple[int, ...], wanted: object, actual: object, bound: float
) -> str:
    where = f"element {index} is {actual!s} where {wanted!s} was expected"
    if kind == "sign":
        return f"{where} (the sign of zero)"
    return where + (f", more than {bound:.3g} away" if kind == "value" and bound else "")


def _fail(kind: Kind, reason: str) -> Comparison:
    return Comparison(verdict=Verdict.FAIL, kind=kind, reason=reason)
