"""Arrays for one call: fresh memory, the layout that the case asks for, guards around and between.

Every byte that is not an element is 0xFF, which is a NaN in every floating dtype: code that reads
past an end, or ignores strides, computes with NaN. After the call the whole storage is compared
with a copy, so that a write into an element (the input was changed) or past an end (out of
bounds) is seen, whatever the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convcheck.conformance.layouts import Array, expanded_axis, place
from convcheck.conformance.outcome import MUTATED_INPUT, WROTE_OUT_OF_BOUNDS, Misbehaved
from convcheck.core.case import Layout

_GUARD = 128
_ALIGNMENT = 64
_PARTIAL = ("expanded", "pitched", "sliced", "offset")


@dataclass(frozen=True, slots=True, eq=False)
class Guarded:
    """An array that is handed to a function, with the means to see what became of it.

    Attributes:
        name: Name of the argument.
        array: What the function gets; NumPy or torch.
        elements: The same elements, as raw NumPy items.
        storage: All the memory around them.
        before: What was in it.
    """

    name: str
    array: Any
    elements: Array
    storage: Array
    before: bytes

    def spoil(self) -> None:
        """Puts other values into the same memory: the same in reverse, of the same sum.

        A single element has one bit changed instead.
        """
        if self.elements.size > 1:
            self.elements[...] = np.flip(self.elements).copy()
        else:
            self.elements.view(f"u{self.elements.itemsize}")[...] ^= 1 << 6

    def restore(self) -> None:
        """Puts the memory back as it was made."""
        self.storage[...] = np.frombuffer(self.before, np.uint8)
        if not isinstance(self.array, np.ndarray):
            # torch counts what is written through it, and code may go by the count.
            self.array.copy_(self.array.clone())

    def damage(self) -> Misbehaved | None:
        """Returns what the function did to the memory, or None if nothing."""
        if self.storage.tobytes() == self.before:
            return None
        original = np.frombuffer(self.before, np.uint8)
        changed = self.storage != original
        # Marking the elements' own bytes in a map of the storage tells the two faults apart.
        inside = np.zeros_like(changed)
        offset = self.elements.__array_interface__["data"][0] - self.storage.ctypes.data
        own = np.ndarray(
            (*self.elements.shape, self.elements.itemsize), np.bool_, buffer=inside,
            offset=offset, strides=(*self.elements.strides, 1),
        )  # fmt: skip
        own[...] = True
        if (changed & ~inside).any():
            return Misbehaved(reason=WROTE_OUT_OF_BOUNDS, detail=f"near {self.name}")
        return Misbehaved(reason=MUTATED_INPUT, detail=self.name)


def guard(
    name: str, values: Array, dtype: str, layout: Layout, *, torch: bool, first: bool = False
) -> Guarded:
    """Returns a fresh array with these values.

    Args:
        name: Name of the argument.
        values: The elements, exactly representable in `dtype`.
        dtype: Name of the element type.
        layout: How they lie in memory.
        torch: Whether to make a torch tensor instead of a NumPy array.
        first: Whether it is the first argument, the only one that "expanded" concerns.
    """
    axis = expanded_axis(values.shape) if first and layout == "expanded" else None
    if axis is not None and values.strides[axis] != 0:
        _check_repeats(values, axis)
    where = place(values.shape, layout, axis)
    # bfloat16 is unknown to NumPy: its items are kept as 16-bit integers there.
    item = np.dtype(np.uint16 if dtype == "bfloat16" else dtype)
    length = where.elements * item.itemsize
    length += -length % _ALIGNMENT
    raw = np.empty(length + 2 * _GUARD + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    storage = raw[start : start + length + 2 * _GUARD]
    storage.fill(0xFF)
    # What code sees that looks below a view: an array of the dtype, of just these elements, or of
    # the guard behind them where a view leaves out a part of what is below it.
    extent = length + _GUARD if layout in _PARTIAL else where.elements * item.itemsize
    inside = storage.data[_GUARD : _GUARD + extent]
    whole = np.frombuffer(inside, item) if extent else np.empty(0, item)
    strides = tuple(step * item.itemsize for step in where.strides)
    elements: Array = np.ndarray(values.shape, item, whole, where.offset * item.itemsize, strides)
    array: Any = elements
    if torch:
        array = _as_tensor(whole, values, dtype, where.offset, where.strides)
    if layout == "expanded" and not torch:
        array = elements.view()
        array.flags.writeable = False
    if dtype == "bfloat16":
        # The upper half of a float32, which the values fill exactly.
        elements[...] = np.ascontiguousarray(values, np.float32).view(np.uint32) >> 16
    else:
        elements[...] = values
    return Guarded(name, array, elements, storage, storage.tobytes())


def _as_tensor(
    whole: Array, values: Array, dtype: str, offset: int, strides: tuple[int, ...]
) -> Any:
    import torch

    base = torch.from_numpy(whole.view(np.uint8)).view(getattr(torch, dtype))
    return base.as_strided(values.shape, strides, offset)


def _check_repeats(values: Array, axis: int) -> None:
    first = values.take([0], axis=axis)
    same = values == first
    if values.dtype.kind == "f":
        same |= np.isnan(values) & np.isnan(first)
    if not same.all():
        raise ValueError("an expanded array must repeat itself; give the values to `settle` first")
