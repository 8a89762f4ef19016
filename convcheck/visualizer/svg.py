"""SVG as text: shapes, dimension lines, and the card on which a figure is drawn.

Figures carry their own light background, so that they read the same on a light and a dark page,
and no style sheet, so that they survive the sanitisers of code hosts. The palette is that of Okabe
and Ito, which readers with any colour vision can tell apart; no meaning rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from convcheck.core.text import for_html

INK = "#1b2430"
MUTED = "#5b6776"
PAPER = "#ffffff"
GRID = "#c3ccd6"
PADDING = "#edf0f3"
INPUT = "#0072b2"
INPUT_TINT = "#d9ebf7"
KERNEL = "#d55e00"
KERNEL_TINT = "#fbdcc4"
OUTPUT = "#00795a"
OUTPUT_TINT = "#cfeee3"
FREE = "#8e4a86"
UNREAD = "#f3c9c9"
REFUSED = "#b3261e"

_TITLE_CHARACTER = 9.6
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def number(value: float) -> str:
    """Returns a coordinate with two decimals at most: a figure is the same bytes everywhere."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def element(tag: str, content: str = "", /, **attributes: object) -> str:
    """Returns an element; `stroke_width=2` becomes `stroke-width="2"`, content stays as it is."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="'
        f'{number(value) if isinstance(value, (int, float)) else for_html(str(value))}"'
        for name, value in attributes.items()
        if value != ""
    )
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def rect(x: float, y: float, width: float, height: float, fill: str, **attributes: object) -> str:
    """Returns a rectangle; outlined in the grid's colour unless told otherwise."""
    attributes.setdefault("stroke", GRID)
    return element("rect", "", x=x, y=y, width=width, height=height, fill=fill, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1.5) -> str:
    """Returns a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width)


def label(
    x: float, y: float, content: str, *, size: float = 13, fill: str = INK,
    anchor: str = "middle", weight: str = "",
) -> str:  # fmt: skip
    """Returns text centred vertically on `y`, escaped."""
    return element(
        "text", for_html(content), x=x, y=y + size * 0.35, font_size=size, fill=fill,
        text_anchor=anchor, font_weight=weight,
    )  # fmt: skip


def dimension(x1: float, x2: float, y: float, content: str, color: str, *, below: bool) -> str:
    """Returns a dimension line from `x1` to `x2`, its text below or above it."""
    beside = 13 if below else -13
    ends = "".join(line(x, y - 5, x, y + 5, color) for x in (x1, x2))
    text = label((x1 + x2) / 2, y + beside, content, fill=color, weight="600")
    return line(x1, y, x2, y, color) + ends + text


def card(width: float, height: float, title: str, says: str, parts: Iterable[str]) -> str:
    """Returns a whole SVG document: background, title, and a description for screen readers.

    It is as wide as `width`, or as its title needs.
    """
    width = max(width, 40 + _TITLE_CHARACTER * len(title))
    background = rect(0.5, 0.5, width - 1, height - 1, PAPER, rx=10)
    heading = label(20, 26, title, size=16, anchor="start", weight="600")
    return element(
        "svg",
        element("title", for_html(title))
        + element("desc", for_html(says))
        + background
        + heading
        + "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
        role="img",
        font_family=_FONT,
    )
