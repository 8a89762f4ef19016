"""A model's layers as a picture: one box a call, as tall as its map and as deep as its channels."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from convcheck.core.text import for_html
from convcheck.core.verdict import Verdict
from convcheck.models.graph import Shape
from convcheck.models.layers import LayerCall

_COLUMN = 96
_TALLEST = 120
_MIDDLE = 110
_BOTTOM = 200
_MOST_LAYERS = 60
_FILL = {Verdict.PASS: "#dbe9f6", Verdict.FAIL: "#f6c9c0", Verdict.SKIP: "#ececec"}
_STYLE = (
    "text{font:11px system-ui,sans-serif;fill:#1f2328;text-anchor:middle}"
    ".name{font-weight:600}.small{fill:#57606a}"
    "@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9aa4ae}}"
)


def layer_diagram(layers: Sequence[LayerCall], *, title: str) -> str:
    """Returns the layer calls in a row as SVG, from the input on; the same for the same layers.

    Args:
        layers: The calls; the first 60 are drawn, and the picture says how many were left out.
        title: What the picture shows, for who cannot see it.
    """
    shown = layers[:_MOST_LAYERS]
    shapes = [shown[0].input_shape, *(layer.output_shape for layer in shown)] if shown else []
    largest = max((extent for shape in shapes for extent in shape[2:]), default=1)
    parts = [_box(0, shapes[0], largest, "#ffffff")] if shapes else []
    parts += [_text(0, 20, "input", "name")] if shapes else []
    for i, layer in enumerate(shown, 1):
        parts.append(_arrow(i))
        parts.append(_box(i, layer.output_shape, largest, _FILL.get(layer.verdict, "#f6e3a1")))
        parts.append(_text(i, 20, layer.name, "name"))
        parts.append(_text(i, 34, layer.op if layer.path else "", "small"))
    for i, shape in enumerate(shapes):
        parts.append(_text(i, _BOTTOM, _size(shape), "small"))
    width = _COLUMN * max(len(shapes), 1)
    if len(layers) > len(shown):
        parts.append(_text(len(shapes), _MIDDLE, f"and {len(layers) - len(shown)} more", "small"))
        width += _COLUMN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_BOTTOM + 16}" '
        f'viewBox="0 0 {width} {_BOTTOM + 16}" role="img" aria-label="{for_html(title)}">'
        f"<title>{for_html(title)}</title><style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _size(shape: Shape) -> str:
    """Returns the shape without its batch, as in "6 @ 28x28"."""
    extents = "x".join(map(str, shape[2:]))
    channels = str(shape[1]) if len(shape) > 1 else "x".join(map(str, shape)) or "scalar"
    return f"{channels} @ {extents}" if extents else channels


def _box(column: int, shape: Shape, largest: int, fill: str) -> str:
    """Returns a box: its height is the largest extent's share, its depth grows with the channels.

    A vector has no extent and stands as a bar, its height the logarithm of its features.
    """
    extents = shape[2:]
    channels = shape[1] if len(shape) > 1 else 1
    middle = column * _COLUMN + _COLUMN / 2
    if not extents:
        height, width, depth = min(_TALLEST, 8 + 8 * log2(max(channels, 1) + 1)), 8.0, 0.0
    else:
        height = max(3.0, _TALLEST * 0.6 * extents[-2 if len(extents) > 1 else -1] / largest)
        width = max(3.0, 40 * extents[-1] / largest)
        depth = min(20.0, 2 + 2 * log2(max(channels, 1)))
    x, y = middle - (width + depth) / 2, _MIDDLE - (height - depth) / 2
    style = f'fill="{fill}" stroke="#57606a"'
    front = f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {style}/>'
    if not depth:
        return front
    right = x + width
    top = f"M{x:.1f} {y:.1f}l{depth:.1f} {-depth:.1f}h{width:.1f}l{-depth:.1f} {depth:.1f}z"
    side = f"M{right:.1f} {y:.1f}l{depth:.1f} {-depth:.1f}v{height:.1f}l{-depth:.1f} {depth:.1f}z"
    return f'{front}<path d="{top}{side}" {style}/>'


def _arrow(column: int) -> str:
    x = column * _COLUMN
    return (
        f'<path d="M{x - 12} {_MIDDLE}h20m-5 -4l5 4l-5 4" fill="none" stroke="#57606a" '
        'stroke-width="1.5"/>'
    )


def _text(column: int, y: int, text: str, kind: str) -> str:
    if not text:
        return ""
    short = text if len(text) <= 16 else f"…{text[-15:]}"
    return (
        f'<text x="{column * _COLUMN + _COLUMN // 2}" y="{y}" class="{kind}">{for_html(short)}'
        "</text>"
    )
