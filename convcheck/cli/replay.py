"""`convcheck replay`: run one case again."""

from __future__ import annotations

from typing import Any

import click

from convcheck.cli.options import common_options, write_json
from convcheck.core.case import parse_case
from convcheck.core.verdict import exit_code


@click.command("replay")
@click.argument("case")
@click.option("--target", required=True, help="package.module:function or file.py:function.")
@click.option("--op", help="What the function claims to be; the op of the case by default.")
@click.option("--in-process", is_flag=True, help="Call the function here, unprotected.")
@click.option("--accumulate", metavar="DTYPE", help="Dtype in which sums are kept.")
@click.option("--algorithm", type=click.Choice(["direct", "winograd", "fft"]), default="direct",
              show_default=True, help="Whose error bound holds.")  # fmt: skip
@click.option("--arrays", type=click.Choice(["auto", "numpy", "torch"]), default="auto",
              show_default=True, help="Which arrays the function takes.")  # fmt: skip
@click.option("--autograd", is_flag=True, help="The target is a forward function to differentiate.")
@click.option("--law", metavar="NAME", help="Put this law to the case instead.")
@click.option("--partner", metavar="TARGET", help="The other half of an adjoint pair.")
@common_options
def command(
    case: str, target: str, op: str | None, in_process: bool, accumulate: str | None,
    algorithm: Any, arrays: Any, autograd: bool, law: str | None, partner: str | None,
    json_file: str | None, quiet: bool, verbose: int, color: str,
) -> int:  # fmt: skip
    """Run CASE, a descriptor as `convcheck test` prints it, on a target."""
    from convcheck.conformance.laws.check import check_laws
    from convcheck.conformance.replay import replay

    options: Any = {
        "isolated": not in_process, "accumulate": accumulate, "algorithm": algorithm,
        "arrays": arrays, "autograd": autograd,
    }  # fmt: skip
    if law is None:
        report = replay(case, target, op, **options)
    else:
        known = op or parse_case(case).op
        report = check_laws(target, known, laws=(law,), case=case, partner=partner, **options)
    write_json(json_file, report.to_json())
    if json_file != "-":
        click.echo(str(report))
    return exit_code(report.verdict)
