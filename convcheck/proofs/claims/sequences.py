"""Claims about sequences: proved by index sums, refuted by the smallest sequences that differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from typing import Any

from convcheck.proofs.claims.budget import CONTRADICTION, NOTHING_FOUND, Deadline, Undecided
from convcheck.proofs.claims.distant import distant_places
from convcheck.proofs.claims.exhaustion import exhaust
from convcheck.proofs.claims.index_sums import Expansion, remainder, scale
from convcheck.proofs.claims.language import (
    FALSE,
    Node,
    Statement,
    conjuncts,
    goals,
    names_in,
    operators_in,
    show,
    substitute,
)
from convcheck.proofs.claims.search import Candidates, by_size
from convcheck.proofs.claims.sequence_inequalities import squares_that_add_up
from convcheck.proofs.claims.sequence_sorts import Sorts, find_sorts
from convcheck.proofs.claims.signals import Place, Undefined
from convcheck.proofs.claims.symbolic_factors import cancels, polynomials
from convcheck.proofs.verdicts import Decision, Open, Proved, Refuted

DEFINITIONS = {
    "conv": "conv(f, g)[t] = sum over s of f[s] g[t - s]",
    "corr": "corr(f, g)[t] = sum over s of f[s] g[s + t]",
    "flip": "flip(f)[t] = f[-t]",
    "shift": "shift(f, n)[t] = f[t - n]",
    "up": "up(f, P)[P t] = f[t], and 0 elsewhere",
    "down": "down(f, P)[t] = f[P t]",
    "delta": "delta[0] = 1, and 0 elsewhere; delta(n) = shift(delta, n)",
    "dot": "dot(f, g) = sum over t of f[t] g[t]",
    "*": "f * g of two sequences is the product at each index",
}
SEARCH_SECONDS = 1.5


def decide_sequences(statement: Statement, deadline: Deadline) -> Decision:
    """Returns the decision on a claim about sequences.

    Raises:
        UsageError: The claim adds, compares or indexes what cannot be.
    """
    sorts = find_sorts(statement)
    name = statement.text
    reason = "no method of this family applies"
    try:
        engine = prove(statement, sorts, deadline)
        if engine and not is_satisfiable(statement, sorts, deadline):
            if is_contradiction(statement, sorts, deadline):
                raise Undecided(CONTRADICTION)
            engine = prove(replace(statement, given=()), sorts, deadline)
        if engine:
            used = operators_in(statement.goal).union(*map(operators_in, statement.given))
            if "delta" in names_in(statement.goal):
                used.add("delta")
            definitions = [says for op, says in DEFINITIONS.items() if op in used]
            return Proved(
                name=name,
                statement=name,
                hypotheses=(*describe(sorts), *map(show, statement.given)),
                obligations=tuple(map(show, statement.given)),
                checks=(engine, *definitions),
            )
        reason = "the two sides have different index sums, but no small counterexample was found"
    except Undecided as undecided:
        reason = str(undecided)
    witness = refute(statement, sorts, deadline)
    if witness is not None:
        return Refuted(name=name, statement=name, witness=witness[0], shows=witness[1])
    if reason != CONTRADICTION and not is_satisfiable(statement, sorts, deadline):
        reason = CONTRADICTION if is_contradiction(statement, sorts, deadline) else NOTHING_FOUND
    return Open(name=name, statement=name, reason=reason)


def describe(sorts: Sorts) -> Iterator[str]:
    """Yields what the names of the claim stand for, one sentence per sort."""
    group = {1: "Z", 2: "Z^2", 3: "Z^3"}[sorts.axes]
    support = " with finite support"
    if sorts.modulus is not None:
        group, support = (f"Z_{sorts.modulus}", "") if sorts.modulus else ("Z_n, any n >= 1", "")
    for names, says in (
        (sorts.sequences, f"sequences on {group}{support}"),
        (sorts.scalars, "scalars"),
        (sorts.integers - sorts.points, "integers"),
        (sorts.points, f"points of {group}"),
        (sorts.factors, "integers >= 1"),
    ):
        if names:
            yield f"{', '.join(sorted(names))}: {says}"


def prove(statement: Statement, sorts: Sorts, deadline: Deadline) -> str:
    """Returns which procedure proved the claim, or "" where the claim is certainly false.

    Raises:
        Undecided: No procedure decides it.
    """
    engine = ""
    for assumed, goal in goals(statement):
        engine = prove_goal(goal, list(assumed), sorts, deadline)
        if not engine:
            return ""
    return engine


def prove_goal(goal: Node, given: list[Node], sorts: Sorts, deadline: Deadline) -> str:
    """Returns which procedure proved one comparison under its hypotheses, or ""."""
    unused = []
    while given:
        hypothesis = given.pop(0)
        solved = parametrise(hypothesis, sorts, deadline)
        if solved is None:
            unused.append(hypothesis)
            continue
        goal = substitute(goal, solved)
        given = [substitute(part, solved) for part in given]
    engine = prove_part(goal, unused, sorts, deadline)
    if not engine and unused:
        raise Undecided(f"no method uses the hypothesis {show(unused[0])}")
    return engine


def prove_part(goal: Node, given: list[Node], sorts: Sorts, deadline: Deadline) -> str:
    """Returns which procedure proved one comparison, or "" where it is false without `given`."""
    if goal.op not in ("==", "<=", ">="):
        raise Undecided(f"a statement with {goal.op} is only searched for counterexamples")
    if sorts.factors:
        factors = polynomials(sorts.factors)
        terms = Expansion(sorts, deadline, factors).difference(*goal.args)
        if cancels(terms, factors, deadline):
            return "decided by the normal form of index sums, by steps that hold for all factors"
        raise Undecided("the normal forms differ, which decides nothing for all factors")
    terms = Expansion(sorts, deadline).difference(*goal.args)
    any_group = sorts.modulus is not None
    try:
        left = remainder(terms, any_group=any_group, deadline=deadline)
    except Undecided:
        if goal.op == "==" and sorts.modulus:
            return exhaust(goal, terms, sorts, deadline)
        raise
    if not left:
        where = " (by steps that hold on every abelian group)" if any_group else ""
        return f"decided by the normal form of index sums{where}: the difference is 0 term by term"
    if goal.op == "==" and (any_group or not given):
        if sorts.modulus:
            return exhaust(goal, terms, sorts, deadline)
        if any_group:
            raise Undecided("the normal forms differ, which on Z_n decides nothing")
        return ""
    reasons: list[str] = []
    for sign in {"==": (1, -1), ">=": (1,), "<=": (-1,)}[goal.op]:
        signed = scale(terms, Fraction(sign))
        found = squares_that_add_up(signed, goal, given, sorts, deadline)
        if found is None:
            raise Undecided("the difference of the sides is no combination of squares")
        reasons += found
    return "decided by the normal form of index sums and " + "; ".join(dict.fromkeys(reasons))


def parametrise(hypothesis: Node, sorts: Sorts, deadline: Deadline) -> dict[str, Node] | None:
    """Returns a substitution among whose values are all that make the hypothesis true.

    f == E without f: f becomes E. f == E(f) with E(E(f)) == f, such as f == flip(f), becomes
    (f + E(f)) / 2; with E(E(f)) == E(f) it becomes E(f). sum(f) == c becomes
    c*delta + f - shift(f, 1), because a finitely supported sequence of sum 0 is a difference.
    A flip, shift or up of f is taken to the other side, and dot(f, f) == 0 says f == 0.
    """
    if hypothesis.op != "==":
        return None
    any_group = sorts.modulus is not None
    zero = Node("number", (), Fraction(0))
    for left, right in (hypothesis.args, hypothesis.args[::-1]):
        if left.op == "sum" and left.args[0].op == "name" and sorts.modulus is None:
            f = left.args[0]
            if sorts.axes == 1 and str(f.value) in sorts.sequences and right.op == "number":
                step = Node("-", (f, Node("shift", (f, Node("number", (), Fraction(1))))))
                mass = Node("*", (right, Node("name", (), "delta")))
                return {str(f.value): Node("+", (mass, step))}
        left, right = (right, left.args[0]) if left.op == "neg" else (left, right)
        if right == zero:
            left = _base_of_squares(left) or left
            left, right = left.args if left.op == "-" else (left, right)
        while left.op in ("flip", "shift", "up"):
            if left.op == "shift" and len(left.args) > 2:
                break
            inverse = {"flip": "flip", "shift": "shift", "up": "down"}[left.op]
            by = left.args[1:]
            if left.op == "shift":
                by = (Node("neg", by),)
            left, right = left.args[0], Node(inverse, (right, *by))
        if left.op != "name" or left.value == "delta":
            continue
        name = str(left.value)
        if name not in names_in(right):
            if name in sorts.sequences or not operators_in(right) - {"number", "name", "neg"}:
                return {name: right}
            continue
        if name not in sorts.sequences or names_in(right) - {name, "delta"}:
            continue
        twice = substitute(right, {name: right})
        for result, solution in ((left, _mean(left, right)), (right, right)):
            terms = Expansion(sorts, deadline).difference(twice, result)
            is_linear = all(len(term.slots) == 1 for term in terms)
            if is_linear and not remainder(terms, any_group=any_group, deadline=deadline):
                return {name: solution}
    return None


def _base_of_squares(node: Node) -> Node | None:
    """Returns f for dot(f, f), sum(f * f) and sum(f^2), which are 0 only where f is, or None."""
    inner = node.args[0] if node.op == "sum" else node
    if node.op == "dot" or node.op == "sum" and inner.op == "*":
        return inner.args[0] if inner.args[0] == inner.args[1] else None
    if node.op == "sum" and inner.op == "^" and Fraction(inner.args[1].value) in (2, 4, 6, 8):
        return inner.args[0]
    return None


def _mean(left: Node, right: Node) -> Node:
    return Node("/", (Node("+", (left, right)), Node("number", (), Fraction(2))))


def refute(
    statement: Statement, sorts: Sorts, deadline: Deadline
) -> tuple[Mapping[str, Any], str] | None:
    """Returns the smallest values found that make the hypotheses true and the claim false."""
    for candidates in (places(sorts), distant_places(statement, sorts, deadline)):
        limit = deadline.part(SEARCH_SECONDS)
        for place in candidates:
            if not limit.left:
                break
            try:
                if all(map(place.holds, statement.given)) and not place.holds(statement.goal):
                    return _witness(statement.goal, place)
            except Undefined:
                continue
    return None


def is_satisfiable(statement: Statement, sorts: Sorts, deadline: Deadline) -> bool:
    """Returns whether small values are found that make the hypotheses true."""
    if not statement.given:
        return True
    limit = deadline.part(SEARCH_SECONDS)
    for place in places(sorts):
        if not limit.left:
            return False
        try:
            if all(map(place.holds, statement.given)):
                return True
        except Undefined:
            continue
    return False


def is_contradiction(statement: Statement, sorts: Sorts, deadline: Deadline) -> bool:
    """Returns whether 1 <= 0 is proved under the hypotheses."""
    try:
        return bool(prove_goal(FALSE, list(statement.given), sorts, deadline))
    except Undecided:
        return False


def places(sorts: Sorts) -> Iterator[Place]:
    """Yields values of all names, the smallest first."""
    moduli: Candidates = [(0, sorts.modulus or 0)]
    if sorts.modulus == 0:
        moduli = [(n - 1, n) for n in range(1, 8)]
    names: list[str] = []
    axes: list[Candidates] = [moduli]
    for group, candidates in (
        (sorts.sequences, signals(sorts.axes)),
        (sorts.factors, [(abs(2 - n), n) for n in (2, 1, 3, 4, 5, 6)]),
        (sorts.points, [(sum(map(abs, x)), x) for x in product((0, 1, -1, 2), repeat=sorts.axes)]),
        (sorts.integers - sorts.points, [(abs(n), n) for n in (0, 1, -1, 2, -2, 3, -3, 4)]),
        (sorts.scalars, [(0, 1), (1, 0), (1, -1), (1, 2), (2, Fraction(1, 2)), (2, -2), (2, 3)]),
    ):
        for name in sorted(group):
            names.append(name)
            axes.append(candidates)
    for modulus, *values in by_size(axes, 14):
        folded = [_wrapped(value, modulus) if modulus else value for value in values]
        yield Place(sorts, dict(zip(names, folded, strict=True)), modulus)


def signals(axes: int) -> Candidates:
    """Returns small signals with their sizes: the sum over the support of |value| + |index|."""
    points = [x for x in product((0, 1, -1, 2, -2, 3), repeat=axes) if sum(map(abs, x)) <= 3]
    values = {1: 1, -1: 2, 2: 2}
    found: list[tuple[int, Any]] = [(0, {})]
    for count in range(1, {1: 3, 2: 2, 3: 1}[axes] + 1):
        for support in combinations(points, count):
            reach = sum(abs(entry) for point in support for entry in point)
            for chosen in product(values, repeat=count):
                size = reach + sum(values[value] for value in chosen)
                if size <= 7:
                    found.append((size, dict(zip(support, chosen, strict=True))))
    if axes == 1:  # sums of as many terms as a small modulus has
        found += [(count + 1, {(t,): 1 for t in range(count)}) for count in (4, 5, 6)]
    return sorted(found, key=lambda item: item[0])


def _wrapped(value: Any, modulus: int) -> Any:
    if not isinstance(value, dict):
        return value
    folded: dict[tuple[int, ...], Any] = {}
    for t, x in value.items():
        point = tuple(a % modulus for a in t)
        folded[point] = folded.get(point, 0) + x
    return {t: x for t, x in folded.items() if x}


def _witness(goal: Node, place: Place) -> tuple[Mapping[str, Any], str]:
    shown = {name: _show_value(value) for name, value in sorted(place.values.items())}
    if place.modulus:
        shown["n" if "n" not in shown else "modulus"] = place.modulus
    false = next((part for part in conjuncts(goal) if not place.holds(part)), goal)
    if false.op not in ("==", "!=", "<", "<=", ">", ">="):
        return shown, "the formula is false there"
    left, right = place.sides(false)
    texts = [show(arg) for arg in false.args]
    if isinstance(left, dict):
        point = place.differing(false) or (0,) * place.sorts.axes
        shown["index" if "t" in shown else "t"] = point[0] if len(point) == 1 else point
        left, right = left.get(point, 0), right.get(point, 0)
        texts = [f"({text})[{', '.join(map(str, point))}]" for text in texts]
    return shown, f"{texts[0]} = {left}, {texts[1]} = {right}"


def _show_value(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if not isinstance(value, dict):
        return value
    entries = (f"{x} at {t[0] if len(t) == 1 else t}" for t, x in sorted(value.items()))
    return ", ".join(entries) or "0"
