"""Which input elements an output element reads, per axis, and how far a stack of layers sees.

The page's `geometry.mjs` follows the same rules; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence


def reads(position: int, kernel: int, stride: int, before: int, dilation: int) -> tuple[int, ...]:
    """Returns the input index under each tap of one window; below 0 or past the end is padding."""
    return tuple(position * stride + tap * dilation - before for tap in range(kernel))


def fed_by(
    position: int, size: int, kernel: int, stride: int, before: int, dilation: int
) -> tuple[tuple[int, int], ...]:
    """Returns the (input index, tap) pairs that a transposed convolution adds up at `position`.

    The output element o receives x[i] w[k] where o + before = i stride + k dilation: the adjoint of
    `reads`.
    """
    pairs = []
    for tap in range(kernel):
        index, rest = divmod(position + before - tap * dilation, stride)
        if not rest and 0 <= index < size:
            pairs.append((index, tap))
    return tuple(pairs)


def support(dilations: Sequence[int], kernel: int) -> tuple[tuple[int, ...], ...]:
    """Returns the offsets that one output of a stride-1 stack reads, per layer, output first.

    The first row is (0,); row n + 1 has every offset that the rows above read through the n-th
    layer from the top. Offsets count from the first element that the whole stack reads.
    """
    rows: list[tuple[int, ...]] = [(0,)]
    for dilation in reversed(dilations):
        offsets = {offset + tap * dilation for offset in rows[-1] for tap in range(kernel)}
        rows.append(tuple(sorted(offsets)))
    return tuple(rows)
