"""Derivations that the kernel re-checks, for claims about integers: combinations of facts.

A proof by Z3 must be believed. Where the claim is a comparison of terms with floors, maxima and
counts, a combination -1 = sum of weight * product of facts is looked for and given as a
certificate, which `convcheck verify` re-checks with the standard library alone.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcheck.proofs.checking import check
from convcheck.proofs.claims.budget import Undecided
from convcheck.proofs.claims.decide import family
from convcheck.proofs.claims.integer_values import default_hypotheses
from convcheck.proofs.claims.language import Node, Statement, goals, names_in, parse_claim, show
from convcheck.proofs.kernel import list_cases, read
from convcheck.proofs.search import find_combinations
from convcheck.proofs.terms import Refusal, parse
from convcheck.proofs.verdicts import Proved

RELATIONS = {"==": "=", "<=": "<=", "<": "<", ">=": ">=", ">": ">"}
MAX_FACTS = (0, 60, 22, 14)  # by degree: the products of more facts are too many to search


def derive(text: str) -> list[dict[str, Any]]:
    """Returns theorems that the kernel accepts and that together say what a claim says.

    Args:
        text: A claim that was proved.

    Raises:
        Undecided: No derivation was found, or the claim is of a kind that has none here.
        UsageError: The text is no claim.
    """
    statement = parse_claim(text)
    if family(statement) != "integers":
        raise Undecided("only claims about integers are derived")
    return theorems_of(statement)


def is_derived(statement: Statement) -> bool:
    """Returns whether a derivation of a claim about integers is found."""
    try:
        return bool(theorems_of(statement))
    except Undecided:
        return False


def theorems_of(statement: Statement) -> list[dict[str, Any]]:
    """Returns one theorem with its derivation per comparison of a claim about integers.

    Raises:
        Undecided: No derivation was found.
    """
    theorems = []
    for place, (given, goal) in enumerate(goals(statement), start=1):
        names = sorted(set[str]().union(*map(names_in, (goal, *given))))
        hypotheses = [*default_hypotheses(statement, names), *given]
        theorem = {
            "name": f"claim_{place}",
            "vars": dict.fromkeys(names, "Z"),
            "hyps": [relation(node) for node in hypotheses if node.op in RELATIONS],
            "statement": relation(goal, counter=_unused(names)),
        }
        theorems.append(_proved(theorem, show(goal)))
    return theorems


def _proved(theorem: dict[str, Any], says: str) -> dict[str, Any]:
    try:
        context, statement = read(theorem), parse(theorem["statement"])
        facts = max(map(len, list_cases(statement, context)))
        degree = max(place for place, most in enumerate(MAX_FACTS) if place == 1 or facts <= most)
        combinations = find_combinations(statement, context, degree=degree)
    except Refusal as refusal:
        raise Undecided(f"the kernel does not read {says}: {refusal.args[0]}") from None
    if combinations is None:
        raise Undecided(f"no combination of degree {degree} shows {says}")
    whole = {**theorem, "proof": {"nonnegative": combinations}}
    decision = check(whole)
    if not isinstance(decision, Proved):
        raise Undecided(f"the kernel refuses: {decision.reason}")
    return whole


def relation(node: Node, counter: str = "") -> str:
    """Returns a comparison in the kernel's language; divisions become floors of whole numbers.

    Args:
        node: A comparison.
        counter: A name for what is counted, where `count(...) == term` may be said.

    Raises:
        Undecided: The kernel's language lacks an operation.
    """
    if node.op not in RELATIONS:
        raise Undecided(f"a statement with {node.op} is not derived")
    left, right = node.args
    if node.op == "==" and counter and "count" in (left.op, right.op):
        counted, other = (left, right) if left.op == "count" else (right, left)
        given = [f"({whole(arg)})" for arg in counted.args]
        size, k, s, p, d = given + ["1", "0", "1"][len(given) - 2 :]
        return (
            f"count({counter}, {counter} >= 0, {counter}*{s} + {d}*({k} - 1) + 1 <= {size} + 2*{p})"
            f" = {whole(other)}"
        )
    (a, b), (c, e) = ratio(left), ratio(right)
    return f"{_times(a, e)} {RELATIONS[node.op]} {_times(c, b)}"


def whole(node: Node) -> str:
    """Returns a term whose value is visibly an integer."""
    top, bottom = ratio(node)
    if bottom != "1":
        raise Undecided(f"{show(node)} may be no integer")
    return top


def ratio(node: Node) -> tuple[str, str]:
    """Returns numerator and denominator of a term, in the kernel's language, with brackets."""
    op, args = node.op, node.args
    if op == "number":
        value = Fraction(node.value)
        return str(value.numerator), str(value.denominator)
    if op == "name" and str(node.value).isalnum():
        return str(node.value), "1"
    if op == "^" and Fraction(args[1].value) > 0:
        top, bottom = ratio(args[0])
        count = int(Fraction(args[1].value))
        return _power(top, count), _power(bottom, count)
    if op == "count":
        raise Undecided("count is derived only where it is one side of ==")
    if op not in ("floor", "ceil", "neg", "abs", "max", "min", "+", "-", "*", "/", "//", "%"):
        raise Undecided(f"{show(node)} is not in the kernel's language")
    (a, b), *others = map(ratio, args)
    if op in ("floor", "ceil"):
        sign = "" if op == "floor" else "-"
        return (a if b == "1" else f"({sign}(({sign}{a})//({b})))"), "1"
    if op == "neg":
        return f"(-{a})", b
    if op in ("abs", "max", "min"):
        sign = "-" if op == "min" else ""
        terms = [(f"{sign}{x}", y) for x, y in ((a, b), *others)]
        terms += [(f"-{a}", b)] if op == "abs" else []
        if any(y != "1" for _, y in terms):
            raise Undecided(f"{show(node)} may be no integer")
        largest = terms[0][0]
        for x, _ in terms[1:]:
            largest = f"max({largest},{x})"
        return f"({sign}{largest})", "1"
    ((c, d),) = others
    if op in ("+", "-"):
        return f"({_times(a, d)} {op} {_times(c, b)})", _times(b, d)
    if op == "*":
        return _times(a, c), _times(b, d)
    if args[1].op == "neg":
        raise Undecided("a negative divisor is not in the kernel's language")
    top, bottom = _times(a, d), _times(b, c)
    if op == "/":
        return top, bottom
    quotient = f"(({top})//({bottom}))"
    if op == "//":
        return quotient, "1"
    return f"({_times(a, d)} - {_times(_times(c, quotient), b)})", _times(b, d)


def _unused(names: list[str]) -> str:
    return next(letter for letter in ("j", "i", "x", "y", "jj") if letter not in names)


def _power(base: str, count: int) -> str:
    return base if base == "1" else f"({'*'.join([f'({base})'] * count)})"


def _times(a: str, b: str) -> str:
    return b if a == "1" else a if b == "1" else f"(({a})*({b}))"
