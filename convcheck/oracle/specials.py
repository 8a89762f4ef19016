"""Where NaN and infinities reach a sum of products, and where implementations may differ.

IEEE arithmetic fixes the class of a sum whatever its order: NaN if a term is NaN or infinities of
both signs meet, else the infinity. Only one thing is left open: a padded zero times an infinity is
NaN where the zero is stored, and nothing where the tap is skipped. Such elements are not judged.
"""

from __future__ import annotations

import numpy as np

from convcheck.oracle.limbs import Product


def special_sums(
    product: Product, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the special value of each element (0 where it is finite), and where it is open.

    Args:
        product: The bilinear form, on float64 arrays, with padding stored as zeros.
        left: Its first argument.
        right: Its second.
    """
    left, right = left.astype(np.float64), right.astype(np.float64)
    finite_l, finite_r = np.isfinite(left), np.isfinite(right)

    def count(first: np.ndarray, second: np.ndarray) -> np.ndarray | np.bool_:
        """Whether some term has its factors in `first` and in `second`."""
        if not (first.any() and second.any()):
            return np.False_
        return product(first.astype(np.float64), second.astype(np.float64)) > 0

    def any_of(first: np.ndarray, second: np.ndarray) -> np.ndarray | np.bool_:
        """The same, one of the factors being not finite."""
        return count(first & ~finite_l, second) | count(first & finite_l, second & ~finite_r)

    up_l, up_r, down_l, down_r = left > 0, right > 0, left < 0, right < 0
    rises = any_of(up_l, up_r) | any_of(down_l, down_r)
    falls = any_of(up_l, down_r) | any_of(down_l, up_r)
    whole_l, whole_r = np.ones_like(finite_l), np.ones_like(finite_r)
    void = count(np.isnan(left), whole_r) | count(whole_l, np.isnan(right))
    void = void | count(np.isinf(left), right == 0) | count(left == 0, np.isinf(right))
    values = np.where(rises, np.inf, np.where(falls, -np.inf, 0.0))
    values = np.where(void | (rises & falls), np.nan, values)
    with np.errstate(invalid="ignore"):
        stored = product(left, right)
    stored = np.where(np.isfinite(stored), 0.0, stored)
    same = (stored == values) | (np.isnan(stored) & np.isnan(values))
    return values, ~same
