"""NaN, infinities and zeros of both signs, planted where code may lose, spread or skip them."""

from __future__ import annotations

from math import prod

import numpy as np

from convcheck.core.case import Case
from convcheck.oracle.random_bits import words

Arrays = dict[str, np.ndarray]


def with_specials(case: Case, arrays: Arrays) -> Arrays:
    """Returns the arrays with what "nonfinite" and "negative_zero" plant in them.

    The first argument has them: for "nonfinite" a NaN and both infinities. The seed decides on
    more: of each four, one has a bias with an infinity, or a NaN in it; one has zeros among the
    weights, and one in eight an infinite weight that meets zeros instead of what the data have. A
    gradient of one seed in four is zero for a sample whose data have them.
    """
    first = next(iter(arrays))
    if case.values == "negative_zero":
        count = arrays[first].size // 32
        planted = _planted(case, arrays, first, (-0.0, 0.0, -0.0), count)
        if "b" in arrays and len(arrays["b"]) > 1:
            planted["b"] = np.concatenate([[0], arrays["b"][1:]])
        return {**arrays, **planted}
    if case.values != "nonfinite":
        return arrays
    changed: Arrays = {}
    if "b" in arrays and case.seed % 4 == 2:
        special = np.nan if case.seed % 8 == 6 else np.inf
        changed["b"] = np.concatenate([arrays["b"][:-1], [special]])
    if first == "x" and "w" in arrays and case.seed % 8 == 4 and _is_matrix(arrays["w"]):
        infinite = arrays["w"].astype(np.float64)
        infinite.flat[infinite.size // 2] = np.inf
        count = max(1, arrays[first].size // 4)
        return {**arrays, **_planted(case, arrays, first, (0.0,), count), "w": infinite}
    if "w" in arrays and case.seed % 4 == 3 and _is_matrix(arrays["w"]):
        changed["w"] = _with_zeros(arrays["w"])
    if first == "grad_output" and case.seed % 4 == 3 and case.batch > 1:
        # Who leaves out a sample whose gradient is zero loses a NaN among its data.
        changed[first] = arrays[first].copy()
        changed[first][0] = 0
        first = "x"
    specials = (np.nan, np.inf, -np.inf)
    return {**arrays, **changed, **_planted(case, arrays, first, specials, 3)}


def _planted(
    case: Case, arrays: Arrays, name: str, specials: tuple[float, ...], most: int
) -> Arrays:
    """Returns the array with specials in some places; so few that most results stay finite."""
    flat = arrays[name].astype(np.float64).ravel()
    order = words((case.seed, name, "planted"), (flat.size,)).argsort(kind="stable")
    if len(specials) == 3:
        # Of each kind where there is room.
        most = min(most, flat.size // 16)
    count = min(flat.size, max(1, most))
    places = list(order[:count])
    if case.values == "nonfinite" and count:
        # One at the very start, where code may look that masks instead of leaving out; the next
        # beside it for odd seeds, so that one window holds two of a kind or of both.
        places[: 1 + case.seed % 2] = range(min(count, 1 + case.seed % 2))
    for place, position in enumerate(places):
        flat[position] = specials[(place + case.seed) % len(specials)]
    return {name: flat.reshape(arrays[name].shape)}


def _is_matrix(w: np.ndarray) -> bool:
    """Whether no axis is of one element.

    Libraries of linear algebra leave out a scalar of zero, whether it meets a NaN or not.
    """
    return min(w.shape[0], w.shape[1], prod(w.shape[2:])) > 1


def _with_zeros(weights: np.ndarray) -> np.ndarray:
    """Returns the weights with a filter, and the middle tap of each, of zeros."""
    w = np.array(weights, order="C")
    w[0] = 0
    taps = w.reshape(*w.shape[:2], -1)  # a view: the copy is contiguous
    taps[..., taps.shape[2] // 2] = 0
    return w
