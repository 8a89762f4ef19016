"""SymPy multiplies out the combinations that prove relations of integers.

The facts are built here anew, from the statement and its hypotheses; a floor or a maximum is a
letter of which only its definition is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from convcheck.proofs.terms import Tree, walk


class CannotFollow(Exception):  # noqa: N818 - a limit of SymPy, told to the reader
    """SymPy has no form for a term or a step; the message says which."""


def multiply_out(
    combinations: Sequence[Any], statement: Tree, hypotheses: Mapping[str, Tree]
) -> None:
    """Refuses unless each combination of the facts of its case expands to -1."""
    cases = _list_cases(statement, hypotheses)
    if len(cases) != len(combinations):
        raise CannotFollow(f"SymPy finds {len(cases)} cases for {len(combinations)} combinations")
    for facts, combination in zip(cases, combinations, strict=True):
        products = (
            sympy.Rational(weight) * sympy.Mul(*(facts[index] for index in indices))
            for weight, indices in combination
        )
        if any(sympy.Rational(weight) < 0 for weight, _ in combination):
            raise CannotFollow("a weight is negative")
        if (total := sympy.expand(sympy.Add(*products))) != -1:
            raise CannotFollow(f"SymPy multiplies out to {str(total)[:120]}")


class _Letters:
    """Integer terms as polynomials; floors and maxima become letters, by their arguments."""

    def __init__(self) -> None:
        self.letters: dict[Any, Any] = {}

    def __call__(self, tree: Tree) -> Any:
        head, label = tree[:2]
        if head in ("num", "var"):
            return sympy.Integer(label) if head == "num" else sympy.Symbol(label, integer=True)
        parts = [self(kid) for kid in tree[2:]]
        if head in ("fdiv", "max"):
            arguments = tuple(parts) if head == "fdiv" else frozenset(parts)
            return self.letters.setdefault((head, arguments), sympy.Dummy(head, integer=True))
        make = {"add": sympy.Add, "mul": sympy.Mul, "neg": lambda part: -part}.get(head)
        if make is None:
            raise CannotFollow(f"SymPy has no integer form of {head}")
        return sympy.expand(make(*parts))

    def facts(self, relation: Tree) -> list[Any]:
        """Returns what is >= 0 where a relation holds."""
        excess = sympy.expand(self(relation[2]) - self(relation[3]))
        return {
            "=": [excess, -excess], ">=": [excess], "<=": [-excess],
            ">": [excess - 1], "<": [-excess - 1],
        }[relation[1]]  # fmt: skip


def _list_cases(statement: Tree, hypotheses: Mapping[str, Tree]) -> list[list[Any]]:
    """Returns the facts of each case in which the statement would fail, in the kernel's order."""
    read, (left, right) = _Letters(), statement[2:]
    given = [fact for tree in hypotheses.values() for fact in read.facts(tree)]
    goals: list[tuple[tuple[Tree, ...], tuple[Tree, ...]]] = [((), (statement,))]
    if left[0] == "count":
        here, zero = ("var", left[1][0]), ("num", 0)
        inside = (("rel", ">=", here, zero), ("rel", "<", here, right))
        goals = [(left[2:], inside), (inside, left[2:]), ((), (("rel", ">=", right, zero),))]
    defined, divisors, seen = [], [], set()
    for node in (node for tree in (statement, *hypotheses.values()) for node in walk(tree)):
        if node[0] not in ("fdiv", "max") or (letter := read(node)) in seen:
            continue
        seen.add(letter)
        a, b = read(node[2]), read(node[3])
        if node[0] == "max":
            defined += [letter - a, letter - b, -(letter - a) * (letter - b)]
        else:
            defined += [a - b * letter, b - 1 - a + b * letter]
            divisors.append([-b, *given])
    cases = [
        [-fact - 1, *(known for tree in assumed for known in read.facts(tree)), *given, *defined]
        for assumed, wanted in goals for goal in wanted for fact in read.facts(goal)
    ]  # fmt: skip
    return cases + divisors
