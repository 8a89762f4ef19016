"""A-priori bounds on the error of a correct implementation, per element. No literal tolerances.

Direct sums. Whatever the order, blocking or use of fused multiply-add, a sum of n products in
round-to-nearest arithmetic of unit roundoff u is within n u sum |w x| of the exact one, without
any condition on n u (Jeannerod and Rump 2013); a product that underflows adds at most the smallest
positive number. A bias counts as one product more. If the sum is kept in a wider format than the
result's, one more rounding follows.

References:
    Higham, "Accuracy and Stability of Numerical Algorithms", chapters 3, 4 and 24.
    Jeannerod and Rump, "Improved error bounds for inner products in floating-point arithmetic",
    SIAM J. Matrix Anal. Appl. 34, 2013.
"""

from __future__ import annotations

import numpy as np

from convcheck.oracle.formats import Format

# float64 arithmetic in which the bounds and differences themselves are computed: a few roundings.
SLACK = 1.0 + 2.0**-48


def direct_bound(
    values: np.ndarray, magnitude: np.ndarray, terms: int, *, accumulate: Format, result: Format
) -> np.ndarray:
    """Returns how far a directly summed element may be from the exact one.

    Args:
        values: The exact sums.
        magnitude: Sum of the absolute values of the terms, per element.
        terms: Number of products, the bias and any later multiplication or division counted.
        accumulate: Format in which the sum is kept.
        result: Format of the result.
    """
    error = terms * (accumulate.unit_roundoff * magnitude + accumulate.smallest)
    error = rounded(error, np.abs(values), accumulate=accumulate, result=result)
    # A partial sum may overflow, and what follows is then nobody's fault.
    return np.where(magnitude > min(accumulate.largest, result.largest), np.inf, error)


def rounded(
    error: np.ndarray, size: np.ndarray, *, accumulate: Format, result: Format
) -> np.ndarray:
    """Returns `error` with the rounding to the result's format added, where that is one more.

    Args:
        error: How far a result may be from the exact one before.
        size: Magnitude of the exact one.
        accumulate: Format in which it is kept until then.
        result: Format of the result.
    """
    if result.unit_roundoff > accumulate.unit_roundoff:
        error = error + result.unit_roundoff * (size + error) + result.smallest
    if result.precision == 53:
        # The expected value is itself rounded to float64.
        error = error + result.unit_roundoff * size
    return error * SLACK
