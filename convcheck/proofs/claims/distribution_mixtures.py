"""Convexity of divergences and entropies at mixtures such as (p + q)/2 and a*p + (1 - a)*q."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from convcheck.proofs.claims.distribution_facts import Fact
from convcheck.proofs.claims.language import Node, show
from convcheck.proofs.claims.log_algebra import ONE, Algebra, Form, add, multiply, number

# weights w_i >= 0 with sum 1, and the distributions that they mix
Mixture = list[tuple[Form, Node]]


def about_mixtures(
    distributions: list[tuple[str, Node]], algebra: Algebra, given: list[Fact]
) -> Iterator[Fact]:
    """Yields that -log, sum p log p and KL are convex, at the mixtures among the distributions."""
    mixed = {text: mixture(b, algebra, given) for text, b in distributions}
    for text, b in distributions:
        parts = mixed[text]
        if parts is None:
            continue
        entropies = _mean(parts, [Node("H", (x,)) for _, x in parts], algebra)
        entropy = algebra.form(Node("H", (b,)))
        yield Fact(add(entropy, entropies, -1), f"H is concave at {text}")
        for name, a in distributions:
            crosses = _mean(parts, [Node("H", (a, x)) for _, x in parts], algebra)
            cross = algebra.form(Node("H", (a, b)))
            yield Fact(add(crosses, cross, -1), f"H({name}, q) is convex in q at {text}")
        for weight, x in parts:
            if set(weight) == {ONE}:
                # b >= weight * x at each outcome
                whole = add(algebra.form(Node("H", (x,))), algebra.log(weight), -1)
                cross = algebra.form(Node("H", (x, b)))
                yield Fact(add(whole, cross, -1), f"{text} >= a part of {show(x)}")
    for (left, a), (right, b) in product(distributions, repeat=2):
        for first, second in _paired(mixed[left], mixed[right], a, b):
            divergences = [Node("KL", (x, y)) for (_, x), (_, y) in zip(first, second, strict=True)]
            bound = _mean(first, divergences, algebra)
            divergence = algebra.form(Node("KL", (a, b)))
            yield Fact(add(bound, divergence, -1), f"KL is convex at ({left}, {right})")


def mixture(node: Node, algebra: Algebra, given: list[Fact]) -> Mixture | None:
    """Returns the parts of a visible mixture of two or more terms, or None."""
    parts = _weighted(node, number(1), algebra)
    total: Form = {}
    for weight, _ in parts:
        total = add(total, weight)
    if len(parts) < 2 or total != number(1):
        return None
    known = [fact.form for fact in given]
    if any(not algebra.is_positive_form(w) and w not in known for w, _ in parts):
        return None
    sums = [algebra.sum(algebra.form(x)) for _, x in parts]
    return parts if all(one == number(1) for one in sums) else None


def _weighted(node: Node, weight: Form, algebra: Algebra) -> Mixture:
    """Returns the terms of a sum, each with its scalar weight."""
    if node.op == "+":
        return [part for arg in node.args for part in _weighted(arg, weight, algebra)]
    if node.op == "*":
        for scalar, vector in (node.args, node.args[::-1]):
            if not algebra.kinds.is_vector(scalar):
                return _weighted(vector, multiply(weight, algebra.form(scalar)), algebra)
    if node.op == "/" and not algebra.kinds.is_vector(node.args[1]):
        inverse = algebra.inverse(algebra.form(node.args[1]))
        return _weighted(node.args[0], multiply(weight, inverse), algebra)
    return [(weight, node)]


def _mean(parts: Mixture, terms: list[Node], algebra: Algebra) -> Form:
    total: Form = {}
    for (weight, _), term in zip(parts, terms, strict=True):
        total = add(total, multiply(weight, algebra.form(term)))
    return total


def _paired(
    first: Mixture | None, second: Mixture | None, a: Node, b: Node
) -> Iterator[tuple[Mixture, Mixture]]:
    """Yields both as mixtures with the same weights; one of them may be no mixture at all."""
    if first is None and second is not None:
        yield [(weight, a) for weight, _ in second], second
    if first is not None and second is None:
        yield first, [(weight, b) for weight, _ in first]
    if first is not None and second is not None and [w for w, _ in first] == [w for w, _ in second]:
        yield first, second
