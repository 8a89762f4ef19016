"""Relations of integers, proved by a combination: -1 = sum of c * product of facts, each >= 0.

The negated goal is one of the facts, so such a combination leaves it no room. Floor divisions enter
as what defines them: 0 <= a - b q <= b - 1, with b >= 1. Finding a combination is the business of
`search.py`; here it is only multiplied out. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

from convcheck.proofs.normal import ONE, Poly, freeze, normal, of_atom, plus, times
from convcheck.proofs.terms import Env, Refusal, Tree, expect, opened, sort_of

Fact = tuple[str, Poly]  # where it comes from, a polynomial that is >= 0
Case = tuple[list[Fact], Env]


def check_combinations(
    combinations: Any, statement: Tree, env: Env, hypotheses: Mapping[str, Tree]
) -> set[str]:
    """Returns the hypotheses used; refuses unless every case has a combination that is -1."""
    cases = list_cases(statement, env)
    if not isinstance(combinations, list) or len(combinations) != len(cases):
        raise Refusal(f"the statement has {len(cases)} cases, each with its combination")
    used = check_divisors([statement, *hypotheses.values()], env, hypotheses)
    for combination, (assumed, inner) in zip(combinations, cases, strict=True):
        facts = list_facts(assumed, inner, hypotheses)
        if not isinstance(combination, list) or len(combination) > 80:
            raise Refusal("a combination is a list of at most 80 products")
        total: Poly = {}
        for term in combination:
            weight, product = _weight(term, len(facts)), ONE
            for index in term[1]:
                product = times(product, facts[index][1])
                used.add(facts[index][0])
            total = plus(total, product, weight)
        if total != plus({}, ONE, -1):
            raise Refusal("the combination is not -1", str(combination)[:300])
    return used & set(hypotheses)


def _weight(term: Any, facts: int) -> Fraction:
    """Returns the weight of a product `[weight, [numbers of facts]]`."""
    if isinstance(term, list) and len(term) == 2 and isinstance(term[1], list):
        whole = all(type(index) is int and 0 <= index < facts for index in term[1])
        match = re.fullmatch(r"(\d{1,30})(?:/([1-9]\d{0,30}))?", str(term[0])[:80], re.ASCII)
        if whole and len(term[1]) < 6 and match and isinstance(term[0], (int, str)):
            return Fraction(int(match[1]), int(match[2] or 1))
    raise Refusal("a product is [weight >= 0, [numbers of facts]]", str(term)[:300])


def list_cases(statement: Tree, env: Env) -> list[Case]:
    """Returns the cases in which the statement would fail: what is assumed in each.

    `count(j, conditions) = n` has those in which a j that fits is not in 0 .. n - 1, a j in
    0 .. n - 1 does not fit, or n is negative.
    """
    if statement[0] != "rel":
        raise Refusal("the statement must be a relation")
    operator, left, right = statement[1:]
    if left[0] != "count":
        return [([("negated", p)], env) for p in _negated(statement, env)]
    inner, zero = opened(left, env), ("num", Fraction(0))
    conditions, here = left[2:], ("var", left[1][0])
    if operator != "=" or not conditions or any(c[0] != "rel" or c[1] == "=" for c in conditions):
        raise Refusal("counting is written count(j, inequalities) = n")
    inside = (("rel", ">=", here, zero), ("rel", "<", here, right))
    cases: list[Case] = []
    for given, goals in ((conditions, inside), (inside, conditions)):
        known = [("range", p) for relation in given for p in at_least_zero(relation, inner)]
        for goal in goals:
            cases += [([("negated", p), *known], inner) for p in _negated(goal, inner)]
    empty = _negated(("rel", ">=", right, zero), env)
    return [*cases, *(([("negated", p)], env) for p in empty)]


def at_least_zero(relation: Tree, env: Env) -> list[Poly]:
    """Returns polynomials that are all >= 0 exactly where the relation of integers holds."""
    operator, left, right = relation[1:]
    expect(left, "Z", env)
    expect(right, "Z", env)
    up = plus(normal(left, env), normal(right, env), -1)
    down = plus({}, up, -1)
    whole = {">=": [up], "<=": [down], "=": [up, down]}
    return whole.get(operator) or [plus(up if operator == ">" else down, ONE, -1)]


def _negated(relation: Tree, env: Env) -> list[Poly]:
    """Returns polynomials of which one is >= 0 where the relation fails."""
    return [plus(plus({}, p, -1), ONE, -1) for p in at_least_zero(relation, env)]


def list_facts(assumed: list[Fact], env: Env, hypotheses: Mapping[str, Tree]) -> list[Fact]:
    """Returns the facts that a combination may use, in order.

    What the case assumes, the hypotheses, and the definition of each floor division a // b and
    of each maximum among them.
    """
    facts = [*assumed, *_given(hypotheses, env)]
    seen: set[Any] = set()
    for _, p in facts:  # grows while it is walked: a definition may contain further ones
        for one in _atoms(freeze(p)):
            if one[0] not in ("fdiv", "max") or one in seen:
                continue
            seen.add(one)
            args = [dict(arg) for arg in one[2:]]
            if one[0] == "max":
                above = [plus(of_atom(one), arg, -1) for arg in args]
                attained = plus({}, reduce(times, above), -1)
                facts += [("maximum", fact) for fact in (*above, attained)]
                continue
            remainder = plus(args[0], times(args[1], of_atom(one)), -1)
            facts += [("floor", remainder), ("floor", plus(plus(args[1], ONE, -1), remainder, -1))]
    return facts


def _given(hypotheses: Mapping[str, Tree], env: Env) -> list[Fact]:
    integer = {
        text: tree
        for text, tree in hypotheses.items()
        if tree[0] == "rel" and "Z" in (sort_of(tree[2], env), sort_of(tree[3], env))
    }
    return [(text, p) for text, tree in integer.items() for p in at_least_zero(tree, env)]


def check_divisors(trees: list[Tree], env: Env, hypotheses: Mapping[str, Tree]) -> set[str]:
    """Returns the hypotheses by which every divisor is >= 1; refuses where one may not be."""
    known, used = _given(hypotheses, env), set[str]()

    def positive(p: Poly) -> bool:
        """By a hypothesis, as the sum of two, or as a product of such factors."""
        below = plus(p, ONE, -1)
        for text, fact in [("", {}), *known]:
            if other := next((t for t, q in [("0", {}), *known] if plus(fact, q) == below), ""):
                used.update({text, other})
                return True
        [(mono, c), *rest] = p.items() if p else [((), 0)]
        factors = [of_atom(a) for a, _ in mono]
        return not rest and c >= 1 and p not in factors and all(map(positive, factors))

    def visit(tree: Tree, inner: Env) -> None:
        inner = opened(tree, inner)
        if tree[0] == "fdiv" and not positive(normal(tree[3], inner)):
            raise Refusal("a floor division needs hypotheses by which its divisor is >= 1")
        for kid in tree[2:]:
            visit(kid, inner)

    for tree in trees:
        visit(tree, env)
    return used


def _atoms(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        if value and isinstance(value[0], str):
            yield value
        for part in value:
            yield from _atoms(part)
