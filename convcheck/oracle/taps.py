"""Which inputs an output reads, and through which tap: what is summed, drawn and diagnosed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from convcheck.core.sizes import conv_axis, conv_transpose_axis, pool_axis
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.oracle.boundary import source_index

Window = ConvSpec | PoolSpec
Index = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """One element of a window.

    Attributes:
        kernel: Index into the kernel, per spatial axis.
        source: The input index that it reads, per spatial axis, or None where it lies in padding.
    """

    kernel: Index
    source: Index | None


def taps(spec: Window, spatial: Index, position: Index) -> tuple[Tap, ...]:
    """Returns the taps of the window that makes the output at `position`, in row-major order.

    Args:
        spec: A convolution, transposed convolution or pooling.
        spatial: Extents of the input's spatial axes.
        position: Index of the output, per spatial axis.

    Returns:
        One tap per element of the kernel. For a transposed convolution only those taps that an
        input reaches: the others take part in no product.
    """
    axes = [_axis_taps(spec, axis, spatial[axis], o) for axis, o in enumerate(position)]
    found = []
    for per_axis in product(*axes):
        source = tuple(i for _, i in per_axis if i is not None)
        inside = len(source) == len(per_axis)
        found.append(Tap(kernel=tuple(k for k, _ in per_axis), source=source if inside else None))
    return tuple(found)


def readers(spec: Window, spatial: Index, source: Index) -> tuple[tuple[Index, Index], ...]:
    """Returns every (output position, kernel index) at which the input `source` is read."""
    axes = [
        [(o, k) for o, k, i in axis_reads(spec, axis, spatial[axis]) if i == source[axis]]
        for axis in range(len(spatial))
    ]
    return tuple(
        (tuple(o for o, _ in pairs), tuple(k for _, k in pairs)) for pairs in product(*axes)
    )


def read_counts(spec: Window, spatial: Index) -> np.ndarray:
    """Returns how often each input position is read, shape `spatial`.

    The count of a position is the product of its counts along each axis.
    """
    counts = np.ones((), dtype=np.int64)
    for axis, size in enumerate(spatial):
        along = np.zeros(size, dtype=np.int64)
        for _, _, i in axis_reads(spec, axis, size):
            if i is not None:
                along[i] += 1
        counts = np.multiply.outer(counts, along)
    return counts


@lru_cache(maxsize=4096)
def output_spatial(spec: Window, spatial: Index) -> Index:
    """Returns the extents of the output's spatial axes.

    Raises:
        GeometryError: No window fits.
    """
    return tuple(_axis_size(spec, axis, size) for axis, size in enumerate(spatial))


def axis_reads(spec: Window, axis: int, size: int) -> Iterator[tuple[int, int, int | None]]:
    """Yields (output, kernel, source) of every tap along one axis, outputs in order."""
    for o in range(_axis_size(spec, axis, size)):
        for k, i in _axis_taps(spec, axis, size, o):
            yield o, k, i


def _axis_size(spec: Window, axis: int, size: int) -> int:
    assert spec.stride is not None
    kernel, stride, dilation = spec.kernel_size[axis], spec.stride[axis], spec.dilation[axis]
    pair = spec.padding_pairs()[axis]
    if isinstance(spec, PoolSpec):
        return pool_axis(size, kernel, stride, pair, dilation, ceil_mode=spec.ceil_mode)
    if spec.transposed:
        extra = spec.output_padding[axis]
        return conv_transpose_axis(size, kernel, stride, pair, extra, dilation)
    return conv_axis(size, kernel, stride, pair, dilation)


def _axis_taps(spec: Window, axis: int, size: int, o: int) -> list[tuple[int, int | None]]:
    assert spec.stride is not None
    s, d = spec.stride[axis], spec.dilation[axis]
    before = spec.padding_pairs()[axis][0]
    kernel = range(spec.kernel_size[axis])
    if isinstance(spec, ConvSpec) and spec.transposed:
        # The adjoint turns o = i s + k d - p around: input i reaches output o through tap k.
        reached = ((k, divmod(o + before - k * d, s)) for k in kernel)
        return [(k, i) for k, (i, rest) in reached if rest == 0 and 0 <= i < size]
    boundary = spec.padding_mode if isinstance(spec, ConvSpec) else "zeros"
    start = o * s - before
    return [(k, source_index(start + k * d, size, boundary)) for k in kernel]
