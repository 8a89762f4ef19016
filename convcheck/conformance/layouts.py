"""How the elements of an array lie in memory: offset and strides for each layout of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from convcheck.core.case import Case, Layout

Array = np.ndarray[Any, Any]

# Odd, so that no vector register can be loaded from an aligned address.
_OFFSET_ELEMENTS = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an array lies in its storage, counted in elements.

    Attributes:
        elements: Extent of the storage.
        offset: Place of the element with index (0, ..., 0).
        strides: Distance between neighbours, per axis.
    """

    elements: int
    offset: int
    strides: tuple[int, ...]


@lru_cache(maxsize=4096)
def place(shape: tuple[int, ...], layout: Layout, axis: int | None = None) -> Placement:
    """Returns where an array of that shape lies under a layout.

    A layout that needs more axes than there are is contiguous: a vector has no channels.

    Args:
        shape: Extents, such as (N, C, H, W).
        layout: "channels_last" stores the second axis innermost; "transposed" swaps the last two;
            "fortran" stores the first axis innermost and the last outermost;
            "pitched" has a gap after each row, as a crop of longer rows has;
            "sliced" is every second element of longer rows; "expanded" has stride 0 along `axis`
            (no NumPy array of such a case can be written to, as `numpy.broadcast_to` has it);
            "reversed" runs backwards along every axis; "offset" starts in the middle.
        axis: The axis along which an expanded array repeats itself, if it does.
    """
    order = list(range(len(shape)))
    if layout == "channels_last" and len(shape) >= 3:
        order = [0, *order[2:], 1]
    elif layout == "transposed" and len(shape) >= 2:
        order[-2:] = order[-1], order[-2]
    elif layout == "fortran":
        order.reverse()
    strides = [0] * len(shape)
    extent = 1
    for place, index in enumerate(reversed(order)):
        if layout == "expanded" and index == axis:
            continue
        step = 2 if layout == "sliced" and place == 0 else 1
        strides[index] = step * extent
        # One element more than the row needs, so that rows of a slice do not touch either.
        gap = place == 0 and layout in ("sliced", "pitched")
        extent *= step * shape[index] + gap
    if layout == "offset":
        return Placement(extent + _OFFSET_ELEMENTS, _OFFSET_ELEMENTS, tuple(strides))
    if layout == "reversed":
        last = sum(step * max(0, size - 1) for step, size in zip(strides, shape, strict=True))
        return Placement(extent, last if extent else 0, tuple(-step for step in strides))
    return Placement(extent, 0, tuple(strides))


def expanded_axis(shape: tuple[int, ...]) -> int | None:
    """Returns the axis along which an expanded array of that shape repeats, None if it has none."""
    return next((axis for axis, size in enumerate(shape) if size > 1), None)


def settle(case: Case, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Returns `inputs` with values that the layout of `case` can hold.

    Only "expanded" restricts them: its first array repeats one slice, which is what stride 0
    means. The oracle must be given the same values as the function under test; hence this comes
    before both.
    """
    settled = dict(inputs)
    if case.layout == "expanded" and settled:
        name, values = next(iter(settled.items()))
        axis = expanded_axis(values.shape)
        if axis is not None:
            first = values.take([0], axis=axis)
            settled[name] = np.ascontiguousarray(np.broadcast_to(first, values.shape))
    return settled
