"""Why each operator refused its input, with both sizes, their factors and the chain."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from convcheck.core.errors import ConvcheckError
from convcheck.models.break_facts import Break, first_line, text
from convcheck.models.chain import ancestors, chain_text, channel_source
from convcheck.models.graph import Call, Failure, LayerGraph, Value
from convcheck.models.shape_rules import predict
from convcheck.models.windows import is_conv, is_geometry, rank_of


def explain_call(graph: LayerGraph, call: Call, failure: Failure) -> Break:
    """Returns why a call was refused."""
    for matches, explain in _RULES:
        if matches(call):
            found = explain(graph, call, failure)
            if found is not None:
                return found
    return _refused(graph, call, failure)


def _linear(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    if len(call.inputs) < 2 or not call.input_shape:
        return None
    got, wanted = call.input_shape[-1], call.inputs[1].shape[-1]
    if got == wanted:
        return _dtype(graph, call, failure)
    chain = chain_text(graph, call.inputs[0])
    why = [chain]
    factors = _factors_before(graph, call)
    if factors:
        why.append(f"{' x '.join(map(str, factors))} = {got}")
        channels = factors[0]
        if wanted % channels == 0:
            why.append(_wanted_map(channels, wanted, len(factors) - 1))
        else:
            why.append(f"{wanted} is no multiple of the {channels} channels of that map")
    flat = prod(call.input_shape[1:])
    if len(call.input_shape) > 2:
        why.append(
            f"the input {text(call.input_shape)} is not flattened; flat it would have "
            f"{' x '.join(map(str, call.input_shape[1:]))} = {flat} features"
        )
    return Break(
        code="CC201",
        where=call.name,
        what=f"the Linear wants {wanted} features and gets {got}",
        why=tuple(why),
        wanted=wanted,
        got=got,
    )


def _factors_before(graph: LayerGraph, call: Call) -> tuple[int, ...]:
    """Returns the axes that were flattened into the features of a call's input."""
    current = call.inputs[0]
    while current.producer >= 0:
        made = graph.calls[current.producer]
        before = made.input_shape
        if made.op in ("flatten", "view", "reshape"):
            for start in range(len(before)):
                if prod(before[start:]) == call.input_shape[-1]:
                    return before[start:] if len(before[start:]) > 1 else ()
            return before[1:]
        if before != made.outputs[0] or not made.inputs:
            return ()
        current = made.inputs[0]
    return ()


def _wanted_map(channels: int, wanted: int, axes: int) -> str:
    area = wanted // channels
    side = round(area ** (1 / axes)) if axes else 1
    if side**axes == area:
        return f"{wanted} = {' x '.join(map(str, (channels, *(side,) * axes)))}"
    return f"{wanted} = {channels} x {area}"


def _geometry(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    rank = rank_of(call.op)
    shape = call.input_shape
    chain = chain_text(graph, call.inputs[0]) if call.inputs else ""
    if len(shape) not in (rank + 1, rank + 2):
        return Break(
            code="CC204",
            where=call.name,
            what=f"{call.op} takes {rank + 2} axes (N, C, {', '.join('DHW'[-rank:])}), or "
            f"{rank + 1} without a batch, and gets {len(shape)}: {text(shape)}",
            why=(chain,),
            wanted=rank + 2,
            got=len(shape),
        )
    if is_conv(call.op) and len(call.inputs) > 1:
        found = _channels(graph, call, chain)
        if found is not None:
            return found
    try:
        predict(call)
    except ConvcheckError as error:
        code = "CC203" if error.what.startswith("kernel does not fit") else "CC205"
        if call.op in ("fold", "unfold"):
            code = "CC213" if code == "CC205" else code
        return Break(
            code=code,
            where=call.name,
            what=f"{call.op} on {text(shape)}: {error.what}",
            why=(error.why, chain, *([f"rule: {error.fix}"] if error.fix else [])),
        )
    # An unpooling takes indices beside its map: two types are no fault there.
    return None if "unpool" in call.op else _dtype(graph, call, failure)


def _channels(graph: LayerGraph, call: Call, chain: str) -> Break | None:
    rank, weight = rank_of(call.op), call.inputs[1].shape
    groups = int(call.options.get("groups", 1) or 0)
    got = call.input_shape[-rank - 1]
    wanted = weight[0] if "transpose" in call.op else weight[1] * groups
    if got == wanted or groups < 1:
        return None
    why = [chain]
    source = channel_source(graph, call.inputs[0])
    if source is not None:
        why.append(f"the {got} channels come from {source.name} ({text(source.outputs[0])})")
    if groups > 1:
        why.append(f"{wanted} = {weight[1]} per group x {groups} groups")
    if source is None and wanted in call.input_shape[1:] and len(call.input_shape) == rank + 2:
        why.append(f"the input {text(call.input_shape)} has an axis of {wanted}: channels last?")
    return Break(
        code="CC202",
        where=call.name,
        what=f"{call.op} wants {wanted} channels and gets {got} (input {text(call.input_shape)})",
        why=tuple(why),
        wanted=wanted,
        got=got,
    )


def _view(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    wanted = call.options.get("shape", call.options.get("sizes"))
    if not isinstance(wanted, (tuple, list)):
        return None
    count = prod(call.input_shape)
    known = prod(int(n) for n in wanted if int(n) != -1)
    why = [
        chain_text(graph, call.inputs[0]),
        f"{' x '.join(map(str, call.input_shape))} = {count} elements",
        f"{text(wanted)} needs "
        + (f"a multiple of {known}" if -1 in [int(n) for n in wanted] else f"{known}"),
    ]
    if known:
        why.append(f"{count} = {count // known} x {known} + {count % known}")
    sample = call.input_shape[1:]
    why.append(f"a sample has {' x '.join(map(str, sample))} = {prod(sample)} elements")
    if known and count % known == 0:
        return None
    return Break(
        code="CC206",
        where=_where_combined(graph, call),
        what=f"{call.op}{_tuple(wanted)} of {text(call.input_shape)}: {count} elements do not fit",
        why=tuple(why),
        wanted=known,
    )


def _combination(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    values = [value for value in call.inputs if value.shape][:2]
    if len(values) < 2:
        return None
    a, b = values
    clashes = [
        (i, m, n)
        for i, (m, n) in enumerate(zip(reversed(a.shape), reversed(b.shape), strict=False), 1)
        if m != n and 1 not in (m, n)
    ]
    if not clashes:
        return None
    said = ", ".join(f"axis -{i}: {m} against {n}" for i, m, n in clashes)
    shared = max(ancestors(graph, a) & ancestors(graph, b), default=-1)
    why = [
        said,
        *_shared_chain(graph, shared),
        f"first:  {chain_text(graph, a, after=shared)}",
        f"second: {chain_text(graph, b, after=shared)}",
    ]
    return Break(
        code="CC207",
        where=_where_combined(graph, call),
        what=f"{call.op} of {text(a.shape)} and {text(b.shape)}",
        why=tuple(why),
        wanted=clashes[-1][2],
        got=clashes[-1][1],
        shared=shared,
    )


def _shared_chain(graph: LayerGraph, index: int) -> tuple[str, ...]:
    """Returns the chain up to the call where branches part, if they part after the input."""
    if index < 0 or not graph.calls[index].outputs:
        return ()
    parted = Value(shape=graph.calls[index].outputs[0], producer=index)
    return (f"both:   {chain_text(graph, parted)}",)


def _where_combined(graph: LayerGraph, call: Call) -> str:
    """Returns the module of a sum or cat; at the root, the operator and its last layer."""
    if call.path:
        return call.path
    before = [graph.calls[v.producer].path for v in call.inputs if v.producer >= 0]
    named = [path for path in before if path]
    return f"{call.op} after {', '.join(dict.fromkeys(named))}" if named else call.op


def _cat(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    shapes = [value.shape for value in call.inputs]
    dim = int(call.options.get("dim", 0))
    shared: set[int] = set.intersection(*(ancestors(graph, v) for v in call.inputs))
    latest = max(shared, default=-1)
    chains = [f"input {i}: {chain_text(graph, v, after=latest)}" for i, v in enumerate(call.inputs)]
    rank = len(shapes[0])
    if any(len(s) != rank for s in shapes):
        said = "they differ in their number of axes"
    else:
        at = dim % rank if -rank <= dim < rank else dim
        clashes = [
            f"axis {i}: {', '.join(map(str, column))}"
            for i, column in enumerate(zip(*shapes, strict=True))
            if i != at and len(set(column)) > 1
        ]
        if call.op == "cat" and not clashes:
            return None
        said = "; ".join(clashes) or "the shapes differ"
    return Break(
        code="CC208",
        where=_where_combined(graph, call),
        what=f"{call.op} along axis {dim} of {' and '.join(map(text, shapes))}",
        why=(said, *_shared_chain(graph, latest), *chains),
        shared=latest,
    )


def _norm(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    shape = call.input_shape
    chain = chain_text(graph, call.inputs[0])
    if "more than 1" in failure.message:
        return Break(
            code="CC211",
            where=call.name,
            what=f"{call.op} in training mode has one value per channel: {text(shape)}",
            why=(chain, f"{shape[0]} x {prod(shape[2:])} = {shape[0] * prod(shape[2:])} value"),
        )
    if call.op == "group_norm":
        groups = int(call.options.get("num_groups", 1))
        channels = shape[1]
        own = [v.shape[0] for v in call.inputs[1:] if len(v.shape) == 1]
        if own and own[0] != channels:
            return _features(graph, call, own[0], channels, chain)
        return Break(
            code="CC205",
            where=call.name,
            what=f"group_norm: {channels} channels are not divisible by {groups} groups",
            why=(f"{channels} = {channels // groups} x {groups} + {channels % groups}", chain),
        )
    if call.op in ("layer_norm", "rms_norm"):
        wanted = tuple(map(int, call.options.get("normalized_shape", ())))
        got = shape[len(shape) - len(wanted) :]
        if got == wanted:
            return None
        return Break(
            code="CC209",
            where=call.name,
            what=f"{call.op} wants {text(wanted)} at the end and gets {text(got)} "
            f"(input {text(shape)})",
            why=(chain,),
            wanted=wanted[-1],
            got=got[-1] if got else 0,
        )
    own = [v.shape[0] for v in call.inputs[1:] if len(v.shape) == 1]
    if len(shape) < 2 or not own or own[0] == shape[1]:
        return None
    return _features(graph, call, own[0], shape[1], chain)


def _features(graph: LayerGraph, call: Call, wanted: int, got: int, chain: str) -> Break:
    why = [chain]
    source = channel_source(graph, call.inputs[0])
    if source is not None:
        why.append(f"the {got} channels come from {source.name} ({text(source.outputs[0])})")
    return Break(
        code="CC209",
        where=call.name,
        what=f"{call.op} wants {wanted} features and gets {got} (input {text(call.input_shape)})",
        why=tuple(why),
        wanted=wanted,
        got=got,
    )


def _matmul(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    if len(call.inputs) < 2:
        return None
    a, b = call.inputs[-2:] if call.op in ("addmm", "baddbmm") else call.inputs[:2]
    return Break(
        code="CC212",
        where=_where_combined(graph, call),
        what=f"{call.op} of {text(a.shape)} and {text(b.shape)}",
        why=(
            f"first:  {chain_text(graph, a)}",
            f"second: {chain_text(graph, b)}",
            first_line(failure.message),
        ),
        wanted=b.shape[-2] if len(b.shape) > 1 else 0,
        got=a.shape[-1] if a.shape else 0,
    )


def _rearranged(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    factor = int(call.options.get("upscale_factor", 0)) ** 2
    channels = call.input_shape[-3] if factor and len(call.input_shape) > 2 else 0
    try:
        predict(call)
    except ConvcheckError as error:
        return Break(
            wanted=channels // factor * factor if factor else 0,
            got=(channels // factor + 1) * factor if factor else 0,
            code="CC205" if call.op == "pad" else "CC213",
            where=call.name,
            what=f"{call.op} on {text(call.input_shape)}: {error.what}",
            why=(error.why, chain_text(graph, call.inputs[0])),
        )
    return None


def _dtype(graph: LayerGraph, call: Call, failure: Failure) -> Break | None:
    kinds = list(dict.fromkeys(value.dtype for value in call.inputs))
    if len(kinds) < 2:
        return None
    return Break(
        code="CC210",
        where=call.name,
        what=f"{call.op} gets {kinds[0]} and has weights in {kinds[1]}",
        why=(chain_text(graph, call.inputs[0]), first_line(failure.message)),
    )


def _refused(graph: LayerGraph, call: Call, failure: Failure) -> Break:
    shapes = " and ".join(text(value.shape) for value in call.inputs[:3]) or "no tensor"
    wrong = _dtype(graph, call, failure) if "type" in failure.message.lower() else None
    if wrong is not None:
        return wrong
    return Break(
        code="CC299",
        where=_where_combined(graph, call),
        what=f"{call.op} refuses {shapes}: {first_line(failure.message)}",
        why=tuple(chain_text(graph, value) for value in call.inputs[:2] if value.is_activation),
    )


def _tuple(values: Any) -> str:
    return "(" + ", ".join(map(str, values)) + ")"


_Explain = Callable[[LayerGraph, Call, Failure], Break | None]
_COMBINING = (
    "add", "sub", "mul", "div", "minimum", "maximum", "where", "lerp", "pow", "addcmul",
)  # fmt: skip
_RULES: tuple[tuple[Callable[[Call], bool], _Explain], ...] = (
    (lambda call: call.op == "linear", _linear),
    (lambda call: is_geometry(call.op), _geometry),
    (lambda call: call.op in ("view", "reshape", "unflatten"), _view),
    (lambda call: call.op in _COMBINING, _combination),
    (lambda call: call.op in ("cat", "stack"), _cat),
    (lambda call: call.op.endswith("_norm"), _norm),
    (lambda call: call.op in ("matmul", "bmm", "mm", "addmm", "baddbmm", "einsum"), _matmul),
    (lambda call: call.op in ("pixel_shuffle", "pixel_unshuffle", "pad"), _rearranged),
)
