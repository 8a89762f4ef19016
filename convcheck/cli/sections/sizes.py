"""Section: output sizes, worked, drawn, and compared with torch on random layers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convcheck.cli.sections.context import Context
from convcheck.core.errors import GeometryError
from convcheck.core.explanation import explain_axis
from convcheck.core.finding import Finding
from convcheck.core.sizes import (
    conv_output_size,
    conv_transpose_output_size,
    pool_output_size,
)
from convcheck.core.text import for_markdown_code
from convcheck.core.verdict import Verdict
from convcheck.report.document import Attachment, Block, Figure, Formula, Paragraph, Section, Table
from convcheck.visualizer import build_page
from convcheck.visualizer.drawing import (
    draw_convolution_flip,
    draw_receptive_fields,
    draw_size,
)

_L3 = (
    r"l_1 = W + 2p, \qquad l_2 = d\,(k-1) + 1, \qquad l_3 = l_1 - l_2, \qquad"
    r" \text{size} = \left\lfloor \frac{l_3}{s} \right\rfloor + 1 \quad (l_3 \ge 0)"
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a comparison over random layers counted."""

    layers: int
    refused: int
    disagreement: str


def build(context: Context) -> Section:
    """Returns the section."""
    layers = 2000 if context.full else 400
    rows, findings = [], []
    for op, formula in (
        ("conv", conv_output_size),
        ("conv_transpose", conv_transpose_output_size),
        ("max_pool", pool_output_size),
        ("avg_pool", _average_pool_size),
    ):
        tally = compare_with_torch(op, formula, layers, context.seed)
        wrong = compare_with_torch(op, _off_by_one(formula), layers, context.seed)
        holds = not tally.disagreement and bool(wrong.disagreement)
        findings.append(
            Finding(
                verdict=Verdict.PASS if holds else Verdict.FAIL,
                where=op,
                what=tally.disagreement
                or f"{tally.layers} random layers: the formula and torch agree",
                why="" if wrong.disagreement else "the wrong formula was not rejected either",
            )
        )
        rows.append(
            (
                f"`{op}`",
                str(tally.layers),
                str(tally.refused),
                for_markdown_code(tally.disagreement or "none"),
                for_markdown_code(wrong.disagreement or "NOT REJECTED"),
            )
        )
    agreed = sum(finding.verdict is Verdict.PASS for finding in findings)
    blocks: list[Block] = [
        Paragraph("The window's positions, counted in four steps:"),
        Formula(_L3),
        _worked(),
        Figure("size.svg", "One axis: input 12, kernel 3, dilation 2, stride 3, padding 1",
               draw_size(12, 3, stride=3, padding=(1, 1), dilation=2).encode()),
        Paragraph(
            "Random layers in one to three dimensions, valid and not, against torch on the CPU: "
            "sizes are compared, and refusals (an empty result counts as one: torch refuses some "
            "of them and returns others). The last column is the negative control: "
            "the same comparison with a size that is one too large where the stride is over 1."
        ),
        Table(("op", "layers", "refused by both", "disagreement", "control rejected at"),
              tuple(rows)),
        Figure("receptive_fields.svg", "Receptive fields 3, 7, 15 of dilations 1, 2, 4",
               draw_receptive_fields((1, 2, 4)).encode()),
        Figure("flip.svg", "The same products in f*g and g*f", draw_convolution_flip().encode()),
        Attachment("explore.html", "All of this to play with: one page, opened from its file",
                   build_page().encode()),
    ]  # fmt: skip
    return Section(
        key="sizes",
        title="Output sizes",
        says=f"formula and torch agree on {agreed} of {len(rows)} ops, refusals included, "
        f"over {layers} random layers each",
        blocks=tuple(blocks),
        findings=tuple(findings),
    )


def compare_with_torch(op: str, formula: Callable[..., Any], layers: int, seed: int) -> Tally:
    """Returns how a size formula compares with torch over random layers.

    Args:
        op: "conv", "conv_transpose", "max_pool" or "avg_pool".
        formula: Called like the function of `core.sizes`.
        layers: How many random layers, in one to three dimensions, about a third impossible.
        seed: Seed of the choice.
    """
    generator = random.Random(f"{op}{seed}")
    refused = 0
    for _ in range(layers):
        size, kernel, options = _random_layer(op, generator)
        theirs = _torch_size(op, size, kernel, options)
        try:
            mine = formula(size, kernel, **options)
        except GeometryError:
            mine = None
        if mine != theirs:
            layer = f"input {size}, kernel {kernel}, {options}"
            return Tally(layers, refused, f"{layer}: {_said(mine)}, torch {_said(theirs)}")
        refused += mine is None
    return Tally(layers, refused, "")


def _said(size: tuple[int, ...] | None) -> str:
    return "refuses" if size is None else str(size)


def _random_layer(
    op: str, generator: random.Random
) -> tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]:
    axes = generator.choice((1, 2, 3))

    def draw(*values: int) -> tuple[int, ...]:
        return tuple(generator.choice(values) for _ in range(axes))

    size, kernel = draw(1, 2, 3, 5, 8, 13), draw(1, 1, 2, 3, 4)
    options: dict[str, Any] = {"stride": draw(1, 1, 2, 3), "padding": draw(0, 0, 0, 1, 2)}
    if op != "avg_pool":
        options["dilation"] = draw(1, 1, 1, 2, 3)
    if op == "conv_transpose":
        options["output_padding"] = draw(0, 0, 0, 1, 2)
    if op in ("max_pool", "avg_pool"):
        options["ceil_mode"] = generator.random() < 0.5
    return size, kernel, options


def _torch_size(
    op: str, size: tuple[int, ...], kernel: tuple[int, ...], options: dict[str, Any]
) -> tuple[int, ...] | None:
    """Returns the size of a real call on the CPU, or None where torch refuses it.

    Of a transposed convolution whose output would have no element on some axis, torch refuses some
    and answers others with an empty tensor: both count as refused.
    """
    import torch
    from torch.nn import functional

    function = getattr(functional, f"{op}{len(size)}d")
    second = kernel if op.endswith("pool") else torch.zeros(1, 1, *kernel)
    try:
        found = tuple(function(torch.zeros(1, 1, *size), second, **options).shape[2:])
    except (RuntimeError, ValueError):
        return None
    return found if all(found) else None


def _average_pool_size(size: Any, kernel: Any, **options: Any) -> Any:
    return pool_output_size(size, kernel, kind="avg", **options)


def _off_by_one(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a false formula: one too large on every axis with a stride over 1."""

    def wrong(size: Any, kernel: Any, **options: Any) -> tuple[int, ...]:
        right = formula(size, kernel, **options)
        return tuple(n + (s > 1) for n, s in zip(right, options["stride"], strict=True))

    return wrong


def _worked() -> Table:
    layers = (("conv1", "conv", 32, 5, 1), ("pool", "max_pool", 28, 2, 2),
              ("conv2", "conv", 14, 5, 1), ("pool", "max_pool", 10, 2, 2))  # fmt: skip
    rows = []
    for name, op, size, kernel, stride in layers:
        worked = explain_axis(op, size, kernel, stride=stride)  # type: ignore[arg-type]
        numbers = tuple(f"{step.numbers} = {step.value}" for step in worked.steps)
        rows.append((f"`{name}`", f"{size}, k={kernel}, s={stride}", *numbers))
    return Table(("layer of the notes", "input", "l1", "l2", "l3", "steps", "size"), tuple(rows))
