"""A finding as SVG: the planes that meet in a wrong element, or the extents of a wrong shape.

The picture carries its own light background and no style sheet; what is marked is marked by a thick
outline too, so that no meaning rests on colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from convcheck.conformance.bench import Observation
from convcheck.conformance.pictures.element import drawn_element
from convcheck.conformance.pictures.shape import axis_names, shapes_of
from convcheck.core.spec import ConvSpec
from convcheck.core.text import for_html

_CELL = 34
_MOST = 16
_INK, _PAPER, _GRID = "#1b2430", "#ffffff", "#c3ccd6"
_READ, _WRONG, _MISSING = "#d9ebf7", "#fbe3cf", "#edf0f3"

Cells = Mapping[tuple[int, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """A plane of labelled cells; `marked` gives some of them a colour."""

    title: str
    rows: int
    columns: int
    labels: Cells
    marked: Cells


def svg_picture(seen: Observation) -> str:
    """Returns the fault as one SVG element; empty where there is nothing to draw."""
    grids = _of_shape(seen) or _of_element(seen)
    if not grids:
        return ""
    parts, x, height = [], 12, 0
    for grid in grids:
        parts.append(_draw(grid, x))
        x += max(grid.columns * _CELL, 8 * len(grid.title)) + 24
        height = max(height, grid.rows * _CELL)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {x} {height + 48}" width="{x}" '
        f'height="{height + 48}" font-family="sans-serif" role="img">'
        f"<title>{for_html(seen.problem.reason if seen.problem else '')}</title>"
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>{"".join(parts)}</svg>'
    )


def _of_element(seen: Observation) -> list[_Grid]:
    """The input's plane with what is read, the kernel's, and the element as it is and should be."""
    found = drawn_element(seen)
    if found is None:
        return []
    plane = found.plane if found.plane.ndim == 2 else found.plane.reshape(-1, found.plane.shape[-1])
    grids = []
    if plane.ndim == 2 and found.plane.ndim <= 2 and max(plane.shape) <= _MOST:
        read = {(0, *at) if len(at) == 1 else at for at in found.read}
        grids.append(_plane("input, read cells marked", plane, read))
    if isinstance(seen.case.spec, ConvSpec) and found.kernel is not None:
        kernel = found.kernel
        if kernel.ndim <= 2 and max(kernel.shape) <= _MOST:
            grids.append(_plane("kernel", np.atleast_2d(kernel), set()))
    at = ", ".join(map(str, found.index))
    labels = {(0, 0): _number(found.expected), (1, 0): _number(found.actual)}
    marked = {(0, 0): _READ, (1, 0): _WRONG}
    grids.append(_Grid(title=f"output [{at}]: expected, got", rows=2, columns=1, labels=labels,
                       marked=marked))  # fmt: skip
    return grids


def _of_shape(seen: Observation) -> list[_Grid]:
    """The last two axes of the expected and the returned extent, over one another."""
    shapes = shapes_of(seen)
    if shapes is None or len(shapes[0]) != len(shapes[1]):
        return []
    wanted, actual = ((1, *shape)[-2:] for shape in shapes)
    rows, columns = (max(pair) for pair in zip(wanted, actual, strict=True))
    if max(rows, columns) > _MOST or not rows * columns:
        return []
    names = ["", *axis_names(seen, len(shapes[0]))][-2:]
    marked, labels = {}, {}
    for r, c in np.ndindex(rows, columns):
        is_wanted = r < wanted[0] and c < wanted[1]
        is_there = r < actual[0] and c < actual[1]
        if is_wanted and not is_there:
            marked[r, c], labels[r, c] = _MISSING, "?"
        elif is_there and not is_wanted:
            marked[r, c], labels[r, c] = _WRONG, "+"
    title = (
        f"{names[0]} x {names[1]}: expected {wanted[0]} x {wanted[1]}, got {actual[0]} x "
        f"{actual[1]} (? missing, + too many)"
    )
    return [_Grid(title=title, rows=rows, columns=columns, labels=labels, marked=marked)]


def _plane(title: str, plane: np.ndarray, read: set) -> _Grid:
    plane = np.atleast_2d(plane)
    labels = {(int(r), int(c)): _number(plane[r, c]) for r, c in np.ndindex(plane.shape)}
    return _Grid(title=title, rows=plane.shape[0], columns=plane.shape[1], labels=labels,
                 marked=dict.fromkeys(read, _READ))  # fmt: skip


def _draw(grid: _Grid, left: int) -> str:
    parts = [f'<text x="{left}" y="20" font-size="13" fill="{_INK}">{for_html(grid.title)}</text>']
    for r, c in np.ndindex(grid.rows, grid.columns):
        x, y = left + c * _CELL, 32 + r * _CELL
        color = grid.marked.get((r, c))
        line = f'stroke="{_INK}" stroke-width="2"' if color else f'stroke="{_GRID}"'
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_CELL - 2}" height="{_CELL - 2}" '
            f'fill="{color or _PAPER}" {line}/>'
        )
        label = grid.labels.get((r, c))
        if label:
            parts.append(
                f'<text x="{x + _CELL // 2 - 1}" y="{y + _CELL // 2 + 4}" font-size="11" '
                f'text-anchor="middle" fill="{_INK}">{for_html(label)}</text>'
            )
    return "".join(parts)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
