"""Figures for the report: pure functions from a layer's parameters to an SVG document.

The pictures are those of the interactive page, frozen at one position, so that page and report
agree; the two-dimensional ones are in `drawing_windows`, receptive
fields in `drawing_fields`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from convcheck.core.errors import GeometryError
from convcheck.core.explanation import WorkedSize, explain_axis
from convcheck.core.sizes import Pair, effective_kernel
from convcheck.visualizer import svg
from convcheck.visualizer.drawing_fields import draw_receptive_fields, draw_receptive_squares
from convcheck.visualizer.drawing_windows import draw_pooling, draw_window
from convcheck.visualizer.geometry import fed_by, reads

__all__ = [
    "draw_convolution_flip",
    "draw_pooling",
    "draw_receptive_fields",
    "draw_receptive_squares",
    "draw_size",
    "draw_window",
]

_LEFT = 40
_MOST_CELLS = 120
_MOST_ROWS = 6


def draw_size(
    size: int,
    kernel: int,
    *,
    op: Literal["conv", "conv_transpose", "max_pool", "avg_pool"] = "conv",
    stride: int = 1,
    padding: Pair = (0, 0),
    dilation: int = 1,
    output_padding: int = 0,
    ceil_mode: bool = False,
) -> str:
    """Returns a picture of one axis: padded input, every window, l1, l2, l3, steps and size.

    An impossible setting is drawn too: the kernel that overhangs, and why it is refused. A
    transposed convolution shows what each input element adds to, and what padding crops.

    Args:
        size: Input extent.
        kernel: Taps.
        op: Which formula.
        stride: Step.
        padding: (before, after).
        dilation: Distance between taps.
        output_padding: Elements added after, for "conv_transpose".
        ceil_mode: torch's rounding up, for the pools.

    Raises:
        GeometryError: There are too many elements to draw.
    """
    worked = explain_axis(
        op, size, kernel, stride=stride, padding=padding, dilation=dilation,
        output_padding=output_padding, ceil_mode=ceil_mode,
    )  # fmt: skip
    numbers = (size, kernel, stride, padding, dilation, output_padding)
    if op == "conv_transpose":
        strip, width, bottom = _transposed_strip(worked, *numbers)
    else:
        strip, width, bottom = _window_strip(worked, *numbers[:5])
    lines = [(f"{step}   ({step.says})", svg.INK) for step in worked.steps]
    if worked.refusal is not None:
        lines += [(text, svg.REFUSED) for text in str(worked.refusal).splitlines()]
    parts = [
        svg.label(_LEFT, bottom + 20 * row, text, fill=color, anchor="start")
        for row, (text, color) in enumerate(lines)
    ]
    longest = max(len(text) for text, _ in lines)
    title = f"size {worked.size}" if worked.size is not None else "impossible"
    return svg.card(
        max(width, _LEFT * 2 + 7 * longest),
        bottom + 20 * len(lines),
        f"{op}: input {size}, kernel {kernel}, stride {stride}, padding "
        f"{padding[0]}:{padding[1]}, dilation {dilation} \u2192 {title}",
        "; ".join(text for text, _ in lines),
        [*strip, *parts],
    )


def _cell_width(cells: int) -> float:
    if cells > _MOST_CELLS:
        raise GeometryError(
            f"{cells} elements are too many to draw", why=f"a figure shows at most {_MOST_CELLS}"
        )
    return max(7.0, min(30.0, 900 / cells))


def _strip(
    start: int, stop: int, cell: float, top: float, size: int, fill: str, *, indices: bool = True
) -> list[str]:
    parts = []
    for index in range(start, stop):
        inside = 0 <= index < size
        x = _LEFT + (index - start) * cell
        dash = "" if inside else "3 3"
        color = fill if inside else svg.PADDING
        parts.append(svg.rect(x, top, cell, 26, color, stroke_dasharray=dash))
        if inside and indices and cell >= 18:
            parts.append(svg.label(x + cell / 2, top + 13, str(index), fill=svg.MUTED, size=11))
    return parts


def _window_strip(
    worked: WorkedSize, size: int, kernel: int, stride: int, padding: Pair, dilation: int
) -> tuple[list[str], float, float]:
    before, after = padding
    span = effective_kernel(kernel, dilation)
    positions = range(worked.size) if worked.size is not None else range(1)
    reach = before + size + after
    covered = max(reach, (len(positions) - 1) * max(stride, 1) + max(span, 1))
    cell = _cell_width(covered)

    def at(index: int) -> float:
        return _LEFT + (index + before) * cell

    parts = [
        svg.dimension(at(-before), at(size + after), 66, f"l1 = {reach}", svg.INPUT, below=False)
    ]
    parts += _strip(-before, size + after, cell, 76, size, svg.INPUT_TINT)
    unread = range(size + after - worked.unread, size + after)
    parts += [svg.rect(at(index), 76, cell, 26, svg.UNREAD, fill_opacity=0.75) for index in unread]
    shown = [p for p in positions if p < _MOST_ROWS - 1 or p == len(positions) - 1]
    color, tint = svg.KERNEL, svg.KERNEL_TINT
    if worked.refusal is not None:
        color, tint = svg.REFUSED, svg.UNREAD
    top = 112.0
    for position in shown:
        taps = reads(position, kernel, stride, before, dilation)
        if taps:
            middle = top + 8
            parts.append(svg.line(at(taps[0]), middle, at(taps[-1]) + cell, middle, color))
        parts += [svg.rect(at(tap), top, cell, 16, tint, stroke=color) for tap in taps]
        if worked.refusal is not None:
            break
        end = at(max(size + after, taps[-1] + 1)) + 12
        parts.append(svg.label(end, top + 8, f"\u2192 {position}", fill=svg.OUTPUT, anchor="start"))
        top += 21
        if position == _MOST_ROWS - 2 and len(positions) > _MOST_ROWS:
            parts.append(svg.label(_LEFT + 12, top + 4, "\u22ee", fill=svg.MUTED))
            top += 14
    top += 10
    if span > 0:
        parts.append(
            svg.dimension(at(-before), at(span - before), top, f"l2 = {span}", color, below=True)
        )
    if reach > span > 0:
        text = f"l3 = {reach - span}"
        parts.append(
            svg.dimension(at(span - before), at(size + after), top, text, svg.FREE, below=True)
        )
    top += 34
    if worked.size is not None:
        parts += _strip(0, worked.size, cell, top, worked.size, svg.OUTPUT_TINT)
        parts.append(
            svg.label(
                _LEFT + worked.size * cell + 12, top + 13, f"size {worked.size}",
                fill=svg.OUTPUT, anchor="start", weight="600",
            )
        )  # fmt: skip
        top += 26
    return parts, _LEFT * 2 + covered * cell + 60, top + 26


def _transposed_strip(
    worked: WorkedSize, size: int, kernel: int, stride: int, padding: Pair, dilation: int,
    output_padding: int,
) -> tuple[list[str], float, float]:  # fmt: skip
    before, after = padding
    span = effective_kernel(kernel, dilation)
    out = worked.size if worked.size is not None else 0
    full = max((size - 1) * stride + span + output_padding, 1)
    cell = _cell_width(full)
    parts = _strip(0, size, cell, 56, size, svg.INPUT_TINT)
    top = 94.0
    shown = [index for index in range(size) if index < _MOST_ROWS - 1 or index == size - 1]
    for index in shown:
        for tap in range(kernel):
            x = _LEFT + (index * stride + tap * dilation) * cell
            parts.append(svg.rect(x, top, cell, 16, svg.KERNEL_TINT, stroke=svg.KERNEL))
        end = _LEFT + full * cell + 12
        parts.append(svg.label(end, top + 8, f"x[{index}]", fill=svg.INPUT, anchor="start"))
        top += 21
        if index == _MOST_ROWS - 2 and size > _MOST_ROWS:
            parts.append(svg.label(_LEFT + 12, top + 4, "\u22ee", fill=svg.MUTED))
            top += 14
    top += 6
    parts += _strip(-before, full - before, cell, top, out, svg.OUTPUT_TINT, indices=False)
    for position in range(out):
        adds = len(fed_by(position, size, kernel, stride, before, dilation))
        x = _LEFT + (position + before + 0.5) * cell
        parts.append(svg.label(x, top + 13, str(adds), size=11, fill=svg.MUTED))
    top += 40
    note = "numbers: how many products are added up; dashed: cropped by padding"
    parts.append(svg.label(_LEFT, top, note, size=12, fill=svg.MUTED, anchor="start"))
    return parts, _LEFT * 2 + full * cell + 40, top + 28


def draw_convolution_flip(
    f: Sequence[int] = (1, 2, 3, 2), g: Sequence[int] = (1, 0, -1), *, at: int = 3
) -> str:
    """Returns a picture of (f * g)(t) at one t, beside (g * f)(t): the same products, reversed.

    Args:
        f: One sequence.
        g: The other, which is flipped and shifted on the left; on the right it is f.
        at: The t at which both sums are worked, 0 to len(f) + len(g) - 2.

    Raises:
        GeometryError: A sequence is empty, or `at` lies outside the result.
    """
    last = len(f) + len(g) - 2
    if not f or not g or not 0 <= at <= last:
        raise GeometryError(
            f"t = {at} for sequences of {len(f)} and {len(g)}",
            why=f"neither may be empty, and t must lie in 0..{last}",
        )
    cell = 34.0
    panel = (len(f) + 2 * max(len(f), len(g)) + 1) * cell
    parts: list[str] = []
    for side, (names, first, second) in enumerate(((("f", "g"), f, g), (("g", "f"), g, f))):
        left = _LEFT + side * (panel + 30)
        parts += _flip_panel(names, first, second, at, left, cell)
    return svg.card(
        _LEFT * 2 + 2 * panel + 30,
        262,
        f"(f \u2217 g)({at}) = (g \u2217 f)({at}): the same products, added in reverse order",
        f"f = {tuple(f)}, g = {tuple(g)}",
        parts,
    )


def _flip_panel(
    names: tuple[str, str],
    first: Sequence[int],
    second: Sequence[int],
    at: int,
    left: float,
    cell: float,
) -> list[str]:
    one, other = names
    lead = max(0, len(second) - 1 - at)
    origin = left + 60 + lead * cell
    parts = []
    shifted = {at - j: value for j, value in enumerate(second)}
    rows = (
        (60, f"{one}(\u03c4)", dict(enumerate(first)), svg.INPUT_TINT),
        (110, f"{other}({at}\u2212\u03c4)", shifted, svg.KERNEL_TINT),
    )
    for top, name, values, tint in rows:
        parts.append(svg.label(left, top + 15, name, anchor="start", weight="600"))
        for index, value in values.items():
            x = origin + index * cell
            parts.append(svg.rect(x, top, cell, 30, tint))
            parts.append(svg.label(x + cell / 2, top + 15, str(value)))
    terms = []
    parts.append(svg.label(left, 175, "product", anchor="start", weight="600"))
    for index, value in enumerate(first):
        if 0 <= at - index < len(second):
            product = value * second[at - index]
            terms.append(str(product))
            x = origin + index * cell
            parts.append(svg.rect(x, 160, cell, 30, svg.OUTPUT_TINT))
            parts.append(svg.label(x + cell / 2, 175, str(product)))
    total = sum(
        value * second[at - index]
        for index, value in enumerate(first)
        if 0 <= at - index < len(second)
    )
    text = f"({one} \u2217 {other})({at}) = {' + '.join(terms)} = {total}"
    parts.append(svg.label(left, 225, text, anchor="start", fill=svg.OUTPUT, weight="600", size=15))
    return parts
