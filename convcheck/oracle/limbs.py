"""Bilinear forms of integers of any size, exact, by float64 arithmetic on limbs.

Every finite binary float is an integer times a power of two. Cut into limbs of few enough bits,
the integers multiply and sum in float64 without rounding, at the speed of its matrix products;
only the results are put together in Python's integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Product = Callable[[np.ndarray, np.ndarray], np.ndarray]


def unit_exponent(array: np.ndarray) -> int:
    """Returns the exponent of the lowest bit that is set in any element; 0 if none is."""
    if array.dtype.kind in "iu":
        return 0
    whole, exponent = _significands(array)
    set_ = whole != 0
    if not set_.any():
        return 0
    lowest = np.log2((whole & -whole)[set_].astype(np.float64)).astype(np.int64)
    return int((exponent[set_] + lowest).min())


def bit_length(array: np.ndarray, unit: int) -> int:
    """Returns how many bits the largest element needs, in units of 2**unit."""
    if array.dtype.kind in "iu":
        largest = max(abs(int(array.min(initial=0))), int(array.max(initial=0)))
        return largest.bit_length() - unit
    _, exponent = np.frexp(np.abs(array.astype(np.float64)).max(initial=0.0))
    return max(0, int(exponent) - unit)


def exact_product(
    product: Product, left: np.ndarray, right: np.ndarray, units: tuple[int, int], *, terms: int
) -> np.ndarray:
    """Returns `product(left, right)` as an object array of ints, in units of 2**sum(units).

    Args:
        product: A bilinear form on float64 arrays.
        left: Its first argument: finite numbers, multiples of 2**units[0].
        right: Its second: multiples of 2**units[1].
        units: See above.
        terms: The most products that one element sums.
    """
    width = (52 - terms.bit_length()) // 2
    rights = list(_limbs(right, units[1], width))
    places: dict[int, np.ndarray] = {}
    for i, high in enumerate(_limbs(left, units[0], width)):
        for j, low in enumerate(rights):
            part = product(high, low).astype(np.int64).astype(object)
            places[i + j] = places[i + j] + part if i + j in places else part
    return sum((part << (place * width) for place, part in places.items()), np.array(0, object))


def whole_numbers(array: np.ndarray, unit: int) -> np.ndarray:
    """Returns `array` / 2**unit as an object array of Python ints; the quotients are whole."""
    total = np.zeros(array.shape, dtype=object)
    for place, limb in enumerate(_limbs(array, unit, 26)):
        total = total + (limb.astype(np.int64).astype(object) << (26 * place))
    return np.asarray(total, dtype=object)


def _significands(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns int64 m and e with array = m 2**e."""
    if array.dtype.kind in "iu":
        return array.astype(np.int64), np.zeros(array.shape, dtype=np.int64)
    significand, exponent = np.frexp(array.astype(np.float64))
    return np.ldexp(significand, 53).astype(np.int64), exponent.astype(np.int64) - 53


def _limbs(array: np.ndarray, unit: int, width: int) -> Iterator[np.ndarray]:
    """Yields the limbs of array / 2**unit, the lowest first, as signed float64 of `width` bits."""
    whole, exponent = _significands(array)
    shift = exponent - unit
    # The bits that a negative shift takes off are zeros, by the choice of the unit.
    magnitude = np.abs(whole) >> np.clip(-shift, 0, 63)
    shift = np.where(whole == 0, 0, np.maximum(shift, 0))
    mask = 2**width - 1
    for place in range(-(-max(1, bit_length(array, unit)) // width)):
        drop = place * width - shift
        down = (magnitude >> np.clip(drop, 0, 63)) & mask
        up = ((magnitude & mask) << np.clip(-drop, 0, width)) & mask
        yield np.sign(whole) * np.where(drop >= 0, down, np.where(-drop < width, up, 0)).astype(
            np.float64
        )
