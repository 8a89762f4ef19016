"""A result of the wrong shape, drawn: each axis with its formula, what is missing or too many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from convcheck.conformance.bench import Observation
from convcheck.core.explanation import explain_axis
from convcheck.core.ops import find_op
from convcheck.core.spec import ConvSpec, PoolSpec

_LONGEST = 16
_LETTERS = {1: "W", 2: "HW", 3: "ZHW"}


def shapes_of(seen: Observation) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Returns the expected and the returned shape, where that is what differs."""
    problem, outputs = seen.problem, getattr(seen.wanted, "outputs", ())
    if problem is None or problem.kind != "shape" or problem.output >= len(seen.actual):
        return None
    return outputs[problem.output].shape, seen.actual[problem.output].shape


def axis_names(seen: Observation, count: int) -> list[str]:
    """Returns a name for each axis of the wrong result."""
    spec = seen.case.spec
    if isinstance(spec, (ConvSpec, PoolSpec)):
        names = ["N", "C", *_LETTERS.get(spec.axes, "")]
        if seen.problem is not None and "grad_w" in seen.problem.reason:
            names = ["F", "C/g", *(f"k{letter}" for letter in _LETTERS.get(spec.axes, ""))]
        if len(names) == count:
            return names
    return [f"axis {number}" for number in range(count)]


def shape_picture(seen: Observation) -> str:
    """Returns a shape fault in plain text; empty where the fault is none of shape.

    Per axis the expected extent with its worked formula, and a row of the outputs along it: those
    that are missing in brackets, those that are too many between bars.
    """
    found = shapes_of(seen)
    if found is None:
        return ""
    wanted, actual = found
    lines = [f"shape: expected {_text(wanted)}, got {_text(actual)}"]
    if len(wanted) != len(actual):
        return lines[0] + f"; {len(actual)} axes instead of {len(wanted)}"
    names = axis_names(seen, len(wanted))
    if sorted(wanted) == sorted(actual) and wanted != actual:
        lines.append("the same extents in another order: are two axes exchanged?")
    for axis, (name, want, got) in enumerate(zip(names, wanted, actual, strict=True)):
        if want == got:
            continue
        much = f"{got - want} too many" if got > want else f"{want - got} missing"
        lines += ["", f"axis {name}: expected {want}, got {got}: {much}"]
        lines += [f"  {step}" for step in worked(seen, axis)]
        if max(want, got) <= _LONGEST:
            cells = (_cell(o, want, got) for o in range(max(want, got)))
            lines.append("  outputs:" + "".join(cells))
    return "\n".join(lines)


def worked(seen: Observation, axis: int) -> Iterator[str]:
    """Yields the lines of the size formula of an axis of the forward result, worked."""
    spec, family = seen.case.spec, find_op(seen.case.op).family
    place = axis - 2
    if place < 0 or family.endswith("backward"):
        return
    if not isinstance(spec, (ConvSpec, PoolSpec)):
        return
    assert spec.stride is not None
    op: Any = family
    extra = spec.output_padding[place] if isinstance(spec, ConvSpec) else 0
    size = explain_axis(
        op,
        seen.case.spatial[place], spec.kernel_size[place], stride=spec.stride[place],
        padding=spec.padding_pairs()[place], dilation=spec.dilation[place],
        output_padding=extra, ceil_mode=isinstance(spec, PoolSpec) and spec.ceil_mode,
    )  # fmt: skip
    yield from map(str, size.steps)


def _cell(o: int, want: int, got: int) -> str:
    if o >= got:
        return f" [{o}]"
    return f" |{o}|" if o >= want else f" {o}"


def _text(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
