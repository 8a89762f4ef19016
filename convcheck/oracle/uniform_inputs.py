"""Arrays that code looks for to save itself the work: zeros, ones, kernels that are nearly boxes.

A kernel of ones is a running sum, one of rank one a product of two, a datum or gradient of zero
nothing to do, and zeros at a kernel's ends nothing to read: each of these shortcuts can be wrong.
"""

from __future__ import annotations

import numpy as np

from convcheck.core.case import Case
from convcheck.core.spec import SequenceSpec
from convcheck.oracle.formats import Format
from convcheck.oracle.random_bits import below, chance

Arrays = dict[str, np.ndarray]

BIASES = ("b", "grad_grad_b")


def uniform(case: Case, arrays: Arrays, chosen: Format) -> Arrays:
    """Returns small integers as the uniform families have them; those of other families as given.

    "near_ones" is in units of 2**-`fraction_bits`; "large_ones" is not made here.
    """
    first = next(iter(arrays))
    if case.values == "all_zeros":
        return {**arrays, first: np.zeros_like(arrays[first])}
    if case.values == "zero_ends":
        ended = arrays if isinstance(case.spec, SequenceSpec) else arrays.keys() & {"w"}
        return {**arrays, **{name: _zero_ends(arrays[name], name == "w") for name in ended}}
    if case.values not in ("all_ones", "near_ones", "balanced") or not chosen.signed:
        return arrays
    changed = {}
    for name, array in arrays.items():
        if case.values == "near_ones":
            changed[name] = _near_ones(name, array, first, fraction_bits(chosen))
        elif name not in BIASES and case.values == "all_ones":
            changed[name] = (array != 0).astype(array.dtype)  # as many as the sums have room for
        elif name not in BIASES:
            changed[name] = _balanced(array)
    return {**arrays, **changed}


def fraction_bits(chosen: Format) -> int:
    """Returns the bit by which "near_ones" differs from ones: half of the significand."""
    return chosen.precision // 2 if chosen.is_float else 0


def large_ones(
    case: Case, shapes: dict[str, tuple[int, ...]], terms: int, chosen: Format
) -> Arrays:
    """Returns a first argument that uses every bit a window's sum leaves, and ones.

    A running sum over the whole of it passes what the dtype counts exactly; no window does.
    """
    first, *others = shapes
    top = max(1, chosen.budget // max(1, terms + 1))
    values = top - below((case.seed, first, "large"), shapes[first], top // 2 + 1)
    if chosen.signed:
        values = np.where(chance((case.seed, first, "sign"), shapes[first], 2), -values, values)
    arrays = {first: values}
    for name in others:
        arrays[name] = np.full(shapes[name], name not in BIASES, dtype=np.int64)
    return arrays


def _near_ones(name: str, array: np.ndarray, first: str, bits: int) -> np.ndarray:
    if name in BIASES:
        return array * 2**bits
    if name == first:
        return array
    if name not in ("w", "g"):
        return np.ones(array.shape, dtype=np.int64)
    near = np.full(array.shape, 2**bits, dtype=np.int64)
    if near.size:
        near.reshape(len(near) if name == "w" else 1, -1)[:, -1] += 1  # the last of each filter
    return near


def _balanced(array: np.ndarray) -> np.ndarray:
    flat = array.ravel()
    half = flat[: flat.size // 2]
    middle = flat[:0] if flat.size % 2 == 0 else np.zeros(1, array.dtype)
    return np.concatenate([half, middle, -half]).reshape(array.shape)


def _zero_ends(array: np.ndarray, is_weight: bool) -> np.ndarray:
    ended = array.copy()
    for axis in range(2 if is_weight else 0, array.ndim):
        if array.shape[axis] > 2:
            np.moveaxis(ended, axis, 0)[[0, -1]] = 0
    return ended
