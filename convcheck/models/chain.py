"""The chain of sizes that led to a tensor: 32 -conv1 k5-> 28 -pool k2 s2-> 14 ..."""

from __future__ import annotations

from convcheck.core.errors import ConvcheckError
from convcheck.models.graph import Call, LayerGraph, Shape, Value
from convcheck.models.layers import is_layer
from convcheck.models.windows import has_window, is_geometry, rank_of, window_text


def calls_before(graph: LayerGraph, value: Value) -> list[Call]:
    """Returns the calls that made a tensor, from the model's input on, along its main path.

    Where several tensors met, the first one that depends on the input is followed.
    """
    path = []
    current: Value | None = value
    while current is not None and current.producer >= 0:
        call = graph.calls[current.producer]
        path.append(call)
        current = next((v for v in call.inputs if v.is_activation), None)
    return path[::-1]


def ancestors(graph: LayerGraph, value: Value) -> set[int]:
    """Returns the indices of all calls on which a tensor depends."""
    found: set[int] = set()
    waiting = [value.producer]
    while waiting:
        index = waiting.pop()
        if index < 0 or index in found:
            continue
        found.add(index)
        waiting += [v.producer for v in graph.calls[index].inputs if v.is_activation]
    return found


def chain_text(graph: LayerGraph, value: Value, *, after: int = -1) -> str:
    """Returns the chain of sizes that led to a tensor.

    Args:
        graph: The graph.
        value: The tensor.
        after: Leave out the calls up to this one, where branches share them.
    """
    calls = [call for call in calls_before(graph, value) if call.index > after]
    if not calls:
        return _size(value.shape, 2)
    rank = next((rank_of(call.op) for call in calls if is_geometry(call.op)), 2)
    text = _size(calls[0].input_shape, rank)
    shown = calls[0].input_shape
    for call in calls:
        out = call.outputs[0]
        if out == shown or not (is_layer(call) or len(out) != len(shown) or out[1:] != shown[1:]):
            continue
        text += f" -{_label(call)}-> {_size(out, rank, before=shown)}"
        shown = out
    return text


def _label(call: Call) -> str:
    name = call.path.rpartition(".")[2] if len(call.path) > 24 else call.path
    if has_window(call.op):
        try:
            return f"{name or call.op} {window_text(call)}"
        except ConvcheckError:
            return name or call.op
    return name or call.op


def _size(shape: Shape, rank: int, *, before: Shape | None = None) -> str:
    """Returns channels and extents, as in "6@28"; the factors of a flattened axis."""
    if len(shape) >= rank + 1:
        extents = shape[-rank:]
        size = str(extents[0]) if len(set(extents)) == 1 else "x".join(map(str, extents))
        return f"{shape[-rank - 1]}@{size}"
    text = "x".join(map(str, shape)) or "scalar"
    if before is not None and len(before) >= rank + 1 and len(shape) == 2:
        factors = before[1:]
        product = 1
        for factor in factors:
            product *= factor
        if product == shape[1]:
            return f"{shape[1]} = {' x '.join(map(str, factors))}"
    return text


def channel_source(graph: LayerGraph, value: Value) -> Call | None:
    """Returns the call that last set the channels (or features) of a tensor."""
    for call in reversed(calls_before(graph, value)):
        if call.op.startswith("conv") or call.op in ("linear", "cat", "pixel_shuffle", "embedding"):
            return call
    return None
