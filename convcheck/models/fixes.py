"""Fixes of a broken model: each one applied to a copy and run before it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import gcd, prod
from typing import Any

import torch
from torch import nn

from convcheck.models.break_facts import Break
from convcheck.models.build_torch import build
from convcheck.models.chain import ancestors
from convcheck.models.edits import building_with, edit_layer, insert_before
from convcheck.models.graph import Call, Failure, LayerGraph
from convcheck.models.read_torch import TorchModel, run, with_inputs, with_module
from convcheck.models.record_torch import TooLargeError
from convcheck.models.windows import has_window, is_conv, is_window_pool, rank_of, windows_of

_MOST_TRIALS = 60
_MOST_OFFERED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A change to try: what to say of it, and how to apply it."""

    says: str
    apply: Callable[[], TorchModel | None]


def verified_fixes(
    graph: LayerGraph, failure: Failure, model: TorchModel | None, found: Break
) -> list[str]:
    """Returns changes after which the model runs, best first; each was applied and run.

    Args:
        graph: The graph that ended in the failure.
        failure: The failure.
        model: The model to try them on; None where it could not be built.
        found: What is known of the failure.
    """
    if failure.building or model is None:
        return []
    offered: list[str] = []
    expensive = len(graph.calls) > 200
    most = 12 if expensive else _MOST_TRIALS
    for trial, _ in zip(_trials(graph, failure, model, found), range(most), strict=False):
        if len(offered) == _MOST_OFFERED:
            break
        if trial.says not in offered and _runs(trial):
            offered.append(trial.says)
    sizes = [] if expensive else _sizes_that_fit(graph, model)
    if sizes:
        offered.insert(min(len(offered), 2), sizes[0])
    return offered


def _runs(trial: Trial) -> bool:
    try:
        changed = trial.apply()
        return changed is not None and run(changed).failure is None
    except (TooLargeError, RuntimeError, ValueError, TypeError, KeyError, AttributeError):
        return False  # a change that cannot even be applied is no fix


def _trials(
    graph: LayerGraph, failure: Failure, model: TorchModel, found: Break
) -> Iterator[Trial]:
    call = failure.call
    if call is not None:
        yield from _own_arguments(call, model, found)
    yield from _changed_inputs(graph, failure, model, found)
    if call is not None:
        yield from _earlier_layers(graph, call, model, found)


def _own_arguments(call: Call, model: TorchModel, found: Break) -> Iterator[Trial]:
    layer = _layer_at(model.module, call.path)
    if layer is None:
        return
    if found.code == "CC201" and isinstance(layer, nn.Linear):
        flat = prod(call.input_shape[1:])
        if len(call.input_shape) > 2 and flat == layer.in_features:
            yield _insertion(
                model, call.path, nn.Flatten(1), f"flatten before {call.path}: torch.flatten(x, 1)"
            )
        if len(call.input_shape) == 2:
            says = f"{call.path} = nn.Linear({found.got}, {layer.out_features})"
            yield _edit(model, call.path, {"in_features": found.got}, says)
        elif flat != layer.in_features:
            yield Trial(
                says=f"torch.flatten(x, 1) before {call.path} = "
                f"nn.Linear({flat}, {layer.out_features})",
                apply=lambda: with_module(model, lambda root: _flat_linear(root, call.path, flat)),
            )
    if found.code == "CC202":
        yield _edit(
            model, call.path, {"in_channels": found.got}, f"{call.path}: in_channels={found.got}"
        )
    if found.code == "CC209":
        name = {"layer_norm": "normalized_shape", "group_norm": "num_channels"}.get(
            call.op, "num_features"
        )
        value: Any = found.got
        if name == "normalized_shape":
            value = call.input_shape[-len(call.options["normalized_shape"]) :]
        yield _edit(model, call.path, {name: value}, f"{call.path}: {name}={value}")
    if found.code == "CC205" and call.op == "group_norm":
        channels = call.input_shape[1]
        for groups in sorted({gcd(channels, n) for n in range(1, channels + 1)}, reverse=True)[:3]:
            yield _edit(
                model, call.path, {"num_groups": groups}, f"{call.path}: num_groups={groups}"
            )
    if found.code in ("CC203", "CC205") and has_window(call.op):
        yield from _window_edits(call, model)


def _flat_linear(root: nn.Module, path: str, features: int) -> None:
    edit_layer(root, path, {"in_features": features})
    insert_before(root, path, nn.Flatten(1))


def _window_edits(call: Call, model: TorchModel) -> Iterator[Trial]:
    """Yields changes of a layer's padding, kernel, stride and dilation, the smallest first."""
    path = call.path
    try:
        window = windows_of(call)[0]
    except ValueError:
        return
    pool = is_window_pool(call.op)
    kernel, stride, (pad, _), dilation = (
        window.kernel, window.stride, window.padding, window.dilation
    )  # fmt: skip
    if stride < 1:
        yield _edit(model, path, {"stride": 1}, f"{path}: stride=1")
    if dilation < 1:
        yield _edit(model, path, {"dilation": 1}, f"{path}: dilation=1")
    same = (window.span - 1) // 2
    for p in dict.fromkeys((kernel // 2 if pool else same, same, 0)):
        if p != pad and p >= 0:
            yield _edit(model, path, {"padding": p}, f"{path}: padding={p}")
    if dilation > 1:
        yield _edit(model, path, {"dilation": 1}, f"{path}: dilation=1")
    if "transpose" in call.op and call.options.get("output_padding"):
        yield _edit(model, path, {"output_padding": 0}, f"{path}: output_padding=0")
        extra = max(stride, dilation) - 1
        yield _edit(model, path, {"output_padding": extra}, f"{path}: output_padding={extra}")
    for k in dict.fromkeys((kernel - 1, kernel - 2, kernel - 4, kernel + 1, kernel + 2, 1)):
        if k >= 1 and k != kernel:
            yield _edit(model, path, {"kernel_size": k}, f"{path}: kernel_size={k}")
    for s in (1, 2, stride - 1):
        if s >= 1 and s != stride:
            yield _edit(model, path, {"stride": s}, f"{path}: stride={s}")


def _changed_inputs(
    graph: LayerGraph, failure: Failure, model: TorchModel, found: Break
) -> Iterator[Trial]:
    if found.code in ("CC202", "CC204", "CC209"):
        yield _inputs(
            model,
            lambda t: t.permute(0, 3, 1, 2) if t.dim() == 4 else t,
            "move the channels of the input to axis 1: x.permute(0, 3, 1, 2)",
        )
    if found.code in ("CC202", "CC204", "CC104", "CC299"):
        yield _inputs(
            model, lambda t: t.unsqueeze(0), "give the input a batch axis: x.unsqueeze(0)"
        )
        yield _inputs(
            model, lambda t: t.unsqueeze(1), "give the input a channel axis: x.unsqueeze(1)"
        )
        yield _inputs(
            model, lambda t: t.squeeze(0), "drop the first axis of the input: x.squeeze(0)"
        )
    call = failure.call
    if found.code == "CC204" and call is not None and is_conv(call.op) and len(call.inputs) > 1:
        rank, channels = rank_of(call.op), call.inputs[1].shape[1]
        side = round((call.input_shape[-1] / channels) ** (1 / rank)) if channels else 0
        if side and channels * side**rank == call.input_shape[-1]:
            shape = (-1, channels, *(side,) * rank)
            yield _inputs(model, lambda t: t.reshape(shape), f"reshape the input: x.view{shape}")
    if found.code == "CC210":
        yield _inputs(model, lambda t: t.float(), "convert the input: x.float()")
        yield Trial(
            says="convert the model: model.double()",
            apply=lambda: with_module(model, lambda root: root.double() and None),
        )
    if found.code == "CC211":
        yield _inputs(
            model,
            lambda t: torch.cat([t, t]),
            "train with a batch of at least 2, or call model.eval()",
        )


def _earlier_layers(
    graph: LayerGraph, call: Call, model: TorchModel, found: Break
) -> Iterator[Trial]:
    """Yields changes of the layers that made the tensors of the failed call, nearest first."""
    branches: set[int] = set()
    for value in call.inputs:
        if value.is_activation:
            branches |= ancestors(graph, value)
    before = [graph.calls[i] for i in sorted(branches, reverse=True) if i > found.shared]
    layers = [c for c in before if c.path and (has_window(c.op) or c.op == "linear")]
    seen: set[str] = set()
    for made in layers:
        if made.path in seen or len(seen) > 6:
            continue
        seen.add(made.path)
        layer = _layer_at(model.module, made.path)
        if layer is None:
            continue
        for width in dict.fromkeys((found.wanted, found.got)):
            if width > 0 and is_conv(made.op) and width != layer.out_channels:
                says = f"{made.path}: out_channels={width}"
                yield _edit(model, made.path, {"out_channels": width}, says)
            if width > 0 and made.op == "linear" and width != layer.out_features:
                says = f"{made.path}: out_features={width}"
                yield _edit(model, made.path, {"out_features": width}, says)
        if has_window(made.op):
            yield from _window_edits(made, model)


def _sizes_that_fit(graph: LayerGraph, model: TorchModel) -> list[str]:
    """Returns the square input sizes near the given one that run, in words."""
    shape = next((s for s in graph.input_shapes if len(s) >= 3), None)
    rank = next((rank_of(c.op) for c in graph.calls if has_window(c.op)), 0)
    if shape is None or not rank or len(shape) < rank + 1:
        return []
    given = max(shape[-rank:])
    if given > 512:
        return []
    fits = []
    nearest_first = sorted(range(1, 2 * given + 17), key=lambda n: (abs(n - given), n))
    for size in nearest_first[:160]:
        new = (*shape[:-rank], *(size,) * rank)
        changed = with_inputs(
            model,
            lambda t, new=new: t.new_zeros(new) if tuple(t.shape) == shape else t,  # type: ignore[misc]
        )
        if new == shape:
            continue
        try:
            if run(changed).failure is None:
                fits.append(size)
        except TooLargeError:
            continue
    if not fits:
        return []
    low, high = min(fits), max(fits)
    if len(fits) == high - low + 1 > 1:
        if high >= 2 * given + 16 or len(fits) > given:
            return [
                f"feed an input of at least {low} x {low}" if rank == 2 else f"feed at least {low}"
            ]
        return [f"feed an input of {low} to {high} (square)"]
    return ["feed an input of " + ", ".join(map(str, sorted(fits[:6])))]


def _edit(model: TorchModel, path: str, changes: dict[str, Any], says: str) -> Trial:
    return Trial(
        says=says,
        apply=lambda: with_module(model, lambda root: edit_layer(root, path, changes)),
    )


def _insertion(model: TorchModel, path: str, module: nn.Module, says: str) -> Trial:
    return Trial(
        says=says,
        apply=lambda: with_module(model, lambda root: insert_before(root, path, module)),
    )


def _inputs(model: TorchModel, change: Callable[[torch.Tensor], torch.Tensor], says: str) -> Trial:
    return Trial(says=says, apply=lambda: with_inputs(model, change))


def _layer_at(root: nn.Module, path: str) -> Any:
    if not path:
        return None
    try:
        return root.get_submodule(path)
    except AttributeError:
        return None


def constructor_fixes(
    factory: Callable[[], Any] | None, failure: Failure, args: Any, kwargs: Any
) -> list[str]:
    """Returns changes of a layer's arguments with which the model is built and runs.

    Args:
        factory: Builds the model.
        failure: The failure while it was built.
        args: Positional inputs.
        kwargs: Keyword inputs.
    """
    if factory is None or failure.constructor is None:
        return []
    kind, given = failure.constructor
    offered = []
    for changes in _constructor_changes(kind, given):
        try:
            with building_with(kind, given, changes):
                module = build(factory, "meta")
        except Exception:
            continue
        if not isinstance(module, nn.Module):
            continue
        model = TorchModel(module=module.eval(), args=args, kwargs=kwargs, method="meta", name=kind)
        on_meta = with_inputs(model, lambda t: t.to("meta"))
        said = ", ".join(f"{key}={value!r}" for key, value in changes.items())
        if run(replace(on_meta)).failure is None:
            offered.append(f"{kind}(..., {said})")
    return offered[:_MOST_OFFERED]


def _constructor_changes(kind: str, given: Any) -> Iterator[dict[str, Any]]:
    channels, out, groups = (given.get(k) for k in ("in_channels", "out_channels", "groups"))
    if isinstance(groups, int) and isinstance(channels, int) and isinstance(out, int):
        both = gcd(channels, out)
        divisors = [g for g in range(both, 0, -1) if both % g == 0]
        for g in sorted(divisors, key=lambda g: abs(g - groups)):
            if g != groups:
                yield {"groups": g}
        if groups > 0:
            yield {"out_channels": -(-out // groups) * groups}
    if given.get("padding") == "same":
        kernel = given.get("kernel_size")
        kernel = kernel[0] if isinstance(kernel, tuple) else kernel
        if isinstance(kernel, int):
            yield {"padding": (kernel - 1) // 2}
        yield {"stride": 1}
    if isinstance(given.get("num_groups"), int) and isinstance(given.get("num_channels"), int):
        total = given["num_channels"]
        for g in sorted(range(1, total + 1), key=lambda g: abs(g - given["num_groups"])):
            if total % g == 0:
                yield {"num_groups": g}
    if given.get("padding_mode") not in (None, "zeros"):
        yield {"padding_mode": "zeros"}
