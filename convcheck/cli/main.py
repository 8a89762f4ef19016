"""`convcheck`: the command line's root. Each command is imported only when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from convcheck.cli.exits import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_USAGE
from convcheck.core.errors import ConvcheckError, nearest
from convcheck.runtime.interrupts import watch_interrupts

COMMANDS: dict[str, tuple[str, str]] = {
    "report": ("convcheck.cli.report", "Prove, test, validate and train; write one report."),
    "prove": ("convcheck.cli.prove", "Prove the theorems of the catalogue."),
    "verify": ("convcheck.cli.verify", "Re-check a certificate with the small kernel alone."),
    "claim": ("convcheck.cli.claim", "Decide a statement of your own."),
    "size": ("convcheck.cli.size", "Work out a layer's output size."),
    "model": ("convcheck.cli.model", "Validate every layer's size of a model."),
    "explain": ("convcheck.cli.explain", "Explain a diagnosis code, such as CC201."),
    "test": ("convcheck.cli.test", "Test a function against the exact oracle."),
    "replay": ("convcheck.cli.replay", "Run one case again."),
    "explore": ("convcheck.cli.explore", "Write the interactive page."),
    "train": ("convcheck.cli.train", "Train the notes' network, layer sizes validated first."),
}


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the command names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Returns the command of that name, imported now."""
        if name not in COMMANDS:
            return None
        command = import_module(COMMANDS[name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the command, or says which name is nearest."""
        if args and args[0] not in COMMANDS:
            ctx.fail(f"no command {args[0]!r}; {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="convcheck")
def cli() -> None:
    """Proves, tests, validates and shows convolution and the layers built on it.

    \b
    convcheck size conv --input 32 --kernel 5
    convcheck test mypackage.kernels:my_conv --op conv2d
    convcheck report
    """


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit code (see `convcheck.cli.exits`)."""
    try:
        with watch_interrupts():
            result = cli.main(args=arguments, prog_name="convcheck", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except ConvcheckError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        return EXIT_USAGE
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_USAGE
    except Exception as error:
        import traceback

        traceback.print_exc()
        click.echo(
            f"this is convcheck's own fault ({type(error).__name__}); please report it", err=True
        )
        return EXIT_INTERNAL
