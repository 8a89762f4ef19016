"""Exact evaluation of a bilinear form on floating-point data, by scaling it to integers.

With the powers of two taken out, a sum of products is a sum of integers: exact in float64 while no
sum of magnitudes passes 2**53, and by limbs always. The same magnitudes say whether *every* order
of summation is exact in the dtype under test, which is when bitwise equality may be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, ldexp

import numpy as np

from convcheck.oracle.formats import Format
from convcheck.oracle.limbs import (
    Product,
    bit_length,
    exact_product,
    unit_exponent,
    whole_numbers,
)
from convcheck.oracle.specials import special_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """An evaluated form.

    Attributes:
        values: The result, correctly rounded to float64, or int64 for integer data. Elements that
            a NaN or infinity reaches hold what IEEE arithmetic gives, in whatever order.
        magnitude: Sum of the absolute values of the terms, from above; what bounds are made of.
        unit: Exponent of the power of two of which every term is an integer multiple.
        unclear: Where correct implementations may differ; see `oracle.specials`.
    """

    values: np.ndarray
    magnitude: np.ndarray
    unit: int
    unclear: np.ndarray

    def is_exact_in(self, chosen: Format) -> bool:
        """Whether every partial sum, in every order, is a value of that format."""
        largest = float(self.magnitude.max(initial=0.0))
        if not chosen.is_float:
            return self.unit >= 0 and largest <= chosen.budget
        lowest = chosen.min_exponent - chosen.precision + 1
        return (
            largest <= ldexp(1.0, min(1023, self.unit + chosen.precision))
            and largest <= chosen.largest
            and self.unit >= lowest
        )


def evaluate(
    product: Product,
    left: np.ndarray,
    right: np.ndarray,
    bias: np.ndarray | None,
    *,
    terms: int,
) -> Sum:
    """Returns `product(left, right) + bias`, exactly, with the magnitude of its terms.

    Args:
        product: A bilinear form on float64 arrays.
        left: Its first argument.
        right: Its second.
        bias: Numbers added per channel (axis 1), or None.
        terms: The most products that one element sums.
    """
    arrays = [left, right] if bias is None else [left, right, bias]
    finite = [np.where(np.isfinite(array), array, 0) for array in arrays]
    magnitude = product(*(np.abs(array.astype(np.float64)) for array in finite[:2]))
    if bias is not None:
        magnitude = magnitude + _per_channel(np.abs(finite[2].astype(np.float64)), magnitude.ndim)
    units = [unit_exponent(array) for array in finite]
    unit = units[0] + units[1]
    low = unit if bias is None or not finite[2].any() else min(unit, units[2])
    bits = _bits(magnitude, low)
    if bits > 52:
        # The float64 sum has itself rounded, by at most (terms + 1) 2**-53 of its value.
        magnitude = magnitude * (1.0 + (terms + 2) * 2.0**-52)
    # Elements that no output reads count too: they must fit into the carrier.
    if max(bits, *map(bit_length, finite, units)) <= 52:
        scaled = (
            np.ldexp(a.astype(np.float64), -u) for a, u in zip(finite[:2], units, strict=False)
        )
        total = product(*scaled)
        if bias is not None:
            total = np.ldexp(total, unit - low)
            total = total + _per_channel(np.ldexp(finite[2].astype(np.float64), -low), total.ndim)
    else:
        pair = units[0], units[1]
        total = exact_product(product, finite[0], finite[1], pair, terms=terms)
        if bias is not None:
            total = total << (unit - low)
            total = total + _per_channel(whole_numbers(finite[2], low), total.ndim)
    values = _unscale(total, low, integral=left.dtype.kind in "iu")
    unclear = np.zeros(values.shape, dtype=bool)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        special, unclear = special_sums(product, left, right)
        values = np.where(special == 0, values, special)
    if bias is not None and not np.isfinite(bias).all():
        infinite = np.where(np.isfinite(bias), 0.0, bias.astype(np.float64))
        with np.errstate(invalid="ignore"):  # infinity - infinity is NaN, and meant
            values = values + _per_channel(infinite, values.ndim)
    return Sum(values=values, magnitude=magnitude, unit=low, unclear=unclear)


def sum_of_small_integers(
    product: Product,
    left: np.ndarray,
    right: np.ndarray,
    bias: np.ndarray | None,
    *,
    terms: int,
    budget: int,
) -> Sum | None:
    """Returns what `evaluate` does, at half its cost, where a glance shows that nothing rounds.

    That is where all data are integers, and the largest product, `terms` times, is within
    `budget`; its magnitude is then that product for every element, and no tighter.
    """
    arrays = [left, right] if bias is None else [left, right, bias]
    whole = [array.astype(np.float64) for array in arrays]
    peaks = [float(np.abs(array).max(initial=0.0)) for array in whole]
    largest = peaks[0] * peaks[1] * terms + sum(peaks[2:])
    if not largest <= min(budget, 2**52) or any((np.trunc(a) != a).any() for a in whole):
        return None
    total = product(*whole[:2])
    if bias is not None:
        total = total + _per_channel(whole[2], total.ndim)
    values = total.astype(np.int64) if left.dtype.kind in "iu" else total
    return Sum(
        values=values,
        magnitude=np.full(total.shape, largest),
        unit=0,
        unclear=np.zeros(total.shape, dtype=bool),
    )


def _bits(magnitude: np.ndarray, unit: int) -> int:
    _, exponent = np.frexp(magnitude.max(initial=0.0))
    return int(exponent) - unit


def _unscale(total: np.ndarray, unit: int, *, integral: bool) -> np.ndarray:
    if integral:
        # Sums beyond 64 bits wrap, as they do in C; no bound is given where they can.
        wrapped = total if total.dtype != object else (total + 2**63) % 2**64 - 2**63
        return wrapped.astype(np.int64)
    if total.dtype != object:
        return np.ldexp(total, unit)
    return np.asarray(np.frompyfunc(_rounded, 2, 1)(total, unit)).astype(np.float64)


def _rounded(whole: int, unit: int) -> float:
    """Returns whole * 2**unit, correctly rounded: int / int is, in Python, whatever the sizes."""
    try:
        return whole / (1 << -unit) if unit < 0 else float(whole << unit)
    except OverflowError:
        return inf if whole > 0 else -inf


def _per_channel(bias: np.ndarray, ndim: int) -> np.ndarray:
    return bias.reshape((1, -1, *[1] * (ndim - 2)))
