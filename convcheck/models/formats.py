"""The table of layer calls as text, Markdown, CSV, LaTeX and JSON values."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from convcheck.core.text import for_markdown, for_markdown_code, for_terminal
from convcheck.core.verdict import Verdict
from convcheck.models.graph import Shape
from convcheck.models.layers import LayerCall
from convcheck.models.model_report import ModelReport

HEADER = ("path", "op", "input", "output", "formula", "parameters", "receptive field", "verdict")


def rows(report: ModelReport) -> list[tuple[str, ...]]:
    """Returns one row of text per layer call, in the order of `HEADER`."""
    return [
        (
            layer.path,
            layer.op,
            shape_text(layer.input_shape),
            shape_text(layer.output_shape),
            layer.formula,
            str(layer.parameters),
            field_text(layer),
            str(layer.verdict),
        )
        for layer in report.layers
    ]


def shape_text(shape: Shape) -> str:
    """Returns a shape as in "1x3x32x32"."""
    return "x".join(map(str, shape)) or "scalar"


def field_text(layer: LayerCall) -> str:
    """Returns the receptive field as in "14 (jump 2)", "<= 14" for a bound, "?" where unknown."""
    return layer.receptive_field.text() if layer.receptive_field else ""


def as_text(report: ModelReport, *, width: int = 100) -> str:
    """Returns the table in plain text, columns aligned, without colour."""
    table = [HEADER, *([for_terminal(cell) for cell in row] for row in rows(report))]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADER))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table
    ]
    return "\n".join([*lines, "", summary(report)])


def as_markdown(report: ModelReport) -> str:
    """Returns the table and the findings in Markdown."""
    lines = [
        "| " + " | ".join(HEADER) + " |",
        "|" + " --- |" * len(HEADER),
    ]
    for path, op, *rest in rows(report):
        name = for_markdown_code(path) if path else ""
        lines.append("| " + " | ".join([name, op, *map(for_markdown, rest)]) + " |")
    lines += ["", for_markdown(summary(report))]
    for finding in report.findings:
        lines.append(f"- **{finding.verdict} {finding.code}** {for_markdown_code(finding.where)}: ")
        lines[-1] += for_markdown(finding.what)
        lines += [f"  - {label}: {for_markdown(text)}" for label, text in
                  (("why", finding.why), ("fix", finding.fix)) if text]  # fmt: skip
    return "\n".join(lines) + "\n"


def as_csv(report: ModelReport) -> str:
    """Returns the table as comma-separated values, with a header."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([for_terminal(cell) for cell in row] for row in rows(report))
    return out.getvalue()


def as_latex(report: ModelReport) -> str:
    """Returns the table as a LaTeX tabular."""
    lines = [
        r"\begin{tabular}{llllrrl}",
        r"path & op & input & output & parameters & receptive field & verdict \\ \hline",
    ]
    for path, op, given, out, _, parameters, field, verdict in rows(report):
        cells = (path, op, given, out, parameters, field, verdict)
        lines.append(" & ".join(map(_for_latex, cells)) + r" \\")
    return "\n".join([*lines, r"\end{tabular}", ""])


def as_json(report: ModelReport) -> dict[str, Any]:
    """Returns the whole report as JSON values."""
    return {
        "schema_version": 1,
        "model": report.name,
        "verdict": str(report.verdict),
        "method": report.graph.method,
        "notes": list(report.graph.notes),
        "input_shapes": [list(shape) for shape in report.graph.input_shapes],
        "output_shapes": [list(shape) for shape in report.graph.output_shapes],
        "parameters": report.parameters,
        "multiply_accumulates": report.macs,
        "layers": [_layer_json(layer) for layer in report.layers],
        "findings": [finding.to_json() for finding in report.findings],
    }


def _layer_json(layer: LayerCall) -> dict[str, Any]:
    field = layer.receptive_field
    return {
        "path": layer.path,
        "op": layer.op,
        "input_shape": list(layer.input_shape),
        "output_shape": list(layer.output_shape),
        "expected_shape": None if layer.expected_shape is None else list(layer.expected_shape),
        "parameters": layer.parameters,
        "multiply_accumulates": layer.macs,
        "verdict": str(layer.verdict),
        "reason": layer.reason,
        "formula": layer.formula,
        "steps": [[str(step) for step in axis.steps] for axis in layer.worked],
        "unread": list(layer.unread),
        "receptive_field": field.to_json() if field else None,
        "source": layer.source,
    }


def summary(report: ModelReport) -> str:
    """Returns the line that sums the table up."""
    counts = {v: sum(layer.verdict is v for layer in report.layers) for v in Verdict}
    said = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n) or "none"
    shapes = ", ".join(map(shape_text, report.graph.input_shapes)) or "no input"
    out = ", ".join(map(shape_text, report.graph.output_shapes)) or "no output"
    return (
        f"{report.name}: {report.verdict}. {shapes} -> {out}; {len(report.layers)} layer calls "
        f"({said}); {report.parameters:,} parameters; {report.macs:,} multiply-accumulates"
    )


_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
          "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
          "<": r"\textless{}", ">": r"\textgreater{}"}  # fmt: skip


def _for_latex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in for_terminal(text))


FORMATS: dict[str, Callable[[ModelReport], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
    "latex": as_latex,
}


def colored(text: str, verdict: Sequence[str]) -> str:
    """Returns text in the colour of a verdict, for a terminal."""
    code = {"PASS": "32", "FAIL": "31", "UNKNOWN": "33"}.get(str(verdict), "2")
    return f"\x1b[{code}m{text}\x1b[0m"
