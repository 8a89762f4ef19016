"""Receptive fields through a whole graph: sums, cat, chunk, groups, `same`, transposed, resampled.

Each tensor carries, per axis of the model's input, the exact `Field` of its elements, and per
axis of its own, which input axis its positions run along. An operator that is not understood
makes the answer unknown, with its name as the reason; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from convcheck.core.errors import ConvcheckError
from convcheck.core.receptive_field import Field
from convcheck.models.graph import INPUT, Call, LayerGraph, Shape, Value
from convcheck.models.receptive_rules import (
    after_adaptive_pool,
    after_attention,
    after_axis_normalisation,
    after_combining,
    after_joining,
    after_padding,
    after_resampling,
    after_slicing,
    after_statistics,
    after_window,
)
from convcheck.models.receptive_shapes import permuted
from convcheck.models.receptive_state import State, Status, gathered, reshape_state, unknown
from convcheck.models.windows import has_window, is_pool, rank_of

_LARGEST_INPUT = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerField:
    """The receptive field of a layer's output, in elements of the model's input.

    Attributes:
        size: Elements from the first to the last one that an output reads, per input axis.
        jump: Elements between the fields of neighbouring outputs; 0 where all read the same.
        start: First element that output 0 reads; negative in the padding.
        holes: Elements inside the field that are not read.
        status: "exact"; "bound" where no more than this is read; "unknown".
        reason: Why it is not exact.
        fields: Every phase of the pattern, per input axis.
    """

    size: tuple[int, ...] = ()
    jump: tuple[Fraction, ...] = ()
    start: tuple[int, ...] = ()
    holes: tuple[int, ...] = ()
    status: Status = "exact"
    reason: str = ""
    fields: tuple[Field, ...] = ()

    def text(self) -> str:
        """Returns the size, as in "14", "7x9", "<= 14"; "?" where it is unknown."""
        if self.status == "unknown":
            return "?"
        sizes = self.size[:1] if len(set(self.size)) == 1 else self.size
        text = "x".join(map(str, sizes)) + (" with holes" if any(self.holes) else "")
        return text if self.status == "exact" else f"<= {text}"

    def to_json(self) -> dict[str, Any]:
        """Returns JSON values."""
        return {
            "size": list(self.size),
            "jump": [str(jump) for jump in self.jump],
            "start": list(self.start),
            "holes": list(self.holes),
            "status": self.status,
            "reason": self.reason,
        }


def receptive_fields(graph: LayerGraph) -> dict[int, LayerField]:
    """Returns the receptive field of the first output of every call, by the call's index."""
    found = followed_input(graph)
    if found is None:
        return {}
    number, first = found
    extents = graph.input_shapes[number][first:]
    if max(extents) > _LARGEST_INPUT:
        reason = f"inputs above {_LARGEST_INPUT} elements an axis are not followed"
        return {call.index: LayerField(status="unknown", reason=reason) for call in graph.calls}
    start = State(
        axes=(*(None,) * first, *range(len(extents))), fields=tuple(Field() for _ in extents)
    )
    states: dict[tuple[int, int], State] = {(INPUT, number): start}
    answer = {}
    for call in graph.calls:
        given = [(value, states[key]) for value in call.inputs if (key := _key(value)) in states]
        if not given:
            continue
        outcome = _after(call, given, extents)
        for i in range(len(call.outputs)):
            states[call.index, i] = outcome[min(i, len(outcome) - 1)]
        answer[call.index] = _field(outcome[0])
    return answer


def _key(value: Value) -> tuple[int, int]:
    return value.producer, value.output


def followed_input(graph: LayerGraph) -> tuple[int, int] | None:
    """Returns which input is followed, and its first spatial axis."""
    for call in graph.calls:
        if not has_window(call.op) and not is_pool(call.op):
            continue
        rank = rank_of(call.op)
        for number, shape in enumerate(graph.input_shapes):
            if len(shape) in (rank + 1, rank + 2):
                return number, len(shape) - rank
    return None


def _field(state: State) -> LayerField:
    if state.status == "unknown":
        return LayerField(status="unknown", reason=state.reason)
    return LayerField(
        size=tuple(f.size for f in state.fields),
        jump=tuple(f.jump for f in state.fields),
        start=tuple(f.start for f in state.fields),
        holes=tuple(f.holes for f in state.fields),
        status="bound" if state.mixed else state.status,
        reason=state.mixed or state.reason,
        fields=state.fields,
    )


def _after(call: Call, given: list[tuple[Value, State]], extents: Shape) -> list[State]:
    for _, state in given:
        if state.status == "unknown":
            return [state]
    if not call.outputs:
        return [given[0][1]]
    try:
        outcome = _outcome(call, given, extents)
    except (ConvcheckError, KeyError, IndexError, TypeError, ValueError) as error:
        return [unknown(f"{call.op} at {call.name}: {error}")]
    states = outcome if isinstance(outcome, list) else [outcome]
    if any(len(s.axes) != len(o) for s, o in zip(states, call.outputs, strict=False)):
        return [unknown(f"{call.op} at {call.name}")]
    return states


def _outcome(call: Call, given: list[tuple[Value, State]], extents: Shape) -> State | list[State]:
    value, state = given[0]
    op, options = call.op, call.options
    if has_window(op) and op != "fold":
        return after_window(call, state, extents)
    if op.startswith("adaptive_"):
        return after_adaptive_pool(call, state, extents)
    if op in ("interpolate", "pixel_shuffle", "pixel_unshuffle"):
        return after_resampling(call, state)
    if op == "pad":
        return after_padding(call, state)
    if op in ("flatten", "unflatten", "view", "reshape"):
        return reshape_state(state, value.shape, call.outputs[0])
    if op in ("permute", "transpose", "squeeze", "unsqueeze"):
        return replace(state, axes=permuted(op, state.axes, value.shape, options))
    if op == "linear":
        whole = replace(state, mixed="")
        return gathered(whole, (-1,), value.shape, extents, keep=True)
    if op in ("mean", "sum", "amax") and len(given) == 1:
        dims = options.get("dim")
        dims = tuple(range(len(value.shape))) if dims is None else dims
        dims = dims if isinstance(dims, Sequence) else (dims,)
        return gathered(state, dims, value.shape, extents, keep=bool(options.get("keepdim")))
    if op in ("softmax", "layer_norm", "rms_norm"):
        return after_axis_normalisation(call, state, extents)
    if op in ("batch_norm", "group_norm", "instance_norm"):
        return after_statistics(call, state)
    if op in ("chunk", "split", "narrow", "getitem", "select"):
        return after_slicing(call, state)
    if op in ("cat", "stack"):
        return after_joining(call, given)
    if op in _ATTENTION:
        return after_attention(state, value.shape, extents)
    if op in ELEMENTWISE:
        return after_combining(call, given)
    return unknown(f"{op} at {call.name} is not followed")


_ATTENTION = ("scaled_dot_product_attention", "multi_head_attention_forward")

ELEMENTWISE = frozenset((
    "add", "sub", "mul", "div", "pow", "neg", "abs", "exp", "log", "sqrt", "rsqrt", "square",
    "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "softplus",
    "softsign", "sigmoid", "logsigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid", "prelu",
    "threshold", "rrelu", "clamp", "clip", "clamp_min", "minimum", "maximum", "where", "lerp",
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout",
    "clone", "contiguous", "detach", "to", "float", "half", "double", "bfloat16", "type", "data",
    "addcmul", "sin", "cos", "erf", "sign", "round", "floor", "ceil", "identity", "alias",
    "type_as", "expand", "expand_as", "channel_shuffle", "masked_fill", "channels_last", "positive",
    "requires_grad",
))  # fmt: skip
