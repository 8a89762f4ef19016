"""Derivations for a reader: two columns, formula and reason, with a verdict beside every line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from convcheck.core.text import for_markdown_code
from convcheck.proofs.checking import check
from convcheck.proofs.kernel import list_cases, read
from convcheck.proofs.latex import latex
from convcheck.proofs.normal import Poly
from convcheck.proofs.terms import parse
from convcheck.proofs.theorem import Theorem
from convcheck.proofs.verdicts import Proved

LineVerdict = Literal["given", "follows", "repeats", "does not follow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a derivation.

    Attributes:
        formula: The line, in the kernel's text.
        latex: The same for print.
        reason: The rule, and what it says here.
        verdict: Whether the kernel accepts it after the line before; "repeats" where it is the
            line before, word for word, so that no step is made.
    """

    formula: str
    latex: str
    reason: str
    verdict: LineVerdict


def list_lines(theorem: Theorem) -> tuple[Line, ...]:
    """Returns the lines of a theorem's derivation, each judged by the kernel."""
    [(kind, body)] = theorem.proof.items()
    if kind == "chain":
        return tuple(_chain(theorem, theorem.statement.split(" = ")[0].split(" <= ")[0], body))
    if kind == "induction":
        # A step of an induction leans on the hypothesis of induction: the kernel judges the whole.
        verdict: LineVerdict = (
            "follows" if isinstance(check(theorem.certificate()), Proved) else "does not follow"
        )
        over, left = body["over"], theorem.statement.split(" = ")[0]
        lines = []
        for steps, place in ((body["base"], f"at {over} = 0"), (body["step"], f"at {over} + 1")):
            lines.append(Line(formula=left, latex=latex(left), reason=place, verdict="given"))
            for step in steps:
                lines.append(_line(step, verdict))
        return tuple(lines)
    return tuple(_combinations(theorem, body))


def _line(step: Any, verdict: LineVerdict) -> Line:
    arguments = ", ".join(
        f"{name} = {value}" if name.islower() and step["rule"] == "reindex" else str(value or name)
        for name, value in step.get("args", {}).items()
    )
    rule = step["rule"] + (f" {arguments}" if arguments else "")
    rule += " (read upwards)" * bool(step.get("reverse"))
    said = step.get("says", "")
    reason = f"{rule}: {said}" if said else rule
    return Line(formula=step["line"], latex=latex(step["line"]), reason=reason, verdict=verdict)


def _chain(theorem: Theorem, left: str, steps: Any) -> list[Line]:
    lines = [Line(formula=left, latex=latex(left), reason="left side", verdict="given")]
    previous = left
    for step in steps:
        relation = "<=" if step["line"].startswith("<=") else "="
        here = step["line"][len(relation) :].strip()
        alone = {
            **theorem.certificate(),
            "statement": f"{previous} {relation} {here}",
            "proof": {"chain": [step]},
        }
        verdict: LineVerdict = "follows" if isinstance(check(alone), Proved) else "does not follow"
        if parse(previous) == parse(here):
            verdict = "repeats"
        lines.append(_line(step, verdict))
        previous = here
    return lines


def _combinations(theorem: Theorem, combinations: Any) -> list[Line]:
    """Returns, per case, what is assumed and the combination that leaves it no room."""
    cases = list_cases(parse(theorem.statement), read(theorem.certificate()))
    follows = isinstance(check(theorem.certificate()), Proved)
    lines = []
    for number, (facts, combination) in enumerate(zip(cases, combinations, strict=True), 1):
        denied = f"{show_poly(facts[0][1])} >= 0"
        lines.append(
            Line(
                formula=denied,
                latex=rf"\text{{{denied}}}",
                reason=f"case {number}: suppose the statement fails",
                verdict="given",
            )
        )
        products = [
            ("" if term[0] == 1 else f"{term[0]} * ")
            + " * ".join(f"({show_poly(facts[index][1])})" for index in term[1])
            for term in combination
        ]
        line = "-1 = " + " + ".join(products)
        lines.append(
            Line(
                formula=line,
                latex=rf"\text{{{line}}}",
                reason="each factor is >= 0, so -1 would be: impossible",
                verdict="follows" if follows else "does not follow",
            )
        )
    return lines


def show_poly(poly: Poly) -> str:
    """Returns a polynomial of integers as text."""
    parts = []
    for mono, c in sorted(poly.items(), key=lambda item: _order(item[0])):
        factors = sorted(_atom(one) + (f"^{e}" if e != 1 else "") for one, e in mono)
        number = [] if abs(c) == 1 and factors else [str(abs(c))]
        sign = "-" if c < 0 else "+"
        parts.append(f"{sign} {'*'.join(number + factors)}")
    text = " ".join(parts)
    return (
        text.removeprefix("+ ").replace("- ", "-", 1) if text.startswith("-") else text[2:] or "0"
    )


def _order(mono: Any) -> tuple[Any, ...]:
    """Returns what monomials are sorted by: letters first, the constant last."""
    factors = sorted(_atom(one) for one, _ in mono)
    return (not factors, len(factors), factors)


def _atom(one: Any) -> str:
    tag, label, *args = one
    if tag == "max":
        return f"max({', '.join(sorted(show_poly(dict(arg)) for arg in args[0]))})"
    inside = [show_poly(dict(arg)) for arg in args]
    if tag == "fdiv":
        return f"floor(({inside[0]})/({inside[1]}))"
    return f"{label}({','.join(inside)})" if inside else str(label)


def to_text(theorem: Theorem) -> str:
    """Returns the derivation as two aligned columns with a verdict beside every line."""
    lines = list_lines(theorem)
    width = min(72, max(len(line.formula) for line in lines))
    shown = (f"  {line.formula:<{width}}  {_MARKS[line.verdict]} {line.reason}" for line in lines)
    return "\n".join(shown)


_MARKS = {"given": " ", "follows": "+", "repeats": "=", "does not follow": "x"}


def to_markdown(theorem: Theorem) -> str:
    """Returns the derivation as a Markdown table: formula, reason, verdict."""
    rows = [f"| {_cell(line)} | {line.reason} | {line.verdict} |" for line in list_lines(theorem)]
    return "\n".join(["| formula | reason | verdict |", "|---|---|---|", *rows])


def _cell(line: Line) -> str:
    if line.latex.startswith(r"\text{"):
        return for_markdown_code(line.formula)
    return "$" + line.latex.replace("|", r"\|") + "$"


def to_latex(theorem: Theorem) -> str:
    """Returns the derivation as an aligned LaTeX display, with its reasons."""
    rows = [
        f"&{line.latex} && \\text{{{_plain(line.reason)}}} \\\\" for line in list_lines(theorem)
    ]
    return "\n".join([r"\begin{aligned}", *rows, r"\end{aligned}"])


def _plain(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, "\\" + character)
    return text.replace("^", r"\^{}")
