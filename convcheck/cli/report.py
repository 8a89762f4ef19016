"""`convcheck report`: every room in one document."""

from __future__ import annotations

import json
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from convcheck.cli.exits import EXIT_INTERRUPTED
from convcheck.cli.options import common_options
from convcheck.core.errors import ConvcheckError, InputError
from convcheck.core.verdict import exit_code

if TYPE_CHECKING:
    from convcheck.cli.sections.context import Context
    from convcheck.report.document import Document, Section

TITLE = "convcheck report"


@click.command(name="report")
@click.option("--out", default="reports", show_default=True, help="Directory to write to.")
@click.option("--profile", type=click.Choice(["quick", "full"]), default="quick", show_default=True)
@click.option(
    "--data", default="shapes10", show_default=True, help="cifar10, shapes10, or a directory."
)
@click.option("--seed", default=0, show_default=True, help="Seed of every random choice.")
@click.option("--resume", is_flag=True, help="Keep the sections that an earlier run finished.")
@click.option(
    "--without-pictures", is_flag=True, help="Leave out pictures of the data, to publish it."
)
@common_options
def command(
    out: str,
    profile: str,
    data: str,
    seed: int,
    resume: bool,
    without_pictures: bool,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Prove, test, validate and train; write report.md, report.json and figures.

    Quick takes about a minute and trains on the embedded data set; full trains the notes' recipe
    on the data that you name.
    """
    from convcheck.cli.sections.context import Context

    directory = _writable(Path(out))
    _check_data(data, quiet=quiet)
    context = Context(
        profile=profile,
        data=data,
        seed=seed,
        out=directory,
        pictures=not without_pictures,
        resume=resume,
        say=(lambda line: None) if quiet else lambda line: click.echo(f"    {line}", err=True),
    )
    started = time.monotonic()
    sections, incomplete = _build_all(context, quiet=quiet)
    document = _document(context, sections, incomplete, time.monotonic() - started)
    _write(document, directory, json_file)
    if json_file != "-":
        _print_table(document, directory, color)
    return EXIT_INTERRUPTED if incomplete else exit_code(document.verdict)


def _build_all(context: Context, *, quiet: bool) -> tuple[list[Section], str]:
    """Returns the sections that were built, and why the rest is missing, if it is."""
    from convcheck.cli.sections.catalogue import SECTIONS, builder
    from convcheck.report.document import failed_section

    sections: list[Section] = []
    for number, (key, title) in enumerate(SECTIONS, start=1):
        kept = _stored(context, key) if context.resume else None
        if not quiet:
            note = " (kept)" if kept else ""
            click.echo(f"[{number}/{len(SECTIONS)}] {title}{note}", err=True)
        started = time.monotonic()
        try:
            section = kept or builder(key)(context)
        except KeyboardInterrupt:
            return sections, f"interrupted during {title}; run again with --resume"
        except ConvcheckError:
            raise
        except Exception as error:
            section = failed_section(key, title, error, traceback.format_exc())
        else:
            _store(context, section)
        sections.append(section)
        context.say(f"{section.verdict} in {time.monotonic() - started:.0f} s: {section.says}")
    return sections, ""


def _writable(directory: Path) -> Path:
    from convcheck.runtime.atomic import write_atomic

    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / ".convcheck-probe"
        write_atomic(probe, b"")
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to {directory}",
            why=error.strerror or str(error),
            fix="name another directory with --out",
        ) from None
    return directory


def _check_data(data: str, *, quiet: bool) -> None:
    """Refuses pictures that cannot be used before anything else is computed."""
    if data not in ("cifar10", "shapes10") and not Path(data).is_dir():
        raise InputError(
            f"--data {data!r} is not a directory",
            why="it must be cifar10, shapes10, or a directory with train/CLASS/ and test/CLASS/",
            fix="check the path, or leave --data out to use the embedded shapes10",
        )
    if data != "shapes10":
        from convcheck.training import load_data

        load_data(data, log=lambda line: None if quiet else click.echo(line, err=True))


def _store_path(context: Context, key: str) -> Path:
    return context.out / ".sections" / f"{key}.json"


def _store(context: Context, section: Section) -> None:
    from convcheck.report.store import section_to_json
    from convcheck.runtime.atomic import write_atomic

    value = {"signature": context.signature(), "section": section_to_json(section)}
    path = _store_path(context, section.key)
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, json.dumps(value).encode())


def _stored(context: Context, key: str) -> Section | None:
    """Returns the section that an earlier run with the same settings finished, or None."""
    from convcheck.report.store import section_from_json

    try:
        value = json.loads(_store_path(context, key).read_bytes())
        if value["signature"] != context.signature():
            return None
        return section_from_json(value["section"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _document(
    context: Context, sections: list[Section], incomplete: str, seconds: float
) -> Document:
    from convcheck.report.document import Document
    from convcheck.runtime.environment import describe_environment

    command = f"python -m convcheck report --profile {context.profile} --seed {context.seed}"
    if context.data != "shapes10":
        command += " --data DIR" if context.data != "cifar10" else " --data cifar10"
    machine = describe_environment()
    if not context.pictures:
        command += " --without-pictures"
    environment = {
        "made by": command,
        "seconds": f"{seconds:.0f}" + ", sections kept not counted" * context.resume,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "python": machine.python,
        "system": machine.system,
        "processor": machine.processor or "unknown",
        "cores": str(machine.cores),
        "memory": f"{machine.memory_bytes / 2**30:.0f} GiB",
        **{name: version or "not installed" for name, version in machine.packages.items()},
        **machine.threads,
    }
    intro = (
        "What convcheck proves, tests, validates and trains, in one run. "
        f"Everything below was computed by `{command}`; nothing is written down beforehand."
    )
    return Document(
        title=TITLE,
        intro=intro,
        sections=tuple(sections),
        environment=environment,
        incomplete=incomplete,
    )


def _write(document: Document, directory: Path, json_file: str | None) -> None:
    from convcheck.report.render import render
    from convcheck.runtime.atomic import write_atomic

    files = render(document)
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
    if json_file == "-":
        sys.stdout.write(files["report.json"].decode())
    elif json_file:
        write_atomic(Path(json_file), files["report.json"])


def _print_table(document: Document, directory: Path, color: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from convcheck.cli.options import use_color

    styles = {"PASS": "green", "FAIL": "red", "ERROR": "bold red"}
    table = Table(box=None, pad_edge=False)
    for column in ("section", "verdict", "what it says"):
        table.add_column(column, overflow="fold")
    for section in document.sections:
        verdict = str(section.verdict)
        style = styles.get(verdict, "yellow")
        table.add_row(Text(section.title), Text(verdict, style=style), Text(section.says))
    console = Console(no_color=not use_color(color), highlight=False, soft_wrap=False)
    console.print(table)
    if document.incomplete:
        console.print(Text(f"INCOMPLETE: {document.incomplete}"))
    console.print(Text(f"{document.verdict}: {directory / 'report.md'}"))
