"""A Hypothesis strategy for input sizes that a model takes; Hypothesis is imported when called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcheck.core.errors import InputError
from convcheck.models.model_report import ModelReport

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def valid_input_sizes(
    report: ModelReport, *, largest: int | None = None
) -> SearchStrategy[tuple[int, ...]]:
    """Shapes of square inputs that a model takes, batch and channels as they were checked.

    Args:
        report: The report of `convcheck.check_model`.
        largest: The largest size to try; see `convcheck.models.input_sizes.input_sizes`.

    Raises:
        InputError: The model takes no size up to `largest`.
    """
    from hypothesis import strategies

    from convcheck.models.input_sizes import input_sizes
    from convcheck.models.receptive import followed_input

    found = input_sizes(report, largest=largest)
    followed = followed_input(report.graph)
    if not found.valid or followed is None:
        raise InputError(f"{report.name} takes no size up to {found.tried[1]}")
    number, first = followed
    shape = report.graph.input_shapes[number]
    return strategies.sampled_from(found.valid).map(
        lambda size: (*shape[:first], *(size,) * (len(shape) - first))
    )
