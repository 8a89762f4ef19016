"""`convcheck model TARGET`: validate every layer's size, and say why a broken model breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from convcheck.cli.options import common_options, use_color, write_json
from convcheck.core.verdict import exit_code


@click.command()
@click.argument("target")
@click.option("--input", "input_text", metavar="SHAPE", help="Shape of the input: 1,3,32,32.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "csv", "latex"]),
    default="text",
    help="Form of the table.",
)
@click.option("--sizes", is_flag=True, help="Find the square input sizes that the model takes.")
@click.option("--strict", is_flag=True, help="Refuse a receptive field that is not exact.")
@click.option("--training", is_flag=True, help="Run in training mode.")
@click.option("--lock", metavar="FILE", help="Write every layer's shape to a lock file.")
@click.option("--check", "check_file", metavar="FILE", help="Fail where a shape left the lock.")
@common_options
def command(
    target: str,
    input_text: str | None,
    form: str,
    sizes: bool,
    strict: bool,
    training: bool,
    lock: str | None,
    check_file: str | None,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Validate every layer's size of TARGET against the formula.

    \b
    convcheck model torchvision:resnet18 --input 1,3,224,224
    convcheck model mypackage.models:Net --input 1,3,32,32
    convcheck model path/to/file.py:Net
    convcheck model file.onnx
    """
    from convcheck.models.asked import Asked, answer
    from convcheck.models.formats import as_json

    report = answer(
        Asked(
            target=target,
            input_text=input_text,
            sizes=sizes,
            strict=strict,
            training=training,
            lock=Path(lock) if lock else None,
            check=Path(check_file) if check_file else None,
        ),
        say=lambda text: None if quiet else click.echo(text, err=True),
    )
    write_json(json_file, as_json(report))
    if json_file != "-":
        _show(report, form, quiet, verbose, use_color(color))
    return exit_code(report.verdict)


def _show(report: Any, form: str, quiet: bool, verbose: int, colour: bool) -> None:
    from convcheck.models.annotations import github_annotations
    from convcheck.models.formats import FORMATS, summary
    from convcheck.models.terminal import findings_text, print_table

    if form != "text":
        click.echo(FORMATS[form](report), nl=False)
    elif quiet:
        click.echo(summary(report))
    else:
        print_table(report, colour=colour, verbose=verbose)
    if form == "text":
        text = findings_text(report, verbose=verbose)
        if text:
            click.echo(text)
    for line in github_annotations(report):
        click.echo(line, err=True)
