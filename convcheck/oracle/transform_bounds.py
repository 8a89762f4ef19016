"""Bounds by norms, for algorithms that transform before they multiply: Winograd and FFT.

Such algorithms mix all elements of a tile, so that an element's error is not small where the
element is: one number bounds them all. They are a licence that a caller must ask for by name.

Winograd. An output is A'[(G w) . (B' x)], summed over channels, per axis nested. With absolute
row sums g and b of G and B', an axis amplifies by kappa = max over rows of sum |A'| g b. At most
n = axes (2 alpha + k + 2) + C roundings lie on the way of any product, for tiles of alpha points,
so that |error| <= n u kappa**axes C max|w| max|x| / (1 - n u).

FFT. With t levels, a transform of x has relative error t eta in the 2-norm (Higham, theorem 24.2),
eta = u + gamma_4 (sqrt 2 + u). Through the two forward transforms this costs t eta |x|_2 |w|_2 each
(Cauchy-Schwarz, Parseval), through the product sqrt(5) u |x|_2 |w|_2, and through the inverse
t eta |y|_2 with |y|_2 <= min(|x|_1 |w|_2, |x|_2 |w|_1).

References:
    Lavin and Gray, "Fast algorithms for convolutional neural networks", 2015.
    Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution", 2020.
    Higham, "Accuracy and Stability of Numerical Algorithms", chapter 24.
    Brent, Percival and Zimmermann, "Error bounds on complex floating-point multiplication", 2007.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, inf, log2, prod, sqrt

import numpy as np

# The points 0, 1, -1, 2, -2 and infinity of F(4, 3), the largest tile in common use.
_POINTS = (0, 1, -1, 2, -2)
_ALPHA = len(_POINTS) + 1


def winograd_amplification(kernel_size: int) -> Fraction:
    """Returns kappa of F(7 - k, k) on six points, for kernels of 2 to 5 taps; else 1.

    References:
        `cookToomFilter` of wincnn; for k = 3 these are the matrices of Lavin and Gray.
    """
    outputs = _ALPHA + 1 - kernel_size
    if not 2 <= kernel_size <= _ALPHA - 1:
        return Fraction(1)
    sums = []
    for point in _POINTS:
        others = [other for other in _POINTS if other != point]
        norm = prod(point - other for other in others)
        of_g = sum(Fraction(abs(point) ** j, abs(norm)) for j in range(kernel_size))
        sums.append(of_g * _coefficient_sum(others))
    at_infinity = Fraction(_coefficient_sum(list(_POINTS)))
    rows = []
    for row in range(outputs):
        total = sum(abs(point) ** row * both for point, both in zip(_POINTS, sums, strict=True))
        rows.append(total + (at_infinity if row == outputs - 1 else 0))
    return max(rows)


def winograd_bound(
    left: np.ndarray, right: np.ndarray, *, kernel_size: tuple[int, ...], channels: int, unit: float
) -> float:
    """Returns how far any element of a Winograd convolution may be from the exact one."""
    kappa = prod(winograd_amplification(k) for k in kernel_size)
    roundings = sum(2 * _ALPHA + k + 2 for k in kernel_size) + channels
    growth = 1 - roundings * unit
    if growth <= 0:
        return inf
    size = channels * _largest(left) * _largest(right)
    return roundings * unit * float(kappa) * size / growth


def fft_bound(
    left: np.ndarray, right: np.ndarray, *, lengths: tuple[int, ...], unit: float
) -> float:
    """Returns how far any element of an FFT convolution may be from the exact one.

    Args:
        left: The first argument.
        right: The second argument.
        lengths: Extent of the linear convolution per axis. A transform may be up to twice as long,
            and a chirp (Bluestein) takes two more of twice that length: 3 log2(4 length) levels.
        unit: Unit roundoff of the transforms.
    """
    levels = sum(3 * ceil(log2(4 * length)) for length in lengths)
    gamma = 4 * unit / (1 - 4 * unit)
    eta = unit + gamma * (sqrt(2) + unit)
    if levels * eta >= 1:
        return inf
    one_l, two_l = _norms(left)
    one_r, two_r = _norms(right)
    forward = 2 * levels * eta + sqrt(5) * unit
    inverse = levels * eta
    first_order = forward * two_l * two_r + inverse * min(one_l * two_r, two_l * one_r)
    return first_order / (1 - levels * eta) ** 2


def _coefficient_sum(roots: list[int]) -> int:
    """Returns the sum of the absolute coefficients of the monic polynomial with these roots."""
    coefficients = [1]
    for root in roots:
        shifted, scaled = [*coefficients, 0], [0, *(-root * c for c in coefficients)]
        coefficients = [a + b for a, b in zip(shifted, scaled, strict=True)]
    return sum(map(abs, coefficients))


def _largest(array: np.ndarray) -> float:
    return float(np.abs(array.astype(np.float64)).max(initial=0.0))


def _norms(array: np.ndarray) -> tuple[float, float]:
    flat = np.abs(array.astype(np.float64)).ravel()
    return float(flat.sum()), float(np.sqrt((flat**2).sum()))
