"""Corners of the losses: reductions, positions, weights, smoothing, kinds of target, masks."""

from __future__ import annotations

from convcheck.conformance.parameters import Row, over_each

LOSS: tuple[Row, ...] = over_each(
    ({"values": "real"}, {}, {"values": "large"}),
    (
        {"batch": 2, "classes": 3},
        {"batch": 2, "classes": 3, "reduction": "sum"},
        {"batch": 3, "classes": 4, "reduction": "none"},
        {"batch": 2, "classes": 3, "positions": "3"},
        {"batch": 2, "classes": 3, "positions": "2x3", "reduction": "none"},
        {"batch": 2, "classes": 5, "positions": "2x3", "reduction": "sum"},
        {"batch": 2, "classes": 2, "positions": "2x2", "reduction": "none"},
        {"batch": 17, "classes": 1},
        {"batch": 1, "classes": 33},
        {"batch": 4, "classes": 3, "dtype": "float64"},
        {"batch": 4, "classes": 3, "layout": "transposed"},
        {"batch": 4, "classes": 3, "layout": "sliced"},
    ),
)
CROSS_ENTROPY: tuple[Row, ...] = over_each(
    ({"batch": 3, "classes": 4},),
    (
        {"defaults": 1},
        {"weighted": 1},
        {"weighted": 1, "reduction": "sum"},
        {"weighted": 1, "reduction": "none", "positions": "3"},
        {"weighted": 1, "label_smoothing": 10},
        {"weighted": 1, "label_smoothing": 50, "reduction": "none"},
        {"weighted": 1, "target": "probabilities"},
        {"weighted": 1, "target": "probabilities", "label_smoothing": 10, "reduction": "sum"},
        {"label_smoothing": 10},
        {"label_smoothing": 50, "reduction": "sum"},
        {"target": "probabilities"},
        {"target": "probabilities", "reduction": "none", "positions": "2x3"},
        {"target": "probabilities", "label_smoothing": 10},
        {"positions": "2x3", "label_smoothing": 10},
    ),
)
# A class that is masked by a score of -inf, with and without a NaN elsewhere.
MASKED: tuple[Row, ...] = over_each(
    ({"batch": 3, "classes": 4, "values": "nonfinite"},),
    ({}, {"reduction": "none"}, {"weighted": 1}, {"positions": "2x3", "reduction": "sum"}),
)
KL_DIV: tuple[Row, ...] = over_each(
    ({"batch": 3, "classes": 4},),
    (
        {"defaults": 1},
        {"reduction": "batchmean"},
        {"log_target": 1},
        {"log_target": 1, "reduction": "batchmean"},
        {"log_target": 1, "reduction": "none", "positions": "3"},
        {"log_target": 1, "reduction": "sum", "values": "real"},
    ),
)
