"""What each operator does to receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from convcheck.core.receptive_field import Field
from convcheck.models.graph import Call, Shape, Value
from convcheck.models.receptive_shapes import Axis, indexed
from convcheck.models.receptive_state import State, gathered, reshape_state, unknown, whole
from convcheck.models.windows import rank_of, windows_of


def after_window(call: Call, state: State, extents: Shape) -> State:
    """Returns what a sliding window, transposed or not makes of a state."""
    fields = list(state.fields)
    windows = windows_of(call)
    rank = len(windows)
    for axis, window in zip(state.axes[-rank:], windows, strict=True):
        if isinstance(axis, frozenset):
            return unknown(f"{call.op} at {call.name} slides over folded axes")
        if axis is None:
            continue
        before = window.padding[0]
        if "transpose" in call.op:
            fields[axis] = fields[axis].transposed(
                window.kernel, window.stride, before, window.dilation
            )
        else:
            fields[axis] = fields[axis].window(
                window.kernel, window.stride, before, window.dilation
            )
    axes: tuple[Axis, ...] = state.axes
    mixed = state.mixed
    if call.op.startswith("conv") and call.options.get("groups", 1) == 1:
        mixed = ""
    if call.op == "unfold":
        folded = frozenset(a for a in axes[-2:] if isinstance(a, int))
        axes = (*axes[:-2], folded)
    return replace(state, axes=axes, fields=tuple(fields), mixed=mixed)


def after_adaptive_pool(call: Call, state: State, extents: Shape) -> State:
    """Returns what adaptive pooling makes of a state."""
    fields, axes = list(state.fields), list(state.axes)
    rank = rank_of(call.op)
    for i in range(-rank, 0):
        size, out, axis = call.input_shape[i], call.outputs[0][i], axes[i]
        if isinstance(axis, frozenset):
            return unknown(f"{call.op} at {call.name} slides over folded axes")
        if axis is None:
            continue
        if out == 1:
            fields[axis] = fields[axis].gathered(size, extents[axis])
            axes[i] = None
        else:
            fields[axis] = fields[axis].resampled(
                size,
                out,
                lambda o, n=size, m=out: range(o * n // m, -(-(o + 1) * n // m)),  # type: ignore[misc]
            )
    return replace(state, axes=tuple(axes), fields=tuple(fields))


def after_resampling(call: Call, state: State) -> State:
    """Returns what interpolation, pixel shuffle or unshuffle makes of a state."""
    fields = list(state.fields)
    rank = 2 if call.op.startswith("pixel") else len(call.input_shape) - 2
    mode = call.options.get("mode", "nearest")
    status, reason = state.status, state.reason
    for i in range(-rank, 0):
        size, out, axis = call.input_shape[i], call.outputs[0][i], state.axes[i]
        if isinstance(axis, frozenset):
            return unknown(f"{call.op} at {call.name} slides over folded axes")
        if axis is None:
            continue
        if call.op == "pixel_unshuffle":
            factor = size // out
            fields[axis] = fields[axis].window(factor, factor)
        elif call.op == "pixel_shuffle" or mode == "nearest":
            fields[axis] = fields[axis].resampled(
                size,
                out,
                lambda o, n=size, m=out: (o * n // m,),  # type: ignore[misc]
            )
        elif call.options.get("align_corners") or call.options.get("antialias"):
            return unknown(f"interpolate at {call.name} with align_corners or antialias")
        else:
            reach = {"linear": 1, "bilinear": 1, "trilinear": 1, "bicubic": 2}.get(str(mode))
            if reach is None:
                return unknown(f"interpolate at {call.name} with mode {mode}")
            fields[axis] = fields[axis].resampled(
                size,
                out,
                lambda o, n=size, m=out, r=reach: _between(o, n, m, r),  # type: ignore[misc]
            )
    return replace(state, fields=tuple(fields), status=status, reason=reason)


def _between(output: int, size: int, out: int, reach: int) -> range | tuple[int, ...]:
    """Returns the elements on either side of (output + 1/2) * size / out - 1/2."""
    position = Fraction(2 * output + 1, 2) * Fraction(size, out) - Fraction(1, 2)
    low = position.numerator // position.denominator
    if position == low:
        return (low,)
    return range(low - reach + 1, low + reach + 1)


def after_padding(call: Call, state: State) -> State:
    """Returns what an explicit pad makes of a state."""
    pads = [int(p) for p in call.options["pad"]]
    fields = list(state.fields)
    for i in range(len(pads) // 2):
        axis = state.axes[-1 - i]
        if isinstance(axis, int):
            fields[axis] = fields[axis].window(1, 1, pads[2 * i])
        elif axis is not None and (pads[2 * i] or pads[2 * i + 1]):
            return unknown(f"pad at {call.name} works on folded axes")
    mode = call.options.get("mode", "constant")
    if mode in ("constant", "replicate"):
        return replace(state, fields=tuple(fields))
    return replace(
        state,
        fields=tuple(fields),
        status="bound",
        reason=f"{mode} padding reads other elements at the border",
    )


def after_axis_normalisation(call: Call, state: State, extents: Shape) -> State:
    """Returns what softmax or a normalisation over given axes makes of a state."""
    shape = call.input_shape
    if call.op == "softmax":
        dim = call.options.get("dim")
        dims: tuple[int, ...] = (dim if isinstance(dim, int) else -1,)
    else:
        wanted = call.options.get("normalized_shape", ())
        dims = tuple(range(-len(wanted), 0))
    return gathered(state, dims, shape, extents, keep=True)


def after_statistics(call: Call, state: State) -> State:
    """Returns what a normalisation whose statistics may read everything makes of a state."""
    own = call.op != "batch_norm" or bool(call.options.get("training"))
    if not own or not any(axis is not None for axis in state.axes):
        return state
    reason = f"the statistics of {call.op} at {call.name}, which read everything, are left out"
    return replace(state, status="bound", reason=reason)


def after_slicing(call: Call, state: State) -> list[State]:
    """Returns what chunk, split, narrow, select or indexing, per output makes of a state."""
    options, shape = call.options, call.input_shape
    if call.op == "getitem":
        return [_moved(state, *indexed(state.axes, shape, options["index"]))]
    dim = int(options.get("dim", 0)) % len(shape)
    axis = state.axes[dim]
    if call.op == "select":
        axes = (*state.axes[:dim], *state.axes[dim + 1 :])
        if axis is None:
            return [replace(state, axes=axes)]
        return [unknown(f"select at {call.name} along a spatial axis")]
    start = int(options.get("start", 0)) % shape[dim] if call.op == "narrow" else 0
    states = []
    for out in call.outputs:
        if axis is None or start == 0:
            states.append(state)
        elif isinstance(axis, int):
            states.append(_moved(state, state.axes, {axis: (1, start)}))
        else:
            states.append(unknown(f"{call.op} at {call.name} cuts folded axes"))
        start += out[dim]
    return states


def _moved(state: State, axes: tuple[Axis, ...], steps: Mapping[int, tuple[int, int]]) -> State:
    fields = list(state.fields)
    for axis, (stride, start) in steps.items():
        fields[axis] = fields[axis].window(1, stride, -start)
    return replace(state, axes=axes, fields=tuple(fields))


def after_joining(call: Call, given: list[tuple[Value, State]]) -> State:
    """Returns what cat or stack makes of a state."""
    dim = int(call.options.get("dim", 0))
    if call.op == "stack":
        dim %= len(call.outputs[0])
        given = [(v, replace(s, axes=(*s.axes[:dim], None, *s.axes[dim:]))) for v, s in given]
    elif any(s.axes[dim] is not None for _, s in given):
        return unknown(f"cat at {call.name} along a spatial axis")
    joined = after_combining(call, given)
    if len({s.fields for _, s in given}) > 1:
        return replace(joined, mixed=f"the channels of {call.op} at {call.name} read differently")
    return joined


def after_combining(call: Call, given: list[tuple[Value, State]]) -> State:
    """Returns what an element-wise operator of one or several tensors makes of a state."""
    rank = len(call.outputs[0])
    total: State | None = None
    for _, state in given:
        aligned = replace(state, axes=(*(None,) * (rank - len(state.axes)), *state.axes))
        if total is None:
            total = aligned
            continue
        axes = []
        for a, b in zip(total.axes, aligned.axes, strict=True):
            if a is not None and b is not None and a != b:
                return unknown(f"{call.op} at {call.name} adds positions of different axes")
            axes.append(b if a is None else a)
        fields = []
        for a_field, b_field in zip(total.fields, aligned.fields, strict=True):
            field = _hull(a_field, b_field)
            if field is None:
                return unknown(f"the branches of {call.op} at {call.name} drift apart")
            fields.append(field)
        status, reason = (
            (aligned.status, aligned.reason)
            if aligned.status == "bound"
            else (total.status, total.reason)
        )
        total = State(
            axes=tuple(axes),
            fields=tuple(fields),
            status=status,
            reason=reason,
            mixed=total.mixed or aligned.mixed,
            counts=total.counts or aligned.counts,
        )
    assert total is not None
    return total


def _hull(a: Field, b: Field) -> Field | None:
    field = a.union(b)
    if field is not None or (a.advance and b.advance):
        return field
    # A branch that reads the same everywhere (a gate from a global pool) covers the other one
    # wherever that lies inside of the input; elsewhere is padding.
    return a if not a.advance else b


def after_attention(state: State, shape: Shape, extents: Shape) -> State:
    """Returns what attention, which reads every position makes of a state."""
    state = reshape_state(state, shape, shape)
    fields = [whole(state, axis, extent) for axis, extent in enumerate(extents)]
    axes = tuple(None for _ in shape)
    split = sum(isinstance(axis, frozenset) for axis in state.axes) > 1
    if split:
        return State(
            axes=axes, fields=tuple(fields), status="bound", reason="attention inside of windows"
        )
    return replace(state, axes=axes, fields=tuple(fields))
