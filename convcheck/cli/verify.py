"""`convcheck verify`: re-check a certificate with the kernel alone."""

from __future__ import annotations

import click

from convcheck.cli.options import common_options, write_json
from convcheck.core.verdict import combine, exit_code


@click.command(name="verify")
@click.argument("file")
@common_options
def command(file: str, json_file: str | None, quiet: bool, verbose: int, color: str) -> int:
    """Re-check a certificate line by line, with the standard library alone.

    A derivation that does not follow is refused at its first wrong line, which is shown.

    \b
    convcheck prove --certificate all.json && convcheck verify all.json
    """
    from convcheck.core.text import for_terminal
    from convcheck.proofs.certificate import verify
    from convcheck.proofs.verdicts import Open

    decisions = verify(file)
    lines, proved = [], 0
    for number, decision in enumerate(decisions, 1):
        name = for_terminal(decision.name, 80) or f"theorem {number}"
        if isinstance(decision, Open):
            lines.append(f"REFUSED  {name}: {for_terminal(decision.reason, 300)}")
            if decision.line:
                lines.append(f"         at the line  {for_terminal(decision.line, 300)}")
        else:
            proved += 1
            under = f"  under {len(decision.hypotheses)} hypotheses" * bool(decision.hypotheses)
            if not quiet:
                lines.append(f"PROVED   {name}{under}")
                if verbose:
                    lines.append(f"         {decision.statement}")
    verdict = combine(decision.verdict for decision in decisions)
    if json_file != "-":
        lines.append(f"{proved} of {len(decisions)} derivations follow, line by line")
        click.echo("\n".join(lines))
    rows = [
        {
            "name": decision.name,
            "verdict": str(decision.verdict),
            "statement": decision.statement,
            "reason": getattr(decision, "reason", ""),
            "line": getattr(decision, "line", ""),
        }
        for decision in decisions
    ]
    write_json(json_file, {"verdict": str(verdict), "theorems": rows})
    return 1 if proved < len(decisions) else exit_code(verdict)
