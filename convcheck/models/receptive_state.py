"""What one tensor reads of the model's input, and what reshaping and gathering make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from convcheck.core.receptive_field import Field
from convcheck.models.graph import Shape
from convcheck.models.receptive_shapes import Axis, reshaped

Status = Literal["exact", "bound", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one tensor reads.

    Attributes:
        axes: Per axis of the tensor: the input axis along which its positions run, None where
            none, or a set of input axes that are folded into it.
        fields: The field along each input axis.
        status: How far the fields can be trusted.
        reason: Why not further.
        mixed: Why the channels read differently (each less than `fields`); a layer that reads
            all channels reads the union, which is `fields`.
        counts: Positions along each input axis when it was folded away; 0 before.
    """

    axes: tuple[Axis, ...]
    fields: tuple[Field, ...]
    status: Status = "exact"
    reason: str = ""
    mixed: str = ""
    counts: tuple[int, ...] = ()


def reshape_state(state: State, before: Shape, after: Shape) -> State:
    """Returns the state after a reshape, the extents of folded axes remembered."""
    counts = list(state.counts or (0,) * len(state.fields))
    for axis, size in zip(state.axes, before, strict=True):
        if isinstance(axis, int):
            counts[axis] = size
    return replace(state, axes=reshaped(state.axes, before, after), counts=tuple(counts))


def gathered(
    state: State, dims: Sequence[int], shape: Shape, extents: Shape, *, keep: bool
) -> State:
    """Returns the state after every position along `dims` was read."""
    fields, axes = list(state.fields), list(state.axes)
    for dim in sorted((d % len(shape) for d in dims), reverse=True):
        axis = axes[dim]
        for a in (axis,) if isinstance(axis, int) else axis or ():
            count = shape[dim] if isinstance(axis, int) else 0
            field = fields[a]
            if isinstance(axis, int):
                fields[a] = field.gathered(count, extents[a])
            else:
                fields[a] = whole(state, a, extents[a])
        axes[dim] = None
        if not keep:
            del axes[dim]
    return replace(state, axes=tuple(axes), fields=tuple(fields))


def whole(state: State, axis: int, extent: int) -> Field:
    """Returns the field of something that reads every position along a folded input axis."""
    field = state.fields[axis]
    return field if not field.advance else field.gathered(state.counts[axis], extent)


def unknown(reason: str) -> State:
    """Returns the state of a tensor that is not followed, with the reason."""
    return State(axes=(), fields=(), status="unknown", reason=reason)
