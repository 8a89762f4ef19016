"""`convcheck explain CC201`: what a diagnosis code means, and what to do."""

from __future__ import annotations

from dataclasses import asdict

import click

from convcheck.cli.options import common_options, write_json


@click.command()
@click.argument("code", required=False)
@common_options
def command(code: str | None, json_file: str | None, quiet: bool, verbose: int, color: str) -> int:
    """Explain a diagnosis CODE, or list them all."""
    from convcheck.models.codes import CODES, find_code

    entries = (find_code(code),) if code else CODES
    write_json(json_file, [asdict(entry) for entry in entries])
    if json_file == "-":
        return 0
    for entry in entries:
        click.echo(f"{entry.code}  {entry.title}")
        if code and not quiet:
            click.echo(f"\n{entry.meaning}\n\n  for example: {entry.example}\n  cure: {entry.cure}")
    return 0
