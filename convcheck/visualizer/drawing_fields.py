"""Figures of receptive fields: what one unit of a stack of stride-1 layers reads of the input."""

from __future__ import annotations

from collections.abc import Sequence

from convcheck.core.errors import GeometryError
from convcheck.visualizer import svg
from convcheck.visualizer.geometry import support

_LEFT = 40
_TOP = 74
_MOST_TREE = 120
_MOST_SQUARE = 48


def draw_receptive_fields(dilations: Sequence[int] = (1, 2, 4), *, kernel: int = 3) -> str:
    """Returns a picture of what one output of a stride-1 stack reads, layer by layer.

    Offsets inside the receptive field that no path reaches (the holes of a stack such as 2, 2, 2)
    are drawn hollow, and counted.

    Args:
        dilations: Dilation of each layer, input side first.
        kernel: Taps of every layer.

    Raises:
        GeometryError: No layer is given, or there are too many elements to draw.
    """
    field = _extent(dilations, kernel, _MOST_TREE)
    rows = support(dilations, kernel)
    cell = max(7.0, min(30.0, 900 / field))
    right = _LEFT + field * cell + 16
    middle = _LEFT + field * cell / 2

    def x_of(offset: int, row: int) -> float:
        return middle + (offset - rows[row][-1] / 2) * cell

    step = 74
    parts: list[str] = []
    for row, dilation in enumerate(reversed(dilations)):
        y = 66 + row * step
        for offset in rows[row]:
            for tap in range(kernel):
                below = x_of(offset + tap * dilation, row + 1)
                parts.append(svg.line(x_of(offset, row), y, below, y + step, svg.KERNEL, 1.0))
    for row, offsets in enumerate(rows):
        y = 66 + row * step
        color, tint = (svg.INPUT, svg.INPUT_TINT) if row else (svg.OUTPUT, svg.OUTPUT_TINT)
        for offset in range(offsets[-1] + 1):
            fill, stroke = (tint, color) if offset in offsets else (svg.PAPER, svg.GRID)
            parts.append(
                svg.element(
                    "circle", cx=x_of(offset, row), cy=y, r=min(8.0, cell * 0.36),
                    fill=fill, stroke=stroke, stroke_width=1.6,
                )
            )  # fmt: skip
        parts.append(_row_note(row, rows, dilations, kernel, right, y))
    read = len(rows[-1])
    holes = f" never reads {field - read} of its elements" if read < field else " has no holes"
    fields = ", ".join(
        str(support(dilations[: layer + 1], kernel)[-1][-1] + 1) for layer in range(len(dilations))
    )
    return svg.card(
        right + 290,
        66 + len(dilations) * step + 34,
        f"Kernel {kernel}, dilations {', '.join(map(str, dilations))}: receptive field {field}",
        f"the receptive field grows through the layers: {fields}; the last one{holes}",
        parts,
    )


def _row_note(
    row: int,
    rows: Sequence[Sequence[int]],
    dilations: Sequence[int],
    kernel: int,
    x: float,
    y: float,
) -> str:
    layer = len(dilations) - row
    if not layer:
        text = f"input: {len(rows[row])} of {rows[row][-1] + 1} are read"
    else:
        sees = support(dilations[:layer], kernel)[-1][-1] + 1
        text = f"layer {layer}, dilation {dilations[layer - 1]}: a unit sees {sees} inputs"
    return svg.label(x, y, text, anchor="start", fill=svg.MUTED)


def draw_receptive_squares(dilations: Sequence[int] = (1, 2, 4), *, kernel: int = 3) -> str:
    """Returns the receptive field of one unit after each layer, in two dimensions, side by side.

    Tinted: every input that the unit sees through the layers so far. Marked: what the last of
    these layers reads, in its own input.

    Args:
        dilations: Dilation of each layer, input side first.
        kernel: Taps of every layer, per axis.

    Raises:
        GeometryError: No layer is given, a value is below 1, or the field is too large to draw.
    """
    extent = _extent(dilations, kernel, _MOST_SQUARE)
    cell = min(16.0, 240 / extent)
    parts, counts = [], []
    for layer in range(1, len(dilations) + 1):
        offsets = support(dilations[:layer], kernel)[-1]
        field, dilation = offsets[-1] + 1, dilations[layer - 1]
        counts.append(f"{field} x {field}, {len(offsets) ** 2} read")
        start = (extent - field) // 2
        reach = (extent - dilation * (kernel - 1) - 1) // 2
        taps = {reach + tap * dilation for tap in range(kernel)}
        seen = {start + offset for offset in offsets}
        left = 24 + (layer - 1) * (max(extent * cell, 190) + 36)
        text = f"dilation {dilation}: {counts[-1]}"
        parts.append(svg.label(left, 56, text, anchor="start", fill=svg.OUTPUT, weight="600"))
        for row in range(extent):
            for column in range(extent):
                x, y = left + column * cell, _TOP + row * cell
                fill = svg.OUTPUT_TINT if row in seen and column in seen else svg.PAPER
                parts.append(svg.rect(x, y, cell, cell, fill))
                if row in taps and column in taps:
                    middle = {"cx": x + cell / 2, "cy": y + cell / 2}
                    parts.append(svg.element("circle", **middle, r=cell * 0.3, fill=svg.KERNEL))
    return svg.card(
        24 + len(dilations) * (max(extent * cell, 190) + 36),
        _TOP + extent * cell + 24,
        f"Kernel {kernel}x{kernel}, dilations {', '.join(map(str, dilations))}",
        "receptive field after each layer: " + "; ".join(counts),
        parts,
    )


def _extent(dilations: Sequence[int], kernel: int, most: int) -> int:
    if not dilations or kernel < 1 or min(dilations) < 1:
        raise GeometryError(
            f"dilations {tuple(dilations)} with kernel {kernel}",
            why="there must be a layer, and every value must be at least 1",
        )
    extent = sum(dilations) * (kernel - 1) + 1
    if extent > most:
        raise GeometryError(f"{extent} elements are too many to draw", why=f"at most {most}")
    return extent
