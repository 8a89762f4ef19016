"""Corners of `cross_entropy` in which the samples of some class index count for nothing.

The index that is ignored by default comes first, then one that is given: negative, a class, and
past the last class. A function that takes `ignore_index` at all must take it where it matters,
which a call shows in which no target is ignored.
"""

from __future__ import annotations

from convcheck.conformance.parameters import Row

_BASE: Row = {"batch": 4, "classes": 3}
_WAYS: tuple[Row, ...] = (
    {},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"weighted": 1},
    {"weighted": 1, "reduction": "none", "positions": "3"},
    {"label_smoothing": 10},
    {"label_smoothing": 50, "reduction": "sum"},
    {"label_smoothing": 50, "reduction": "none", "positions": "2x3"},
    {"weighted": 1, "label_smoothing": 10},
    {"weighted": 1, "label_smoothing": 10, "reduction": "sum", "positions": "3"},
)
_WAYS_OF_ALL: tuple[Row, ...] = (
    {},
    {"reduction": "sum"},
    {"reduction": "none", "label_smoothing": 10},
    {"weighted": 1, "label_smoothing": 10},
)
_INDICES: tuple[Row, ...] = tuple(
    {"ignore_index": index, **way}
    for index in (-1, 0, "class", 255)
    for way in ({}, {"weighted": 1, "label_smoothing": 10}, {"reduction": "none"})
)

IGNORED_TARGETS: tuple[Row, ...] = (
    *({**_BASE, "target": "ignored", **way} for way in _WAYS),
    *({**_BASE, "target": "all_ignored", **way} for way in _WAYS_OF_ALL),
    {**_BASE, "ignore_index": -100},
    {**_BASE, "ignore_index": "class"},
    *({**_BASE, "target": "ignored", **way} for way in _INDICES),
    {**_BASE, "target": "ignored", "ignore_index": "class", "reduction": "sum", "positions": "2x3"},
    {**_BASE, "target": "ignored", "ignore_index": 0, "defaults": 1},
    {**_BASE, "target": "all_ignored", "ignore_index": 0},
)
