"""How the axes of a tensor move under reshape, permute and indexing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convcheck.models.graph import Shape

Axis = int | None | frozenset[int]
"""Of a tensor's axis: the input axis that its positions run along, none, or several folded."""


def reshaped(axes: tuple[Axis, ...], before: Shape, after: Shape) -> tuple[Axis, ...]:
    """Returns the axes after a reshape; axes that are merged or cut are folded into a set.

    The two shapes are cut into the smallest groups of equal product; inside of a group with a
    single axis that is longer than 1 on each side, that axis stays what it is.
    """
    result: list[Axis] = []
    i = j = 0
    while i < len(before) or j < len(after):
        first, second = i, j
        left = right = 1
        while True:
            if (
                left == right
                and (i > first or j > second)
                and (i == len(before)) == (j == len(after))
            ):
                break
            if (left <= right and i < len(before)) or j == len(after):
                left *= before[i]
                i += 1
            else:
                right *= after[j]
                j += 1
        result += _group(axes[first:i], before[first:i], after[second:j])
    return tuple(result)


def _group(axes: tuple[Axis, ...], before: Shape, after: Shape) -> list[Axis]:
    long = [a for a, n in zip(axes, before, strict=True) if n > 1]
    targets = [n for n in after if n > 1]
    if len(long) <= 1 and len(targets) <= 1:
        axis = long[0] if long else next((a for a in axes if a is not None), None)
        if not targets:
            return [axis, *(None,) * (len(after) - 1)] if after else []
        return [axis if n > 1 else None for n in after]
    folded: set[int] = set()
    for axis in axes:
        folded |= {axis} if isinstance(axis, int) else axis or frozenset()
    everywhere = frozenset(folded) if folded else None
    return [everywhere if n > 1 else None for n in after]


def permuted(
    op: str, axes: tuple[Axis, ...], shape: Shape, options: Mapping[str, Any]
) -> tuple[Axis, ...]:
    """Returns the axes after permute, transpose, squeeze or unsqueeze."""
    rank = len(axes)
    if op == "permute":
        return tuple(axes[int(d)] for d in options["dims"])
    if op == "transpose":
        moved = list(axes)
        a, b = int(options["dim0"]), int(options["dim1"])
        moved[a], moved[b] = moved[b], moved[a]
        return tuple(moved)
    if op == "unsqueeze":
        dim = int(options["dim"]) % (rank + 1)
        return (*axes[:dim], None, *axes[dim:])
    dims = options.get("dim")
    if dims is None:
        gone = {i for i, n in enumerate(shape) if n == 1}
    else:
        wanted = dims if isinstance(dims, Sequence) else (dims,)
        gone = {int(d) % rank for d in wanted if shape[int(d)] == 1}
    return tuple(a for i, a in enumerate(axes) if i not in gone)


def indexed(
    axes: tuple[Axis, ...], shape: Shape, index: Any
) -> tuple[tuple[Axis, ...], dict[int, tuple[int, int]]]:
    """Returns the axes after x[index], and the (stride, start) of each input axis that was sliced.

    Raises:
        ValueError: The index is more than ints, slices, None and an ellipsis, or an int selects
            along a spatial axis.
    """
    items = list(index) if isinstance(index, tuple) else [index]
    taken = sum(item is not None and item is not Ellipsis for item in items)
    if Ellipsis not in [item for item in items if item is Ellipsis]:
        items.append(Ellipsis)
    result: list[Axis] = []
    steps: dict[int, tuple[int, int]] = {}
    dim = 0
    for item in items:
        if item is Ellipsis:
            skip = len(axes) - taken
            result += axes[dim : dim + skip]
            dim += skip
        elif item is None:
            result.append(None)
        elif isinstance(item, slice):
            start, stop, step = item.indices(shape[dim])
            axis = axes[dim]
            if isinstance(axis, int):
                steps[axis] = (step, start)
            elif axis is not None and (start, stop, step) != (0, shape[dim], 1):
                raise ValueError("a slice cuts folded axes")
            result.append(axis)
            dim += 1
        elif isinstance(item, int) and axes[dim] is None:
            dim += 1
        else:
            raise ValueError("an index along a spatial axis")
    return tuple(result), steps
