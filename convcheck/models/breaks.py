"""Why a broken model breaks: the layer, what arrived, what was wanted, and the chain of sizes."""

from __future__ import annotations

import re

from convcheck.core.errors import nearest
from convcheck.models.break_facts import Break, first_line, text
from convcheck.models.break_rules import explain_call
from convcheck.models.chain import chain_text
from convcheck.models.graph import Failure, LayerGraph


def explain_failure(graph: LayerGraph, failure: Failure) -> Break:
    """Returns what broke a run, by the operator that raised."""
    if failure.building:
        return _not_built(failure)
    call = failure.call
    if "meta tensor" in failure.message or "meta device" in failure.message:
        where = failure.path or (call.op if call else "")
        return Break(
            code="CC105", where=where, what="the model looks at values", why=(failure.message,)
        )
    if call is None:
        return _raised_in_python(graph, failure)
    return explain_call(graph, call, failure)


def _not_built(failure: Failure) -> Break:
    where = failure.assigned
    if failure.constructor is None:
        return Break(
            code="CC102",
            where=where,
            what=f"the model cannot be built: {failure.kind}: {first_line(failure.message)}",
            why=(f"raised by: {failure.code}",) if failure.code else (),
        )
    kind, values = failure.constructor
    shown = ", ".join(f"{key}={value!r}" for key, value in values.items() if key not in _QUIET)
    why = [f"{kind}({shown})"]
    groups = values.get("groups")
    for key in ("in_channels", "out_channels"):
        count = values.get(key)
        if isinstance(groups, int) and isinstance(count, int) and groups > 0 and count % groups:
            why.append(f"{key} {count} = {count // groups} x {groups} + {count % groups}")
    num_groups, channels = values.get("num_groups"), values.get("num_channels")
    if isinstance(num_groups, int) and isinstance(channels, int) and num_groups > 0:
        rest = channels % num_groups
        why.append(f"num_channels {channels} = {channels // num_groups} x {num_groups} + {rest}")
    return Break(
        code="CC101",
        where=where or kind,
        what=f"{kind} cannot be built: {first_line(failure.message)}",
        why=tuple(why),
    )


_QUIET = ("device", "dtype", "padding_mode", "bias")


def _raised_in_python(graph: LayerGraph, failure: Failure) -> Break:
    arrived = [chain_text(graph, value) for value in failure.inputs[:2]]
    why = [f"arrived: {text}" for text in arrived]
    if failure.code:
        why.append(f"raised by: {failure.code}")
    said = f"{failure.kind}: {first_line(failure.message)}"
    if failure.kind == "TypeError" and "forward()" in failure.message:
        return Break(code="CC103", where=failure.path, what=said, why=tuple(why))
    missing = re.search(r"object has no attribute '(\w+)'", failure.message)
    if failure.kind == "AttributeError" and missing:
        known = {m.path.rpartition(".")[2] for m in graph.modules if m.path}
        why.append(nearest(missing.group(1), known))
    shapes = [value.shape for value in failure.inputs]
    if re.search(r"expected \d-?D|dimension|\bdims?\b|[1-5]-?D", failure.message) and shapes:
        return Break(
            code="CC204",
            where=failure.path,
            what=f"{failure.kind_of_module} got {text(shapes[0])}: {first_line(failure.message)}",
            why=tuple(why),
        )
    return Break(code="CC104", where=failure.path, what=said, why=tuple(why))
