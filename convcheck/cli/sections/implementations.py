"""Section: implementations of convolution against the exact oracle, and a wrong one found."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from convcheck.cli.sections import checked
from convcheck.cli.sections.context import Context
from convcheck.conformance import check_implementation
from convcheck.conformance.implementations import implementations
from convcheck.conformance.known_faults import known_faults
from convcheck.conformance.replay import replay
from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown, for_markdown_code
from convcheck.core.verdict import Verdict
from convcheck.report.document import Block, Code, Folded, Paragraph, Section, Table

_INTRO = """\
Every implementation is called on corners, on calls that must be refused, and on a covering array of
the parameters, half a second each in the quick profile and ten in the full one; the results are
compared with the exact sum. Where every partial sum is exact in the dtype, one different bit is a
fault; where an algorithm transforms and rounds (an FFT), its a-priori error bound is the measure.
"Faults seen" is the power of these very cases: of the known faults that some case shows, how many
would have been seen in one of them. `convcheck test` gives one implementation more time, in a
process of its own."""


def build(context: Context) -> Section:
    """Returns the section."""
    rows, findings = [], []
    for implementation in implementations():
        context.say(f"{implementation.name} as {implementation.op}")
        report = check_implementation(
            implementation.function,
            implementation.op,
            seconds=10.0 if context.full else 0.5,
            seed=context.seed,
            strength=3 if context.full else 2,
            algorithm=implementation.algorithm,
            isolated=False,
            keep=False,
        )
        name = implementation.name
        label = f"{name} ({implementation.says})" if implementation.says else name
        rows.append(checked.row(label, report))
        findings.extend(checked.findings(f"{name} as {implementation.op}", report))
    wrong, control = _wrong_ones(context)
    blocks: list[Block] = [
        Paragraph(_INTRO),
        checked.table(rows),
        Paragraph("### What wrong ones get"),
        *wrong,
        Paragraph("### What released libraries do on a few calls"),
        *_known(context),
    ]
    passed = sum(line[2] == "PASS" for line in rows)
    return Section(
        key="implementations",
        title="Implementations against the oracle",
        says=f"{passed} of {len(rows)} implementations pass; {len(control)} wrong ones are found",
        blocks=tuple(blocks),
        findings=(*findings, *control),
        data={line[0]: list(line[1:]) for line in rows},
    )


def _wrong_ones(context: Context) -> tuple[list[Block], list[Finding]]:
    """Returns how four wrong copies of torch's conv2d are found: the section's control."""
    rows, control, shown = [], [], []
    for name, function in _wrong_copies().items():
        report = check_implementation(
            function,
            "conv2d",
            seconds=5,
            seed=context.seed,
            isolated=False,
            arrays="torch",
            keep=False,
        )
        found = report.findings[0] if report.findings else None
        control.append(
            Finding(
                verdict=Verdict.PASS if found else Verdict.FAIL,
                where=f"negative control: {name}",
                what=f"found in {found.case}" if found else "not found",
            )
        )
        if found is None:
            continue
        case = for_markdown_code(str(found.case))
        rows.append((for_markdown(name), str(report.cases), case, for_markdown(found.diagnosis)))
        shown.append(Code(found.picture or found.what))
        shown.append(Code(found.reproduce(), "python"))
    text = (
        "Four copies of `torch.nn.functional.conv2d`, each wrong in one way: the negative control. "
        "Every one must be found; the case is the smallest, and the cause is named."
    )
    header = ("what is wrong", "cases until the report", "smallest case", "diagnosis")
    fold = Folded("The first one's picture and its script", tuple(shown[:2]))
    return [Paragraph(text), Table(header, tuple(rows)), fold], control


def _wrong_copies() -> dict[str, Any]:
    from torch.nn.functional import conv2d, pad

    def pair(value: Any) -> tuple[int, int]:
        return (value, value) if isinstance(value, int) else tuple(value)

    def flipped(x: Any, w: Any, *rest: Any, **named: Any) -> Any:
        return conv2d(x, w.flip(-1, -2), *rest, **named)

    def one_side(
        x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1,
    ) -> Any:  # fmt: skip
        if isinstance(padding, str) or min(pair(padding)) < 0:
            return conv2d(x, w, b, stride, padding, dilation, groups)
        height, width = pair(padding)
        return conv2d(pad(x, (2 * width, 0, 2 * height, 0)), w, b, stride, 0, dilation, groups)

    def swapped(
        x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1,
    ) -> Any:  # fmt: skip
        return conv2d(x, w, b, pair(stride)[::-1], padding, dilation, groups)

    def bias_of_one(x: Any, w: Any, b: Any = None, *rest: Any, **named: Any) -> Any:
        return conv2d(x, w, None if len(x) > 1 else b, *rest, **named)

    return {
        "flips the kernel": flipped,
        "pads one side only": one_side,
        "swaps the strides of H and W": swapped,
        "drops the bias for a batch over 1": bias_of_one,
    }


def _known(context: Context) -> list[Block]:
    rows, scripts = [], []
    for fault in known_faults():
        context.say(f"{fault.name} on {fault.case}")
        report = replay(fault.case, fault.function, isolated=False, autograd=fault.autograd)
        found = report.findings[0] if report.findings else None
        rows.append(
            (
                f"`{fault.name}` {version(fault.package)}",
                for_markdown_code(fault.case),
                for_markdown(found.what) if found else "not seen here",
                for_markdown(fault.says) if found else "",
            )
        )
        if found and isinstance(fault.function, str):
            scripts.append(Code(found.reproduce(), "python"))
    header = ("function", "call", "found", "what it is")
    blocks: list[Block] = [Table(header, tuple(rows))]
    if scripts:
        blocks.append(Folded("Those of torch, without convcheck", tuple(scripts)))
    return blocks
