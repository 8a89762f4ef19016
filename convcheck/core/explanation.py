"""The size formula worked with its numbers, in the four steps of the lecture notes.

l1 is the padded input, l2 the effective kernel, l3 = l1 - l2 the free play of the window, and
floor(l3 / stride) the steps that it can take; the size is one more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from convcheck.core.errors import GeometryError
from convcheck.core.sizes import (
    Pair,
    conv_axis,
    conv_transpose_axis,
    effective_kernel,
    pool_axis,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a worked formula: `name = formula = numbers = value`."""

    name: str
    formula: str
    numbers: str
    value: int
    says: str

    def __str__(self) -> str:
        """Returns the line as plain text."""
        return f"{self.name} = {self.formula} = {self.numbers} = {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedSize:
    """The size of one axis with the steps that lead to it.

    Attributes:
        steps: The worked lines, in order; all that could be worked out before a refusal.
        size: The output extent, or None where the call is impossible.
        unread: Elements at the end of the padded input that no window reads: l3 mod stride.
        refusal: Why it is impossible, or None.
    """

    steps: tuple[Step, ...]
    size: int | None
    unread: int = 0
    refusal: GeometryError | None = None


def explain_axis(
    op: Literal["conv", "conv_transpose", "max_pool", "avg_pool"],
    size: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: Pair = (0, 0),
    dilation: int = 1,
    output_padding: int = 0,
    ceil_mode: bool = False,
) -> WorkedSize:
    """Returns the worked size of one axis; a refusal is part of the answer, not raised.

    Args:
        op: Which formula.
        size: Input extent.
        kernel: Taps.
        stride: Step.
        padding: (before, after).
        dilation: Distance between taps.
        output_padding: Elements added after, for "conv_transpose".
        ceil_mode: torch's rounding up, for the pools.

    References:
        "A Brief Introduction of Convolutional Neural Network", "Compute the output dimension".
    """
    span = effective_kernel(kernel, dilation)
    ceil_mode = ceil_mode and op != "conv"
    if op == "conv_transpose":
        steps = _transposed(size, stride, padding, dilation, kernel, output_padding)
        try:
            out = conv_transpose_axis(size, kernel, stride, padding, output_padding, dilation)
        except GeometryError as error:
            return WorkedSize(steps=steps[:2], size=None, refusal=error)
        return WorkedSize(steps=steps, size=out)
    before, after = padding
    both = before == after
    free = size + before + after - span
    steps = (
        Step(
            name="l1",
            formula="W + 2p" if both else "W + before + after",
            numbers=f"{size} + 2*{before}" if both else f"{size} + {before} + {after}",
            value=size + before + after,
            says="padded input",
        ),
        Step(
            name="l2",
            formula="d(k-1) + 1",
            numbers=f"{dilation}*({kernel}-1) + 1",
            value=span,
            says="effective kernel",
        ),
        Step(
            name="l3",
            formula="l1 - l2",
            numbers=f"{size + before + after} - {span}",
            value=free,
            says="free play of the window",
        ),
    )
    try:
        if op == "conv":
            out = conv_axis(size, kernel, stride, padding, dilation)
        else:
            out = pool_axis(size, kernel, stride, padding, dilation, ceil_mode=ceil_mode)
    except GeometryError as error:
        return WorkedSize(steps=steps, size=None, refusal=error)
    return WorkedSize(
        steps=(*steps, *_counted(free, stride, size + before, out, ceil_mode)),
        size=out,
        unread=max(0, free - (out - 1) * stride),
    )


def _counted(free: int, stride: int, last: int, out: int, ceil_mode: bool) -> tuple[Step, ...]:
    name = "ceil" if ceil_mode else "floor"
    moves = -(-free // stride) if ceil_mode else free // stride
    steps = [
        Step(
            name="steps",
            formula=f"{name}(l3 / s)",
            numbers=f"{name}({free} / {stride})",
            value=moves,
            says="moves of the window",
        )
    ]
    if out == moves:
        steps.append(
            Step(
                name="size",
                formula="steps",
                numbers=f"{moves} + 1 - 1, as the window at {moves * stride} would start at or "
                f"after {last}, in the padding",
                value=out,
                says="output (a last window that starts in the padding is dropped)",
            )
        )
    else:
        steps.append(
            Step(name="size", formula="steps + 1", numbers=f"{moves} + 1", value=out, says="output")
        )
    return tuple(steps)


def _transposed(
    size: int, stride: int, padding: Pair, dilation: int, kernel: int, output_padding: int
) -> tuple[Step, ...]:
    span = effective_kernel(kernel, dilation)
    reach = (size - 1) * stride
    return (
        Step(
            name="reach",
            formula="(W - 1)s",
            numbers=f"({size} - 1)*{stride}",
            value=reach,
            says="distance from the first window to the last",
        ),
        Step(
            name="l2",
            formula="d(k-1) + 1",
            numbers=f"{dilation}*({kernel}-1) + 1",
            value=span,
            says="effective kernel",
        ),
        Step(
            name="size",
            formula="reach + l2 - before - after + output_padding",
            numbers=f"{reach} + {span} - {padding[0]} - {padding[1]} + {output_padding}",
            value=reach + span - sum(padding) + output_padding,
            says="output",
        ),
    )
