"""`convcheck train`: the reference run of the lecture notes' network."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from convcheck.cli.exits import EXIT_INTERRUPTED
from convcheck.cli.options import common_options, write_json
from convcheck.core.text import for_terminal
from convcheck.core.verdict import Verdict, exit_code

if TYPE_CHECKING:
    from convcheck.training import TrainingResult


@click.command(name="train")
@click.option(
    "--data",
    default="shapes10",
    metavar="NAME|DIR",
    help="shapes10 (default), shapes10-hard, cifar10, or a directory with train/CLASS/* and "
    "test/CLASS/*.",
)
@click.option("--recipe", help="notes, quick, typical or gpu; quick on shapes10, else notes.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the training pictures.")
@click.option("--max-steps", type=click.IntRange(1), help="Stop after so many steps in all.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Decides weights and order.")
@click.option("--fast", is_flag=True, help="Round otherwise, cost less per small step.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option("--out", metavar="DIR", help="Where checkpoints, metrics and arrays go.")
@click.option("--skip-broken", is_flag=True, help="Leave out pictures that cannot be decoded.")
@click.option("--download", is_flag=True, help="Fetch CIFAR-10 where it is not found.")
@click.option("--export", "export_file", metavar="FILE", help="Write the network as ONNX.")
@common_options
def command(
    data: str,
    recipe: str | None,
    epochs: int | None,
    max_steps: int | None,
    seed: int,
    fast: bool,
    device: str,
    resume: bool,
    out: str | None,
    skip_broken: bool,
    download: bool,
    export_file: str | None,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Train the notes' network, layer sizes validated first.

    \b
    convcheck train
    convcheck train --recipe notes --data cifar10 --download
    convcheck train --recipe typical --data DIR --resume
    """
    from convcheck.training import train

    if export_file is not None:
        from convcheck.training.export import check_export_possible

        check_export_possible()
    result = train(
        recipe,
        data,
        seed=seed,
        epochs=epochs,
        max_steps=max_steps,
        fast=fast,
        out=out,
        resume=resume,
        device=device,
        skip_broken=skip_broken,
        download=download,
        log=_say if json_file != "-" and not quiet else lambda line: None,
        progress=not quiet,
    )
    if export_file is not None and result.accuracy is not None:
        from convcheck.training.export import export

        export(result, export_file)
        click.echo(f"exported to {export_file}", err=True)
    write_json(json_file, result.to_json())
    if json_file != "-":
        _summarise(result)
    if result.interrupted and max_steps is None:
        return EXIT_INTERRUPTED
    return exit_code(result.verdict)


def _say(line: str) -> None:
    click.echo(for_terminal(line))
    sys.stdout.flush()


def _summarise(result: TrainingResult) -> None:
    """Prints what a person wants to know at the end, the data's name beside every accuracy."""
    for finding in result.findings:
        if finding.verdict is not Verdict.PASS:
            click.echo(f"{finding.verdict} {finding.where}: {finding.what}")
            for name in ("why", "fix"):
                if getattr(finding, name):
                    click.echo(f"  {name}: {getattr(finding, name)}")
    if result.accuracy is not None:
        click.echo(f"accuracy on {for_terminal(result.data)}: {100 * result.accuracy:.2f} %")
        if result.mirrored_accuracy is not None:
            click.echo(f"  with mirror images: {100 * result.mirrored_accuracy:.2f} %")
        for name, share in result.per_class.items():
            click.echo(f"  {for_terminal(name):<12} {100 * share:5.1f} %")
    rate = result.steps / result.seconds if result.seconds else 0.0
    click.echo(
        f"{result.verdict}: {result.steps} of {result.total_steps} steps in "
        f"{result.seconds:.1f} s ({rate:.0f}/s), files in {result.out}"
    )
    if result.interrupted:
        click.echo(f"go on with the same command and --resume --out {result.out}", err=True)
