"""Max and average pooling, exact, by torch's rules for ties, NaN, rounding up and divisors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from convcheck.core.spec import PoolSpec
from convcheck.oracle.taps import Index, axis_reads, output_spatial

OUTSIDE = -1


def max_pool(x: np.ndarray, spec: PoolSpec) -> tuple[np.ndarray, np.ndarray]:
    """Returns the maxima and the flat input index of each, both (N, C, *output).

    The first of equal elements wins; a NaN beats everything, the last of several. A window that
    meets no input (possible where it is dilated) gives -inf and the index -1.

    References:
        ATen/native/cpu/MaxPoolKernel.cpp: `if ((val > maxval) || std::isnan(val))`.
    """
    sources = window_sources(spec, x.shape[2:])
    flat = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    shape = (*x.shape[:2], *sources.shape[1:])
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    best = np.full(shape, lowest, dtype=x.dtype)
    index = np.full(shape, OUTSIDE, dtype=np.int64)
    for source in sources:
        inside = source != OUTSIDE
        value = flat[..., np.where(inside, source, 0)]
        wins = inside & ((value > best) | np.isnan(value) | (index == OUTSIDE))
        best = np.where(wins, value, best)
        index = np.where(wins, source, index)
    return best, index


def avg_pool(x: np.ndarray, spec: PoolSpec) -> tuple[np.ndarray, np.ndarray]:
    """Returns the window sums (N, C, *output) and their divisors (*output): the average's parts.

    They are kept apart so that the quotient can stay exact, as a Fraction, for whoever needs it.
    """
    return window_sum(x, spec), divisors(spec, x.shape[2:])


def window_sum(x: np.ndarray, spec: PoolSpec) -> np.ndarray:
    """Returns the sum of each window, padding counting as zero, in the carrier of `x`."""
    sources = window_sources(spec, x.shape[2:])
    flat = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    flat = np.concatenate([flat, np.zeros((*x.shape[:2], 1), dtype=x.dtype)], axis=2)
    total = np.zeros((*x.shape[:2], *sources.shape[1:]), dtype=x.dtype)
    for source in sources:
        total = total + flat[..., source]
    return total


def divisors(spec: PoolSpec, spatial: Index) -> np.ndarray:
    """Returns the divisor of each window of an average pooling, int64, shape `output`.

    Along each axis a window covers [o s - p, o s - p + k), cut at the end of the padding; the part
    in the input alone counts where `count_include_pad` is unset. With `ceil_mode` the last window
    may thus divide by less than its kernel.

    References:
        ATen/native/cpu/AvgPoolKernel.cpp, `pool_size` and `divide_factor`.
    """
    assert spec.stride is not None
    result = np.ones((), dtype=np.int64)
    for axis, (size, out) in enumerate(zip(spatial, output_spatial(spec, spatial), strict=True)):
        before, after = spec.padding[axis]
        start = np.arange(out) * spec.stride[axis] - before
        end = np.minimum(start + spec.kernel_size[axis], size + after)
        if not spec.count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, size)
        result = np.multiply.outer(result, np.maximum(end - start, 0))
    return result


def max_pool_adjoint(grad: np.ndarray, index: np.ndarray, spatial: Index) -> np.ndarray:
    """Returns the gradient of a max pooling in x: each element of `grad` at the index that won."""
    n, c = grad.shape[:2]
    result = np.zeros((n, c, prod(spatial)), dtype=grad.dtype)
    rows = np.ogrid[tuple(slice(extent) for extent in grad.shape)]
    won = index != OUTSIDE
    np.add.at(result, (rows[0], rows[1], np.where(won, index, 0)), np.where(won, grad, 0))
    return result.reshape(n, c, *spatial)


def avg_pool_adjoint(quotient: np.ndarray, spec: PoolSpec, spatial: Index) -> np.ndarray:
    """Returns the adjoint of `window_sum`, (N, C, *spatial).

    Args:
        quotient: The gradient divided by `divisors`, (N, C, *output), in any carrier.
        spec: The pooling.
        spatial: Extents of its input.
    """
    n, c = quotient.shape[:2]
    result = np.zeros((n, c, prod(spatial) + 1), dtype=quotient.dtype)
    for source in window_sources(spec, spatial):
        where: Any = (slice(None), slice(None), source)
        np.add.at(result, where, quotient)
    return result[..., :-1].reshape(n, c, *spatial)


def window_sources(spec: PoolSpec, spatial: Index) -> np.ndarray:
    """Returns the flat input index of every tap, -1 outside: shape (taps, *output), row-major."""
    out = output_spatial(spec, spatial)
    axes = len(spatial)
    flat: np.ndarray = np.zeros((), dtype=np.int64)
    inside: np.ndarray = np.ones((), dtype=bool)
    for axis, size in enumerate(spatial):
        shape = [1] * (2 * axes)
        shape[axis], shape[axes + axis] = spec.kernel_size[axis], out[axis]
        reads = [OUTSIDE if i is None else i for _, _, i in axis_reads(spec, axis, size)]
        table = np.array(reads).reshape(out[axis], -1).T.reshape(shape)
        flat, inside = flat * size + table, inside & (table != OUTSIDE)
    return np.where(inside, flat, OUTSIDE).reshape(prod(spec.kernel_size), *out)
