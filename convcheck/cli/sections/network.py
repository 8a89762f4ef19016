"""Section: the notes' network, every layer call validated against the formula."""

from __future__ import annotations

from typing import Any

from convcheck.cli.sections.context import Context
from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown, for_markdown_code
from convcheck.core.verdict import Verdict
from convcheck.models import LayerCall, check_model
from convcheck.models.diagram import layer_diagram
from convcheck.report.document import Block, Figure, Paragraph, Section, Table

PICTURES = (1, 3, 32, 32)


def build(context: Context) -> Section:
    """Returns the section: the table, the comment beside the code, and a broken sibling."""
    from convcheck.training.network import Net

    report = check_model(Net, PICTURES)
    sizes = [layer.output_shape[-1] for layer in report.layers if len(layer.output_shape) == 4]
    blocks: list[Block] = [
        Paragraph(
            "Every call is recorded where it happens, functional ones too, and compared with the "
            "closed formula."
        ),
        _table(report.layers),
        Figure(
            "layers.svg",
            f"The layers from the input on: {' -> '.join(map(str, (PICTURES[-1], *sizes)))}, "
            "then vectors",
            layer_diagram(report.layers, title="The notes' network, layer by layer").encode(),
        ),
        Paragraph(
            f"{report.parameters:,} parameters, {report.macs:,} multiply-accumulates a picture."
        ),
        Paragraph("### The comment beside the code"),
        *_comment_and_code(Net),
        Paragraph("### The same network with a mistake"),
    ]
    broken = _with_first_kernel(Net, 7)
    control = check_model(broken, PICTURES)
    blocks.append(
        Paragraph(
            "The negative control: a first kernel of 7 leaves 4x4 maps, which `fc1` cannot take. "
            "convcheck must say so, where, and why:"
        )
    )
    blocks.extend(_diagnosis(finding) for finding in control.findings)
    return Section(
        key="network",
        title="The network's layer sizes",
        says=f"{len(report.layers)} layer calls of the notes' network, "
        f"{sum(layer.verdict is Verdict.PASS for layer in report.layers)} equal to the formula: "
        f"32 -> {' -> '.join(map(str, sizes))}",
        blocks=tuple(blocks),
        findings=(*map(_finding, report.layers), *report.findings, _control(control)),
        data={layer.path + f"#{layer.index}": list(layer.output_shape) for layer in report.layers},
    )


def _table(layers: tuple[LayerCall, ...]) -> Table:
    return Table(
        ("layer", "op", "input", "output", "formula", "parameters", "verdict"),
        tuple(
            (
                for_markdown_code(layer.path or "(root)"),
                for_markdown_code(layer.op),
                _shape(layer.input_shape),
                _shape(layer.output_shape),
                for_markdown(layer.formula),
                f"{layer.parameters:,}",
                str(layer.verdict),
            )
            for layer in layers
        ),
    )


def _comment_and_code(net: type) -> list[Block]:
    """Returns the layers with the kernel of the comment (3) beside those of the code (5)."""
    both = {
        kernel: [
            layer
            for layer in check_model(_with_first_kernel(net, kernel), PICTURES).layers
            if layer.op in ("conv2d", "max_pool2d")
        ]
        for kernel in (3, 5)
    }
    rows = tuple(
        (
            for_markdown_code(comment.path),
            _shape(comment.output_shape),
            f"{comment.parameters:,}",
            _shape(code.output_shape),
            f"{code.parameters:,}",
        )
        for comment, code in zip(both[3], both[5], strict=True)
    )
    header = ("layer", "kernel 3: output", "parameters", "kernel 5: output", "parameters")
    text = (
        "The listing's comment says kernel 3 where the code says 5. The last sizes are the same, "
        "so a network built from the comment runs; the parameters of the first layer tell them "
        "apart."
    )
    return [Paragraph(text), Table(header, rows)]


def _with_first_kernel(net: type, kernel: int) -> Any:
    from torch import nn

    def build_network() -> Any:
        model = net()
        model.conv1 = nn.Conv2d(3, 6, kernel)
        return model

    return build_network


def _diagnosis(finding: Finding) -> Paragraph:
    lines = [
        f"> **{finding.code}** at {for_markdown_code(finding.where)}: {for_markdown(finding.what)}",
        *(f"> why: {for_markdown(line)}" for line in finding.why.splitlines()),
        *(f"> fix: {for_markdown(line)}" for line in finding.fix.splitlines()),
    ]
    return Paragraph("  \n".join(lines))


def _control(control: Any) -> Finding:
    found = [finding.where for finding in control.findings if finding.verdict is Verdict.FAIL]
    return Finding(
        verdict=Verdict.PASS if "fc1" in found else Verdict.FAIL,
        where="negative control",
        what=f"the broken sibling was {'rejected at ' + ', '.join(found) if found else 'accepted'}",
    )


def _finding(layer: LayerCall) -> Finding:
    return Finding(
        verdict=layer.verdict,
        where=layer.name,
        what=layer.reason or f"{_shape(layer.input_shape)} -> {_shape(layer.output_shape)}",
        details={"formula": layer.formula, "parameters": layer.parameters},
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
