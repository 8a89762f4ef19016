"""The small grid of corners: the cases that come first, since most faults show there.

Each corner is a base call with a few parameters moved, and small enough to be read. "window"
parameters without an axis (`stride`) mean every axis; `_first` and `_last` mean one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from convcheck.conformance.fast_paths import fast_paths
from convcheck.conformance.ignored_targets import IGNORED_TARGETS
from convcheck.conformance.large_corners import LARGE_CONV, LARGE_WINDOW, WIDE_PLANES
from convcheck.conformance.loss_corners import CROSS_ENTROPY, KL_DIV, LOSS, MASKED
from convcheck.conformance.parameters import AXES, INTEGER, Row, over_each
from convcheck.conformance.rows import case_from_row
from convcheck.conformance.siblings import siblings
from convcheck.core.case import Case
from convcheck.core.ops import Op

# Kernel and windows differ between the axes, so that a swap of axes shows in the base already.
_BASE: Row = {"kernel": 2, "kernel_last": 3, "extent": 3, "extent_last": 4}
_CHANNELS: Row = {"in_per_group": 2, "out_per_group": 3, "channels": 2}

_WINDOW: tuple[Row, ...] = (
    {},
    {"arguments": "int", "kernel": 3},
    {"batch": 2},
    {"batch": 3, "extent_last": 4},
    {"stride": 2},
    {"stride_first": 2},
    {"stride_last": 2},
    {"stride_last": 3, "remainder_last": "most"},
    {"stride_first": 3, "remainder_first": "most"},
    {"stride": 2, "remainder": "most"},
    {"stride": "past_kernel"},
    {"padding": "half", "kernel": 3},
    {"padding_first": "half", "kernel": 4},
    {"padding_last": "half", "kernel": 3},
    {"padding": "half", "stride": 2, "kernel": 3},
    {"padding": "half", "stride": 2, "kernel": 3, "remainder": "most", "arguments": "int"},
    {"kernel": 1},
    {"kernel": 1, "stride": 2},
    {"kernel": 2, "extent": 1},
    {"kernel": 4, "extent": 2},
    {"kernel": 5, "extent": 3, "arguments": "int"},
    {"kernel_first": 5, "kernel_last": 1},
    {"kernel_last": 7, "kernel": 1},
    {"extent": 1},
    {"extent_first": 1, "extent_last": 9},
    {"extent_first": 9, "extent_last": 1},
)

_DILATED: tuple[Row, ...] = (
    {"dilation": 2},
    {"dilation_first": 2},
    {"dilation_last": 2},
    {"dilation_last": 3},
    {"dilation": 2, "stride": 2},
    {"dilation": 2, "padding": "half", "kernel": 3},
    {"dilation": 2, "padding": 1, "stride": 2, "remainder": "most", "arguments": "int"},
    {"dilation": 3, "stride": 3, "remainder": "most"},
)

_CONV: tuple[Row, ...] = (
    {"defaults": 1},
    {"defaults": 1, "bias": 1},
    {"bias": 1},
    {"bias": 1, "batch": 2},
    {"padding": 1},
    {"padding": 1, "bias": 1, "batch": 3},
    {"padding_first": 1},
    {"padding_last": 1},
    {"padding_first": 2, "padding_last": 1},
    {"padding": "past_half"},
    {"padding": "past_half", "kernel": 1},
    {"padding": 3, "stride": 2},
    {"padding": 1, "stride_first": 2, "stride_last": 3},
    {"padding": 1, "stride_first": 3, "stride_last": 2},
    {"stride_first": 2, "padding_last": 2, "dilation_first": 2},
    {"groups": 2},
    {"groups": 3, "bias": 1},
    {"groups": 2, "in_per_group": 3, "out_per_group": 2, "batch": 2},
    {"groups": 4, "in_per_group": 1, "out_per_group": 1},
    {"groups": 3, "in_per_group": 1, "out_per_group": 2, "bias": 1},
    {"groups": 2, "in_per_group": 2, "out_per_group": 1},
    {"groups": 2, "stride": 2, "padding": 1, "dilation": 2},
    {"in_per_group": 1, "out_per_group": 1},
    {"in_per_group": 1},
    {"out_per_group": 1},
    {"in_per_group": 5, "out_per_group": 1, "kernel": 1},
    # A kernel that is 1: the result equals the input, and must not be it.
    {
        "in_per_group": 1,
        "out_per_group": 1,
        "kernel": 1,
        "kernel_last": 1,
        "values": "one_hot",
    },
    {
        "in_per_group": 1,
        "out_per_group": 1,
        "kernel": 1,
        "kernel_last": 1,
        "values": "one_hot",
        "defaults": 1,
    },
    # As many channels as rows, columns and images: which axis is which shows in nothing else.
    *(
        {
            "in_per_group": 5,
            "out_per_group": 5,
            "batch": 5,
            "extent": 4,
            "extent_last": 3,
            "layout": layout,
        }
        for layout in ("contiguous", "channels_last", "fortran")
    ),
    # Sums that are subnormal, and exact.
    {"dtype": "float16", "values": "tiny"},
    {"dtype": "float16", "values": "tiny", "bias": 1, "padding": 1},
    # Sums past the largest finite number.
    {"dtype": "float16", "values": "huge"},
    {"values": "huge", "padding": 1},
    # As many filters as channels, and a bias that uses every bit.
    {"in_per_group": 3, "out_per_group": 3, "bias": 1, "dtype": "float64", "values": "real"},
)

_TEXT: tuple[Row, ...] = (
    {"padding_text": "same", "kernel": 3},
    {"padding_text": "same", "kernel": 2, "kernel_last": 4},
    {"padding_text": "same", "kernel": 2, "dilation": 3},
    {"padding_text": "valid", "stride": 2},
)

_TRANSPOSED: tuple[Row, ...] = (
    {"stride": 2, "output_padding": "most"},
    {"stride_first": 2, "output_padding_first": "most"},
    {"stride_last": 3, "output_padding_last": "most"},
    {"stride": 3, "padding": 1, "output_padding": "most"},
    {"dilation": 3, "output_padding": "most"},
    {"stride": 2, "groups": 2, "padding": 1, "bias": 1},
)

_POOL: tuple[Row, ...] = (
    # The stride is that of the kernel, and left out.
    {"defaults": 1, "stride": 2, "stride_last": 3},
    {"defaults": 1, "stride": 2, "stride_last": 3, "padding": "half", "remainder": "most"},
    {"ceil_mode": 1, "stride": 2, "remainder": "most"},
    {"ceil_mode": 1, "stride": 3, "remainder": "most", "kernel": 2},
    {"ceil_mode": 1, "stride": 2, "kernel": 3, "padding": "half", "remainder": "most"},
    {"ceil_mode": 1, "stride": "past_kernel", "remainder": "most", "kernel": 2, "padding": "half"},
    {"ceil_mode": 1, "stride_last": 3, "remainder_last": "most"},
    {"ceil_mode": 1},
    {"values": "negative", "padding": "half", "kernel": 3},
    {"values": "negative", "padding": "half", "kernel": 2, "stride": 1},
    # Padding on one side only, or twice, that a pool of this kernel would take.
    {"padding": 1, "kernel": 4},
)

_DILATED_POOL: tuple[Row, ...] = ({"padding": 1, "kernel": 4, "dilation": 2},)

_AVERAGE: tuple[Row, ...] = over_each(
    ({"count_include_pad": 0},),
    (
        {"padding": "half", "kernel": 3},
        {"padding": "half", "kernel": 2, "stride": 2},
        {"padding": "half", "kernel": 3, "stride": 2, "ceil_mode": 1, "remainder": "most"},
        {},
    ),
)

_ARRAYS: tuple[Row, ...] = (
    {"dtype": "float64"},
    {"dtype": "float64", "values": "large"},
    {"values": "large"},
    {"values": "real"},
    {"dtype": "float64", "values": "real"},
    {"values": "negative"},
    {"values": "one_hot"},
    {"values": "negative_zero"},
    {"values": "nonfinite"},
    # What code looks for to save itself the work.
    {"values": "all_zeros", "bias": 1, "batch": 2},
    {"values": "all_zeros", "padding": "half", "kernel": 3},
    {"values": "zero_ends", "kernel": 3, "kernel_last": 5},
    {"values": "all_ones", "padding": "half", "kernel": 3},
    {"values": "all_ones", "layout": "expanded"},
    {"values": "near_ones", "kernel": 3},
    {"values": "near_ones", "kernel": 3, "in_per_group": 1, "out_per_group": 1},
    {"values": "near_ones", "kernel": 3, "in_per_group": 1, "out_per_group": 1,
     "dtype": "float64"},
    {"values": "large_ones", "kernel": 3, "in_per_group": 1, "out_per_group": 1,
     "extent_last": 40},
    {"values": "large_ones", "kernel": 5, "in_per_group": 1, "out_per_group": 1,
     "extent_last": 40},
    {"values": "balanced"},
    {"values": "balanced", "batch": 2, "kernel": 3, "padding": "half"},
    {"layout": "channels_last"},
    {"layout": "transposed"},
    {"layout": "fortran"},
    {"layout": "pitched"},
    {"layout": "sliced"},
    {"layout": "expanded"},
    {"layout": "reversed"},
    {"layout": "offset"},
    {"dtype": "float16"},
    {"dtype": "bfloat16"},
    {"dtype": "float16", "values": "large"},
    {"dtype": "bfloat16", "values": "large"},
    # Three channels, which instructions that take pairs have to fill up.
    {"dtype": "float16", "values": "nonfinite", "in_per_group": 3, "extent_last": 9},
    {"dtype": "bfloat16", "values": "nonfinite", "in_per_group": 3, "extent_last": 9},
    {"dtype": "float64", "layout": "transposed"},
)  # fmt: skip

_SEQUENCE: tuple[Row, ...] = over_each(
    ({"mode": "full"}, {"mode": "same"}, {"mode": "valid"}),
    (
        {"f_w": 5, "g_w": 3},
        {"f_w": 3, "g_w": 5},
        {"f_w": 4, "g_w": 4},
        {"f_w": 6, "g_w": 2},
        {"f_w": 2, "g_w": 6},
        {"f_w": 5, "g_w": 2, "defaults": 1},
        {"f_w": 1, "g_w": 1},
        {"f_w": 1, "g_w": 4},
        {"f_w": 7, "g_w": 1},
        {"axes": 2, "f_h": 4, "f_w": 5, "g_h": 2, "g_w": 3},
        {"axes": 2, "f_h": 2, "f_w": 3, "g_h": 4, "g_w": 5},
        {"axes": 2, "f_h": 5, "f_w": 2, "g_h": 2, "g_w": 4},
        {"axes": 3, "f_z": 3, "f_h": 4, "f_w": 5, "g_z": 2, "g_h": 2, "g_w": 3},
        {"axes": 3, "f_z": 1, "f_h": 3, "f_w": 2, "g_z": 1, "g_h": 3, "g_w": 2},
        {"f_w": 5, "g_w": 3, "dtype": "float32"},
        {"f_w": 5, "g_w": 3, "dtype": "int64"},
        {"f_w": 5, "g_w": 3, "dtype": "int16"},
        {"f_w": 5, "g_w": 3, "dtype": "int8"},
        {"f_w": 5, "g_w": 2, "layout": "reversed"},
        {"f_w": 5, "g_w": 2, "layout": "sliced"},
        {"f_w": 5, "g_w": 2, "values": "real"},
        {"f_w": 5, "g_w": 2, "values": "large"},
        {"f_w": 5, "g_w": 2, "values": "nonfinite"},
        # Long enough for a NaN beside the infinities.
        {"f_w": 50, "g_w": 2, "values": "nonfinite"},
        {"f_w": 5, "g_w": 1, "values": "all_ones"},
        {"f_w": 6, "g_w": 5, "values": "zero_ends"},
        {"axes": 2, "f_h": 4, "f_w": 5, "g_h": 3, "g_w": 3, "values": "zero_ends"},
        {"axes": 2, "f_h": 4, "f_w": 5, "g_h": 3, "g_w": 3, "values": "near_ones"},
        {"f_w": 130, "g_w": 5, "values": "large_ones"},
        {"f_w": 9, "g_w": 4, "values": "balanced"},
        {"f_w": 16, "g_w": 16},
        {"f_w": 33, "g_w": 33},
        {"f_w": 64, "g_w": 64, "dtype": "int64"},
        {"f_w": 65, "g_w": 65, "dtype": "int64"},
        {"f_w": 129, "g_w": 129},
        {"f_w": 130, "g_w": 33},
        {"f_w": 33, "g_w": 130},
        {"f_w": 600, "g_w": 3},
    ),
)

# Zeros among the weights and biases, which code may take for nothing to do.
_ZEROS: tuple[Row, ...] = ({"values": "nonfinite"}, {"values": "negative_zero", "bias": 1})
_SMALL_OR_INFINITE: tuple[Row, ...] = (
    {"values": "nonfinite", "bias": 1},
    {"values": "large", "dtype": "float64"},
)
_NOT_A_NUMBER: tuple[Row, ...] = ({"values": "nonfinite", "bias": 1},)
_INFINITE_WEIGHT: tuple[Row, ...] = (
    {"values": "nonfinite", "batch": 2, "extent": 5, "extent_last": 6},
    {"values": "nonfinite", "kernel": 3, "stride": 2, "extent": 5, "extent_last": 6},
)


def corners(op: Op) -> list[Case]:
    """Returns the corner cases of an operation, in the order in which they are tried."""
    return list(dict.fromkeys(_corners(op)))


def _corners(op: Op) -> Iterator[Case]:
    if op.family in ("cross_entropy", "kl_div", "convolve"):
        own = {
            "cross_entropy": LOSS + CROSS_ENTROPY + MASKED + IGNORED_TARGETS,
            "kl_div": LOSS + KL_DIV,
            "convolve": _SEQUENCE,
        }[op.family]
        for row in own:
            if op.family == "convolve":
                row = {"dtype": "float64", **row}
            yield case_from_row(op, row, seed=1)
            if row in MASKED:
                yield case_from_row(op, row, seed=2)
        return
    backward = op.family.endswith("backward")
    rows = _WINDOW
    if op.family == "output_size":
        rows += _DILATED + LARGE_WINDOW
    elif op.family in ("max_pool", "avg_pool"):
        rows += _POOL + (_AVERAGE if op.family == "avg_pool" else _DILATED + _DILATED_POOL)
        rows += _ARRAYS + fast_paths(op) + LARGE_WINDOW
    else:
        rows += _DILATED + _CONV
        rows += _TRANSPOSED if op.family.startswith("conv_transpose") else _TEXT
        rows += _ARRAYS + fast_paths(op) + LARGE_WINDOW + LARGE_CONV
    if op.family in ("conv", "conv_transpose"):
        # The first call of all has every argument: a function may be wrong in that one only.
        rows = ({"bias": 1}, *rows)
    for row in rows:
        if backward and row.get("bias"):
            continue
        yield case_from_row(op, _expanded(op, {**_CHANNELS, **row}), seed=1)
    if op.family == "output_size":
        for size in (2**12, 2**20, 2**31, 2**42, 2**53 + 1, 2**53 + 3, 2**62 + 1):
            # Past what 32-bit integers and floats count, by steps that show what counting costs.
            for stride in (1, 3):
                case = case_from_row(op, _expanded(op, {"kernel": 3, "stride": stride}), seed=1)
                yield replace(case, spatial=(size,))
        return
    if op.family in ("conv", "conv_transpose"):
        for chosen, seed in (
            (_ZEROS, 3), (_SMALL_OR_INFINITE, 2), (_NOT_A_NUMBER, 6), (_INFINITE_WEIGHT, 4),
        ):  # fmt: skip
            for row in chosen:
                yield case_from_row(op, _expanded(op, {**_CHANNELS, **row}), seed=seed)
    if op.family in ("conv", "conv_transpose", "max_pool"):
        for values in ("integers", "large"):
            whole = {**_CHANNELS, "dtype": INTEGER, "values": values, "padding": "half"}
            yield case_from_row(op, _expanded(op, {**whole, "kernel": 3}), seed=1)
    if op.family in ("max_pool", "avg_pool"):
        # A NaN beside an infinity.
        yield case_from_row(op, _expanded(op, {**_CHANNELS, "values": "nonfinite"}), seed=3)
    if backward:
        # A NaN among the data of a sample whose gradient is zero.
        skipped = _expanded(op, {**_CHANNELS, "values": "nonfinite", "batch": 3, "kernel": 3})
        yield case_from_row(op, skipped, seed=3)
    yield from siblings(op)
    for padding in (0, "half"):
        empty = _expanded(op, {**_CHANNELS, "batch": 0, "kernel": 3, "padding": padding})
        yield case_from_row(op, empty, seed=1)
    yield case_from_row(op, _expanded(op, WIDE_PLANES[op.axes]), seed=1)


def _expanded(op: Op, row: Row) -> Row:
    """Spells out each axis: all axes first, then `_first`, then `_last`, the row over the base."""
    names = AXES[op.axes]
    window = ("kernel", "stride", "padding", "dilation", "extent", "remainder", "output_padding")
    spelled = {part + end for part in window for end in ("", "_first", "_last")}
    expanded = {key: value for key, value in row.items() if key not in spelled}
    for part in window:
        # A kernel named for all axes overrides the base's last one.
        sources = [row] if part in row or part not in _BASE else [_BASE, row]
        for source in sources:
            for key, targets in (
                (part, names), (f"{part}_first", names[:1] if len(names) > 1 else ""),
                (f"{part}_last", names[-1:]),
            ):  # fmt: skip
                if key in source:
                    expanded.update({f"{part}_{name}": source[key] for name in targets})
    return expanded
