"""Guess an input from the first layer of a model, so that `--input` may be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcheck.core.errors import InputError

GUESSED_SIZES = (224, 32, 28, 64, 128, 256, 299, 16)
"""Extents that are tried, in this order."""


def guess_input(model: Callable[..., Any]) -> tuple[tuple[int, ...], str]:
    """Returns the shape of an input that fits the first layer, and why it was chosen.

    Raises:
        InputError: The first layer with parameters does not say what it takes.
    """
    from torch import nn

    from convcheck.models.read_torch import example, module_of, read_torch

    module = module_of(model)
    first = next(
        (m for m in module.modules() if isinstance(m, (nn.modules.conv._ConvNd, nn.Linear))), None
    )
    if isinstance(first, nn.Linear):
        return (
            1,
            int(first.in_features),
        ), f"the first layer takes {first.in_features} features"
    if first is None:
        raise InputError("no input was given, and no first layer to guess from", fix="use --input")
    axes = len(first.kernel_size)
    shape: tuple[int, ...] = ()
    for size in GUESSED_SIZES:
        shape = (1, int(first.in_channels), *(size,) * axes)
        graph, _ = read_torch(model, (example(shape),), {})
        if graph.failure is None:
            return shape, f"the first layer takes {first.in_channels} channels, and {size} runs"
    shape = (1, int(first.in_channels), *(GUESSED_SIZES[0],) * axes)
    return (
        shape,
        f"the first layer takes {first.in_channels} channels; none of {GUESSED_SIZES} runs",
    )
