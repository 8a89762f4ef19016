"""`convcheck prove`: prove the theorems of the catalogue."""

from __future__ import annotations

import click

from convcheck.cli.options import common_options, write_json
from convcheck.core.errors import UsageError
from convcheck.core.verdict import combine, exit_code


@click.command(name="prove")
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--list", "only_list", is_flag=True, help="List the theorems; prove nothing.")
@click.option("--steps", is_flag=True, help="Print every derivation, line by line.")
@click.option("--latex", "as_latex", is_flag=True, help="Print every derivation as LaTeX.")
@click.option("--certificate", metavar="FILE", help="Write the derivations, for `verify`.")
@common_options
def command(
    names: tuple[str, ...],
    only_list: bool,
    steps: bool,
    as_latex: bool,
    certificate: str | None,
    json_file: str | None,
    quiet: bool,
    verbose: int,
    color: str,
) -> int:
    r"""Prove theorems; all of them by default.

    Each derivation is checked line by line, the statement is evaluated independently, false
    siblings are refuted, and every hypothesis is shown to be needed.

    \b
    convcheck prove --list
    convcheck prove convolution_commutes_as_in_the_notes --steps
    """
    from convcheck.proofs.catalogue import find_theorem, theorems
    from convcheck.proofs.certificate import write_certificates

    chosen = [find_theorem(name) for name in names] or list(theorems())
    if only_list:
        if json_file != "-":
            for theorem in chosen:
                click.echo(f"{theorem.name:<54} {theorem.title}")
            click.echo(f"{len(chosen)} theorems")
        write_json(json_file, [theorem.certificate() for theorem in chosen])
        return 0
    if certificate == "-" and json_file == "-":
        raise UsageError("--certificate - and --json - both ask for stdout")

    from convcheck.proofs.conclude import prove_theorems
    from convcheck.proofs.lines import to_latex, to_text
    from convcheck.proofs.verdicts import Open, Proved, Refuted

    decisions = []
    silent = json_file == "-" or certificate == "-"
    for theorem, decision in zip(chosen, prove_theorems(chosen), strict=True):
        decisions.append(decision)
        if silent or (quiet and isinstance(decision, Proved)):
            continue
        click.echo(f"{type(decision).__name__.upper():<8} {theorem.name}: {theorem.title}")
        if isinstance(decision, Open):
            click.echo(f"         {decision.reason}")
            click.echo(f"         at the line  {decision.line}" if decision.line else "", nl=False)
        if isinstance(decision, Refuted):
            click.echo(f"         {decision.shows}, at {dict(decision.witness)}")
        if steps or as_latex or verbose:
            click.echo(f"         {theorem.statement}")
            for hypothesis in theorem.hypotheses:
                click.echo(f"         given {hypothesis}")
        if as_latex or steps:
            click.echo(to_latex(theorem) if as_latex else to_text(theorem))
        if verbose and isinstance(decision, Proved):
            told = (*decision.checks, *decision.remarks)
            click.echo("\n".join(f"         - {text}" for text in told))
    if certificate is not None:
        write_certificates(certificate, [theorem.certificate() for theorem in chosen])
    verdict = combine(decision.verdict for decision in decisions)
    if not silent:
        proved = sum(isinstance(decision, Proved) for decision in decisions)
        checks = sum(len(decision.checks) for decision in decisions if isinstance(decision, Proved))
        click.echo(f"{proved} of {len(decisions)} proved; {checks} checks beside them passed")
    rows = [
        {
            "name": theorem.name,
            "title": theorem.title,
            "topic": theorem.topic,
            "verdict": str(decision.verdict),
            "statement": theorem.statement,
            "hypotheses": list(theorem.hypotheses),
            "reason": getattr(decision, "reason", ""),
            "checks": list(getattr(decision, "checks", ())),
            "remarks": list(getattr(decision, "remarks", ())),
            "source": theorem.source,
        }
        for theorem, decision in zip(chosen, decisions, strict=True)
    ]
    write_json(json_file, {"verdict": str(verdict), "theorems": rows})
    return exit_code(verdict)
