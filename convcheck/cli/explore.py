"""`convcheck explore`: write the interactive page, empty-handed or with a model or a case in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convcheck.cli.options import common_options, write_json
from convcheck.core.errors import ConvcheckError, InputError, UsageError

if TYPE_CHECKING:
    from convcheck.core.case import Case
    from convcheck.models.model_report import ModelReport
    from convcheck.visualizer.page_data import PageCase, PageStack


@click.command(name="explore")
@click.option("--out", default="explore.html", metavar="FILE", help="Where to write the page.")
@click.option("--case", "case_text", metavar='"CASE"', help="Show a case: expected values, taps.")
@click.option(
    "--target", metavar="TARGET", help="With --case: run this function, show where it errs."
)
@click.option("--finding", metavar="FILE", help="Show the first case of what `test --json` wrote.")
@click.option("--model", metavar="TARGET", help="Show the layers of a model.")
@click.option(
    "--input", "input_text", metavar="SHAPE", help="Shape of the model's input: 1,3,32,32."
)
@common_options
def command(
    out: str,
    case_text: str | None,
    target: str | None,
    finding: str | None,
    model: str | None,
    input_text: str | None,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Write the interactive page: one HTML file, opened without a network.

    \b
    convcheck explore
    convcheck explore --case "conv2d n1 c2 h5 w5 f2 k3x3 s2 p1 d1 g1" --target mymodule:fn
    convcheck explore --model torchvision:resnet18 --input 1,3,224,224
    """
    from convcheck.core.case import parse_case
    from convcheck.core.verdict import exit_code
    from convcheck.runtime.atomic import write_atomic
    from convcheck.visualizer.page import build_page

    told = ""
    if finding:
        if case_text:
            raise UsageError("--finding and --case", why="the page shows one case")
        case_text, told = _first_case(Path(finding))
    if target and not case_text:
        raise UsageError("--target without a case", fix="add --case, or --finding")
    case = _with_arrays(parse_case(case_text), target, told) if case_text else None
    stack, message, code, refusal = None, "", 0, None
    if model:
        try:
            report = _report(model, input_text)
        except ConvcheckError as error:
            # The page is written all the same, and tells its reader what this tells the caller.
            message, refusal = f"The model {model} could not be traced: {error}", error
        else:
            stack, message = _stack(report), _told(report)
            code = exit_code(report.verdict)
    page = build_page(stack=stack, case=case, message=message)
    write_atomic(out, page.encode())
    if json_file != "-":
        click.echo(
            out
            if quiet
            else f"wrote {out} ({len(page.encode()) // 1024} KiB); open it in a browser"
        )
    write_json(json_file, {"page": out, "bytes": len(page.encode()), "message": message})
    if refusal is not None:
        raise refusal
    return code


def _report(target: str, input_text: str | None) -> ModelReport:
    from convcheck.models.asked import Asked, answer

    return answer(
        Asked(target=target, input_text=input_text), say=lambda text: click.echo(text, err=True)
    )


def _told(report: ModelReport) -> str:
    from convcheck.core.verdict import Verdict

    faults = [f for f in report.findings if f.verdict is not Verdict.SKIP]
    if not faults and not report.layers:
        return f"{report.name}: no layer was called."
    return " ".join(f"{fault.where}: {fault.what}. {fault.why} {fault.fix}" for fault in faults[:3])


def _stack(report: ModelReport) -> PageStack | None:
    from convcheck.core.sizes import per_axis
    from convcheck.models.windows import has_window, windows_of
    from convcheck.visualizer.page_data import PageLayer, PageStack

    calls = {call.index: call for call in report.graph.calls}
    layers = []
    for layer in report.layers:
        windows = windows_of(calls[layer.index]) if has_window(layer.op) else ()
        axes = len(windows)
        layers.append(
            PageLayer(
                name=layer.name,
                op=layer.op,
                input_shape=tuple(layer.input_shape),
                output_shape=tuple(layer.output_shape),
                kernel_size=tuple(window.kernel for window in windows),
                stride=tuple(window.stride for window in windows),
                padding=tuple(window.padding for window in windows),
                dilation=tuple(window.dilation for window in windows),
                output_padding=per_axis(
                    layer.options.get("output_padding", 0), axes, "output_padding"
                ),
                ceil_mode=bool(layer.options.get("ceil_mode", False)),
            )
        )
    return PageStack(name=report.name, layers=tuple(layers)) if layers else None


def _first_case(path: Path) -> tuple[str, str]:
    """Returns the case of the first finding that has one, and what was found.

    The report names the function that failed, but it is only run where the caller names it too: a
    file decides no imports.
    """
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}", why=str(error)) from None
    findings = report.get("findings") if isinstance(report, dict) else None
    for found in findings if isinstance(findings, list) else ():
        if isinstance(found, dict) and isinstance(found.get("case"), str):
            words = (found.get(name) for name in ("verdict", "what", "diagnosis", "fix"))
            return found["case"], " ".join(f"{word}." for word in words if word)
    raise InputError(
        f"{path} has no finding with a case", fix="write it with convcheck test TARGET --json FILE"
    )


def _with_arrays(case: Case, target: str | None, told: str) -> PageCase:
    from convcheck.oracle.expected import Refusal, expected
    from convcheck.oracle.inputs import make_inputs
    from convcheck.visualizer.page_data import PageCase, check_drawable

    check_drawable(case)
    inputs = make_inputs(case)
    wanted = expected(case, inputs)
    known = {"input": inputs["x"], "weight": inputs.get("w"), "bias": inputs.get("b")}
    if isinstance(wanted, Refusal):
        message = f"{told} {wanted.reason}".strip()
        return PageCase(case=case, expected=None, message=message, **known)
    output = wanted.outputs[0]
    actual, message = None, told
    if target:
        from convcheck.conformance.execute import open_runner
        from convcheck.conformance.outcome import Returned

        with open_runner(target, case.op) as runner:
            outcome = runner.run(case, inputs)
        message = f"{told} {target} {outcome}.".strip()
        if isinstance(outcome, Returned) and outcome.arrays:
            if outcome.arrays[0].values.shape == output.shape:
                actual = outcome.arrays[0].values
            else:
                message += f" The shape must be {output.shape}."
    return PageCase(
        case=case,
        expected=output.values,
        bound=output.bound,
        actual=actual,
        message=message,
        **known,
    )
