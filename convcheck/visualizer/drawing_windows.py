"""Two-dimensional figures: one window of a layer on its input, and the regions of a pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from convcheck.core.case import Case
from convcheck.core.errors import GeometryError
from convcheck.core.shapes import output_shape
from convcheck.core.sizes import pool_output_size
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.visualizer import svg
from convcheck.visualizer.geometry import fed_by, reads

Cell = tuple[int, int]
Grid = Sequence[Sequence[int | Fraction]]

_CELL = 30
_TOP = 74
_MOST = 24
_TINTS = (svg.INPUT_TINT, svg.KERNEL_TINT, svg.OUTPUT_TINT, "#eadcf0")


def draw_window(case: Case, position: Cell = (0, 0)) -> str:
    """Returns a picture of one output element: its taps in the input and its place in the output.

    Args:
        case: A convolution, transposed convolution or pooling with one or two spatial axes.
        position: Which output element, (row, column); the row is 0 for one axis.

    Raises:
        GeometryError: The call is impossible, has three axes, is too large to draw, or `position`
            lies outside the output.
    """
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)) or spec.axes > 2 or "backward" in case.op:
        raise GeometryError(
            f"{case.op} has no window picture",
            why="only forward layers with one or two axes are drawn",
        )
    out = (1,) * (2 - spec.axes) + output_shape(case)[2:]
    size = (1,) * (2 - spec.axes) + case.spatial
    if max(*size, *out) > _MOST:
        raise GeometryError(
            f"{max(*size, *out)} elements are too many to draw", why=f"at most {_MOST} per axis"
        )
    if not all(0 <= index < extent for index, extent in zip(position, out, strict=True)):
        raise GeometryError(f"position {position} lies outside the output {out}")
    pairs = ((0, 0),) * (2 - spec.axes) + spec.padding_pairs()
    assert spec.stride is not None
    kernel, stride, dilation = (
        (1,) * (2 - spec.axes) + values for values in (spec.kernel_size, spec.stride, spec.dilation)
    )
    transposed = isinstance(spec, ConvSpec) and spec.transposed
    taps: list[tuple[tuple[int, int], ...]] = []
    for axis in (0, 1):
        numbers = (kernel[axis], stride[axis], pairs[axis][0], dilation[axis])
        if transposed:
            taps.append(fed_by(position[axis], size[axis], *numbers))
        else:
            indices = reads(position[axis], *numbers)
            taps.append(tuple((index, tap) for tap, index in enumerate(indices)))
    margins = ((0, 0), (0, 0)) if transposed else pairs
    read = {(row, column) for row, _ in taps[0] for column, _ in taps[1]}
    used = {(row, column) for _, row in taps[0] for _, column in taps[1]}
    return _three_grids(case, position, (size, kernel, out), margins, read, used)


def _three_grids(
    case: Case,
    position: Cell,
    extents: tuple[Sequence[int], Sequence[int], Sequence[int]],
    margins: Sequence[tuple[int, int]],
    read: set[Cell],
    used: set[Cell],
) -> str:
    size, kernel, out = extents
    (top, bottom), (left, right) = margins
    rows, columns = range(-top, size[0] + bottom), range(-left, size[1] + right)
    cells = [(row, column) for row in rows for column in columns]
    inside = {(row, column) for row in range(size[0]) for column in range(size[1])}
    x = 24
    parts = [svg.label(x, 56, "input and padding", anchor="start", fill=svg.INPUT, weight="600")]
    parts += _grid(
        cells, (rows[0], columns[0]), x,
        {cell: svg.INPUT_TINT if cell in inside else svg.PADDING for cell in cells},
        marked=dict.fromkeys(read, svg.KERNEL), faint=set(cells) - inside,
    )  # fmt: skip
    x += len(columns) * _CELL + 44
    pooling = isinstance(case.spec, PoolSpec)
    name = "window" if pooling else "kernel"
    parts.append(svg.label(x, 56, name, anchor="start", fill=svg.KERNEL, weight="600"))
    taps = [(row, column) for row in range(kernel[0]) for column in range(kernel[1])]
    tints = {tap: svg.KERNEL_TINT if tap in used else svg.PAPER for tap in taps}
    parts += _grid(taps, (0, 0), x, tints, marked=dict.fromkeys(used, svg.KERNEL), faint=set())
    x += max(kernel[1] * _CELL, 60) + 44
    parts.append(svg.label(x, 56, "output", anchor="start", fill=svg.OUTPUT, weight="600"))
    made = [(row, column) for row in range(out[0]) for column in range(out[1])]
    tints = dict.fromkeys(made, svg.OUTPUT_TINT)
    parts += _grid(made, (0, 0), x, tints, marked={position: svg.OUTPUT}, faint=set())
    height = _TOP + max(len(rows), kernel[0], out[0]) * _CELL + 24
    width = max(x + max(out[1] * _CELL, 60) + 24, 9 * len(str(case)) + 40)
    says = f"output {position} reads {len(read)} positions: {sorted(read)}"
    return svg.card(width, height, str(case), says, parts)


def _grid(
    cells: Sequence[Cell], origin: Cell, left: float, tints: Mapping[Cell, str],
    *, marked: Mapping[Cell, str], faint: set[Cell],
) -> list[str]:  # fmt: skip
    def corner(cell: Cell) -> Cell:
        return int(left + (cell[1] - origin[1]) * _CELL), _TOP + (cell[0] - origin[0]) * _CELL

    parts = [
        svg.rect(
            *corner(cell),
            _CELL,
            _CELL,
            tints[cell],
            stroke_dasharray="3 3" if cell in faint else "",
        )
        for cell in cells
    ]
    for cell, color in marked.items():
        x, y = corner(cell)
        size = _CELL - 6
        parts.append(
            svg.rect(x + 3, y + 3, size, size, "none", stroke=color, stroke_width=2.5, rx=3)
        )
    return sorted(parts[: len(cells)], key=lambda part: "dasharray" not in part) + sorted(
        parts[len(cells) :]
    )


def draw_pooling(
    values: Sequence[Sequence[int]] = ((1, 3, 2, 1), (4, 6, 5, 0), (3, 1, 1, 0), (1, 2, 2, 4)),
    *,
    kernel_size: int = 2,
    stride: int = 2,
) -> str:
    """Returns a picture of max and average pooling of the same values, window by window.

    Args:
        values: The input, rows of equal length.
        kernel_size: Extent of the square window.
        stride: Step of the window.

    Raises:
        GeometryError: No window fits, or the values are too many to draw.
    """
    size = (len(values), len(values[0]) if values else 0)
    if max(size) > _MOST:
        raise GeometryError(f"{size} values are too many to draw", why=f"at most {_MOST} per axis")
    out = pool_output_size(size, kernel_size, stride=stride)
    assert isinstance(out, tuple)
    windows = {
        (row, column): [
            (row * stride + y, column * stride + x)
            for y in range(kernel_size)
            for x in range(kernel_size)
        ]
        for row in range(out[0])
        for column in range(out[1])
    }
    tint_of = {place: _TINTS[(place[0] * 2 + place[1]) % 4] for place in windows}
    owner = {cell: tint_of[place] for place, cells in windows.items() for cell in cells}
    source = {(r, c): Fraction(values[r][c]) for r in range(size[0]) for c in range(size[1])}
    largest = {place: max(source[cell] for cell in cells) for place, cells in windows.items()}
    average = {
        place: sum((source[cell] for cell in cells), Fraction()) / len(cells)
        for place, cells in windows.items()
    }
    x, parts = 24, []
    for name, color, numbers, tints in (
        ("input", svg.INPUT, source, owner),
        ("max pooling", svg.OUTPUT, largest, tint_of),
        ("average pooling", svg.FREE, average, tint_of),
    ):
        parts.append(svg.label(x, 56, name, anchor="start", fill=color, weight="600"))
        fills = {cell: tints.get(cell, svg.PAPER) for cell in numbers}
        parts += _grid(list(numbers), (0, 0), x, fills, marked={}, faint=set())
        for (row, column), value in numbers.items():
            text = str(value) if value.denominator == 1 else f"{float(value):.3g}"
            middle = x + (column + 0.5) * _CELL
            parts.append(svg.label(middle, _TOP + (row + 0.5) * _CELL, text))
        x += max((1 + max(column for _, column in numbers)) * _CELL, 110) + 40
    title = (
        f"Pooling, kernel {kernel_size}, stride {stride}: {size[0]}x{size[1]} to {out[0]}x{out[1]}"
    )
    says = "max takes the largest value of each window, average the mean"
    return svg.card(max(x - 16, 480), _TOP + size[0] * _CELL + 24, title, says, parts)
