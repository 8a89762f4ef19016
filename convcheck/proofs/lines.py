"""Derivations for a reader: two columns, formula and reason, with a verdict beside every line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from convcheck.proofs.checking import check
from convcheck.proofs.kernel import list_cases, read
from convcheck.proofs.normal import Poly
from convcheck.proofs.sympy_latex import print_latex
from convcheck.proofs.terms import parse
from convcheck.proofs.theorem import Theorem
from convcheck.proofs.verdicts import Proved

LineVerdict = Literal["given", "follows", "repeats", "does not follow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a derivation.

    Attributes:
        formula: The line, in the kernel's text.
        reason: The rule, and what it says here.
        verdict: Whether the kernel accepts it after the line before; "repeats" where it is the
            line before, word for word, so that no step is made.
        integers: Whether the line is one of `show_poly`.
    """

    formula: str
    reason: str
    verdict: LineVerdict
    integers: bool = False

    @property
    def latex(self) -> str:
        """The line for print, by SymPy where it has a form."""
        return _as_latex(self.formula) if self.integers else print_latex(self.formula)


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
            lines.append(Line(formula=left, reason=place, verdict="given"))
            for step in steps:
                lines.append(_line(step, verdict))
        return tuple(lines)
    return tuple(_combinations(theorem, body))


def _line(step: Any, verdict: LineVerdict) -> Line:
    args = step.get("args", {})
    if step["rule"] in ("given", "increase"):
        told = [args.get("hypothesis") or args.get("by", ""), f"at {args.get('at', '')}"]
        arguments = " ".join(told if "at" in args else told[:1])
    else:
        joint = " with " if step["rule"] == "swap" else " = "
        arguments = ", ".join(joint.join(filter(None, pair)) for pair in args.items())
    rule = step["rule"] + (f" {arguments}" if arguments else "")
    rule += " (read upwards)" * bool(step.get("reverse"))
    said = step.get("says", "")
    reason = f"{rule}: {said}" if said else rule
    return Line(formula=step["line"], reason=reason, verdict=verdict)


def _chain(theorem: Theorem, left: str, steps: Any) -> list[Line]:
    lines = [Line(formula=left, reason="left side", verdict="given")]
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
    """Returns letters for floors and maxima, then per case the combination that leaves no room."""
    cases = list_cases(parse(theorem.statement), read(theorem.certificate()))
    follows = isinstance(check(theorem.certificate()), Proved)
    letters: dict[Any, str] = {}
    for facts in cases:
        for _, fact in facts:
            for one in sorted(_floors(fact), key=lambda one: _atom(one, {})):
                letters.setdefault(one, f"q{len(letters) + 1}")
    divisors = sum(one[0] == "fdiv" for one in letters)  # each has a case of its own, at the end
    lines = [
        Line(
            formula=f"{letter} = {_atom(one, {})}",
            reason=_MEANING[one[0]],
            verdict="given",
            integers=True,
        )
        for one, letter in letters.items()
    ]
    for number, (facts, combination) in enumerate(zip(cases, combinations, strict=True), 1):
        supposed = f"{show_poly(facts[0][1], letters)} >= 0"
        divisor = number > len(cases) - divisors
        if divisor and any(line.formula == supposed for line in lines):
            continue  # the same divisor once more
        told = "a divisor is 0 or less" if divisor else "the statement fails"
        lines.append(_integer_line(supposed, f"case {number}: suppose that {told}", "given"))
        products = [
            ("" if term[0] == 1 else f"{term[0]}*")
            + "*".join(f"({show_poly(facts[index][1], letters)})" for index in term[1])
            for term in combination
        ]
        lines.append(
            _integer_line(
                "-1 = " + " + ".join(products),
                "each factor is >= 0 here, so -1 would be: impossible",
                "follows" if follows else "does not follow",
            )
        )
    return lines


_MEANING = {
    "fdiv": "a letter for the floor: 0 <= numerator - divisor * letter <= divisor - 1",
    "max": "a letter for the maximum: at least both, and equal to one",
}


def _integer_line(formula: str, reason: str, verdict: LineVerdict) -> Line:
    return Line(formula=formula, reason=reason, verdict=verdict, integers=True)


def _as_latex(text: str) -> str:
    """Returns the LaTeX of what `show_poly` wrote."""
    text = re.sub(r"\bq(\d+)", r"q_{\1}", text)
    text = re.sub(r"\bfloor\(", r"\\operatorname{floor}(", text)
    text = re.sub(r"\bmax\(", r"\\max(", text)
    text = re.sub(r"(?<![\w)])(\d+)/(\d+)", r"\\tfrac{\1}{\2}", text)
    return text.replace(">=", r"\ge").replace("<=", r"\le").replace("*", r"\,")


def _floors(poly: Poly) -> set[Any]:
    """Returns the floors and maxima that stand in a polynomial, inner ones too."""
    found = set()
    for one in {one for mono in poly for one, _ in mono if one[0] in ("fdiv", "max")}:
        found.add(one)
        for arg in one[2:] if one[0] == "fdiv" else one[2]:
            found |= _floors(dict(arg))
    return found


def show_poly(poly: Poly, letters: Mapping[Any, str] | None = None) -> str:
    """Returns a polynomial of integers as text, with letters for the atoms that have one."""
    known = letters or {}
    parts = []
    for mono, c in sorted(poly.items(), key=lambda item: _order(item[0])):
        factors = sorted(_atom(one, known) + (f"^{e}" if e != 1 else "") for one, e in mono)
        number = [] if abs(c) == 1 and factors else [str(abs(c))]
        sign = "-" if c < 0 else "+"
        parts.append(f"{sign} {'*'.join(number + factors)}")
    text = " ".join(parts)
    return (
        text.removeprefix("+ ").replace("- ", "-", 1) if text.startswith("-") else text[2:] or "0"
    )


def _order(mono: Any) -> tuple[Any, ...]:
    """Returns what monomials are sorted by: letters first, the constant last."""
    factors = sorted(_atom(one, {}) for one, _ in mono)
    return (not factors, len(factors), factors)


def _atom(one: Any, letters: Mapping[Any, str]) -> str:
    if one in letters:
        return letters[one]
    tag, label, *args = one
    if tag == "max":
        return f"max({', '.join(sorted(show_poly(dict(arg), letters) for arg in args[0]))})"
    inside = [show_poly(dict(arg), letters) for arg in args]
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
