"""Claims about distributions and scores: refuted by balls, proved by known inequalities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import flint

from convcheck.proofs.claims.budget import CONTRADICTION, NOTHING_FOUND, Deadline, Undecided
from convcheck.proofs.claims.distribution_facts import (
    Fact,
    facts_for,
    find_distributions,
    logs_of_primes,
    visibly_nonnegative,
)
from convcheck.proofs.claims.distribution_sorts import Kinds, find_kinds, walk
from convcheck.proofs.claims.distribution_values import (
    PRECISION_BITS,
    Point,
    Undefined,
    show_value,
)
from convcheck.proofs.claims.language import (
    FALSE,
    Node,
    Statement,
    conjuncts,
    goals,
    names_in,
    show,
    substitute,
)
from convcheck.proofs.claims.linear import nonnegative_combination
from convcheck.proofs.claims.log_algebra import (
    ONE,
    Algebra,
    Form,
    add,
    cleared,
    number,
    split_common,
)
from convcheck.proofs.claims.search import Candidates, by_size
from convcheck.proofs.verdicts import Decision, Open, Proved, Refuted

SEARCH_SECONDS = 0.25
DEFINITIONS = {
    "H": "H(p) = -sum(p * log(p)), H(p, q) = -sum(p * log(q)), with 0 log 0 = 0",
    "KL": "KL(p, q) = sum(p * log(p / q)), with 0 log 0 = 0 and p = 0 wherever q = 0",
    "softmax": "softmax(z) = exp(z) / sum(exp(z))",
    "logsumexp": "logsumexp(z) = log(sum(exp(z)))",
    "nll": "nll(z, y) = -log(softmax(z)[y]), or its mean where y is a distribution",
}


def decide_distributions(statement: Statement, deadline: Deadline) -> Decision:
    """Returns the decision on a claim about distributions and scores.

    Raises:
        UsageError: The claim uses an operation that is not about them.
    """
    kinds = find_kinds(statement)
    name = statement.text
    found, satisfied = search(statement, kinds, deadline.part(SEARCH_SECONDS))
    if found is not None:
        return Refuted(name=name, statement=name, witness=found[0], shows=found[1])
    if not satisfied:
        reason = CONTRADICTION if is_contradiction(statement, kinds, deadline) else NOTHING_FOUND
        return Open(name=name, statement=name, reason=reason)
    try:
        reasons = prove(statement, kinds, deadline)
    except Undecided as undecided:
        return Open(name=name, statement=name, reason=str(undecided))
    used = {node.op for part in (statement.goal, *statement.given) for node in walk(part)}
    stated = [*kinds.describe(), *map(show, statement.given)]
    if "/" in used:
        stated.append("no divisor is 0")
    if "log" in used:
        stated.append("logarithms are taken of positive numbers")
    definitions = [says for op, says in DEFINITIONS.items() if op in used]
    return Proved(
        name=name,
        statement=name,
        hypotheses=tuple(stated),
        obligations=tuple(map(show, statement.given)),
        checks=(*reasons, *definitions),
    )


def prove(statement: Statement, kinds: Kinds, deadline: Deadline) -> list[str]:
    """Returns why each part of the goal holds.

    Raises:
        Undecided: The forms differ, or no combination of known inequalities is found.
    """
    return [
        prove_goal(part, list(given), kinds, deadline)
        for given, goal in goals(statement)
        for part in without_extremes(goal)
    ]


def is_contradiction(statement: Statement, kinds: Kinds, deadline: Deadline) -> bool:
    """Returns whether 1 <= 0 is proved under the hypotheses."""
    try:
        return bool(prove_goal(FALSE, list(statement.given), kinds, deadline))
    except Undecided:
        return False


def without_extremes(goal: Node) -> list[Node]:
    """Returns what a bound by several terms says: x >= max(a, b) is x >= a and x >= b."""
    for place, op in ((0, "min"), (1, "max")):
        bound, other = goal.args[place], goal.args[1 - place]
        if goal.op in ("<=", "<"):
            op = {"min": "max", "max": "min"}[op]
        if goal.op not in ("==", "!=") and bound.op == op and len(bound.args) > 1:
            sides = [(arg, other) if place == 0 else (other, arg) for arg in bound.args]
            return [Node(goal.op, side) for side in sides]
    return [goal]


def prove_goal(goal: Node, given: list[Node], kinds: Kinds, deadline: Deadline) -> str:
    """Returns why one comparison holds under its hypotheses."""
    solved: dict[str, Node] = {}
    plain = Algebra(kinds, deadline, kinds.positive)
    for hypothesis in given:
        hypothesis = equality_of_gibbs(hypothesis, plain) or hypothesis
        left, right = hypothesis.args[0], hypothesis.args[-1]
        if hypothesis.op == "==" and left.op == "name" and str(left.value) not in names_in(right):
            replaced = substitute(right, solved)
            if str(left.value) not in solved and str(left.value) not in names_in(replaced):
                one = {str(left.value): replaced}
                solved = {key: substitute(node, one) for key, node in solved.items()} | one
    goal = substitute(goal, solved)
    given = [substitute(hypothesis, solved) for hypothesis in given]
    positive = kinds.positive | {
        str(node.args[0].value)
        for node in given
        if node.op == ">" and node.args[0].op == "name" and node.args[1].op == "number"
        and Fraction(node.args[1].value) >= 0
    }  # fmt: skip
    algebra = Algebra(kinds, deadline, frozenset(positive & kinds.scalars))
    known = list(hypothesis_facts(given, algebra))
    return prove_part(goal, given, known, algebra, deadline)


def equality_of_gibbs(hypothesis: Node, algebra: Algebra) -> Node | None:
    """Returns p == q for a hypothesis that says KL(p, q) == 0 or KL(p, q) <= 0."""
    if hypothesis.op not in ("==", "<=", ">="):
        return None
    difference = add(algebra.form(hypothesis.args[0]), algebra.form(hypothesis.args[1]), -1)
    signs = {"==": (1, -1), "<=": (1,), ">=": (-1,)}[hypothesis.op]
    named = find_distributions(list(walk(hypothesis)), algebra, [])
    for _, a in named:
        for _, b in named:
            divergence = algebra.form(Node("KL", (a, b)))
            if a != b and any(divergence == add({}, difference, sign) for sign in signs):
                return Node("==", (a, b) if a.op == "name" else (b, a))
    return None


def hypothesis_facts(given: list[Node], algebra: Algebra) -> Iterator[Fact]:
    """Yields the hypotheses as forms >= 0."""
    for node in given:
        if node.op not in ("==", "<=", "<", ">=", ">"):
            continue
        try:
            difference = add(algebra.form(node.args[0]), algebra.form(node.args[1]), -1)
        except Undecided:
            continue
        if node.op in ("==", ">=", ">"):
            yield Fact(difference, show(node))
        if node.op in ("==", "<=", "<"):
            yield Fact(add({}, difference, -1), show(node))
        upper, lower = node.args if node.op in (">=", ">") else node.args[::-1]
        try:
            raised = add(algebra.exp(algebra.form(upper)), algebra.exp(algebra.form(lower)), -1)
        except Undecided:
            continue
        yield Fact(raised, f"exp of {show(node)}")


def prove_part(
    goal: Node, given: list[Node], known: list[Fact], algebra: Algebra, deadline: Deadline
) -> str:
    """Returns why one comparison holds."""
    if goal.op not in ("==", "<=", "<", ">=", ">"):
        raise Undecided(f"a statement with {goal.op} is only searched for counterexamples")
    difference = add(algebra.form(goal.args[0]), algebra.form(goal.args[1]), -1)
    equal = not difference or not cleared(difference)
    if equal and goal.op in ("==", "<=", ">="):
        return "decided by normal form: both sides are one polynomial in logs, exps and sums"
    if goal.op == "==" and not known:
        raise Undecided("the normal forms of the two sides differ, and no counterexample is small")
    nodes = [node for part in (goal, *given) for node in walk(part)]
    facts = facts_for(nodes, algebra, known)
    directions = {"==": (1, -1), ">=": (1,), ">": (1,), "<=": (-1,), "<": (-1,)}[goal.op]
    used: dict[str, None] = {}
    for sign in directions:
        target = add({}, difference, sign)
        strict = goal.op in ("<", ">")
        combined = combine(target, facts, algebra, deadline, strict=strict)
        if combined is None:
            combined = combine_logarithms(goal, facts, algebra, deadline)
        if combined is None:
            raise Undecided("no combination of the known inequalities gives it")
        used.update(dict.fromkeys(combined))
    return "a combination, with exact weights >= 0, of: " + "; ".join(used)


def combine(
    target: Form, facts: list[Fact], algebra: Algebra, deadline: Deadline, *, strict: bool
) -> list[str] | None:
    """Returns why target >= 0 (> 0 where `strict`), as the facts that add up to it."""
    # a common factor that is > 0 does not change the sign
    common, rest = split_common(target) if target else (ONE, target)
    starts = [target]
    if common != ONE and all(algebra.is_positive(atom) for atom, _ in common):
        starts.append(rest)
    if strict:
        # what is certainly > 0 may be taken off first: 1, and products of exponentials
        certain = [{m: c} for m, c in target.items() if c > 0 and _is_strict(m)]
        starts = [add(target, part, -1) for part in (*certain, number(1))]
    for start in starts:
        forms = [start, *(fact.form for fact in facts)]
        extra = [*visibly_nonnegative(forms, algebra)]
        extra += [fact for form in forms for fact in logs_of_primes(form)]
        candidates = [*facts, *extra]
        found = nonnegative_combination(start, [fact.form for fact in candidates], deadline)
        if found is not None:
            return [candidates[place].why for place in sorted(found)] or ["0 >= 0"]
    return None


def combine_logarithms(
    goal: Node, facts: list[Fact], algebra: Algebra, deadline: Deadline
) -> list[str] | None:
    """Returns why one positive side is at most the other, by comparing their logarithms."""
    upper, lower = map(algebra.form, goal.args if goal.op in (">=", ">") else goal.args[::-1])
    if goal.op == "==" or not all(map(algebra.is_positive_form, (upper, lower))):
        return None
    target = add(algebra.log(upper), algebra.log(lower), -1)
    strict = goal.op in ("<", ">")
    combined = combine(target, facts, algebra, deadline, strict=strict)
    return None if combined is None else ["log is increasing", *combined]


def _is_strict(monomial: tuple) -> bool:
    return all(
        atom[0] == "exp"
        or (atom[0] == "log" and len(atom[1]) == 1 and atom[1][0][0] == ONE)
        or (atom[0] == "sum" and all(inner[0] == "exp" for inner, _ in atom[1]))
        for atom, _ in monomial
    )


def search(
    statement: Statement, kinds: Kinds, deadline: Deadline
) -> tuple[tuple[Mapping[str, Any], str] | None, bool]:
    """Returns the smallest values that make the claim false, and whether any were admissible."""
    satisfied = False
    given = statement.given
    with flint.ctx.workprec(PRECISION_BITS):
        for n in (1, 2, 3):
            names: list[str] = []
            axes: list[Candidates] = []
            for group, candidates in (
                (kinds.distributions, distributions(n)),
                (kinds.scores, scores(n)),
                (kinds.indices, [(i, Fraction(i)) for i in range(n)]),
                (kinds.scalars, scalars()),
            ):
                for name in sorted(group):
                    names.append(name)
                    axes.append(candidates)
            limit = deadline if n == 3 else deadline.part(deadline.left / 2)
            for values in by_size(axes, 9):
                if not limit.left:
                    break
                point = Point(kinds, dict(zip(names, values, strict=True)), n)
                try:
                    if any(point.holds(node) is not True for node in given):
                        continue
                    holds = point.holds(statement.goal)
                except Undefined:
                    continue
                satisfied = True
                if holds is False:
                    return _witness(statement.goal, point), True
            if not names or not (kinds.distributions or kinds.scores or kinds.has_n):
                break
    return None, satisfied


def distributions(n: int) -> Candidates:
    """Returns small distributions on n outcomes: fractions with denominators 1 to 4, and 10."""
    found: dict[tuple[Fraction, ...], int] = {}
    for size, whole in enumerate((2, 1, 3, 4, 10)):
        for parts in product(range(whole + 1), repeat=n):
            if sum(parts) == whole:
                entry = tuple(Fraction(part, whole) for part in parts)
                found.setdefault(entry, size)
    rare = Fraction(1, 100)
    for place in range(n if n > 1 else 0):
        peaked = [rare] * n
        peaked[place] = 1 - (n - 1) * rare
        found.setdefault(tuple(peaked), 5)
    return [(size, list(entry)) for entry, size in found.items()]


def scores(n: int) -> Candidates:
    """Returns small vectors of n integers."""
    found = [
        (sum(map(abs, entry)), [Fraction(x) for x in entry])
        for entry in product((0, 1, -1, 2, -2, 3), repeat=n)
        if sum(map(abs, entry)) <= 4
    ]
    return sorted(found, key=lambda item: item[0])


def scalars() -> Candidates:
    """Returns small numbers."""
    sized = ((0, "1"), (1, "0 2 -1 1/2"), (2, "-1/2 3"), (3, "-2"), (4, "10"))
    return [(size, Fraction(text)) for size, texts in sized for text in texts.split()]


def _witness(goal: Node, point: Point) -> tuple[Mapping[str, Any], str]:
    shown: dict[str, Any] = {name: show_value(x) for name, x in sorted(point.values.items())}
    kinds = point.kinds
    if kinds.has_n or not shown:
        shown["n"] = str(point.n)
    for part in conjuncts(goal):
        if point.holds(part) is False and part.op in ("==", "!=", "<", "<=", ">", ">="):
            left, right = part.args
            texts = [f"{show(arg)} = {show_value(point.value(arg))}" for arg in (left, right)]
            return shown, ", ".join(texts)
    return shown, "the formula is false there"
