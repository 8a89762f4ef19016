"""The calls that libraries compute by code of their own, varied one thing at a time.

A kernel of 3 at stride 1 is transformed (Winograd), one of 1 is a matrix product, one filter per
channel has a loop of its own. All of these need several parameters at their usual values at once,
which rows that combine a few parameters seldom bring together.
"""

from __future__ import annotations

from random import Random

from convcheck.conformance.parameters import AXES, Level, Row
from convcheck.core.ops import Op


def _over(base: Row, *rows: Row) -> tuple[Row, ...]:
    """Returns each row over the base."""
    return tuple({**base, **row} for row in rows)


_PADDED = _over(
    {"kernel": 3, "padding": 1},
    {"extent": 4, "extent_last": 5},
    {"extent": 5, "extent_last": 4},
    {"extent": 4, "extent_last": 8},
    {"extent": 2, "extent_last": 9},
    {"extent": 9, "extent_last": 2},
    {"extent": 1, "extent_last": 1},
    {"extent": 8, "extent_last": 17},
    {"groups": 2},
    {"groups": 2, "batch": 2, "bias": 1, "extent_last": 5},
    {"batch": 3, "bias": 1, "extent": 5},
    {"in_per_group": 17, "extent_last": 5},
    {"in_per_group": 3, "out_per_group": 19},
    {"in_per_group": 1, "out_per_group": 1},
    {"padding": 0, "extent_last": 5},
    {"padding": 2},
    {"padding_first": 0},
    {"padding_last": 0},
    {"stride_first": 2},
    {"stride_last": 2},
    {"stride": 2},
    {"stride": 2, "extent_last": 5, "remainder": "most"},
    {"dilation": 2, "padding": 2},
    {"dilation_first": 2},
    {"dilation_last": 2},
    {"dtype": "float64", "values": "real"},
    {"dtype": "float64", "values": "large", "extent_last": 5},
    {"values": "real", "extent_last": 5},
    {"values": "large"},
    {"dtype": "float16", "values": "large"},
    {"dtype": "bfloat16", "values": "large"},
    {"values": "nonfinite", "extent": 5, "extent_last": 6},
    {"values": "nonfinite", "batch": 3, "extent_last": 7},
    {"layout": "channels_last"},
    {"layout": "transposed"},
    {"layout": "fortran"},
    {"layout": "sliced"},
    {"layout": "reversed"},
)

_SINGLE = _over(
    {"kernel": 1},
    {"padding": 1},
    {"stride_first": 2},
    {"stride_last": 2},
    {"stride": 2, "padding": 1},
    {"stride": 2, "remainder": "most"},
    {"dilation": 2, "padding": 1},
    {"groups": 2, "batch": 2},
    {"batch": 3, "bias": 1},
    {"padding": 1, "bias": 1},
    {"stride": 2, "bias": 1, "groups": 2},
    {"in_per_group": 17, "out_per_group": 19},
    {"dtype": "float64", "values": "real"},
    {"values": "nonfinite"},
    # A sum over channels alone: whoever transforms has nothing to transform.
    {"in_per_group": 3, "batch": 3, "extent": 1, "extent_last": 1},
    {"in_per_group": 7, "batch": 3, "extent": 1, "extent_last": 1, "dtype": "float64"},
    {"layout": "channels_last"},
    {"layout": "fortran"},
    {"layout": "sliced"},
)

_DEPTHWISE = _over(
    {"kernel": 3, "padding": 1, "groups": 4, "in_per_group": 1, "out_per_group": 1},
    {},
    {"stride": 2, "extent_last": 5},
    {"stride_last": 2},
    {"dilation": 2, "padding": 2},
    {"batch": 2, "bias": 1},
    {"out_per_group": 2, "bias": 1},
    {"groups": 17},
    {"dtype": "float64", "values": "real"},
    {"values": "nonfinite"},
    {"layout": "channels_last"},
    {"layout": "sliced"},
)

_WIDE: tuple[Row, ...] = (
    # So many terms that the format in which they are summed shows.
    {"kernel": 3, "in_per_group": 17, "dtype": "float16", "values": "real"},
    {"kernel": 3, "in_per_group": 17, "dtype": "bfloat16", "values": "real"},
    {"kernel": 5, "padding": 2},
    {"kernel": 5, "padding": 2, "stride": 2, "batch": 2},
    {"kernel": 5, "padding": 2, "dtype": "float64", "values": "real", "extent": 6},
    {"kernel": 7, "padding": 3, "dtype": "float64", "values": "real"},
    {"kernel": 3, "kernel_last": 4, "padding": 1, "extent": 5, "extent_last": 6},
    {"kernel": 4, "padding": 1, "extent": 5, "extent_last": 6},
    {"kernel": 2, "padding": 1, "extent": 5, "extent_last": 6},
    {"kernel": 7, "padding": 3, "stride": 2, "in_per_group": 3},
)

_TRANSPOSED: tuple[Row, ...] = (
    {"kernel": 2, "kernel_last": 2, "stride": 2},
    {"kernel": 2, "kernel_last": 2, "stride": 2, "groups": 2, "batch": 2, "bias": 1},
    {"kernel": 4, "kernel_last": 4, "stride": 2, "padding": 1},
    {"kernel": 4, "kernel_last": 4, "stride": 2, "padding": 1, "dtype": "float64",
     "values": "real"},
    {"kernel": 3, "kernel_last": 3, "stride": 2, "padding": 1, "output_padding": "most"},
    {"in_per_group": 2, "out_per_group": 2, "layout": "fortran"},
    {"in_per_group": 2, "out_per_group": 2, "layout": "channels_last"},
    {"in_per_group": 3, "out_per_group": 3, "groups": 2, "layout": "transposed"},
)  # fmt: skip

_POOL: tuple[Row, ...] = (
    # The stride is that of the kernel, and left out.
    {"defaults": 1, "kernel": 3, "stride": 3},
    {"defaults": 1, "kernel": 3, "stride": 3, "arguments": "int", "extent_last": 3},
    {"kernel": 2, "kernel_last": 2, "stride": 2, "extent_last": 5},
    {"kernel": 2, "kernel_last": 2, "stride": 2, "remainder": "most", "batch": 2},
    {"kernel": 3, "stride": 2, "padding": "half", "extent_last": 5},
    {"kernel": 3, "stride": 2, "padding": "half", "remainder": "most", "ceil_mode": 1},
    {"kernel": 3, "padding": "half", "extent": 5},
    {"kernel": 3, "padding": "half", "values": "nonfinite", "extent": 5},
    {"kernel": 2, "kernel_last": 2, "stride": 2, "dilation": 2, "extent": 4},
    {"kernel": 3, "stride": 2, "padding": "half", "dilation": 2},
    {"kernel": 3, "stride": 2, "dtype": "float16"},
    {"kernel": 3, "stride": 2, "padding": "half", "layout": "channels_last"},
    {"kernel": 3, "stride": 2, "padding": "half", "layout": "sliced"},
    {"kernel": 3, "stride": 2, "padding": "half", "layout": "fortran"},
    {"kernel": 4, "kernel_last": 5, "extent": 1, "extent_last": 1},
)

# Kernel, stride, padding and dilation of every axis, as models have them.
_USUAL: tuple[tuple[int, int, Level, int], ...] = (
    (1, 1, 0, 1), (1, 2, 0, 1), (1, 1, "one", 1), (3, 1, "half", 1), (3, 1, 0, 1),
    (3, 2, "half", 1), (3, 1, "half", 2), (5, 1, "half", 1), (2, 2, 0, 1), (4, 2, "half", 1),
    (2, 2, 0, 2), (3, 2, "half", 2),
)  # fmt: skip


def fast_paths(op: Op) -> tuple[Row, ...]:
    """Returns the rows of an operation's fast paths; none for what has no window."""
    if op.family == "avg_pool":
        return tuple(row for row in _POOL if "dilation" not in row)
    if op.family == "max_pool":
        return _POOL
    if not op.family.startswith("conv") or op.family == "convolve":
        return ()
    transposed = _TRANSPOSED if op.family.startswith("conv_transpose") else ()
    return _PADDED + _SINGLE + _DEPTHWISE + transposed + _WIDE


def usual(op: Op, chance: Random) -> Row:
    """Returns usual levels of the window, alike on every axis; empty for what has none."""
    if op.family in ("cross_entropy", "kl_div", "convolve", "output_size"):
        return {}
    row: Row = {}
    kernel, stride, padding, dilation = chance.choice(_USUAL)
    if op.family == "avg_pool":
        dilation = 1
    if op.family in ("max_pool", "avg_pool") and padding == "one":
        padding = "half"  # The most that a pool takes.
    for name in AXES[op.axes]:
        row |= {
            f"kernel_{name}": kernel, f"stride_{name}": stride,
            f"padding_{name}": padding, f"dilation_{name}": dilation,
        }  # fmt: skip
    return row
