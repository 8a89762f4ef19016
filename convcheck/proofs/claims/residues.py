"""Claims whose truth depends on remainders alone: decided by all residues modulo one number."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import lcm

from convcheck.proofs.claims.budget import Deadline
from convcheck.proofs.claims.integer_values import compile_formula
from convcheck.proofs.claims.language import COMPARISONS, CONNECTIVES, Node

MAX_CASES = 20_000
MODULI = (2, 3, 4, 5, 7, 8, 9, 12, 16)


def decide_residues(goal: Node, given: list[Node], names: list[str], deadline: Deadline) -> str:
    """Returns how a goal was proved by looking at every residue, or "".

    P % c with a polynomial P of integer coefficients is the same at m and at m + c. So a formula
    in which every name stands under such a remainder holds for all integers if it holds for all
    residues modulo the least common multiple of the c; and P != Q holds if, for some c, P - Q
    is no multiple of c at any residue. Hypotheses about remainders are used, others are not.
    """
    for hypothesis in given:
        if period(hypothesis) is not None and goal.op != "!=":
            goal = Node("implies", (hypothesis, goal))
    modulus = period(goal)
    if modulus is not None:
        tried = holds_everywhere(compile_formula(goal, names), len(names), modulus, deadline)
        return f"decided by all {tried} residues modulo {modulus}" if tried else ""
    if goal.op != "!=" or not all(map(is_polynomial, goal.args)):
        return ""
    for modulus in MODULI:
        number = Node("number", (), Fraction(modulus))
        rest = Node("%", (Node("-", goal.args), number))
        apart = Node("!=", (rest, Node("number", (), Fraction(0))))
        tried = holds_everywhere(compile_formula(apart, names), len(names), modulus, deadline)
        if tried:
            return f"the sides differ modulo {modulus}, at all {tried} residues"
    return ""


def period(node: Node) -> int | None:
    """Returns a number by which each name may be moved, or None where a name stands free."""
    if node.op == "number":
        return 1 if Fraction(node.value).denominator == 1 else None
    if node.op == "%":
        divisor = Fraction(node.args[1].value) if node.args[1].op == "number" else Fraction(0)
        if divisor.denominator != 1 or divisor < 1:
            return None
        if is_polynomial(node.args[0]):
            return int(divisor)
    if node.op not in (*COMPARISONS, *CONNECTIVES, "+", "-", "neg", "*", "^", "%"):
        return None
    periods = [period(arg) for arg in node.args]
    known = [found for found in periods if found is not None]
    return lcm(*known) if len(known) == len(periods) else None


def is_polynomial(node: Node) -> bool:
    """Returns whether a term is a polynomial in its names with integer coefficients."""
    if node.op == "number":
        return Fraction(node.value).denominator == 1
    return node.op in ("name", "+", "-", "neg", "*", "^") and all(map(is_polynomial, node.args))


def holds_everywhere(
    formula: Callable[..., bool], count: int, modulus: int, deadline: Deadline
) -> int:
    """Returns at how many residues a formula was evaluated, 0 where it is false or too many."""
    if modulus**count > MAX_CASES:
        return 0
    for values in product(range(modulus), repeat=count):
        deadline.check()
        if not formula(*values):
            return 0
    return int(modulus**count)
