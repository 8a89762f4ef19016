"""Inequalities between sums of products of sequences: combinations of squares and Cauchy-Schwarz.

The difference of two sides is a vector over the lattices of its index sums. It is >= 0 if it is a
combination, with weights >= 0, of sums of squares, of sums of products of values >= 0, of such
sums without a part of their terms, and of inequalities between the inner products of the claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from convcheck.proofs.claims.budget import Deadline, Undecided
from convcheck.proofs.claims.index_sums import (
    Expansion,
    Lattice,
    Scalar,
    Term,
    free_variables,
    remainder,
    scale,
)
from convcheck.proofs.claims.language import Node, names_at_least_zero, show
from convcheck.proofs.claims.lattices import Matrix, reduce
from convcheck.proofs.claims.linear import nonnegative_combination
from convcheck.proofs.claims.sequence_sorts import Sorts

Key = tuple[Lattice, tuple[tuple[str, int], ...]]
MAX_PAIRS = 5
MAX_KEYS = 80


def squares_that_add_up(
    difference: list[Term], goal: Node, given: list[Node], sorts: Sorts, deadline: Deadline
) -> list[str] | None:
    """Returns the inequalities of which a difference is a combination, or None.

    Args:
        difference: Terms whose sum is to be >= 0.
        goal: The claim, whose inner products suggest the inequalities.
        given: Hypotheses, of which those between scalars are used.
        sorts: What its names stand for.
        deadline: When to give up.
    """
    any_group = sorts.modulus is not None
    known = [*hypotheses(given, sorts, deadline), *known_inequalities(goal, sorts, deadline)]
    nonnegative = frozenset(names_at_least_zero(given))
    # one list of free variables for all, so that equal keys mean equal sums
    free = sorted({name for terms in (difference, *(t for t, _ in known))
                   for name in free_variables(terms)})  # fmt: skip
    target = _flat(remainder(difference, any_group=any_group, deadline=deadline, free=free))
    facts: list[dict[Key, Fraction]] = []
    reasons: list[str] = []
    for terms, why in known:
        try:
            left = remainder(terms, any_group=any_group, deadline=deadline, free=free)
            facts.append(_flat(left))
        except Undecided:
            continue
        reasons.append(why)
    for key in list(dict.fromkeys(key for form in (target, *facts) for key in form))[:MAX_KEYS]:
        if is_nonnegative(key, sorts, nonnegative):
            facts.append({key: Fraction(1)})
            reasons.append("a sum of squares, and of products of values >= 0, is >= 0")
            # a part on Z may run over one place several times on Z_n
            for parts in () if any_group else disjoint_parts(key, target):
                facts.append({key: Fraction(1), **dict.fromkeys(parts, Fraction(-1))})
                reasons.append("a part of a sum of terms >= 0 is at most all of it")
    found = nonnegative_combination(target, facts, deadline)
    return None if found is None else list(dict.fromkeys(reasons[place] for place in found))


def is_nonnegative(key: Key, sorts: Sorts, nonnegative: frozenset[str]) -> bool:
    """Returns whether all products of a sum are >= 0.

    Every factor occurs an even number of times, or is >= 0 by hypothesis.
    """
    (names, offset, basis), monomial = key
    columns: dict[object, int] = {}
    for slot, name in enumerate(names):
        places = range(slot * sorts.axes, (slot + 1) * sorts.axes)
        path = tuple((offset[p], *(row[p] for row in basis)) for p in places)
        if name not in nonnegative:
            columns[name, path] = columns.get((name, path), 0) + 1
    even = all(exponent % 2 == 0 or name in nonnegative for name, exponent in monomial)
    return even and all(count % 2 == 0 for count in columns.values())


def disjoint_parts(key: Key, keys: Iterable[Key]) -> Iterator[list[Key]]:
    """Yields lists of keys whose sums run over disjoint parts of the index set of `key`.

    Cosets of one lattice are disjoint, so that the keys of a list share their basis.
    """
    (names, offset, basis), monomial = key
    groups: dict[Matrix, list[Key]] = {}
    for other in keys:
        (other_names, start, rows), other_monomial = other
        if other == key or (other_names, other_monomial) != (names, monomial):
            continue
        steps = [tuple(a - b for a, b in zip(start, offset, strict=True)), *rows]
        if not any(any(reduce(step, basis)) for step in steps):
            groups.setdefault(rows, []).append(other)
    yield from groups.values()


def hypotheses(
    given: list[Node], sorts: Sorts, deadline: Deadline
) -> Iterator[tuple[list[Term], str]]:
    """Yields the hypotheses between scalars as terms that are >= 0."""
    for node in given:
        if node.op not in ("==", "<=", "<", ">=", ">") or any(map(sorts.is_sequence, node.args)):
            continue
        try:
            terms = Expansion(sorts, deadline).difference(*node.args)
        except Undecided:
            continue
        if node.op in ("==", ">=", ">"):
            yield terms, show(node)
        if node.op in ("==", "<=", "<"):
            yield scale(terms, Fraction(-1)), show(node)


def known_inequalities(
    goal: Node, sorts: Sorts, deadline: Deadline
) -> Iterator[tuple[list[Term], str]]:
    """Yields terms that are >= 0, and why.

    For a pair u, v of the claim |u - v|^2, |u + v|^2 and |u|^2 |v|^2 - (u . v)^2; for a value
    u[t] of the claim |u|^2 - u[t]^2; the squares that the claim names.
    """
    pairs: dict[str, tuple[Node, Node]] = {}
    values: dict[str, Node] = {}
    _collect(goal, sorts, pairs, values)
    expansion = Expansion(sorts, deadline)

    def terms(left: Node, right: Node) -> list[Term]:
        return expansion.scalar(Node("dot", (left, right)))

    for u, v in list(pairs.values())[:MAX_PAIRS]:
        names = f"{show(u)} and {show(v)}"
        for op in ("+", "-"):
            both = Node(op, (u, v))
            yield terms(both, both), f"|u {op} v|^2 >= 0 for {names}"
        lengths = expansion.multiply(terms(u, u), terms(v, v))
        product = expansion.multiply(terms(u, v), terms(u, v))
        yield lengths + scale(product, Fraction(-1)), f"Cauchy-Schwarz for {names}"
    for base in list(dict.fromkeys(squared(goal)))[:MAX_PAIRS]:
        if sorts.is_sequence(base):
            yield terms(base, base), f"|{show(base)}|^2 >= 0"
        else:
            # expanded twice, so that the two factors have index variables of their own
            square = expansion.multiply(expansion.scalar(base), expansion.scalar(base))
            yield square, f"({show(base)})^2 >= 0"
    for value in list(values.values())[:MAX_PAIRS]:
        u = value.args[0]
        one = expansion.multiply(expansion.scalar(value), expansion.scalar(value))
        yield terms(u, u) + scale(one, Fraction(-1)), f"one square of {show(u)} is at most all"


def squared(node: Node) -> Iterator[Node]:
    """Yields the terms of which a term takes an even power, or the product with themselves."""
    if node.op == "^" and Fraction(node.args[1].value) % 2 == 0:
        half = Node("number", (), Fraction(node.args[1].value) / 2)
        yield node.args[0] if half.value == 1 else Node("^", (node.args[0], half))
    if node.op in ("*", "dot") and node.args[0] == node.args[1]:
        yield node.args[0]
    for arg in node.args:
        yield from squared(arg)


def _collect(
    node: Node, sorts: Sorts, pairs: dict[str, tuple[Node, Node]], values: dict[str, Node]
) -> None:
    if node.op == "dot":
        pairs[show(node)] = (node.args[0], node.args[1])
        for arg in node.args:
            if arg.op in ("+", "-"):
                pairs[show(arg)] = (arg.args[0], arg.args[1])
    elif node.op == "index" and len(node.args) == 2:
        inner = node.args[0]
        values[show(node)] = node
        if inner.op in ("corr", "conv"):
            # corr(f, g)[t] = f . shift(g, -t), and conv(f, g)[t] = f . shift(flip(g), t)
            f, g = inner.args
            turned, by = Node("flip", (g,)), node.args[1]
            if inner.op == "corr":
                turned, by = g, Node("neg", (by,))
            pairs[show(node)] = (f, Node("shift", (turned, by)))
    elif node.op == "sum" and node.args[0].op == "*":
        left, right = node.args[0].args
        if sorts.is_sequence(left) and sorts.is_sequence(right):
            pairs[show(node)] = (left, right)
    for arg in node.args:
        _collect(arg, sorts, pairs, values)


def _flat(difference: dict[Lattice, Scalar]) -> dict[Key, Fraction]:
    return {
        (lattice, monomial): factor
        for lattice, scalar in difference.items()
        for monomial, factor in scalar.items()
    }
