"""Drawings of a fault: the window over the input, the taps that feed the differing output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convcheck.conformance.bench import Observation
from convcheck.core.spec import ConvSpec, PoolSpec
from convcheck.oracle.expected import Expected
from convcheck.oracle.taps import taps

_WIDEST = 24
_TALLEST = 12


def picture(seen: Observation) -> str:
    """Returns the fault drawn in plain text; empty where there is no element to draw.

    The plane of the input that feeds the first wrong output, the read elements in brackets, each
    with the weight that it meets; then the sum, as expected and as returned.
    """
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
        return ""
    index = found.first_index
    n, f, position = index[0], index[1], index[2:]
    reads = taps(spec, seen.case.spatial, position)
    read = {tap.source: tap.kernel for tap in reads if tap.source is not None}
    channels = _channels(spec, f)
    channel = channels[0]
    lines = [
        f"output {_at(index)}: expected {_number(found.expected)}, got {_number(found.actual)}",
        f"it reads {len(read)} element{'s' * (len(read) != 1)} of the input"
        + (f" ({len(reads) - len(read)} taps lie in padding)" if len(reads) > len(read) else "")
        + (f", in each of {len(channels)} channels" if len(channels) > 1 else ""),
        "",
        f"input, image {n}, channel {channel}; [ ] is read:",
        *_plane(seen.inputs["x"][n, channel], read),
    ]
    if isinstance(spec, ConvSpec):
        first, second = _weight_index(spec, f, channel)
        lines += [
            "",
            f"kernel, weight[{first}, {second}]:",
            *_plane(seen.inputs["w"][first, second], {}),
        ]
    sums = _sum(seen, spec, n, f, channels, read)
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
    spec: ConvSpec | PoolSpec,
    n: int,
    f: int,
    channels: Sequence[int],
    read: dict[tuple[int, ...], tuple[int, ...]],
) -> list[str]:
    if isinstance(spec, PoolSpec) or len(channels) * len(read) > _WIDEST:
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
