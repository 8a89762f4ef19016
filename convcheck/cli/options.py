"""The options that every command takes, and the way every command writes its JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from convcheck.core.errors import InputError


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--json FILE`, `-q`, `-v` and `--color`; passed as json_file, quiet, verbose, color."""
    for option in reversed(
        (
            click.option("--json", "json_file", metavar="FILE", help="Write JSON; - for stdout."),
            click.option("-q", "--quiet", is_flag=True, help="Print the result only."),
            click.option("-v", "--verbose", count=True, help="Print more."),
            click.option(
                "--color",
                type=click.Choice(["auto", "always", "never"]),
                default="auto",
                help="Colour the output; NO_COLOR is honoured.",
            ),
        )
    ):
        function = option(function)
    return function


def write_json(json_file: str | None, value: Any) -> None:
    """Writes `value` as JSON to a file, or to stdout for `-`; nothing for None.

    Raises:
        InputError: The file cannot be written.
    """
    if json_file is None:
        return
    text = json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    if json_file == "-":
        sys.stdout.write(text)
        return
    try:
        Path(json_file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {json_file}", why=error.strerror or str(error)) from None


def use_color(color: str, stream: Any = None) -> bool:
    """Returns whether to colour: as asked, or where the stream is a terminal and NO_COLOR unset."""
    import os

    if color != "auto":
        return color == "always"
    stream = stream or sys.stdout
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")
