"""From a row of levels to a valid case.

Sizes are worked backwards: for `extent` windows, with `remainder` elements that no window reads,
the input of an axis has (extent - 1) * stride + span - 2 * padding + remainder elements.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from convcheck.conformance.parameters import AXES, Level, Row
from convcheck.core.case import Case
from convcheck.core.ops import Op
from convcheck.core.sizes import effective_kernel
from convcheck.core.spec import ConvSpec, LossSpec, PoolSpec, SequenceSpec
from convcheck.oracle.loss_inputs import has_room_for_both


def case_from_row(op: Op, row: Row, *, seed: int = 0) -> Case:
    """Returns the case that a row describes; always a call that must be answered.

    Args:
        op: The operation.
        row: A level for each parameter of `parameters.model(op)`; what is missing is at its
            simplest, and a number may stand for any level that is a number.
        seed: Seed of the values.
    """
    arrays: dict[str, Any] = {
        name: row[name] for name in ("dtype", "layout", "values") if name in row
    }
    arrays["seed"] = seed
    arrays["defaults"] = bool(row.get("defaults", 0))
    if op.family in ("cross_entropy", "kl_div"):
        return _loss_case(op, row, arrays)
    if op.family == "convolve":
        return _sequence_case(op, row, arrays)
    window, spatial = _window(op, row)
    arrays["int_arguments"] = row.get("arguments") == "int"
    if op.family in ("max_pool", "avg_pool"):
        spec = PoolSpec(
            kind="max" if op.family == "max_pool" else "avg",
            **window,
            ceil_mode=bool(row.get("ceil_mode", 0)),
            count_include_pad=bool(row.get("count_include_pad", 1)),
        )
        return Case(
            op=op.name,
            spec=spec,
            spatial=spatial,
            batch=_number(row, "batch"),
            channels=_number(row, "channels"),
            **arrays,
        )
    if op.family == "output_size":
        del arrays["int_arguments"]
        return Case(op=op.name, spec=ConvSpec(**window), spatial=spatial, **arrays)
    groups = _number(row, "groups")
    conv = ConvSpec(
        **window,
        groups=groups,
        in_channels=groups * _number(row, "in_per_group"),
        out_channels=groups * _number(row, "out_per_group"),
        bias=bool(row.get("bias", 0)),
        transposed=op.family.startswith("conv_transpose"),
    )
    return Case(op=op.name, spec=conv, spatial=spatial, batch=_number(row, "batch"), **arrays)


def _window(op: Op, row: Row) -> tuple[dict[str, Any], tuple[int, ...]]:
    names = AXES[op.axes]
    axes = [_axis(op, row, name) for name in names]
    window: dict[str, Any] = {
        key: tuple(axis[key] for axis in axes)
        for key in ("kernel_size", "stride", "padding", "dilation")
    }
    if op.family.startswith("conv_transpose"):
        window["output_padding"] = tuple(axis["output_padding"] for axis in axes)
    text = row.get("padding_text")
    if text:
        window["padding"] = text
    return window, tuple(axis["size"] for axis in axes)


def _axis(op: Op, row: Row, name: str) -> dict[str, Any]:
    kernel = _number(row, f"kernel_{name}")
    dilation = _number(row, f"dilation_{name}")
    step = row.get(f"stride_{name}", 1)
    stride = kernel + 1 if step == "past_kernel" else cast(int, step)
    pool = op.family in ("max_pool", "avg_pool")
    # torch refuses pool padding beyond half the kernel, dilation not counted.
    span = kernel if pool else effective_kernel(kernel, dilation)
    padding = _padding(row.get(f"padding_{name}", 0), kernel // 2 if pool else (span - 1) // 2)
    span = effective_kernel(kernel, dilation)
    extent = _number(row, f"extent_{name}")
    if op.family.startswith("conv_transpose"):
        extra = max(stride, dilation) - 1 if row.get(f"output_padding_{name}") == "most" else 0
        size = extent
        while (size - 1) * stride - 2 * padding + span + extra < 1:
            size += 1
        return {
            "kernel_size": kernel, "stride": stride, "padding": (padding, padding),
            "dilation": dilation, "output_padding": extra, "size": size,
        }  # fmt: skip
    remainder = stride - 1 if row.get(f"remainder_{name}") == "most" else 0
    size = (extent - 1) * stride + span - 2 * padding + remainder
    # avg_pool3d refuses an input smaller than its kernel, padded or not.
    least = kernel if op.family == "avg_pool" and op.axes == 3 else 1
    while size < least:
        size += stride
    return {
        "kernel_size": kernel, "stride": stride, "padding": (padding, padding),
        "dilation": dilation, "size": size,
    }  # fmt: skip


def _padding(level: Level, half: int) -> int:
    if isinstance(level, int):
        return level
    return {"none": 0, "one": 1, "half": half, "past_half": half + 1}[level]


def _loss_case(op: Op, row: Row, arrays: dict[str, Any]) -> Case:
    text = str(row.get("positions", ""))
    if arrays.get("dtype") == "float16" and arrays.get("values") == "large":
        # Sums of large scores may pass what float16 can hold, in a right implementation too.
        arrays["values"] = "real"
    classes = _number(row, "classes")
    spec = LossSpec(
        classes=classes,
        reduction=cast(Any, row.get("reduction", "mean")),
        log_target=bool(row.get("log_target", 0)),
        label_smoothing=cast(int, row.get("label_smoothing", 0)),
        weighted=bool(row.get("weighted", 0)),
    )
    target = cast(Any, row.get("target", "index"))
    index = cast(Any, row.get("ignore_index"))
    if target == "ignore_index":
        index = row.get("ignored_index", -1)
    if target in ("ignored targets", "ignore_index"):
        target = "ignored"
    if index == "class":
        index = classes // 2
    spec = replace(spec, target=target, ignore_index=index)
    spatial = tuple(map(int, text.split("x"))) if text else ()
    case = Case(op=op.name, spec=spec, spatial=spatial, batch=_number(row, "batch"), **arrays)
    if target == "ignored" and not has_room_for_both(case):
        return replace(case, spec=replace(spec, target="all_ignored"))
    return case


def _sequence_case(op: Op, row: Row, arrays: dict[str, Any]) -> Case:
    names = AXES[_number(row, "axes")]
    spatial = tuple(_number(row, f"f_{name}") for name in names)
    kernel = tuple(_number(row, f"g_{name}") for name in names)
    mode = row.get("mode", "full")
    pairs = list(zip(spatial, kernel, strict=True))
    if mode == "valid" and any(f > g for f, g in pairs) and any(f < g for f, g in pairs):
        # "valid" needs one to contain the other: the larger extents go to f.
        spatial = tuple(max(pair) for pair in pairs)
        kernel = tuple(min(pair) for pair in pairs)
    spec = SequenceSpec(kernel_size=kernel, mode=cast(Any, mode))
    return Case(op=op.name, spec=spec, spatial=spatial, **arrays)


def _number(row: Row, name: str) -> int:
    return cast(int, row.get(name, 1))
