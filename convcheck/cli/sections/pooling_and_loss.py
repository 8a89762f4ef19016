"""Section: torch's pooling and losses against the exact oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcheck.cli.sections import checked
from convcheck.cli.sections.context import Context
from convcheck.conformance import check_implementation
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.report.document import Figure, Paragraph, Section
from convcheck.visualizer.drawing import draw_pooling

_INTRO = """\
Maxima are compared bit for bit, averages and losses with derived bounds: an average is the exact
sum over the exact divisor (`ceil_mode` and `count_include_pad` as torch has them), a loss is
enclosed in Arb balls, so that the bound is a proof and no tolerance was chosen."""


def build(context: Context) -> Section:
    """Returns the section; the last row is a wrong average pooling, which must be found."""
    rows, findings = [], []
    for op, function in _functions(context.full).items():
        context.say(op)
        report = check_implementation(
            function,
            op,
            seconds=8.0 if context.full else 0.5,
            seed=context.seed,
            strength=3 if context.full else 2,
            isolated=False,
            keep=False,
        )
        rows.append(checked.row(f"torch {op}", report))
        findings.extend(checked.findings(f"torch {op}", report))
    control = check_implementation(
        _average_without_padding,
        "avg_pool2d",
        seconds=5,
        seed=context.seed,
        isolated=False,
        arrays="torch",
        keep=False,
    )
    findings.append(
        Finding(
            verdict=Verdict.PASS if control.findings else Verdict.FAIL,
            where="negative control: an average that never counts the padding",
            what=f"found: {control.findings[0].diagnosis}" if control.findings else "not found",
        )
    )
    told = "; ".join(finding.diagnosis for finding in control.findings)
    return Section(
        key="pooling_and_loss",
        title="Pooling and loss",
        says=f"{sum(line[2] == 'PASS' for line in rows)} of {len(rows)} of torch's functions pass",
        blocks=(
            Paragraph(_INTRO),
            checked.table(rows),
            Paragraph(
                "The negative control, an average pooling that leaves the padding out of the "
                f"divisor, is found after {control.cases} cases: {told}."
            ),
            Figure(
                "pooling.svg",
                "Max and average pooling, window by window",
                draw_pooling().encode(),
            ),
        ),
        findings=tuple(findings),
    )


def _functions(full: bool) -> dict[str, Callable[..., Any]]:
    from torch.nn import functional

    names = ["max_pool2d", "avg_pool2d", "cross_entropy", "kl_div"]
    if full:
        names += [f"{kind}_pool{axes}d" for kind in ("max", "avg") for axes in (1, 3)]
    return {name: getattr(functional, name) for name in names}


def _average_without_padding(
    x: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    from torch.nn.functional import avg_pool2d

    return avg_pool2d(x, kernel_size, stride, padding, ceil_mode, count_include_pad=False)
