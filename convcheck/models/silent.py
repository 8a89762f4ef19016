"""Mistakes that run: the shapes agree, and the result is not what was meant.

Each rule asks for evidence beyond a suspicion, because its counterpart is legitimate somewhere: a
sum with a gate of extent 1, a Linear on channels last, an auxiliary head that only training uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

from convcheck.core.errors import ConvcheckError
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.models.chain import chain_text
from convcheck.models.declared import lying_layers
from convcheck.models.graph import INPUT, Call, LayerGraph, Shape, Value
from convcheck.models.layers import is_layer
from convcheck.models.receptive import ELEMENTWISE
from convcheck.models.windows import (
    AxisWindow,
    has_window,
    is_conv,
    is_geometry,
    is_pool,
    is_unbatched,
    rank_of,
    spatial,
    windows_of,
)

_NORMS = ("batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm")


def silent_mistakes(graph: LayerGraph, in_training: LayerGraph | None = None) -> list[Finding]:
    """Returns the silent mistakes of a graph.

    Args:
        graph: The graph.
        in_training: The graph of a run in training mode, where modules were left unused.
    """
    found = [
        *_unregistered(graph),
        *lying_layers(graph),
        *_dead_borders(graph),
        *_one_value(graph),
        *_linear_on_map(graph),
        *_accidental_broadcast(graph),
        *_read_as_unbatched(graph),
    ]
    if graph.failure is None:
        found += [*_batch_changed(graph), *_never_called(graph, in_training)]
    return found


def unused_modules(graph: LayerGraph) -> list[str]:
    """Returns the paths of the registered modules whose parameters no call took."""
    return [m.path for m in graph.modules if m.path and m.holds_parameters and not m.used]


def _finding(code: str, call: Call, what: str, *why: str, fix: str = "") -> Finding:
    return Finding(
        verdict=Verdict.FAIL,
        code=code,
        where=call.name,
        what=what,
        why="\n".join(line for line in why if line),
        fix=fix,
        details={"source": call.source, "call": call.index},
    )


def _unregistered(graph: LayerGraph) -> Iterator[Finding]:
    owners: dict[str, list[str]] = {}
    for path, kind in graph.unregistered:
        owners.setdefault(path.rpartition("[")[0], []).append(kind)
    for path, kinds in owners.items():
        yield Finding(
            verdict=Verdict.FAIL,
            code="CC406",
            where=path,
            what=f"{path} is a plain list or dict with {len(kinds)} modules: {', '.join(kinds)}",
            why="their parameters are not in parameters(): not trained, moved or saved",
            fix=f"self.{path.rpartition('.')[2]} = nn.ModuleList([...])",
        )


def _never_called(graph: LayerGraph, in_training: LayerGraph | None) -> Iterator[Finding]:
    unused = set(unused_modules(graph))
    if in_training is not None:
        unused = unused & set(unused_modules(in_training)) if not in_training.failure else set()
    for module in graph.modules:
        if not module.path or module.called or module.used:
            continue
        matters = module.path in unused or (
            not module.holds_parameters and re.search("Pool|Upsample|PixelShuffle|Pad", module.kind)
        )
        if not matters and module.kind == "Identity":
            continue
        yield Finding(
            verdict=Verdict.FAIL if matters and not graph.looks_at_values else Verdict.SKIP,
            code="CC405",
            where=module.path,
            what=f"{module.path} ({module.kind}) is registered and never called",
            why=f"its {module.parameters} parameters get no gradient" if module.parameters else "",
            fix=f"call self.{module.path} in forward, or delete it",
        )


def _dead_borders(graph: LayerGraph) -> Iterator[Finding]:
    for call in graph.calls:
        if not has_window(call.op) or "transpose" in call.op or call.op == "fold":
            continue
        if not is_layer(call) or not call.outputs:
            continue
        try:
            windows = windows_of(call)
        except ConvcheckError:
            continue
        extents = spatial(call.input_shape, call.op)
        outs = call.outputs[0][-len(extents) :]
        for size, out, window in zip(extents, outs, windows, strict=False):
            dead = _dead_outputs(size, out, window) if is_conv(call.op) else 0
            if dead:
                yield _finding(
                    "CC407",
                    call,
                    f"{dead} of the {out} outputs on an axis read nothing but padding",
                    f"padding {max(window.padding)} is not less than the effective kernel "
                    f"{window.span}",
                    chain_text(graph, call.inputs[0]),
                    fix=f"padding={(window.span - 1) // 2}",
                )
                break
            unread = size - ((out - 1) * window.stride - window.padding[0] + window.span)
            if unread >= 2 and 4 * unread >= size:
                yield _finding(
                    "CC407",
                    call,
                    f"the last {unread} of {size} elements on an axis are never read",
                    f"({out} - 1) x {window.stride} + {window.span} = "
                    f"{(out - 1) * window.stride + window.span} of {size + sum(window.padding)}",
                    chain_text(graph, call.inputs[0]),
                    fix="choose kernel, stride and padding that cover the map, or adaptive pooling",
                )
                break


def _dead_outputs(size: int, out: int, window: AxisWindow) -> int:
    """Returns how many outputs have no tap inside of the input."""
    if max(window.padding) < window.span and window.dilation == 1:
        return 0
    before = window.padding[0]
    border = range(min(out, before // max(window.stride, 1) + 1))
    last = range(max(len(border), out - max(window.padding) - 1), out)
    dead = 0
    for output in (*border, *last):
        start = output * window.stride - before
        taps = range(start, start + window.span, window.dilation)
        dead += not any(0 <= tap < size for tap in taps)
    return dead


def _one_value(graph: LayerGraph) -> Iterator[Finding]:
    for call in graph.calls:
        shape = call.input_shape
        if call.op not in _NORMS or not call.outputs or not call.inputs[0].is_activation:
            continue
        if call.op == "batch_norm":
            values = shape[0] * prod(shape[2:]) if len(shape) > 1 else 2
            counts = bool(call.options.get("training"))
        elif call.op == "instance_norm":
            values, counts = prod(shape[2:]), bool(call.options.get("use_input_stats", True))
        elif call.op == "group_norm":
            groups = max(1, int(call.options.get("num_groups", 1)))
            values, counts = shape[1] // groups * prod(shape[2:]), True
        else:
            values, counts = prod(call.options.get("normalized_shape", (2,))), True
        if values != 1:
            continue
        finding = _finding(
            "CC211",
            call,
            f"{call.op} works on one value ({'x'.join(map(str, shape))})",
            "its variance is 0: the result is the bias, whatever the input"
            if counts
            else "in training mode torch refuses it; with stored statistics it runs",
            chain_text(graph, call.inputs[0]),
            fix="leave the normalisation out there, or use a larger batch",
        )
        if counts:
            yield finding
        else:
            yield _remark(finding)


def _remark(finding: Finding) -> Finding:
    return Finding(
        verdict=Verdict.SKIP,
        code=finding.code,
        where=finding.where,
        what=finding.what,
        why=finding.why,
        fix=finding.fix,
        details=finding.details,
    )


def _linear_on_map(graph: LayerGraph) -> Iterator[Finding]:
    for call in graph.calls:
        if call.op != "linear" or len(call.input_shape) < 4 or not call.outputs:
            continue
        made = _origin(graph, call.inputs[0])
        if made is None or not is_geometry(made.op) or rank_of(made.op) < 2:
            continue
        flat = prod(call.input_shape[1:])
        yield _finding(
            "CC402",
            call,
            f"the Linear mixes the last axis of the map {'x'.join(map(str, call.input_shape))}",
            f"it comes from {made.name} without a flatten; flat it has "
            f"{' x '.join(map(str, call.input_shape[1:]))} = {flat} features",
            chain_text(graph, call.inputs[0]),
            fix=f"torch.flatten(x, 1) before {call.name}, with in_features={flat}",
        )


def _origin(graph: LayerGraph, value: Value) -> Call | None:
    """Returns the call that made a tensor, element-wise calls and norms skipped."""
    while value.producer >= 0:
        call = graph.calls[value.producer]
        if call.op not in ELEMENTWISE and call.op not in ("batch_norm", "group_norm"):
            return call
        value = next((v for v in call.inputs if v.is_activation), call.inputs[0])
    return None


def _accidental_broadcast(graph: LayerGraph) -> Iterator[Finding]:
    for call in graph.calls:
        values = [v for v in call.inputs if v.is_activation]
        if call.op not in ("add", "sub") or len(values) != 2 or not call.outputs:
            continue
        a, b = values
        if a.shape == b.shape or not a.shape or not b.shape:
            continue
        out = call.outputs[0]
        if len(a.shape) != len(b.shape):
            if out not in (a.shape, b.shape) and 1 not in (len(out),):
                yield _broadcast(graph, call, a, b, "neither has the shape of the result")
            continue
        small = a if prod(a.shape) < prod(b.shape) else b
        shrunk = _shrunk_by(graph, small)
        if shrunk is not None and out in (a.shape, b.shape):
            yield _broadcast(graph, call, a, b, f"{shrunk.name} shrank it to extent 1")


def _broadcast(graph: LayerGraph, call: Call, a: Value, b: Value, why: str) -> Finding:
    shapes = [("x".join(map(str, v.shape))) for v in (a, b)]
    return _finding(
        "CC403",
        call,
        f"{call.op} repeats {shapes[0]} and {shapes[1]} to {'x'.join(map(str, call.outputs[0]))}",
        why,
        f"first:  {chain_text(graph, a)}",
        f"second: {chain_text(graph, b)}",
        fix="give the layer that shrank it the padding (k-1)/2, or make the shapes equal",
    )


def _shrunk_by(graph: LayerGraph, value: Value) -> Call | None:
    """Returns the window that brought a map down to 1 x 1, unless it pools over the whole map."""
    while value.producer >= 0:
        call = graph.calls[value.producer]
        if has_window(call.op) and call.op not in ("fold", "unfold"):
            before = spatial(call.input_shape, call.op)
            after = spatial(call.outputs[0], call.op)
            if prod(after) != 1:
                return None
            if prod(before) > 1:
                kernels = tuple(w.kernel for w in windows_of(call))
                return None if is_pool(call.op) and kernels == before else call
        elif call.op not in ELEMENTWISE and call.op not in _NORMS:
            return None
        value = next((v for v in call.inputs if v.is_activation), call.inputs[0])
    return None


def _read_as_unbatched(graph: LayerGraph) -> Iterator[Finding]:
    for call in graph.calls:
        if not is_geometry(call.op) or not call.outputs or not is_unbatched(call):
            continue
        if not call.inputs[0].is_activation or call.op in ("fold", "unfold"):
            continue
        evidence = _batched_before(graph, call.inputs[0]) or _batched_after(graph, call)
        if evidence is None:
            continue
        shape = "x".join(map(str, call.input_shape))
        axes = ", ".join("DHW"[-rank_of(call.op) :])
        yield _finding(
            "CC404",
            call,
            f"{call.op} reads {shape} as (C, {axes}), one sample without a batch",
            f"{evidence.name} ({evidence.op}) takes axis 0 for the batch",
            chain_text(graph, call.inputs[0]),
            fix="insert the channel axis before: x.unsqueeze(1)",
        )
        return


def _batched_before(graph: LayerGraph, value: Value) -> Call | None:
    while value.producer >= 0:
        call = graph.calls[value.producer]
        if is_geometry(call.op):
            return None if is_unbatched(call) else call
        if call.op in ("linear", "batch_norm") and len(call.input_shape) >= 2:
            return call
        if call.op == "flatten" and call.options.get("start_dim", 0) == 1:
            return call
        if call.op in ("squeeze", "getitem", "select", "unflatten", "permute", "transpose"):
            return None
        value = next((v for v in call.inputs if v.is_activation), call.inputs[0])
    return None


def _batched_after(graph: LayerGraph, start: Call) -> Call | None:
    reached = {start.index}
    for call in graph.calls[start.index + 1 :]:
        given = call.inputs[0].producer if call.inputs else INPUT
        if given not in reached or not call.outputs:
            continue
        before, after = call.input_shape, call.outputs[0]
        rank = len(start.input_shape)
        if call.op == "flatten" and call.options.get("start_dim", 0) == 1:
            return call
        if call.op in ("view", "reshape") and len(after) == 2 and after[0] == before[0]:
            return call
        if call.op == "linear" and len(before) == rank:
            return call
        if call.op == "batch_norm" and len(before) == rank:
            return call
        if len(after) == len(before):
            reached.add(call.index)
    return None


def _batch_changed(graph: LayerGraph) -> Iterator[Finding]:
    """Finds the reshape that took the batch axis away, where nothing brought it back."""
    batched = [shape for shape in graph.input_shapes if len(shape) >= 2]
    first = next((call for call in graph.calls if is_geometry(call.op)), None)
    if not batched or not graph.output_shapes or (first is not None and is_unbatched(first)):
        return
    batch = batched[0][0]
    if any(shape and batch in (shape[0], *shape[1:2]) for shape in graph.output_shapes):
        return
    for call in graph.calls:
        if call.op not in ("view", "reshape", "flatten") or not call.outputs:
            continue
        if not call.inputs[0].is_activation or not call.input_shape:
            continue
        before, after = call.input_shape, call.outputs[0]
        if before[0] != batch or not after or after[0] == batch or len(before) < 2:
            continue
        if not _cuts_samples(before, after) or not _used_by_layer(graph, call):
            continue
        yield _finding(
            "CC401",
            call,
            f"the batch of {batch} becomes {after[0]}: {call.op} turns "
            f"{'x'.join(map(str, before))} into {'x'.join(map(str, after))}",
            f"a sample has {' x '.join(map(str, before[1:]))} = {prod(before[1:])} elements, "
            f"a row of the new shape {prod(after[1:])}",
            chain_text(graph, call.inputs[0]),
            fix=f"torch.flatten(x, 1), and the next layer built for {prod(before[1:])} features",
        )
        return


def _cuts_samples(before: Shape, after: Shape) -> bool:
    """Whether rows of the new shape are neither whole samples nor single positions."""
    row = prod(after[1:]) if len(after) > 1 else 1
    if len(after) == 1:
        return True
    return row != before[-1]


def _used_by_layer(graph: LayerGraph, start: Call) -> bool:
    reached = {start.index}
    for call in graph.calls[start.index + 1 :]:
        if any(value.producer in reached for value in call.inputs):
            if call.parameters:
                return True
            reached.add(call.index)
    return False
