"""Exact evaluation of a bilinear form on floating-point data, by scaling it to integers.

Every finite binary float is an integer times a power of two. With the powers taken out, a sum of
products is a sum of integers: exact in float64 while no sum of magnitudes passes 2**53, in int64
below 2**63, and in Python's integers always. The same magnitudes say whether *every* order of
summation is exact in the dtype under test, which is when bitwise equality may be asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ldexp

import numpy as np

from convcheck.oracle.formats import Format
from convcheck.oracle.specials import Product, special_sums


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
        product: A bilinear form that works on float64, int64 and object arrays.
        left: Its first argument.
        right: Its second.
        bias: Finite numbers added per channel (axis 1), or None.
        terms: The most products that one element sums.
    """
    arrays = [left, right] if bias is None else [left, right, bias]
    finite = [np.where(np.isfinite(array), array, 0) for array in arrays]
    magnitude = product(*(np.abs(array.astype(np.float64)) for array in finite[:2]))
    if bias is not None:
        magnitude = magnitude + _per_channel(np.abs(finite[2].astype(np.float64)), magnitude.ndim)
    units = [_unit(array) for array in finite]
    unit = units[0] + units[1]
    low = unit if bias is None else min(unit, units[2])
    if float(magnitude.max(initial=0.0)) > ldexp(1.0, min(1023, low + 53)):
        # The float64 sum has itself rounded, by at most (terms + 1) 2**-53 of its value.
        magnitude = magnitude * (1.0 + (terms + 2) * 2.0**-52)
    carrier = _carrier(magnitude, low, finite, units)
    scaled = [_scale(array, -u, carrier) for array, u in zip(finite, units, strict=True)]
    total = product(scaled[0], scaled[1])
    if bias is not None:
        total = total * _power(unit - low, carrier)
        total = total + _per_channel(scaled[2] * _power(units[2] - low, carrier), total.ndim)
    values = _unscale(total, low, integral=left.dtype.kind in "iu")
    unclear = np.zeros(values.shape, dtype=bool)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        special, unclear = special_sums(product, left, right)
        values = np.where(special == 0, values, special)
    return Sum(values=values, magnitude=magnitude, unit=low, unclear=unclear)


def _carrier(
    magnitude: np.ndarray, unit: int, arrays: list[np.ndarray], units: list[int]
) -> type[np.generic]:
    spread = np.log2(float(magnitude.max(initial=0.0)) or 1.0) - unit
    for array, u in zip(arrays, units, strict=True):
        # Elements that no output reads count too: they must fit into the carrier.
        largest = float(np.abs(array.astype(np.float64)).max(initial=0.0))
        spread = max(spread, np.log2(largest or 1.0) - u)
    if spread < 52:
        return np.float64
    return np.int64 if spread < 61 else np.object_


def _unit(array: np.ndarray) -> int:
    """Returns the exponent of the lowest bit that is set in any element; 0 if none is."""
    if array.dtype.kind in "iu":
        return 0
    significand, exponent = np.frexp(array.astype(np.float64))
    whole = np.ldexp(significand, 53).astype(np.int64)
    set_ = whole != 0
    if not set_.any():
        return 0
    lowest = np.log2((whole & -whole)[set_].astype(np.float64)).astype(np.int64)
    return int((exponent[set_] - 53 + lowest).min())


def _scale(array: np.ndarray, power: int, carrier: type[np.generic]) -> np.ndarray:
    if array.dtype.kind in "iu":
        return array.astype(carrier)
    if carrier is not np.object_:
        return np.ldexp(array.astype(np.float64), power).astype(carrier)
    significand, exponent = np.frexp(array.astype(np.float64))
    whole = np.ldexp(significand, 53).astype(np.int64).astype(object)
    shift = exponent.astype(object) - 53 + power
    # Where the shift is negative the bits shifted out are zeros, by the choice of the unit.
    return np.frompyfunc(lambda m, s: m << s if s >= 0 else m >> -s, 2, 1)(whole, shift)


def _power(exponent: int, carrier: type[np.generic]) -> int | float:
    return 2.0**exponent if carrier is np.float64 else 2**exponent


def _unscale(total: np.ndarray, unit: int, *, integral: bool) -> np.ndarray:
    if integral:
        return total.astype(np.int64)
    if total.dtype != object:
        # Below 2**53 the conversion is exact; int64 sums above it round once, correctly.
        return np.ldexp(total.astype(np.float64), unit)
    # int / int is correctly rounded in Python, whatever the sizes.
    quotient = lambda m: m / (1 << -unit) if unit < 0 else float(m << unit)  # noqa: E731
    return np.asarray(np.frompyfunc(quotient, 1, 1)(total)).astype(np.float64)


def _per_channel(bias: np.ndarray, ndim: int) -> np.ndarray:
    return bias.reshape((1, -1, *[1] * (ndim - 2)))
