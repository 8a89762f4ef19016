"""The report on a terminal: the table with rich, the findings in plain text."""

from __future__ import annotations

from convcheck.core.text import for_terminal
from convcheck.core.verdict import Verdict
from convcheck.models.formats import HEADER, rows, summary
from convcheck.models.model_report import ModelReport

_COLOURS = {"PASS": "green", "FAIL": "red", "UNKNOWN": "yellow", "SKIP": "dim"}


def print_table(report: ModelReport, *, colour: bool, verbose: int = 0) -> None:
    """Prints the table of layer calls, with the worked steps where `verbose`."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(force_terminal=colour, no_color=not colour, highlight=False)
    if not console.is_terminal:
        console.width = 200
    table = Table(box=None, pad_edge=False, header_style="bold" if colour else "")
    for name in HEADER:
        table.add_column(name, justify="right" if name == "parameters" else "left")
    for row in rows(report):
        *cells, verdict = map(for_terminal, row)
        style = _COLOURS.get(verdict, "") if colour else ""
        table.add_row(*(Text(cell) for cell in cells), Text(verdict, style=style))
    console.print(table)
    if verbose:
        for layer in report.layers:
            for axis in layer.worked[: 1 if len(set(layer.worked)) == 1 else None]:
                steps = "; ".join(map(str, axis.steps))
                console.print(Text(f"  {for_terminal(layer.name)}: {steps}"))
    console.print()
    console.print(Text(summary(report)))
    for note in report.graph.notes:
        console.print(Text(f"note: {for_terminal(note)}"))


def findings_text(report: ModelReport, *, verbose: int = 0) -> str:
    """Returns the findings as text; remarks that change no verdict only where `verbose`."""
    lines = []
    for finding in report.findings:
        if finding.verdict in (Verdict.SKIP, Verdict.PASS) and not (verbose or finding.code == ""):
            continue
        lines.append("")
        head = f"{finding.verdict} {finding.code} {finding.where}".rstrip()
        lines.append(f"{for_terminal(head)}: {for_terminal(finding.what)}")
        for label, text in (("why", finding.why), ("fix", finding.fix)):
            lines += [f"  {label}: {for_terminal(line)}" for line in text.splitlines()]
        source = finding.details.get("source")
        lines += [f"  at:  {for_terminal(str(source))}"] if source else []
    return "\n".join(lines)
