"""Where a padded position reads: the four boundary rules as maps of one axis."""

from __future__ import annotations

from typing import Literal

from convcheck.core.sizes import Pair

Boundary = Literal["zeros", "reflect", "replicate", "circular"]


def source_index(position: int, size: int, boundary: Boundary = "zeros") -> int | None:
    """Returns the input index that `position` reads, or None where it reads a zero.

    Args:
        position: Any integer; 0 to size - 1 is the input itself.
        size: Extent of the input, >= 1.
        boundary: "zeros"; "replicate" (the edge goes on); "reflect" (mirrored, the edge not
            repeated); "circular" (the input goes round).

    References:
        `torch.nn.functional.pad`.
    """
    if 0 <= position < size:
        return position
    if boundary == "replicate":
        return min(max(position, 0), size - 1)
    if boundary == "circular":
        return position % size
    if boundary == "reflect":
        period = 2 * (size - 1)
        if not period:
            return 0
        folded = position % period
        return min(folded, period - folded)
    return None


def index_map(size: int, padding: Pair, boundary: Boundary = "zeros") -> tuple[int | None, ...]:
    """Returns `source_index` of every position of the padded axis, from -before on."""
    before, after = padding
    return tuple(source_index(i, size, boundary) for i in range(-before, size + after))
