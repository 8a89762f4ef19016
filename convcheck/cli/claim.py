"""`convcheck claim "TEXT" ...`: decides statements of the user's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from convcheck.cli.options import common_options, use_color, write_json
from convcheck.core.errors import UsageError
from convcheck.core.text import for_terminal
from convcheck.core.verdict import combine, exit_code

if TYPE_CHECKING:
    from convcheck.proofs.verdicts import Decision

_COLORS = {"PROVED": "green", "REFUTED": "red", "OPEN": "yellow"}


@click.command()
@click.argument("texts", metavar='"TEXT" [...]', nargs=-1, required=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0.1, max=600), default=5.0, show_default=True,
    help="Wall time per claim; then it is open.",
)  # fmt: skip
@click.option(
    "--certificate", "certificate_file", metavar="FILE",
    help="Write derivations of claims about integers, for convcheck verify.",
)  # fmt: skip
@common_options
def command(
    texts: tuple[str, ...],
    seconds: float,
    certificate_file: str | None,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    """Decide statements of your own: PROVED, REFUTED with a counterexample, or OPEN.

    \b
    sequences      conv corr flip shift up down delta dot sum + - * ^ f[t], scalars;
                   on Z, or say: on Z_n, on Z_5, on Z^2
    integers       W k s p d op, floor ceil min max abs // % /, count(W,k,s,p,d)
    distributions  H(p) H(p,q) KL(p,q) softmax logsumexp nll sum dot log exp max n

    Compare with == != <= < >= >, join with and, or, not, implies, iff, and state hypotheses
    after `given`, separated by commas.

    \b
    convcheck claim "conv(f,g) == conv(g,f)" "corr(f,g) == corr(g,f)"
    convcheck claim "count(W,k,s,p,d) == (W+2*p-d*(k-1)-1)//s + 1 given W+2*p >= d*(k-1)+1"
    convcheck claim "KL(p,q) == H(p,q) - H(p)"
    """
    from convcheck.proofs.claims import claim

    if certificate_file == json_file == "-":
        raise UsageError("--certificate - and --json - both ask for stdout")
    colored = use_color(color)
    decisions = []
    theorems: list[dict[str, Any]] = []
    for text in texts:
        decision = claim(text, seconds=seconds)
        decisions.append(decision)
        if json_file != "-":
            click.echo("\n".join(_lines(decision, quiet, verbose, colored)), color=colored)
        if certificate_file is not None:
            theorems += _derived(decision)
    if certificate_file is not None:
        _write(certificate_file, theorems)
    write_json(json_file, {"claims": [_as_json(decision) for decision in decisions]})
    return exit_code(combine(decision.verdict for decision in decisions))


def _derived(decision: Decision) -> list[dict[str, Any]]:
    """Returns the theorems that the kernel accepts for a claim, and says on stderr if none."""
    from convcheck.proofs.claims.budget import Undecided
    from convcheck.proofs.claims.derivations import derive
    from convcheck.proofs.verdicts import Proved

    if not isinstance(decision, Proved):
        return []
    try:
        return derive(decision.statement)
    except Undecided as undecided:
        text = for_terminal(decision.statement, 100)
        click.echo(f"no derivation of {text}: {for_terminal(str(undecided))}", err=True)
        return []


def _write(path: str, theorems: list[dict[str, Any]]) -> None:
    from convcheck.proofs.certificate import write_certificates

    if not theorems:
        raise UsageError(
            "no claim has a derivation to write",
            why="derivations are found for claims about integers that are PROVED",
            fix="leave out --certificate",
        )
    # a name for each theorem of each claim
    named = [{**theorem, "name": f"claim_{at}"} for at, theorem in enumerate(theorems, start=1)]
    write_certificates(path, named)


def _lines(decision: Decision, quiet: bool, verbose: int, colored: bool) -> list[str]:
    from convcheck.proofs.verdicts import Proved, Refuted

    word = type(decision).__name__.upper()
    shown = click.style(f"{word:<8}", fg=_COLORS[word], bold=True) if colored else f"{word:<8}"
    lines = [f"{shown} {for_terminal(decision.statement)}"]
    if quiet:
        return lines
    if isinstance(decision, Proved):
        lines += [f"  for all  {text}" for text in decision.hypotheses]
        lines += [f"  by       {decision.checks[0]}"]
        lines += [f"  where    {text}" for text in decision.checks[1:]]
    elif isinstance(decision, Refuted):
        lines += [f"  at       {name} = {value}" for name, value in decision.witness.items()]
        lines += [f"  there    {decision.shows}"]
    else:
        lines += [f"  because  {decision.reason}"]
    return [lines[0], *(for_terminal(line) for line in lines[1:])]


def _as_json(decision: Decision) -> dict[str, Any]:
    values = asdict(decision)
    return {"decision": type(decision).__name__, "verdict": str(decision.verdict), **values}
