"""Number formats: significand, unit roundoff, range, rounding and distance in ulps, per dtype.

NumPy has no bfloat16; its values are carried as float32, with the dtype's name beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ldexp

import numpy as np

from convcheck.core.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Format:
    """One element type.

    Attributes:
        name: As in `core.case.Dtype`.
        carrier: The NumPy type in which its values are held.
        precision: Bits of the significand, the hidden one counted; of the magnitude for integers.
        min_exponent: Exponent of the smallest normal number; 0 for integers.
        max_exponent: Exponent of the largest power of two that is finite; 0 for integers.
        signed: Whether it has negative values.
    """

    name: str
    carrier: type[np.generic]
    precision: int
    min_exponent: int = 0
    max_exponent: int = 0
    signed: bool = True

    @property
    def is_float(self) -> bool:
        """Whether this is a floating-point format."""
        return self.max_exponent > 0

    @property
    def unit_roundoff(self) -> float:
        """Half the distance from 1 to the next larger number; 0 for integers, which never round."""
        return ldexp(1.0, -self.precision) if self.is_float else 0.0

    @property
    def smallest(self) -> float:
        """The smallest positive number, subnormals included; 0 for integers."""
        if not self.is_float:
            return 0.0
        return ldexp(1.0, self.min_exponent - self.precision + 1)

    @property
    def budget(self) -> int:
        """The largest M such that every integer of magnitude up to M is exact in this format."""
        return 2**self.precision if self.is_float else 2**self.precision - 1

    @property
    def largest(self) -> float:
        """The largest finite value."""
        if not self.is_float:
            return float(self.budget)
        return ldexp(2.0 - ldexp(1.0, 1 - self.precision), self.max_exponent)


FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        Format("float64", np.float64, 53, -1022, 1023),
        Format("float32", np.float32, 24, -126, 127),
        Format("float16", np.float16, 11, -14, 15),
        Format("bfloat16", np.float32, 8, -126, 127),
        Format("int64", np.int64, 63),
        Format("int32", np.int32, 31),
        Format("int16", np.int16, 15),
        Format("int8", np.int8, 7),
        Format("uint8", np.uint8, 8, signed=False),
    )
}


def find_format(name: str) -> Format:
    """Returns the format of that dtype.

    Raises:
        UsageError: There is none.
    """
    if name not in FORMATS:
        raise UsageError(f"dtype {name!r} is unknown", fix=nearest(name, FORMATS))
    return FORMATS[name]


def round_to(values: np.ndarray, dtype: str) -> np.ndarray:
    """Returns float64 `values` rounded to nearest-even in `dtype`, in that dtype's carrier."""
    chosen = find_format(dtype)
    with np.errstate(over="ignore", under="ignore"):
        if dtype != "bfloat16":
            return values.astype(chosen.carrier)
        # Round to odd in float32 first, so that the second rounding cannot tip a tie.
        wide = np.asarray(values, dtype=np.float64)
        narrow = wide.astype(np.float32)
    bits = narrow.view(np.uint32).copy()
    inexact = np.isfinite(wide) & np.isfinite(narrow) & (narrow.astype(np.float64) != wide)
    too_far = inexact & (np.abs(narrow.astype(np.float64)) > np.abs(wide))
    bits[too_far] -= 1
    bits[inexact] |= 1
    kept = bits + 0x7FFF + ((bits >> 16) & 1)
    kept = np.where(np.isnan(narrow), bits | 0x400000, kept) & np.uint32(0xFFFF0000)
    return kept.astype(np.uint32).view(np.float32)


def ulp_distance(first: np.ndarray, second: np.ndarray, dtype: str) -> np.ndarray:
    """Returns how many representable values lie between, as float64; NaN where either is NaN.

    Integers are at the distance of their difference; zero of either sign is one value.
    """
    chosen = find_format(dtype)
    if not chosen.is_float:
        return np.abs(first.astype(np.float64) - second.astype(np.float64))
    distance = np.abs(_ordinal(first, chosen) - _ordinal(second, chosen)).astype(np.float64)
    return np.where(np.isnan(first) | np.isnan(second), np.nan, distance)


def _ordinal(values: np.ndarray, chosen: Format) -> np.ndarray:
    """Returns the place of each value in the order of the format, zero at 0."""
    carried = np.ascontiguousarray(values, dtype=chosen.carrier)
    width = carried.dtype.itemsize * 8
    bits = carried.view(f"i{width // 8}").astype(object)
    if chosen.name == "bfloat16":
        bits, width = bits >> 16, 16
    sign_free = bits & (2 ** (width - 1) - 1)
    return np.where(np.signbit(carried), -sign_free, sign_free)
