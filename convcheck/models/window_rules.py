"""The size formulas of what slides a window: convolution, pooling, unpooling, unfold, fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from convcheck.core.errors import GeometryError
from convcheck.core.explanation import WorkedSize, explain_axis
from convcheck.core.sizes import fold_columns, per_axis, unfold_output_size
from convcheck.models.graph import Call, Shape
from convcheck.models.predictions import Prediction, once_each, text
from convcheck.models.windows import AxisWindow, rank_of, spatial, windows_of


def _conv(call: Call) -> Prediction:
    shape, weight = call.input_shape, call.inputs[1].shape
    axes = rank_of(call.op)
    _check_rank(call, shape, axes)
    groups = int(call.options.get("groups", 1))
    if groups < 1:
        raise GeometryError(f"groups {groups}", why="it must be at least 1")
    channels, out_channels = shape[-axes - 1], weight[0]
    transposed = "transpose" in call.op
    wanted = weight[0] if transposed else weight[1] * groups
    if transposed:
        out_channels = weight[1] * groups
    if channels != wanted:
        raise GeometryError(
            f"the input has {channels} channels, the layer wants {wanted}",
            why=f"input {text(shape)}, weight {text(weight)}, groups {groups}",
        )
    if out_channels % groups:
        raise GeometryError(f"out_channels {out_channels} is not divisible by groups {groups}")
    worked = _worked(call, "conv_transpose" if transposed else "conv")
    sizes = _sizes(worked)
    positions = prod(spatial(shape, call.op)) if transposed else prod(sizes)
    batch = shape[: -axes - 1]
    return Prediction(
        shape=(*batch, out_channels, *sizes),
        formula=_formula(worked, windows_of(call), spatial(shape, call.op), call),
        worked=worked,
        macs=prod(batch) * positions * prod(weight),
        unread=tuple(w.unread for w in worked),
    )


def _window_pool(call: Call) -> Prediction:
    shape, axes = call.input_shape, rank_of(call.op)
    _check_rank(call, shape, axes)
    worked = _worked(call, "max_pool" if call.op.startswith("max") else "avg_pool")
    sizes = _sizes(worked)
    kernel = tuple(w.kernel for w in windows_of(call))
    extents = spatial(shape, call.op)
    if call.op == "avg_pool3d" and any(map(int.__lt__, extents, kernel)):
        raise GeometryError(
            f"input {text(extents)} is smaller than the kernel {text(kernel)}",
            why="avg_pool3d refuses an unpadded input smaller than its kernel",
        )
    return Prediction(
        shape=(*shape[:-axes], *sizes),
        formula=_formula(worked, windows_of(call), extents, call),
        worked=worked,
        unread=tuple(w.unread for w in worked),
    )


def _adaptive_pool(call: Call) -> Prediction:
    shape, axes = call.input_shape, rank_of(call.op)
    _check_rank(call, shape, axes)
    extents = spatial(shape, call.op)
    sizes = _given_or_kept(call.options["output_size"], extents)
    return Prediction(shape=(*shape[:-axes], *sizes), formula=f"output_size = {text(sizes)}")


def _fractional_pool(call: Call) -> Prediction:
    shape, axes = call.input_shape, rank_of(call.op)
    _check_rank(call, shape, axes)
    extents = spatial(shape, call.op)
    size, ratio = call.options.get("output_size"), call.options.get("output_ratio")
    if size is None:
        ratios = ratio if isinstance(ratio, Sequence) else (ratio,) * axes
        sizes = tuple(int(n * r) for n, r in zip(extents, ratios, strict=True))
        formula = f"floor({text(extents)} * {ratio}) = {text(sizes)}"
    else:
        sizes = per_axis(size, axes, "output_size")
        formula = f"output_size = {text(sizes)}"
    return Prediction(shape=(*shape[:-axes], *sizes), formula=formula)


def _unpool(call: Call) -> Prediction:
    shape, axes = call.input_shape, rank_of(call.op)
    extents = spatial(shape, call.op)
    wanted = call.options.get("output_size")
    windows = windows_of(call)
    if wanted is not None:
        sizes = tuple(map(int, wanted))[-axes:]
        return Prediction(shape=(*shape[:-axes], *sizes), formula=f"output_size = {text(sizes)}")
    sizes = tuple(
        (n - 1) * w.stride - sum(w.padding) + w.kernel
        for n, w in zip(extents, windows, strict=True)
    )
    formula = once_each(
        f"({n} - 1)*{w.stride} - {w.padding[0]} - {w.padding[1]} + {w.kernel} = {out}"
        for n, w, out in zip(extents, windows, sizes, strict=True)
    )
    return Prediction(shape=(*shape[:-axes], *sizes), formula=formula)


def _unfold(call: Call) -> Prediction:
    shape = call.input_shape
    _check_rank(call, shape, 2)
    windows = windows_of(call)
    worked = _worked(call, "conv")
    sizes = _sizes(worked)
    taps = prod(w.kernel for w in windows)
    columns = unfold_output_size(
        shape[-2:],
        tuple(w.kernel for w in windows),
        stride=tuple(w.stride for w in windows),
        padding=tuple(w.padding for w in windows),
        dilation=tuple(w.dilation for w in windows),
    )
    return Prediction(
        shape=(*shape[:-3], shape[-3] * taps, columns),
        formula=f"{shape[-3]} * {taps} rows; {text(sizes)} = {columns} columns",
        worked=worked,
        unread=tuple(w.unread for w in worked),
    )


def _fold(call: Call) -> Prediction:
    shape = call.input_shape
    windows = windows_of(call)
    out = per_axis(call.options["output_size"], 2, "output_size")
    taps = prod(w.kernel for w in windows)
    columns = fold_columns(
        out,
        tuple(w.kernel for w in windows),
        stride=tuple(w.stride for w in windows),
        padding=tuple(w.padding for w in windows),
        dilation=tuple(w.dilation for w in windows),
    )
    if shape[-1] != columns or shape[-2] % taps:
        raise GeometryError(
            f"fold was given {text(shape)}",
            why=f"output {text(out)} takes {columns} columns of a multiple of {taps} rows",
        )
    return Prediction(
        shape=(*shape[:-2], shape[-2] // taps, *out),
        formula=f"{shape[-2]} / {taps} = {shape[-2] // taps} channels; {columns} columns",
    )


def _check_rank(call: Call, shape: Shape, axes: int) -> None:
    if len(shape) not in (axes + 1, axes + 2):
        raise GeometryError(
            f"{call.op} was given {len(shape)} axes, {text(shape)}",
            why=f"it takes {axes + 2} (N, C, {'DHW'[-axes:]}) or {axes + 1} without the batch",
        )


def _worked(call: Call, op: Any) -> tuple[WorkedSize, ...]:
    extents = spatial(call.input_shape, call.op)
    extras = per_axis(call.options.get("output_padding", 0), len(extents), "output_padding")
    ceil_mode = bool(call.options.get("ceil_mode", False))
    worked = tuple(
        explain_axis(
            op,
            size,
            window.kernel,
            stride=window.stride,
            padding=window.padding,
            dilation=window.dilation,
            output_padding=extra,
            ceil_mode=ceil_mode,
        )
        for size, window, extra in zip(extents, windows_of(call), extras, strict=True)
    )
    for axis in worked:
        if axis.refusal is not None:
            raise axis.refusal
    return worked


def _sizes(worked: tuple[WorkedSize, ...]) -> Shape:
    return tuple(w.size for w in worked if w.size is not None)


def _formula(
    worked: tuple[WorkedSize, ...], windows: tuple[AxisWindow, ...], extents: Shape, call: Call
) -> str:
    extras = per_axis(call.options.get("output_padding", 0), len(extents), "output_padding")
    rounding = "ceil" if call.options.get("ceil_mode") else "floor"
    clauses = []
    for size, window, extra, axis in zip(extents, windows, extras, worked, strict=True):
        before, after = window.padding
        pads = f"2*{before}" if before == after else f"{before} + {after}"
        if "transpose" in call.op:
            pads = f"2*{before}" if before == after else f"{before} - {after}"
            clauses.append(
                f"({size} - 1)*{window.stride} - {pads} + {window.dilation}*({window.kernel}-1)"
                f" + {extra} + 1 = {axis.size}"
            )
            continue
        clauses.append(
            f"{rounding}(({size} + {pads} - {window.dilation}*({window.kernel}-1) - 1)"
            f"/{window.stride}) + 1 = {axis.size}"
        )
        if rounding == "ceil" and axis.steps[-1].value == axis.steps[-2].value:
            clauses[-1] = clauses[-1].replace(" + 1 = ", " + 1 - 1 = ")
    return once_each(clauses)


def _given_or_kept(wanted: Any, extents: Shape) -> Shape:
    values = tuple(wanted) if isinstance(wanted, Sequence) else (wanted,) * len(extents)
    if len(values) == 1:
        values *= len(extents)
    return tuple(n if v is None else int(v) for v, n in zip(values, extents, strict=True))


WINDOW_RULES: dict[str, Callable[[Call], Prediction | None]] = {
    **{f"conv{n}d": _conv for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _conv for n in (1, 2, 3)},
    **{f"{kind}_pool{n}d": _window_pool for kind in ("max", "avg", "lp") for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": _adaptive_pool for kind in ("avg", "max") for n in (1, 2, 3)},
    **{f"fractional_max_pool{n}d": _fractional_pool for n in (2, 3)},
    **{f"max_unpool{n}d": _unpool for n in (1, 2, 3)},
    "unfold": _unfold,
    "fold": _fold,
}
