"""Layers that declare one geometry and use another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from convcheck.core.errors import ConvcheckError
from convcheck.core.finding import Finding
from convcheck.core.sizes import padding_pairs
from convcheck.core.verdict import Verdict
from convcheck.models.graph import Call, LayerGraph
from convcheck.models.windows import has_window, is_conv, is_window_pool, windows_of


def lying_layers(graph: LayerGraph) -> Iterator[Finding]:
    """Yields one finding per layer whose attributes differ from what its call used.

    The padding is not compared where the layer made an explicit pad of its own.
    """
    seen: set[str] = set()
    for call in graph.calls:
        if not call.declared or not call.outputs or call.path in seen:
            continue
        differences = _differences(call)
        if differences:
            seen.add(call.path)
            yield Finding(
                verdict=Verdict.FAIL,
                code="CC302",
                where=call.name,
                what=f"{call.op} uses another geometry than its layer declares",
                why="\n".join(differences),
                fix="use the attributes in forward, or set them to what is used",
                details={"source": call.source, "call": call.index},
            )


def _differences(call: Call) -> list[str]:
    declared, used = call.declared, _used(call)
    found = []
    for name, value in used.items():
        if name not in declared or (name == "padding" and call.module_pads):
            continue
        said = _normal(name, declared[name], used)
        if said is not None and said != value:
            found.append(f"{name}: declared {_short(said)}, used {_short(value)}")
    return found


def _used(call: Call) -> dict[str, Any]:
    if call.op == "linear" and "in_features" in call.declared:
        weight = call.inputs[1].shape
        return {"in_features": weight[-1], "out_features": weight[0]}
    if not has_window(call.op) or not (is_conv(call.op) or is_window_pool(call.op)):
        return {}
    if is_conv(call.op) != ("in_channels" in call.declared):
        return {}
    try:
        windows = windows_of(call)
    except ConvcheckError:
        return {}
    used: dict[str, Any] = {
        "kernel_size": tuple(w.kernel for w in windows),
        "stride": tuple(w.stride for w in windows),
        "padding": tuple(w.padding for w in windows),
        "dilation": tuple(w.dilation for w in windows),
    }
    if is_conv(call.op):
        weight, groups = call.inputs[1].shape, int(call.options.get("groups", 1))
        channels = (weight[1] * groups, weight[0])
        used["in_channels"], used["out_channels"] = (
            channels[::-1] if "transpose" in call.op else channels
        )
        used["groups"] = groups
    else:
        used["ceil_mode"] = bool(call.options.get("ceil_mode", False))
    return used


def _normal(name: str, value: Any, used: dict[str, Any]) -> Any:
    """Returns a declared value in the form of the used one; None where it cannot be compared."""
    if name in ("in_channels", "out_channels", "groups", "in_features", "out_features"):
        return value
    if name == "ceil_mode":
        return bool(value)
    axes = len(used["kernel_size"])
    if name == "padding":
        try:
            return padding_pairs(value, used["kernel_size"], used["dilation"], used["stride"])
        except ConvcheckError:
            return None
    values = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    return values if len(values) == axes else None


def _short(value: Any) -> str:
    if isinstance(value, tuple) and len(set(value)) == 1:
        return _short(value[0])
    return str(value)
