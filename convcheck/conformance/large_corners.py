"""Corners in which one thing at a time is large: past vector widths, tiles and unrolled loops."""

from __future__ import annotations

from convcheck.conformance.parameters import Row

LARGE_WINDOW: tuple[Row, ...] = (
    {"extent_last": 16},
    {"extent_last": 17},
    {"extent_last": 32, "extent": 1},
    {"extent_last": 33, "extent": 1},
    {"extent_last": 64, "extent": 1},
    {"extent_last": 65, "extent": 1},
    {"extent_first": 16, "extent_last": 1, "kernel_last": 1},
    {"extent_last": 130, "extent": 1, "kernel": 1},
    {"extent_last": 260, "extent": 1, "kernel": 1, "kernel_last": 1},
    {"extent_first": 33, "extent_last": 1, "kernel_last": 1},
    {"extent_first": 70, "extent_last": 2, "kernel_last": 2},
    {"extent": 12, "extent_last": 13},
    {"batch": 5},
    {"batch": 9, "extent": 1},
    {"batch": 17, "extent": 1, "kernel": 1},
    {"kernel_last": 9, "extent": 1},
    # Primes, one of them past every block.
    {"kernel_last": 13, "extent": 1, "kernel": 1},
    {"kernel_last": 67, "extent": 2, "extent_last": 3, "kernel": 1},
    {"kernel_last": 67, "padding_last": "half", "extent_last": 3, "kernel": 1},
    {"kernel_first": 11, "extent": 1, "kernel_last": 1},
    {"kernel": 7, "extent": 1, "arguments": "int"},
    {"stride_last": 4, "extent_last": 4, "remainder_last": "most"},
    {"stride_first": 5, "extent_first": 3, "kernel_first": 2},
    {"stride": 4, "padding": "half", "kernel": 5},
)

# Planes of more elements than 16 bits count, with or without a sign, of which few are read.
WIDE_PLANES: dict[int, Row] = {
    1: {"extent": 5500, "extent_last": 5500, "stride": 12, "kernel": 2, "kernel_last": 2},
    2: {"extent": 44, "extent_last": 45, "stride": 6, "kernel": 2, "kernel_last": 2},
    3: {"extent": 11, "extent_last": 11, "stride": 4, "kernel": 2, "kernel_last": 2},
}

LARGE_CONV: tuple[Row, ...] = (
    {"in_per_group": 17, "out_per_group": 1, "kernel": 1, "kernel_last": 2},
    {"in_per_group": 1, "out_per_group": 17, "kernel": 1, "kernel_last": 2, "bias": 1},
    {"in_per_group": 33, "out_per_group": 2, "kernel": 1},
    {"in_per_group": 2, "out_per_group": 34, "kernel": 1},
    {"in_per_group": 65, "out_per_group": 3, "kernel": 1, "kernel_last": 1},
    {"in_per_group": 3, "out_per_group": 67, "kernel": 1, "kernel_last": 1, "bias": 1},
    {"in_per_group": 130, "out_per_group": 1, "kernel": 1, "kernel_last": 1},
    {"in_per_group": 72, "out_per_group": 2, "dtype": "float64", "values": "large"},
    {"in_per_group": 5, "out_per_group": 5, "extent": 8, "dtype": "float64", "values": "large"},
    {"in_per_group": 260, "out_per_group": 1, "kernel": 1, "kernel_last": 1, "extent": 1},
    {"in_per_group": 1100, "out_per_group": 1, "kernel": 1, "kernel_last": 1, "extent": 1,
     "extent_last": 1},
    {"in_per_group": 17, "out_per_group": 19, "padding": 1, "stride": 2},
    {"groups": 8, "in_per_group": 1, "out_per_group": 1, "bias": 1},
    {"groups": 17, "in_per_group": 1, "out_per_group": 1},
    {"groups": 5, "in_per_group": 2, "out_per_group": 3, "kernel": 1},
    {"dilation_last": 5, "kernel_last": 3},
    {"dilation_first": 4, "kernel_first": 3, "extent_first": 5},
    {"dilation_last": 20, "kernel": 1, "kernel_last": 2, "extent_last": 3},
    {"dilation_last": 33, "kernel": 1, "kernel_last": 3, "extent_last": 2},
    {"padding": 5, "kernel": 2},
    {"padding_last": 9, "extent": 1, "kernel": 1, "kernel_last": 3, "extent_last": 20},
    # What is done once per block of channels, or per tile of outputs, has to be done in each.
    {"extent_last": 65, "extent": 1, "kernel": 1, "bias": 1},
    {"in_per_group": 65, "out_per_group": 2, "kernel": 1, "kernel_last": 1, "bias": 1},
    {"stride_last": 2, "extent_last": 33, "extent": 1, "kernel": 1},
    {"stride_first": 2, "extent_first": 33, "extent_last": 1, "kernel": 1},
)  # fmt: skip
