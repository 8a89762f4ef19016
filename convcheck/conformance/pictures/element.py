"""Drawings of a fault: the window over the input, the taps that feed the differing output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convcheck.conformance.bench import Observation
from convcheck.conformance.pictures.gradient import gradient_picture
from convcheck.conformance.pictures.shape import shape_picture
from convcheck.core.spec import ConvSpec, PoolSpec, Spec
from convcheck.oracle.expected import Expected
from convcheck.oracle.taps import taps

_WIDEST = 24
_TALLEST = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """The wrong element of a forward result, with what it is made of.

    Attributes:
        index: The element.
        expected: What it is.
        actual: What was returned.
        channels: The channels of the input that it reads.
        plane: The first of them.
        read: The positions that it reads, each with its place in the kernel.
        padded: How many taps lie in padding.
        kernel: The plane of the weight that meets that channel; None for a pool.
        weight: Where in the weight that plane is.
    """

    index: tuple[int, ...]
    expected: object
    actual: object
    channels: list[int]
    plane: np.ndarray
    read: dict[tuple[int, ...], tuple[int, ...]]
    padded: int
    kernel: np.ndarray | None
    weight: tuple[int, int]


def drawn_element(seen: Observation) -> Drawn | None:
    """Returns the first wrong element of a forward result, None where there is none to draw."""
    found = seen.problem.comparison if seen.problem else None
    spec = seen.case.spec
    if (
        found is None
        or found.first_index is None
        or not isinstance(spec, (ConvSpec, PoolSpec))
        or "x" not in seen.inputs
        or not isinstance(seen.wanted, Expected)
        or seen.case.op.endswith("backward")
        or seen.case.op == "output_size"
        or (seen.problem is not None and seen.problem.output)
    ):
        return None
    index = found.first_index
    n, f = index[:2]
    reads = taps(spec, seen.case.spatial, index[2:])
    read = {tap.source: tap.kernel for tap in reads if tap.source is not None}
    channels = _channels(spec, f)
    weight = _weight_index(spec, f, channels[0]) if isinstance(spec, ConvSpec) else (0, 0)
    return Drawn(
        index=index, expected=found.expected, actual=found.actual, channels=channels,
        plane=seen.inputs["x"][n, channels[0]], read=read, padded=len(reads) - len(read),
        kernel=seen.inputs["w"][weight] if isinstance(spec, ConvSpec) else None, weight=weight,
    )  # fmt: skip


def picture(seen: Observation) -> str:
    """Returns the fault drawn in plain text; empty where there is no element to draw.

    The plane of the input that feeds the first wrong output, the read elements in brackets, each
    with the weight that it meets; then the sum, as expected and as returned. A wrong shape has its
    axes drawn, a wrong gradient its products listed.
    """
    found = drawn_element(seen)
    if found is None:
        return shape_picture(seen) or gradient_picture(seen)
    read, channels, count = found.read, found.channels, len(found.read)
    lines = [
        f"output {_at(found.index)}: expected {_number(found.expected)}, "
        f"got {_number(found.actual)}",
        f"it reads {count} element{'s' * (count != 1)} of the input"
        + (f" ({found.padded} taps lie in padding)" if found.padded else "")
        + (f", in each of {len(channels)} channels" if len(channels) > 1 else ""),
        "",
        f"input, image {found.index[0]}, channel {channels[0]}; [ ] is read:",
        *_plane(found.plane, read),
    ]
    if found.kernel is not None:
        first, second = found.weight
        lines += ["", f"kernel, weight[{first}, {second}]:", *_plane(found.kernel, {})]
    sums = _sum(seen, seen.case.spec, found.index[0], found.index[1], channels, read)
    return "\n".join([*lines, "", *sums]) if sums else "\n".join(lines)


def _channels(spec: ConvSpec | PoolSpec, f: int) -> list[int]:
    if isinstance(spec, PoolSpec):
        return [f]
    group = f // (spec.out_channels // spec.groups)
    each = spec.in_channels // spec.groups
    return list(range(group * each, (group + 1) * each))


def _weight_index(spec: ConvSpec, f: int, channel: int) -> tuple[int, int]:
    if spec.transposed:
        return channel, f % (spec.out_channels // spec.groups)
    return f, channel % (spec.in_channels // spec.groups)


def _sum(
    seen: Observation,
    spec: Spec,
    n: int,
    f: int,
    channels: Sequence[int],
    read: dict[tuple[int, ...], tuple[int, ...]],
) -> list[str]:
    if not isinstance(spec, ConvSpec) or len(channels) * len(read) > _WIDEST:
        return []
    products = []
    for channel in channels:
        for source, kernel in read.items():
            weight = seen.inputs["w"][(*_weight_index(spec, f, channel), *kernel)]
            datum = seen.inputs["x"][(n, channel, *source)]
            products.append(f"{_number(datum)}*{_number(weight)}")
    bias = [f"{_number(seen.inputs['b'][f])} (bias)"] if "b" in seen.inputs else []
    assert seen.problem is not None and seen.problem.comparison is not None
    total = _number(seen.problem.comparison.expected)
    return ["the sum: " + (" + ".join([*products, *bias]) or "nothing") + f" = {total}"]


def _plane(plane: np.ndarray, read: dict[tuple[int, ...], tuple[int, ...]]) -> list[str]:
    """Returns the rows of a plane, or of the slice of a volume that is read; reads bracketed."""
    if plane.ndim == 1:
        return _rows(plane[None], {(0, *source) for source in read})
    if plane.ndim == 2:
        return _rows(plane, set(read))
    depth = next((source[0] for source in read), 0)
    rows = _rows(plane[depth], {source[1:] for source in read if source[0] == depth})
    return [f"(slice {depth} of {len(plane)})", *rows]


def _rows(plane: np.ndarray, marked: set[tuple[int, ...]]) -> list[str]:
    top = max(0, min((r for r, _ in marked), default=0) - 1)
    left = max(0, min((c for _, c in marked), default=0) - 1)
    shown = plane[top : top + _TALLEST, left : left + _WIDEST]
    texts = [[_number(value) for value in row] for row in shown]
    width = max((len(text) for row in texts for text in row), default=1)
    rows = []
    for r, row in enumerate(texts):
        cells = [
            f"[{text:>{width}}]" if (r + top, c + left) in marked else f" {text:>{width}} "
            for c, text in enumerate(row)
        ]
        rows.append("  " + "".join(cells))
    if shown.shape != plane.shape:
        rows.append(
            f"  (rows {top} to {top + shown.shape[0] - 1}, columns {left} to "
            f"{left + shown.shape[1] - 1} of {plane.shape[0]} x {plane.shape[1]})"
        )
    return rows


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)


def _at(index: tuple[int, ...]) -> str:
    return "[" + ", ".join(map(str, index)) + "]"
